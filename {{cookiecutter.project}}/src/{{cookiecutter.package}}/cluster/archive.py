"""An image as a file (`docker save`): how much of it is ours, and the list of its software."""

import gzip
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

BASE, SBOM = "org.opencontainers.image.base.name", "mlops-template.io/sbom"
"""Labels: the first line of a Dockerfile's last part sets the base's name, which tells its layers from ours; the path of the list."""


@dataclass(frozen=True)
class Contents:
    """What an archive holds; sizes in bytes, not compressed."""

    base: str
    base_bytes: int
    added_bytes: int
    sbom: bytes | None


def read(archive: Path) -> Contents:
    """Read an archive of one image."""
    with tarfile.open(archive) as found:
        manifest: dict[str, Any] = json.loads(_bytes(found, "manifest.json"))[0]
        config: dict[str, Any] = json.loads(_bytes(found, manifest["Config"]))
        labels = config["config"].get("Labels") or {}
        sizes = [_size(_open(found, layer)) for layer in manifest["Layers"]]
        foreign = base_layers(config["history"])
        sbom, path = None, labels.get(SBOM, "").lstrip("/")
        for layer in reversed(manifest["Layers"][foreign:] if path else ()):
            if (sbom := _file(_open(found, layer), path)) is not None:
                break
    return Contents(labels.get(BASE, ""), sum(sizes[:foreign]), sum(sizes[foreign:]), sbom)


def base_layers(history: list[dict[str, Any]]) -> int:
    """How many of the layers were there before the line that names the base; none when nothing names it."""
    layers = 0
    for line in history:
        if BASE in line.get("created_by", ""):
            return layers
        layers += not line.get("empty_layer", False)
    return 0


def _bytes(archive: tarfile.TarFile, name: str) -> bytes:
    with _open(archive, name) as file:
        return file.read()


def _open(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    file = archive.extractfile(name)
    assert file is not None, f"{name} is no file"
    compressed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    return cast(IO[bytes], gzip.open(file)) if compressed else file


def _size(layer: IO[bytes]) -> int:
    with layer:
        return layer.seek(0, 2)


def _file(layer: IO[bytes], path: str) -> bytes | None:
    with layer, tarfile.open(fileobj=layer) as files:
        found = files.extractfile(path) if path in files.getnames() else None
        return found.read() if found else None
