"""What is lost with a namespace comes back from a backup; and projects do not know of each other."""

from pathlib import Path

import pytest
from conftest import Bake, commit, git

from .conftest import LOCAL, World, kubectl, objects, record, until
from .questions import asked, sample_rows
from .stored import wipe
from .test_2_promotion_under_load import champion

OTHER = "bus-arrival"


@pytest.mark.proof(
    "An environment whose namespace, bundles and versions were wiped answers the same predictions after a restore"
)
def test_backup_and_restore(world: World, tmp_path: Path) -> None:
    rows = sample_rows(world, 50)
    before, bundle_id, history = asked(world, address(), rows), champion(world), world.make("history", "ENV=local")
    key = world.make("api-key", "ENV=local", "NAME=survivor").splitlines()[-1]
    saved = world.make("backup", "ENV=local", f"OUTPUT={tmp_path / 'saved'}")
    wipe(world)
    kubectl("delete", "namespace", LOCAL)
    assert "waiting for a model" in world.make("deploy", "ENV=local")
    restored = world.make("restore", "ENV=local", f"INPUT={tmp_path / 'saved'}")
    assert champion(world) == bundle_id
    assert asked(world, address(), rows) == before
    until(lambda: len(asked(world, address(), rows, key)) == 50, 150, "a key of before is valid again")
    assert world.make("history", "ENV=local") == history
    world.make("status", "ENV=local")
    assert world.make("restore", "ENV=local", f"INPUT={tmp_path / 'saved'}").startswith("0 objects were missing")
    record("8-backup", saved=saved.splitlines()[-1], restored=restored.splitlines()[-1])


@pytest.mark.proof("A damaged backup is refused by the file's name, and nothing is changed")
def test_a_damaged_backup_is_refused(world: World, tmp_path: Path) -> None:
    world.make("backup", "ENV=local", f"OUTPUT={tmp_path / 'saved'}")
    (tmp_path / "saved" / "registry.json").write_text("{}")
    said = world.refused("restore", "ENV=local", f"INPUT={tmp_path / 'saved'}")
    assert "registry.json is not as it was written" in said


@pytest.mark.proof("Two projects share a cluster: when one is deleted, the other still answers")
def test_two_projects(world: World, bake: Bake) -> None:
    rows = sample_rows(world, 10)
    before = asked(world, address(), rows)
    project = bake(title="Bus Arrival")
    git("init", "--quiet", cwd=project)
    commit(project, "Start")
    other = World(project)
    other.build_images()
    other.make("deploy", "ENV=local")
    other.make("pipeline-run", "ENV=local")
    other.make("promote", "ENV=local", "REASON=the first")
    assert other.make("smoke", "ENV=local").startswith("version 1 (bundle ")
    other.make("clean-cluster", "ENV=local", f"CONFIRM={OTHER}-local")
    assert not [each for each in objects("namespace", LOCAL) if each["metadata"]["name"] == f"{OTHER}-local"]
    assert asked(world, address(), rows) == before
    world.make("smoke", "ENV=local")


def address() -> str:
    """The NodePort now: a new namespace has another."""
    (service,) = objects("service", LOCAL, "--field-selector=metadata.name=serving-node-port")
    (node, *_) = objects("node", LOCAL)
    found = next(each["address"] for each in node["status"]["addresses"] if each["type"] == "InternalIP")
    return f"{found}:{service['spec']['ports'][0]['nodePort']}"
