"""Two projects in one cluster, of which one leaves."""

import json
from concurrent.futures import Future
from pathlib import Path

import pytest

from .conftest import World, kubectl, node_address
from .questions import asked, offline, sample_rows
from .second import LADDER, Gone, Way, accounts, namespace


@pytest.mark.proof("Two projects share a cluster: when one is deleted, its accounts go and the other still answers")
def test_two_projects(
    world: World,
    second_images: Future[World],
    second_under_way: Future[tuple[Way, Gone]],
    second_leaves: Future[dict[str, str]],
    tmp_path: Path,
) -> None:
    way, _ = second_under_way.result()
    ours, rows = set(map(namespace, LADDER)), sample_rows(world, 10)
    said = second_leaves.result(timeout=300)
    assert set(said) == set(LADDER)
    assert "could not be removed" not in "".join(said.values())
    left = {each["metadata"]["name"] for each in json.loads(kubectl("get", "namespaces", "-o", "json"))["items"]}
    assert not left & ours
    assert ours < way.accounts
    assert not ours & accounts(second_images.result())
    assert asked(world, node_address(), rows) == pytest.approx(offline(world, rows, tmp_path), abs=1e-6)
    world.make("smoke", "ENV=local")
