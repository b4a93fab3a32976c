"""Where an environment is served: on this machine, or in a cluster."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from .advice import option
from .errors import Refused
from .overview import Served
from .settings import Settings
from .switch import Laptop, Target


class Place(Protocol):
    """What the verbs need to know of it."""

    def target(self) -> Target:
        """What a promotion changes."""

    def served(self) -> list[Served]:
        """What each server there says that it serves."""

    def after_change(self) -> list[str]:
        """What is left to do after the champion has changed."""

    def remedy(self, champion: str | None, served: Sequence[Served]) -> str:
        """What brings back a server that serves something else than the champion, whose bundle's id is given."""


class Here:
    """This machine: `make serve` asks the registry what to serve."""

    def __init__(self, settings: Settings, environment: str) -> None:
        self._settings, self._environment = settings, environment
        self._verb = f"make serve{option(environment)}"

    def target(self) -> Target:
        """Nothing to change: the alias is the pointer."""
        return Laptop()

    def served(self) -> list[Served]:
        """The one server that may run here."""
        from .serving import handover

        running = handover.served(self._settings, self._environment)
        return [Served(f"make serve (port {running.port})", running.bundle)] if running else []

    def after_change(self) -> list[str]:
        """A server that runs here goes on with what it has until it is told."""
        return [f"next: {self._verb}, so that the running server hands over to it"] if self.served() else []

    def remedy(self, champion: str | None, served: Sequence[Served]) -> str:
        """A running server looks at the registry when it is told to."""
        return f"{self._verb} hands over to it"


@contextmanager
def reached(settings: Settings, environment: str, context: str = "") -> Iterator[Place]:
    """The place of an environment, its registry and object store within reach for as long as the block lasts."""
    if not _in_cluster(settings, environment):
        yield Here(settings, environment)
        return
    from .cluster.place import reached as reached_cluster

    with reached_cluster(settings, environment, context) as place:
        yield place


def require_here(settings: Settings, environment: str, instead: str) -> None:
    """Refused when an environment is in a cluster, where `instead` does what this verb does here."""
    if _in_cluster(settings, environment):
        raise Refused(f"environment {environment} is in a cluster (k8s/overlays/{environment}): {instead}")


def _in_cluster(settings: Settings, environment: str) -> bool:
    """Not in a pod, which has no overlay, nor where variables say where everything is: there nothing is left to reach."""
    settings.environment(environment)  # refused by name when there is none
    stated = os.environ.get("ARTIFACT_URI") and os.environ.get("MLFLOW_TRACKING_URI")
    return not stated and settings.overlay(environment) is not None
