"""What breaks beside the servers does not break serving; what cannot go on says so, and all recovers by itself."""

import time
from typing import Any

import pytest

from .conftest import EVIDENCE, LOCAL, PLATFORM, World, kubectl, objects, record, until
from .hooks import machine, needs
from .meter import load
from .questions import sample_rows, smoke_key
from .serving import champion, ready, servers, wait_until_whole


@pytest.fixture(scope="module")
def rows(world: World) -> list[dict[str, Any]]:
    return sample_rows(world, 100)


@pytest.mark.proof("A deleted pod is replaced, and no request is lost")
def test_a_pod_is_deleted(world: World, node_port: str, rows: list[dict[str, Any]]) -> None:
    wait_until_whole()
    with load(node_port, smoke_key(), rows, EVIDENCE / "4-deleted.log") as under_way:
        time.sleep(3)
        began = time.monotonic()
        kubectl("delete", "pod", "-n", LOCAL, min(servers()))  # waits until it is gone
        wait_until_whole()
        seconds = time.monotonic() - began
        time.sleep(2)
    record("4-deleted", recovery_seconds=round(seconds, 1), **under_way.measured.summary())
    assert under_way.measured.lost == []


@needs("kill_container")
@pytest.mark.proof("A killed server starts again, and no request is lost but those that it was answering")
def test_a_container_is_killed(world: World, node_port: str, rows: list[dict[str, Any]]) -> None:
    with load(node_port, smoke_key(), rows, EVIDENCE / "4-killed.log", "--patient") as under_way:
        time.sleep(3)
        killed = time.time()
        machine("kill_container", LOCAL, min(servers()), "server")
        kill_took = time.time() - killed
        until(lambda: ready() < len(servers()), 30, "the cluster has noticed")
        wait_until_whole()
        seconds = time.time() - killed
        time.sleep(2)
    measured = under_way.measured
    in_flight = sum(request.begun <= killed + kill_took and request.ended >= killed for request in measured.requests)
    record("4-killed", recovery_seconds=round(seconds, 1), in_flight=in_flight, **measured.summary())
    assert len(measured.lost) <= in_flight


@pytest.mark.proof("The second of two evictions at once is refused")
def test_eviction(world: World, node_port: str, rows: list[dict[str, Any]]) -> None:
    wait_until_whole()
    first, second = sorted(servers())[:2]
    with load(node_port, smoke_key(), rows, EVIDENCE / "4-evicted.log") as under_way:
        assert evict(first) == ""
        assert "disruption budget" in evict(second)
        seconds = wait_until_whole()
        time.sleep(2)
    record("4-evicted", recovery_seconds=round(seconds, 1), **under_way.measured.summary())
    assert under_way.measured.lost == []


def evict(pod: str) -> str:
    """What the API server says when it refuses an eviction; empty when it does not."""
    eviction = f'{{"apiVersion":"policy/v1","kind":"Eviction","metadata":{{"name":"{pod}","namespace":"{LOCAL}"}}}}'
    address = f"/api/v1/namespaces/{LOCAL}/pods/{pod}/eviction"
    said = kubectl("create", "--raw", address, "-f", "-", given=eviction, check=False)
    return "" if '"status":"Success"' in said else said


@needs("restart_api_server")
@pytest.mark.proof("While the API server restarts, serving goes on")
def test_the_api_server_restarts(world: World, node_port: str, rows: list[dict[str, Any]]) -> None:
    with load(node_port, smoke_key(), rows, EVIDENCE / "4-api-server.log") as under_way:
        time.sleep(2)
        began = time.monotonic()
        machine("restart_api_server")
        until(lambda: "ok" in kubectl("get", "--raw", "/readyz", check=False), 120, "the API server answers")
        seconds = time.monotonic() - began
        wait_until_whole()
        time.sleep(2)
    record("4-api-server", recovery_seconds=round(seconds, 1), **under_way.measured.summary())
    assert under_way.measured.lost == []
    world.make("status", "ENV=local")


@pytest.mark.proof(
    "Without the registry, its database or the object store serving goes on; a promotion says what does not answer, and all recovers by itself"
)
@pytest.mark.parametrize(
    ("workload", "says"),
    [("deployment/mlflow", "mlflow"), ("statefulset/postgres", "registry"), ("statefulset/object-store", "store")],
)
def test_a_part_of_the_platform_is_down(
    world: World, node_port: str, rows: list[dict[str, Any]], workload: str, says: str
) -> None:
    before, name = champion(world), workload.partition("/")[2]
    with load(node_port, smoke_key(), rows, EVIDENCE / f"4-{name}.log") as under_way:
        kubectl("scale", workload, "-n", PLATFORM, "--replicas=0")
        until(lambda: not objects("pods", PLATFORM, "-l", f"app.kubernetes.io/name={name}"), 90, f"{name} is down")
        began = time.monotonic()
        said = world.refused("rollback", "ENV=local", "REASON=while it is down")
        seconds_until_said = time.monotonic() - began
        kubectl("scale", workload, "-n", PLATFORM, "--replicas=1")
        recovered = until(lambda: _status_agrees(world), 180, f"all agrees after {name} is back")
    record(
        f"4-{name}",
        said=said,
        seconds_until_said=round(seconds_until_said, 1),
        recovery_seconds=round(recovered, 1),
        **under_way.measured.summary(),
    )
    assert says in said
    assert seconds_until_said < 90
    assert "Traceback" not in said
    assert under_way.measured.lost == []
    assert set(under_way.measured.share) == {before}
    assert champion(world) == before


def _status_agrees(world: World) -> bool:
    return "refused" not in world.make("status", "ENV=local", check=False)
