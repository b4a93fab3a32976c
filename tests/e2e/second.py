"""A second project in the cluster, which knows nothing of the first, on its way to dev."""

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
    """The project, what is the champion of its dev, and what a prediction there was answered with."""

    world: World
    bundle: str
    served: str


def in_dev(project: Path) -> Second:
    """Build its images, train and serve in dev; staging and prod run the same images, by digest."""
    git("init", "--quiet", cwd=project)
    for key, value in (("name", "Ada"), ("email", "ada@example.org")):  # who trains
        git("config", f"user.{key}", value, cwd=project)
    commit(project, "Start")
    world = World(project)
    world.build_images("dev", "serving pipeline")
    for environment in LADDER[1:]:
        shutil.copytree(_images(world, "dev"), _images(world, environment), dirs_exist_ok=True)
    commit(project, "Images")
    world.make("deploy", "ENV=dev")
    world.make("pipeline-run", "ENV=dev")
    world.make("promote", "ENV=dev", REASON)
    found = Second(world, champion(world, namespace("dev")), world.make("smoke", "ENV=dev"))
    sleep("dev")
    return found


def namespace(environment: str) -> str:
    """Its namespace for an environment."""
    return f"{NAME}-{environment}"


def sleep(environment: str) -> None:
    """Stop an environment's servers: two processors are not enough for all of them."""
    kubectl("scale", "deployment/serving", "-n", namespace(environment), "--replicas=0")
    assert objects("deployment", namespace(environment))[0]["spec"]["replicas"] == 0


def _images(world: World, environment: str) -> str:
    return str(world.project / "k8s" / "overlays" / environment / "images")
