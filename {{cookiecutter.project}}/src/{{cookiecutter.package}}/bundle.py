"""The model as files: written once, verified whenever read, moved as it is.

A bundle is a folder: `manifest.json` and the files that it lists with size and sha256. Its id is the sha256 of the
manifest's bytes, so that the id vouches for every byte. Serving imports this module: only msgspec and the standard
library here.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from . import staging
from .errors import Refused
from .store import Store

FORMAT = 1
# The release that reads a format first; a manifest carries it, so that an older reader can name it.
READER = "mlops-template 0.1.0"
FOLDER = "bundles"
MANIFEST = "manifest.json"
FILES = ("model.onnx", "contract.json", "reference.json", "card.md", "sbom.json")


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the manifest promises about a file."""

    sha256: str
    size: int


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The commit a bundle was trained from, or the reason why none is known."""

    commit: str | None
    dirty: bool | None
    reason: str | None


class Golden(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request and its answer: what a server must reproduce before it is ready."""

    request: dict[str, Any]
    score: float
    decision: bool


class Framework(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What trained the model, with the versions of everything that shaped it."""

    name: str
    versions: dict[str, str]


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`manifest.json`, format 1."""

    format: int
    reader: str
    name: str
    created: str
    source: Source
    data_hash: str
    contract_hash: str
    task: str
    threshold: float
    framework: Framework
    metrics: dict[str, Any]
    verdicts: tuple[dict[str, Any], ...]
    parity: dict[str, Any]
    golden: Golden
    trainer: str
    files: dict[str, File]


class Bundle(msgspec.Struct, frozen=True):
    """A verified bundle in a folder."""

    id: str
    manifest: Manifest
    folder: Path


def write(folder: Path, manifest_fields: Mapping[str, Any], files: Mapping[str, bytes]) -> str:
    """Write a bundle as a new folder and return its id; the manifest's format, reader and files are filled in here."""
    if sorted(files) != sorted(FILES):
        raise Refused(f"{folder}: a bundle has the files {', '.join(FILES)}, not {', '.join(sorted(files))}")
    listed = {name: {"sha256": _sha256(content), "size": len(content)} for name, content in files.items()}
    manifest = {**manifest_fields, "format": FORMAT, "reader": READER, "files": listed}
    manifest_bytes = canonical(manifest)
    _decode(manifest_bytes, str(folder))
    with _new_folder(folder) as staged:
        for name, content in {**files, MANIFEST: manifest_bytes}.items():
            (staged / name).write_bytes(content)
    return _sha256(manifest_bytes)


def read(folder: Path, expected_id: str | None = None) -> Bundle:
    """Read and verify a bundle: every file there, none besides, every byte as promised, and the id that is expected."""
    try:
        manifest_bytes = (folder / MANIFEST).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise Refused(f"{folder}: {MANIFEST} is missing: this is no bundle") from None
    manifest = _checked_manifest(manifest_bytes, str(folder), expected_id)
    for added in sorted({entry.name for entry in folder.iterdir()} - {*manifest.files, MANIFEST}):
        raise Refused(f"{folder}: {added} is not in {MANIFEST}: a bundle holds nothing else")
    for name, file in manifest.files.items():
        try:
            content = (folder / name).read_bytes()
        except OSError:
            raise Refused(f"{folder}: {name} is missing") from None
        _check_file(f"{folder}: {name}", content, file)
    return Bundle(_sha256(manifest_bytes), manifest, folder)


def publish(folder: Path, store: Store) -> str:
    """Put a bundle into the store, the manifest last, and return its address; the same bundle again changes nothing."""
    bundle = read(folder)
    path = path_of(bundle.id)
    for name in (*bundle.manifest.files, MANIFEST):
        store.put_new(f"{path}/{name}", (folder / name).read_bytes())
    return store.uri(path)


def fetch(uri: str, folder: Path, expected_id: str) -> Bundle:
    """Copy a published bundle into a new folder, which appears only when verified; one that is there is verified."""
    if folder.is_dir() and any(folder.iterdir()):
        return read(folder, expected_id)
    store = Store.open(uri)
    manifest_bytes = store.get(MANIFEST)
    manifest = _checked_manifest(manifest_bytes, uri, expected_id)
    with _new_folder(folder) as staged:
        for name, file in manifest.files.items():
            content = store.get(name)
            _check_file(store.uri(name), content, file)
            (staged / name).write_bytes(content)
        (staged / MANIFEST).write_bytes(manifest_bytes)
    return Bundle(expected_id, manifest, folder)


def path_of(bundle_id: str) -> str:
    """Say where in an environment's store a bundle lies."""
    return f"{FOLDER}/{bundle_id}"


def canonical(value: Any) -> bytes:
    """Give the one way to write a JSON document: sorted keys, two spaces, UTF-8, no NaN, a newline at the end."""
    return (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _checked_manifest(content: bytes, where: str, expected_id: str | None) -> Manifest:
    found = _sha256(content)
    if expected_id is not None and found != expected_id:
        raise Refused(f"{where}: {MANIFEST} has the sha256 {found}, the bundle asked for is {expected_id}")
    return _decode(content, where)


def _decode(content: bytes, where: str) -> Manifest:
    try:
        document = msgspec.json.decode(content, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise Refused(f"{where}: {MANIFEST} is no JSON object: {error}") from None
    if document.get("format") != FORMAT:
        needed = document.get("reader", "a later release of mlops-template")
        found = document.get("format")
        raise Refused(f"{where}: {MANIFEST}: format {found!r} is read by {needed}; this release reads {FORMAT}")
    try:
        manifest = msgspec.convert(document, Manifest)
    except msgspec.ValidationError as error:
        raise Refused(f"{where}: {MANIFEST}: {error}") from None
    # An exact list, so that no manifest can name a path outside of its bundle.
    if sorted(manifest.files) != sorted(FILES):
        listed = ", ".join(sorted(manifest.files))
        raise Refused(f"{where}: {MANIFEST}: files: {listed}: must be {', '.join(sorted(FILES))}")
    return manifest


def _check_file(where: str, content: bytes, promised: File) -> None:
    if len(content) != promised.size:
        raise Refused(f"{where} has {len(content)} bytes, {MANIFEST} says {promised.size}")
    if (found := _sha256(content)) != promised.sha256:
        raise Refused(f"{where} has the sha256 {found}, {MANIFEST} says {promised.sha256}")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    try:
        with staging.new_folder(folder) as staged:
            yield staged
    except FileExistsError:
        raise Refused(f"{folder} is there already: a bundle is written once") from None
