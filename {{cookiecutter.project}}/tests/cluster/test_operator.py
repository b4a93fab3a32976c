"""The released manifests of the Prometheus operator: only those of the hash that install.env names."""

import hashlib
from pathlib import Path

import pytest

from {{ cookiecutter.package }}.cluster import operator
from {{ cookiecutter.package }}.errors import Refused

CONTENT = b"kind: CustomResourceDefinition\n"
RELEASE = operator.Release("v1", "https://example.org/bundle.yaml", hashlib.sha256(CONTENT).hexdigest())


def test_the_shipped_file_names_a_release() -> None:
    release = operator.read(operator.FOLDER / "install.env")
    assert release.version in release.address
    assert release.address.startswith("https://")
    assert len(release.sha256) == 64


def test_a_file_without_a_hash_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "install.env"
    file.write_text("# the operator\nVERSION=v1\nADDRESS=https://example.org\n")
    with pytest.raises(Refused, match="SHA256 is missing"):
        operator.read(file)


def test_what_was_kept_is_not_fetched_again(tmp_path: Path) -> None:
    (tmp_path / RELEASE.sha256).write_bytes(CONTENT)
    assert operator.fetch(RELEASE, tmp_path) == CONTENT


def test_what_was_kept_and_changed_is_refused(tmp_path: Path) -> None:
    (tmp_path / RELEASE.sha256).write_bytes(CONTENT + b"\n")
    with pytest.raises(Refused, match="is not what its name says; remove it"):
        operator.fetch(RELEASE, tmp_path)


@pytest.mark.parametrize("address", ["http://example.org/bundle.yaml", "file:///etc/passwd", ""])
def test_only_https_is_fetched(address: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="only https:// is fetched"):
        operator.fetch(operator.Release("v1", address, RELEASE.sha256), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_other_bytes_than_those_of_the_hash_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operator, "_download", lambda _: b"evil")
    with pytest.raises(Refused, match=f"demands {RELEASE.sha256}: do not use it"):
        operator.fetch(RELEASE, tmp_path)
    assert list(tmp_path.iterdir()) == []
