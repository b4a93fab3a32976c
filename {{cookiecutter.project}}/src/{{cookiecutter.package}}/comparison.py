"""The gates that a promotion runs again: a bundle from elsewhere against this environment's own champion."""

from pathlib import Path

from . import data, evaluation, gates, scoring
from .bundle import Bundle
from .errors import Refused
from .registry import champion_bundle
from .reports import Verdict
from .settings import Environment, Settings
from .validation import check


def verdicts(settings: Settings, environment: Environment, candidate: Bundle, scratch: Path) -> tuple[Verdict, ...]:
    """Judge a bundle again by the gates that the environment names; Refused when one of them refuses."""
    if not environment.rule.gates:
        return ()
    found = (champion(settings, environment, candidate, scratch),)
    refused = "; ".join(f"{verdict.gate}: {verdict.reason}" for verdict in found if verdict.outcome == "refused")
    if refused:
        raise Refused(
            f"{candidate.id[:12]} did not pass the gates of {environment.name}: {refused}; see config/gates.yaml"
        )
    return found


def champion(settings: Settings, environment: Environment, candidate: Bundle, scratch: Path) -> Verdict:
    """Compare the two on the evaluation rows of the contract's source, as a training would part them."""
    current = champion_bundle(environment, scratch / "champion")
    if current is None:
        return Verdict("champion", "not applicable", None, None, "there is no champion yet")
    contract = settings.contract
    if reason := scoring.incomparable(candidate, contract):
        raise Refused(f"{reason}, so it cannot be compared with the champion: check out the commit it was trained from")
    if reason := scoring.incomparable(current, contract):
        return Verdict("champion", "not applicable", None, None, reason)
    dataset = data.load(contract, contract.source, settings.root)
    check(contract, dataset)
    start = data.boundary(contract, dataset.frame, settings.training.split.evaluation)
    labels = data.label(contract, dataset.frame)
    frame = data.between(contract, dataset.frame[labels.notna()], start, None)
    compared = (current.id, scoring.bundle_scores(current, frame))
    scores = scoring.bundle_scores(candidate, frame)
    rate = float(data.label(contract, frame).mean())
    evaluated = evaluation.evaluate(contract, settings.training, frame, scores, rate, compared)
    return gates.champion(settings.gates.champion, evaluated)
