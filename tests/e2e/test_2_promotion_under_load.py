"""A promotion and a rollback under load: nothing is lost, and every answer is the one of the version that it names."""

import time
from pathlib import Path
from typing import Any

import pytest

from .conftest import EVIDENCE, LOCAL, World, kubectl, record, until
from .hooks import machine, needs
from .meter import Measured, load
from .questions import offline, sample_rows, smoke_key
from .serving import champion, servers
from .stored import rows_at

LEAST, PER_SECOND, OFFERED, SHARE = 10_000, 200, 320, 0.05
BEFORE_SECONDS, AFTER_SECONDS, ALL_SECONDS = 6, 6, 40
"""Around the rollout, and at least in all: there are more than LEAST answers then, and of both versions more than SHARE."""


@pytest.fixture(scope="module")
def rows(world: World) -> list[dict[str, Any]]:
    return sample_rows(world, 500)


@pytest.fixture(scope="module")
def scores(
    world: World, rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[float]]:
    """The offline scores of the rows, by bundle; the champion's are the first."""
    return {champion(world): offline(world, rows, tmp_path_factory.mktemp("offline"))}


def changed_under_load(world: World, address: str, rows: list[dict[str, Any]], name: str, *verb: str) -> Measured:
    """Ask before, while and after a verb changes what is served."""
    before = servers()
    with load(address, smoke_key(), rows, EVIDENCE / f"{name}.log", f"--per-second={OFFERED}") as under_way:
        time.sleep(BEFORE_SECONDS)
        began = time.monotonic()
        world.make(*verb)
        seconds = time.monotonic() - began
        until(lambda: not before & servers(), 60, "every pod of before is gone: the window holds the whole rollout")
        time.sleep(max(AFTER_SECONDS, began - BEFORE_SECONDS + ALL_SECONDS - time.monotonic()))
    record(name, seconds_of_the_verb=round(seconds, 1), **under_way.measured.summary())
    assert seconds <= 60
    return under_way.measured


def assert_nothing_lost(measured: Measured, scores: dict[str, list[float]], old: str, terminated: int) -> None:
    assert len(measured.requests) >= LEAST
    assert measured.per_second >= PER_SECOND
    assert measured.lost == []
    assert set(measured.share) == set(scores)
    assert min(measured.share.values()) >= SHARE
    assert measured.wrong(scores) == []
    # Else no connection was open when a server ended, and this has shown nothing.
    assert min(measured.closed_by(old).values()) >= terminated


@pytest.mark.proof(
    "A promotion under load loses no request of 10,000 on keep-alive connections, and each answer is that of the version it names"
)
def test_promotion_under_load(
    world: World, node_port: str, rows: list[dict[str, Any]], scores: dict[str, list[float]], tmp_path: Path
) -> None:
    (old,) = scores
    world.make("pipeline-run", "ENV=local", f"SOURCE={rows_at(world, share=0.9)}")
    measured = changed_under_load(world, node_port, rows, "2-promotion", "promote", "ENV=local", "REASON=newer rows")
    scores[champion(world)] = offline(world, rows, tmp_path)
    assert_nothing_lost(measured, scores, old, terminated=2)


@pytest.mark.proof("A rollback under load loses no request either, and is done within a minute")
def test_rollback_under_load(
    world: World, node_port: str, rows: list[dict[str, Any]], scores: dict[str, list[float]]
) -> None:
    old = champion(world)
    measured = changed_under_load(world, node_port, rows, "2-rollback", "rollback", "ENV=local", "REASON=worse")
    assert champion(world) != old
    assert_nothing_lost(measured, scores, old, terminated=2)


@needs("kill_container")
@pytest.mark.proof("The meter is not blind: the same load over servers that are killed shows losses")
def test_control_killed_servers_lose_requests(world: World, node_port: str, rows: list[dict[str, Any]]) -> None:
    with load(node_port, smoke_key(), rows, EVIDENCE / "2-control.log") as under_way:
        time.sleep(5)
        for pod in sorted(servers()):
            machine("kill_container", LOCAL, pod, "server")
        time.sleep(15)
    record("2-control", **under_way.measured.summary())
    assert len(under_way.measured.lost) > 0


@pytest.mark.proof(
    "Applying the manifests under load changes neither the model nor the number of servers, and loses nothing"
)
def test_a_deployment_under_load(world: World, node_port: str, rows: list[dict[str, Any]]) -> None:
    bundle, count = champion(world), len(servers())
    with load(node_port, smoke_key(), rows, EVIDENCE / "2-deployment.log") as under_way:
        time.sleep(3)
        world.make("deploy", "ENV=local")
        kubectl("apply", "--server-side", "--force-conflicts", "-k", str(world.project / "k8s/overlays/local"))
        time.sleep(5)
    record("2-deployment", **under_way.measured.summary())
    assert under_way.measured.lost == []
    assert set(under_way.measured.share) == {bundle}
    assert (champion(world), len(servers())) == (bundle, count)
