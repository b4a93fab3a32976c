"""The verbs that a sentence tells its reader to call next, each with all that it asks for there."""

import shlex

from .settings import LAPTOP, Settings


def option(environment: str) -> str:
    """What names an environment to a verb: nothing for this machine."""
    return "" if environment == LAPTOP else f" ENV={environment}"


def where(settings: Settings, environment: str, context: str = "") -> str:
    """The same for the verbs that may be about a cluster: with the context that was given, and a gap for one that must be."""
    needed = environment != LAPTOP and settings.gates.environments[environment].approval == "file"
    named = shlex.quote(context) if context else "…" if needed else ""
    return option(environment) + (f" CONTEXT={named}" if named else "")


def training(settings: Settings, environment: str, context: str = "") -> str:
    """The verb that trains for an environment."""
    if settings.overlay(environment) is None:
        return f"make train{option(environment)}"
    return f"make pipeline-run{where(settings, environment, context)}"


def promotion(settings: Settings, environment: str, context: str = "") -> str:
    """What makes the first champion: the challenger, or, where an environment comes before, the bundle that was tried there."""
    before = settings.gates.environments[environment].after
    verb = f"make promote{where(settings, environment, context)}"
    if before is None:
        return f'{verb} REASON="…"'
    return (
        f'{verb} BUNDLE=<id> REASON="…" with the champion of {before}, which make status{where(settings, before)} shows'
    )


def first_model(settings: Settings, environment: str, context: str = "") -> str:
    """What brings a model to an environment that has none: only where the way begins is it a training."""
    promoted = promotion(settings, environment, context)
    return f"{training(settings, environment, context)}, then {promoted}" if _first(settings, environment) else promoted


def challenger(settings: Settings, environment: str) -> str:
    """What brings something to promote to an environment that has no challenger."""
    if not _first(settings, environment):
        return promotion(settings, environment)
    return f"{training(settings, environment)}, or name a bundle (BUNDLE=)"


def _first(settings: Settings, environment: str) -> bool:
    return settings.gates.environments[environment].after is None
