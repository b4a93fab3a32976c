"""A backup is taken for whole only when every byte of it is as it was written."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from {{ cookiecutter.package }}.cluster import backup
from {{ cookiecutter.package }}.errors import Refused

FILES = {
    "objects/bundles/b/manifest.json": b"{}",
    "objects/bundles/b/model.onnx": b"onnx",
    "objects/promotions/1-begun.json": b"{}",
    "registry.json": b'{"versions":[],"aliases":{}}',
    "api-keys": b"",
    "mlflow.dump": b"PGDMP",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A backup of `dev`."""
    folder = tmp_path / "backup"
    for name, content in FILES.items():
        backup._write(folder / name, content)
    contents = backup.Contents(backup.FORMAT, "dev", "2026-01-01T00:00:00+00:00", backup._sums(folder))
    backup._write(folder / backup.CONTENTS, msgspec.json.encode(contents))
    return folder


def listed(folder: Path, **values: Any) -> None:
    """Change what the list says."""
    file = folder / backup.CONTENTS
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


def refusal(folder: Path, environment: str = "dev") -> str:
    with pytest.raises(Refused) as refused:
        backup._checked(folder, environment)
    return str(refused.value)


def test_a_whole_backup_is_taken(folder: Path) -> None:
    contents = backup._checked(folder, "dev")
    assert contents.files.keys() == FILES.keys()
    assert contents.files["mlflow.dump"][0] == 5


def test_without_its_list_it_is_no_backup(folder: Path) -> None:
    (folder / backup.CONTENTS).unlink()
    said = "backup.json is missing: this is no backup, or only a part of one"
    assert refusal(folder) == f"{folder}: {said}"
    assert refusal(folder / "nowhere") == f"{folder / 'nowhere'}: {said}"


def test_a_list_that_is_none(folder: Path) -> None:
    (folder / backup.CONTENTS).write_text("[]")
    assert refusal(folder) == f"{folder}/backup.json: Expected `object`, got `array`"
    (folder / backup.CONTENTS).write_text('{"format": 1')
    assert refusal(folder).startswith(f"{folder}/backup.json: ")


def test_another_format_and_another_environment(folder: Path) -> None:
    assert refusal(folder, "prod") == f"{folder}: is a backup of dev, not of prod"
    listed(folder, format=2)
    assert refusal(folder) == f"{folder}: format 2: this release reads 1"


@pytest.mark.parametrize("name", FILES)
def test_a_changed_or_missing_file_is_named(name: str, folder: Path) -> None:
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content + b" ")
    assert refusal(folder) == f"{folder}: {name} is not as it was written: take another backup"
    (folder / name).unlink()
    assert refusal(folder) == f"{folder}: {name} is not as it was written: take another backup"


def test_an_added_file_is_named(folder: Path) -> None:
    (folder / "objects" / "promotions" / "2-begun.json").write_bytes(b"{}")
    assert refusal(folder) == (
        f"{folder}: objects/promotions/2-begun.json is not as it was written: take another backup"
    )


def test_a_manifest_comes_back_after_the_files_it_names() -> None:
    names = sorted((name for name in FILES if name.startswith("objects/")), key=backup._last_manifest)
    assert names[-1] == "objects/bundles/b/manifest.json"
