"""What `overlays/local` and the platform ask of a cluster, and what they use when nobody asks."""

import time
from concurrent.futures import Future

import pytest

from .conftest import LOCAL, PLATFORM, World, kubectl, objects, record

CPU, MEMORY = 1.5, 4 * 2**30
IDLE_SECONDS, IDLE_CPU, IDLE_MEMORY = 300, 0.3, 3 * 2**30
UNITS = {"m": 1e-3, "n": 1e-9, "u": 1e-6, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}


def amount(text: str) -> float:
    """A quantity as Kubernetes writes it."""
    unit = next((unit for unit in sorted(UNITS, key=len, reverse=True) if text.endswith(unit)), "")
    return float(text.removesuffix(unit)) * UNITS.get(unit, 1)


@pytest.mark.proof("An environment and the platform ask for at most 1.5 processors and 4 GiB")
def test_requests(world: World) -> None:
    pods = [pod for name in (LOCAL, PLATFORM) for pod in objects("pods", name) if pod["status"]["phase"] == "Running"]
    asked = [container["resources"]["requests"] for pod in pods for container in pod["spec"]["containers"]]
    cpu, memory = (sum(amount(each[kind]) for each in asked) for kind in ("cpu", "memory"))
    record("9-footprint", pods=len(pods), requested_cpu=round(cpu, 3), requested_mib=round(memory / 2**20))
    assert cpu <= CPU
    assert memory <= MEMORY


@pytest.mark.proof("Idle for five minutes they use at most 0.3 processors and 3 GiB")
def test_idle(world: World, second_images: Future[World]) -> None:
    seen = []
    for _ in range(IDLE_SECONDS // 30):
        time.sleep(30)
        lines = [kubectl("top", "pods", "-n", name, "--no-headers").split("\n") for name in (LOCAL, PLATFORM)]
        used = [line.split()[1:3] for each in lines for line in each if line]
        seen.append((sum(amount(cpu) for cpu, _ in used), sum(amount(memory) for _, memory in used)))
    second_images.result()
    cpu, memory = (sum(values) / len(seen) for values in zip(*seen, strict=True))
    record("9-footprint", idle_cpu=round(cpu, 3), idle_mib=round(memory / 2**20))
    assert cpu <= IDLE_CPU
    assert memory <= IDLE_MEMORY
