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
    from .second import Second

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
    """The project with its images and the platform in the cluster."""
    here, began = World(project), time.monotonic()
    with ThreadPoolExecutor(1) as thread:
        pending = thread.submit(stand_ins.build) if has("stand_in") else None
        here.build_images("local")
        images = pending.result() if pending else {}
    built = time.monotonic()
    said = here.make("platform", "ENV=local", f"PLATFORM={stand_ins.write(project, images)}")
    assert said.splitlines()[-1].startswith("the platform is ready in mlops-platform: ")
    record("0-set-up", images_seconds=round(built - began), platform_seconds=round(time.monotonic() - built))
    return here


@pytest.fixture(scope="session")
def second_under_way(world: World, bake: Bake) -> Iterator["Future[Second]"]:
    """A second project on its way to staging from now on: whoever waits for alerts leaves the processors to it."""
    from . import second  # it needs World

    with ThreadPoolExecutor(1) as thread:
        yield thread.submit(second.in_staging, bake(title="Bus Arrival"))


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
