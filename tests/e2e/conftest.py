"""A project on a real cluster: the one that KUBECONFIG names. What a test needs beyond Kubernetes comes from machine.sh."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import PROJECT_VENV, Bake, commit, git, make, run

from . import stand_ins
from .hooks import has, machine

if TYPE_CHECKING:
    from .second import Gone, Way

HERE = Path(__file__).resolve().parent
EVIDENCE = HERE.parents[1] / "build" / "evidence" / "cluster"
PROJECT, LOCAL = "flight-delay", "flight-delay-local"
PLATFORM = "mlops-platform"


def kubectl(*words: str, given: str | None = None, check: bool = True) -> str:
    """What kubectl prints, as the administrator that KUBECONFIG names."""
    done = subprocess.run(["kubectl", *words], input=given, text=True, capture_output=True, check=False)
    assert not check or done.returncode == 0, f"kubectl {' '.join(words)}:\n{done.stdout}{done.stderr}"
    return done.stdout if check else done.stdout + done.stderr


def objects(kind: str, namespace: str = LOCAL, *words: str) -> list[dict[str, Any]]:
    """The objects of a kind in a namespace."""
    found: list[dict[str, Any]] = json.loads(kubectl("get", kind, "-n", namespace, "-o", "json", *words))["items"]
    return found


def until(true: Any, seconds: float, what: str) -> float:
    """Wait until a condition holds, and give the seconds that took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, f"not within {seconds} s: {what}"
        time.sleep(0.5)
    return time.monotonic() - began


def record(name: str, **values: Any) -> None:
    """Keep what was measured: one JSON file a case."""
    EVIDENCE.mkdir(parents=True, exist_ok=True)
    file = EVIDENCE / f"{name}.json"
    known = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps(known | values, indent=1, sort_keys=True) + "\n")
    print(f"{name}: {values}")


@dataclass(frozen=True)
class World:
    """A generated project whose images are in the cluster."""

    project: Path

    def make(self, *words: str, check: bool = True) -> str:
        """What a verb prints; with check=False also what it refuses with."""
        done = make(self.project, *words, check=check)
        return done.stdout if check else done.stdout + done.stderr

    def refused(self, *words: str, **environment: str) -> str:
        """The sentence with which a verb refuses."""
        done = make(self.project, *words, check=False, **environment)
        assert done.returncode != 0, f"make {' '.join(words)} was not refused:\n{done.stdout}"
        return done.stderr[done.stderr.index("refused: ") :].partition("\nmake: ")[0]

    def build_images(self, environment: str, images: str = "") -> None:
        """Build an environment's images, all or some, and take them into the cluster, the way that this machine knows."""
        self.make("image", f"ENV={environment}", f"IMAGES={images}", *machine("builder").splitlines())

    def python(self, program: str, *words: str) -> str:
        """What a program prints that uses the project's own package."""
        command: list[str | Path] = [PROJECT_VENV / "bin" / "python", "-c", program, *words]
        return run(*command, cwd=self.project, PYTHONPATH="src").stdout


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Nobody may ask while the footprint is measured, which takes minutes: before the alerts, so that images are built meanwhile."""
    items.sort(key=lambda item: "test_6~" if item.path.stem == "test_9_footprint" else item.path.stem)


@pytest.fixture(scope="session", autouse=True)
def _evidence_is_of_one_run() -> None:
    shutil.rmtree(EVIDENCE, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def _cluster() -> None:
    if not os.environ.get("KUBECONFIG") or shutil.which("kubectl") is None:
        # Not a skip: whoever asks for these tests would take that for success.
        pytest.exit("no cluster: name one by KUBECONFIG, and have kubectl on PATH", returncode=1)
    kubectl("version")


@pytest.fixture(scope="session")
def project(bake: Bake) -> Path:
    """A project with the default answers, in a repository of its own."""
    folder = bake()
    git("init", "--quiet", cwd=folder)
    commit(folder, "Start")
    return folder


@pytest.fixture(scope="session")
def world(project: Path) -> World:
    """The project with its images and the platform in the cluster; the platform starts while the project's images are built."""
    here, began = World(project), time.monotonic()

    def platform(images: Future[dict[str, str]]) -> str:
        return here.make("platform", "ENV=local", f"PLATFORM={stand_ins.write(project, images.result())}")

    with ThreadPoolExecutor(1) as thread:
        images = thread.submit(stand_ins.build if has("stand_in") else dict)
        here.build_images("local", "mlflow")
        said = thread.submit(platform, images)
        here.build_images("local", "serving pipeline")
    assert said.result().splitlines()[-1].startswith("the platform is ready in mlops-platform: ")
    record("0-set-up", seconds=round(time.monotonic() - began))
    return here


# A second project is on its way while tests wait: whoever uses the next of these fixtures lets it go on.


@pytest.fixture(scope="session")
def second_images(world: World, bake: Bake) -> Iterator[Future[World]]:
    """Its images are built; in the cluster nobody hears of that."""
    from . import second  # it needs World

    with ThreadPoolExecutor(1) as thread:
        yield thread.submit(second.built, bake(title="Bus Arrival"))


@pytest.fixture(scope="session")
def second_under_way(second_images: Future[World], called: None) -> Iterator["Future[tuple[Way, Gone]]"]:
    """It goes to prod; meanwhile nobody serves in its dev, and somebody is called."""
    from . import second

    with ThreadPoolExecutor(1) as thread:
        yield thread.submit(lambda: second.goes_to_prod(second_images.result()))


@pytest.fixture(scope="session")
def second_leaves(second_images: Future[World], second_under_way: "Future[Any]") -> Iterator[Future[dict[str, str]]]:
    """It is deleted."""
    from . import second

    second_under_way.result(timeout=600)
    with ThreadPoolExecutor(1) as thread:
        yield thread.submit(lambda: second.leaves(second_images.result()))


@pytest.fixture(scope="session")
def called(world: World) -> Iterator[None]:
    """Somebody is called when an alert fires."""
    from . import receiver

    images = json.loads((world.project / "artifacts" / "images" / "images.json").read_text())
    with receiver.receiving(images["serving"]["reference"]):
        yield


@pytest.fixture(scope="session")
def node_port() -> str:
    """Where a client outside the cluster reaches the Service: no port-forward, which holds one pod."""
    return node_address()


def node_address() -> str:
    """The NodePort as it is now: a new namespace has another."""
    (service,) = objects("service", LOCAL, "--field-selector=metadata.name=serving-node-port")
    (node, *_) = objects("node", LOCAL)
    address = next(each["address"] for each in node["status"]["addresses"] if each["type"] == "InternalIP")
    return f"{address}:{service['spec']['ports'][0]['nodePort']}"
