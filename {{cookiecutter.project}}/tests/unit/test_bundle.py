import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from {{ cookiecutter.package }} import bundle
from {{ cookiecutter.package }}.errors import Refused
from {{ cookiecutter.package }}.store import Store

from .store_helpers import FILES, fields, make_bundle


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_bundle(tmp_path / "bundle")
    return tmp_path / "bundle"


def test_the_id_is_the_sha256_of_the_manifest(tmp_path: Path) -> None:
    bundle_id = make_bundle(tmp_path / "bundle")
    manifest = (tmp_path / "bundle/manifest.json").read_bytes()
    assert bundle_id == hashlib.sha256(manifest).hexdigest()
    assert bundle.read(tmp_path / "bundle").id == bundle_id
    assert manifest == bundle.canonical(json.loads(manifest))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle"]


def test_equal_content_gives_an_equal_id(tmp_path: Path) -> None:
    assert make_bundle(tmp_path / "one") == make_bundle(tmp_path / "two")
    assert make_bundle(tmp_path / "three", created="2026-11-25T00:00:00+00:00") != make_bundle(tmp_path / "four")


@pytest.mark.proof("A bundle with a changed byte, or a file too few or too many, is refused")
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_changed_byte_is_refused_by_the_name_of_its_file(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("changed") / "bundle"
    bundle_id = make_bundle(folder)
    name = data.draw(st.sampled_from([*FILES, "manifest.json"]))
    content = bytearray((folder / name).read_bytes())
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] ^= data.draw(st.integers(1, 255))
    (folder / name).write_bytes(content)
    with pytest.raises(Refused, match=name):
        bundle.read(folder, bundle_id)


@settings(max_examples=30, deadline=None)
@given(content=st.binary(max_size=200), name=st.sampled_from(sorted(FILES)))
def test_what_is_written_is_what_is_read(content: bytes, name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.mktemp("round")
    bundle_id = bundle.write(root / "bundle", fields(), {**FILES, name: content})
    uri = bundle.publish(root / "bundle", Store.open((root / "store").as_uri()))
    fetched = bundle.fetch(uri, root / "fetched", bundle_id)
    assert fetched.id == bundle_id
    assert (root / "fetched" / name).read_bytes() == content


@pytest.mark.proof("A bundle with a changed byte, or a file too few or too many, is refused")
@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_a_missing_file_is_refused(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(Refused, match=f"{name} is missing"):
        bundle.read(folder)


@pytest.mark.proof("A bundle with a changed byte, or a file too few or too many, is refused")
@pytest.mark.parametrize("name", ["model.pkl", ".hidden", "subfolder/file"])
def test_an_added_file_is_refused(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"")
    with pytest.raises(Refused, match=f"{Path(name).parts[0]} is not in manifest.json"):
        bundle.read(folder)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"format": 2, "reader": "mlops-template 9.1.0"},
            "format 2 is read by mlops-template 9.1.0; this release reads 1",
        ),
        ({"format": "1"}, "format '1' is read by"),
        ({"threshold": "half"}, "Expected `float`, got `str` - at `$.threshold`"),
        ({"extra": 1}, "unknown field `extra`"),
        (
            {"files": {"../../escape": {"sha256": "0", "size": 1}}},
            "files: ../../escape: must be card.md, contract.json",
        ),
    ],
)
def test_a_manifest_of_another_form_is_refused(folder: Path, change: dict[str, object], sentence: str) -> None:
    manifest = json.loads((folder / "manifest.json").read_bytes())
    (folder / "manifest.json").write_bytes(bundle.canonical({**manifest, **change}))
    with pytest.raises(Refused) as refused:
        bundle.read(folder)
    assert sentence in str(refused.value)


def test_a_wrong_sha256_in_the_manifest_is_refused(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest["files"]["card.md"]["sha256"] = "0" * 64
    (folder / "manifest.json").write_bytes(bundle.canonical(manifest))
    with pytest.raises(Refused, match=r"card\.md has the sha256"):
        bundle.read(folder)


def test_another_bundle_than_the_expected_one_is_refused(folder: Path) -> None:
    with pytest.raises(Refused, match=f"the bundle asked for is {'0' * 64}"):
        bundle.read(folder, "0" * 64)


def test_a_bundle_is_written_once(folder: Path) -> None:
    with pytest.raises(Refused, match="is there already: a bundle is written once"):
        make_bundle(folder)


def test_a_damaged_store_leaves_nothing_behind(folder: Path, tmp_path: Path) -> None:
    uri = bundle.publish(folder, Store.open((tmp_path / "store").as_uri()))
    bundle_id = bundle.read(folder).id
    (tmp_path / "store/bundles" / bundle_id / "card.md").write_bytes(b"# Fake\n")
    with pytest.raises(Refused, match=r"card\.md has the sha256"):
        bundle.fetch(uri, tmp_path / "fetched", bundle_id)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle", "store"]
    with pytest.raises(Refused, match=r"card\.md exists with other content"):
        bundle.publish(folder, Store.open((tmp_path / "store").as_uri()))


def test_the_manifest_is_published_last(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    order: list[str] = []
    put_new = Store.put_new
    monkeypatch.setattr(
        Store, "put_new", lambda store, path, content: order.append(path) or put_new(store, path, content)
    )
    bundle.publish(folder, Store.open((tmp_path / "store").as_uri()))
    assert order[-1].endswith("/manifest.json")
    assert len(order) == len(FILES) + 1
