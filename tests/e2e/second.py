"""A second project in the cluster, which knows nothing of the first, on its way to prod."""

import json
import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from conftest import commit, git

from .conftest import World, kubectl, objects, until
from .prometheus import touch
from .receiver import pages, told
from .serving import champion

NAME = "bus-arrival"
LADDER = ("dev", "staging", "prod")
REASON = "REASON=error analysis read"
DOWN = "ServingDown"
PAGE_SECONDS, RESOLVE_SECONDS = 150, 200


@dataclass(frozen=True)
class Way:
    """How it came from dev to prod."""

    bundle: str
    champions: set[str]
    """By environment."""
    served: dict[str, str]
    """What a prediction was answered with, by environment."""
    refused: dict[str, str]
    """What was asked too early, and what was said."""
    history: str
    """Of prod."""
    accounts: set[str]
    """The clients that the object store knows."""


@dataclass(frozen=True)
class Gone:
    """What somebody was told while nobody served in dev."""

    pages: list[dict[str, Any]]
    seconds_until_page: float
    seconds_until_resolved: float


def built(project: Path) -> World:
    """The project with its images, of which dev, staging and prod have the same; nothing of it runs."""
    git("init", "--quiet", cwd=project)
    for key, value in (("name", "Ada"), ("email", "ada@example.org")):  # who trains
        git("config", f"user.{key}", value, cwd=project)
    commit(project, "Start")
    kubectl("delete", "namespace", *map(namespace, LADDER), "--ignore-not-found")  # of a run before this one
    world = World(project)
    world.build_images("dev", "serving pipeline")
    for environment in LADDER[1:]:
        shutil.copytree(_images(world, "dev"), _images(world, environment), dirs_exist_ok=True)
    commit(project, "Images")
    return world


def goes_to_prod(world: World) -> tuple[Way, Gone]:
    """Train and serve in dev, and promote the same bundle, with the same images, in staging and prod.

    Two processors are not enough for all servers: they stop once they have answered, and of dev's somebody is told.
    """
    world.make("deploy", "ENV=dev")
    world.make("pipeline-run", "ENV=dev")
    world.make("promote", "ENV=dev", REASON)
    bundle, served = champion(world, namespace("dev")), {"dev": world.make("smoke", "ENV=dev")}
    touch("prometheus-prometheus-0")  # so that it has read the rules of the new namespace
    _scale("dev", 0)
    stopped = time.monotonic()
    world.make("deploy", "ENV=staging")
    world.make("promote", "ENV=staging", REASON, f"BUNDLE={bundle}")
    served["staging"] = world.make("smoke", "ENV=staging")
    _scale("staging", 0)
    refused = _into_prod(world, bundle)
    served["prod"] = world.make("smoke", "ENV=prod", context())
    way = Way(
        bundle,
        {champion(world, namespace(environment)) for environment in LADDER},
        served,
        refused | {each: world.refused("status", f"ENV={each}", context()) for each in LADDER[:-1]},
        world.make("history", "ENV=prod", context()),
        accounts(world),
    )
    _scale("prod", 0)
    return way, _told_of_dev(stopped)


def leaves(world: World) -> dict[str, str]:
    """Delete all of it again; gives what was said, by environment."""
    return {
        each: world.make("clean-cluster", f"ENV={each}", context(), f"CONFIRM={namespace(each)}") for each in LADDER
    }


def accounts(world: World) -> set[str]:
    """The names by which the object store knows its clients."""
    program = "import json; from bus_arrival.cluster import connection, object_store as store; print(json.dumps([*store.look(connection.Cluster.connect()).identities]))"
    return set(json.loads(world.python(program)))


def namespace(environment: str) -> str:
    """Its namespace for an environment."""
    return f"{NAME}-{environment}"


def context() -> str:
    """What prod wants to be told, so that nobody means another cluster."""
    return f"CONTEXT={kubectl('config', 'current-context').strip()}"


def _into_prod(world: World, bundle: str) -> dict[str, str]:
    """Promote in prod, and say what was refused until somebody else than the trainer had approved."""
    refused = {"without the cluster's name": world.refused("deploy", "ENV=prod")}
    world.make("deploy", "ENV=prod", context())
    promote = ("promote", "ENV=prod", context(), REASON, f"BUNDLE={bundle}")
    refused["without approval"] = world.refused(*promote)
    approval = world.project / "governance" / "approvals" / f"{bundle}.yaml"
    approval.write_text(f"bundle: {bundle}\nreason: no group is worse off\ndate: {datetime.now(UTC):%Y-%m-%d}\n")
    commit(world.project, "Approve")
    refused["approved by the trainer"] = world.refused(*promote)
    git("-c", "user.name=Grace", "-c", "user.email=grace@example.org", "commit", "--quiet", "--amend", "--reset-author", "--no-edit", cwd=world.project)  # fmt: skip
    world.make(*promote)
    world.make("status", "ENV=prod", context())
    return refused


def _told_of_dev(stopped: float) -> Gone:
    """Wait until somebody is called, start the servers again, and wait until that was told too."""
    dev = namespace("dev")
    until(told(DOWN, "firing", 0, dev), PAGE_SECONDS, "the page")
    page = time.monotonic() - stopped
    _scale("dev", 1)
    began = time.monotonic()
    until(told(DOWN, "resolved", 0, dev), RESOLVE_SECONDS, "its end")
    return Gone(pages(0, dev), page, time.monotonic() - began)


def _scale(environment: str, servers: int) -> None:
    kubectl("scale", "deployment/serving", "-n", namespace(environment), f"--replicas={servers}")
    assert objects("deployment", namespace(environment))[0]["spec"]["replicas"] == servers


def _images(world: World, environment: str) -> str:
    return str(world.project / "k8s" / "overlays" / environment / "images")
