"""A second project in the cluster, which knows nothing of the first, on its way to prod."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from conftest import commit, git

from .conftest import World, kubectl, objects
from .serving import champion

NAME = "bus-arrival"
LADDER = ("dev", "staging", "prod")
REASON = "REASON=error analysis read"


@dataclass(frozen=True)
class Second:
    """The project, what is the champion of its dev and of its staging, and what a prediction there was answered with."""

    world: World
    bundle: str
    served: dict[str, str]


def in_staging(project: Path) -> Second:
    """Build its images, train and serve in dev, and promote the same bundle, with the same images, in staging."""
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
    world.make("deploy", "ENV=dev")
    world.make("pipeline-run", "ENV=dev")
    world.make("promote", "ENV=dev", REASON)
    bundle, served = champion(world, namespace("dev")), {"dev": world.make("smoke", "ENV=dev")}
    _sleep("dev")
    world.make("deploy", "ENV=staging")
    world.make("promote", "ENV=staging", REASON, f"BUNDLE={bundle}")
    served["staging"] = world.make("smoke", "ENV=staging")
    _sleep("staging")
    return Second(world, bundle, served)


def namespace(environment: str) -> str:
    """Its namespace for an environment."""
    return f"{NAME}-{environment}"


def _sleep(environment: str) -> None:
    """Stop an environment's servers: two processors are not enough for all of them."""
    kubectl("scale", "deployment/serving", "-n", namespace(environment), "--replicas=0")
    assert objects("deployment", namespace(environment))[0]["spec"]["replicas"] == 0


def _images(world: World, environment: str) -> str:
    return str(world.project / "k8s" / "overlays" / environment / "images")
