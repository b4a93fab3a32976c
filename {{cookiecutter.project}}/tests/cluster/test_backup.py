"""A backup has all that no other place has, and is taken for whole only when every byte of it is as it was written."""

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from {{ cookiecutter.package }}.cluster import backup
from {{ cookiecutter.package }}.cluster.place import Namespace
from {{ cookiecutter.package }}.errors import Refused
from {{ cookiecutter.package }}.switch import Laptop

from .stand_ins import Api, program

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


POSTGRES = "/apis/apps/v1/namespaces/mlops-platform/statefulsets/postgres"


@pytest.fixture
def kubectl(dev: Namespace, empty_registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands in for kubectl, and dumps the database of a registry in which there is nothing yet."""
    dev.settings.artifacts.mkdir()
    shutil.copy(empty_registry, dev.settings.artifacts)
    tools = tmp_path / "tools"
    tools.mkdir()
    monkeypatch.setenv("PATH", str(tools), prepend=":")
    return Path(program(tools / "kubectl", "printf PGDMP"))


def left_out(folder: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads((folder / "backup.json").read_text())["left_out"]
    return found


def test_the_database_of_the_platform_is_saved(dev: Namespace, api: Api, kubectl: Path, tmp_path: Path) -> None:
    api.add(POSTGRES)
    saved = tmp_path / "saved"
    assert backup.backup(dev, saved) == f"{saved}: 0 objects and 0 versions of dev"
    assert (saved / "mlflow.dump").read_bytes() == b"PGDMP"
    assert left_out(saved) == {}


def test_a_folder_that_is_taken_is_refused_before_anything_is_read(dev: Namespace, tmp_path: Path) -> None:
    """There is neither a store nor a registry, whose refusals would come first."""
    taken, file, link = tmp_path / "taken", tmp_path / "file", tmp_path / "link"
    backup._write(taken / "x", b"")
    backup._write(file, b"")
    link.symlink_to(tmp_path / "nowhere")
    for folder, what in ((taken, "has files already"), (file, "is a file"), (link, "is a file")):
        with pytest.raises(Refused, match=f"^{folder}: {what}; name a new folder \\(OUTPUT=\\)$"):
            backup.backup(dev, folder)
    (tmp_path / "empty").mkdir()
    backup.require_new(tmp_path / "empty")
    backup.require_new(tmp_path / "none")


def test_a_database_that_is_down_is_not_left_out(dev: Namespace, api: Api, kubectl: Path, tmp_path: Path) -> None:
    api.add(POSTGRES)
    program(kubectl, "echo error: unable to upgrade connection >&2; exit 1")
    with pytest.raises(Refused, match=r"^the registry's database was not saved: error: unable to upgrade connection$"):
        backup.backup(dev, tmp_path / "saved")
    assert not (tmp_path / "saved").exists()


def test_who_may_not_look_for_the_database_is_refused(dev: Namespace, api: Api, kubectl: Path, tmp_path: Path) -> None:
    api.forbidden = {("GET", POSTGRES)}
    with pytest.raises(Refused, match=r"could not look for the StatefulSet postgres in mlops-platform"):
        backup.backup(dev, tmp_path / "saved")


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        ("http://mlflow.mlops-platform.svc:5000", "there is no StatefulSet postgres in mlops-platform"),
        ("https://mlflow.example.org", "MLflow is not in mlops-platform"),
    ],
)
def test_a_database_that_is_elsewhere_is_left_out_and_said(
    uri: str, why: str, dev: Namespace, api: Api, kubectl: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "example" in uri:
        api.add(POSTGRES)  # of others
    file = dev.settings.root / "k8s/overlays/dev/environment.yaml"
    file.write_text(json.dumps({"data": json.loads(file.read_text())["data"] | {"mlflow_uri": uri}}))
    saved, reason = tmp_path / "saved", f"{why}; the service that runs it backs it up"
    assert backup.backup(dev, saved) == (
        f"{saved}: 0 objects and 0 versions of dev, without the registry's database: {reason}"
    )
    assert sorted(path.name for path in saved.iterdir()) == ["api-keys", "backup.json", "registry.json"]
    assert left_out(saved) == {"mlflow.dump": reason}

    api.add(f"/api/v1/namespaces/{dev.name}/secrets/api-keys", data={})
    monkeypatch.setattr(Namespace, "target", lambda _: Laptop())
    assert backup.restore(dev, saved) == "0 objects were missing, 0 versions are registered; dev has no champion"
