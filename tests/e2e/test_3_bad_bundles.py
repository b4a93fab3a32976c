"""What cannot be served does not come to be served: the old servers answer all the time, and the message says why."""

import json
from typing import Any

import pytest
from conftest import git

from .conftest import EVIDENCE, LOCAL, World, kubectl, objects, record
from .meter import load
from .questions import sample_rows, smoke_key
from .serving import champion
from .stored import change_a_byte, other_bundle, variant


@pytest.fixture(scope="module")
def rows(world: World) -> list[dict[str, Any]]:
    return sample_rows(world, 100)


def refused_under_load(world: World, address: str, rows: list[dict[str, Any]], name: str, *verb: str) -> str:
    """What a verb refuses with, while nothing changes for the clients."""
    before = champion(world)
    with load(address, smoke_key(), rows, EVIDENCE / f"{name}.log") as under_way:
        said = world.refused(*verb)
    record(name, said=said, **under_way.measured.summary())
    assert under_way.measured.lost == []
    assert set(under_way.measured.share) == {before}
    assert champion(world) == before
    world.make("status", "ENV=local")
    return said


@pytest.mark.proof("A bundle with one changed byte is refused before anything changes")
def test_one_changed_byte(world: World, node_port: str, rows: list[dict[str, Any]]) -> None:
    bundle_id = variant(world, created="2026-01-01T00:00:00+00:00")
    change_a_byte(world, f"bundles/{bundle_id}/card.md")
    said = refused_under_load(
        world, node_port, rows, "3-changed-byte", "promote", "ENV=local", "REASON=x", f"BUNDLE={bundle_id}"
    )
    assert "card.md" in said
    assert "sha256" in said


@pytest.mark.proof(
    "A bundle that fails its golden request never becomes ready: the old servers go on, and the champion is put back"
)
def test_a_failed_golden_request(world: World, node_port: str, rows: list[dict[str, Any]]) -> None:
    bundle_id = variant(world, golden={"score": 0.5})
    said = refused_under_load(
        world, node_port, rows, "3-golden", "promote", "ENV=local", "REASON=x", f"BUNDLE={bundle_id}"
    )
    assert "container server" in said
    assert "golden" in said
    assert "failed: rollout: pod " in world.make("history", "ENV=local")


@pytest.mark.proof("An address that does not exist stops new pods before they serve; the next promotion puts it right")
def test_an_address_that_does_not_exist(world: World, node_port: str, rows: list[dict[str, Any]]) -> None:
    """No verb writes such an address: somebody did it by hand."""
    before = champion(world)
    nowhere = {"mlops-template.io/model-uri": "s3://models/nowhere/bundles/0", "mlops-template.io/model-id": "0" * 64}
    patch = {"spec": {"template": {"metadata": {"annotations": nowhere}}}}
    with load(node_port, smoke_key(), rows, EVIDENCE / "3-nowhere.log") as under_way:
        kubectl("patch", "deployment", "serving", "-n", LOCAL, "--patch", json.dumps(patch))
        status = kubectl("rollout", "status", "deployment/serving", "-n", LOCAL, "--timeout=20s", check=False)
        differs = world.refused("status", "ENV=local")
        world.make("promote", "ENV=local", "REASON=back to what it was", f"BUNDLE={before}")
    record("3-nowhere", said=differs, **under_way.measured.summary())
    assert "timed out" in status
    assert f"annotation serves {'0' * 12}, the champion is {before[:12]}" in differs
    assert under_way.measured.lost == []
    assert set(under_way.measured.share) == {before}
    assert champion(world) == before
    world.make("status", "ENV=local")


def image() -> str:
    (deployment,) = objects("deployment", LOCAL)
    return str(deployment["spec"]["template"]["spec"]["containers"][0]["image"])


@pytest.mark.proof(
    "An image change between two promotions stays when the model is rolled back; `rollout undo` by hand is no obstacle to the next promotion"
)
def test_image_and_model_change_apart(world: World) -> None:
    world.make("promote", "ENV=local", "REASON=the newer again", f"BUNDLE={other_bundle(world)}")
    newer, before = champion(world), image()
    git("commit", "--quiet", "--allow-empty", "--message", "Another commit, another image", cwd=world.project)
    world.build_images("local", "serving")
    world.make("deploy", "ENV=local")
    changed = image()
    assert changed != before
    assert champion(world) == newer
    world.make("rollback", "ENV=local", "REASON=worse")
    assert champion(world) != newer
    assert image() == changed
    kubectl("rollout", "undo", "deployment/serving", "-n", LOCAL)
    kubectl("rollout", "status", "deployment/serving", "-n", LOCAL, "--timeout=120s")
    world.make("promote", "ENV=local", "REASON=by name", f"BUNDLE={newer}")
    assert champion(world) == newer
    world.make("status", "ENV=local")
