"""What is lost with a namespace comes back from a backup."""

from pathlib import Path

import pytest

from .conftest import LOCAL, World, kubectl, node_address, record, until
from .questions import asked, sample_rows
from .serving import champion
from .stored import wipe


@pytest.mark.proof(
    "An environment whose namespace, bundles and versions were wiped answers the same predictions after a restore"
)
def test_backup_and_restore(world: World, tmp_path: Path) -> None:
    rows = sample_rows(world, 50)
    before, bundle_id, history = asked(world, node_address(), rows), champion(world), world.make("history", "ENV=local")
    key = world.make("api-key", "ENV=local", "NAME=survivor").splitlines()[-1]
    saved = world.make("backup", "ENV=local", f"OUTPUT={tmp_path / 'saved'}")
    wipe(world)
    kubectl("delete", "namespace", LOCAL)
    assert "waiting for a model" in world.make("deploy", "ENV=local")
    restored = world.make("restore", "ENV=local", f"INPUT={tmp_path / 'saved'}")
    assert champion(world) == bundle_id
    assert asked(world, node_address(), rows) == before
    until(lambda: len(asked(world, node_address(), rows, key)) == 50, 150, "a key of before is valid again")
    assert world.make("history", "ENV=local") == history
    world.make("status", "ENV=local")
    again = world.make("restore", "ENV=local", f"INPUT={tmp_path / 'saved'}")
    assert again.splitlines()[-1].startswith("0 objects were missing, ")
    record("8-backup", saved=saved.splitlines()[-1], restored=restored.splitlines()[-1])


@pytest.mark.proof("A damaged backup is refused by the file's name, and nothing is changed")
def test_a_damaged_backup_is_refused(world: World, tmp_path: Path) -> None:
    world.make("backup", "ENV=local", f"OUTPUT={tmp_path / 'saved'}")
    (tmp_path / "saved" / "registry.json").write_text("{}")
    said = world.refused("restore", "ENV=local", f"INPUT={tmp_path / 'saved'}")
    assert "registry.json is not as it was written" in said
