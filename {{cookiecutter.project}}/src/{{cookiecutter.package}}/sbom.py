"""The software that a model was made with, or that an image holds, as a CycloneDX 1.6 document (https://cyclonedx.org/docs/1.6/json/)."""

import platform
import re
import sys
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .bundle import canonical

Component = dict[str, Any]


def build(name: str) -> bytes:
    """List every package installed beside this one; without serial number and time, so that equal is byte-equal."""
    subject = {"type": "machine-learning-model", "name": name, "bom-ref": name}
    return _document(subject, _libraries())


def of_image(name: str, root: Path = Path("/")) -> bytes:
    """List what the image holds in which this runs: the system's packages (Debian's), Python and what is installed for it."""
    version = platform.python_version()
    python = _component("application", "python", version, f"pkg:generic/python@{version}")
    return _document({"type": "container", "name": name, "bom-ref": name}, [*_debian(root), python, *_libraries()])


def _libraries() -> list[Component]:
    packages = {_normalized(found.name): found.version for found in distributions()}
    return [
        _component("library", package, version, f"pkg:pypi/{package}@{version}")
        for package, version in sorted(packages.items())
    ]


def _debian(root: Path) -> Iterator[Component]:
    """What dpkg has installed; nothing where there is no dpkg."""
    status, release = root / "var/lib/dpkg/status", root / "etc/os-release"
    if not status.exists():
        return
    system = dict(line.split("=", 1) for line in release.read_text(encoding="utf-8").splitlines() if "=" in line)
    distribution = f"{system['ID']}-{system.get('VERSION_ID', 'sid')}".replace('"', "")
    for paragraph in status.read_text(encoding="utf-8").split("\n\n"):
        found = dict(re.findall(r"^(Package|Status|Version|Architecture): (.*)$", paragraph, re.MULTILINE))
        if found.get("Status", "").endswith(" installed"):
            name, version = found["Package"], found["Version"]
            address = f"pkg:deb/debian/{quote(name)}@{quote(version)}"
            yield _component("library", name, version, f"{address}?arch={found['Architecture']}&distro={distribution}")


def _component(kind: str, name: str, version: str, purl: str) -> Component:
    return {"type": kind, "name": name, "version": version, "bom-ref": purl, "purl": purl}


def _document(subject: Component, components: list[Component]) -> bytes:
    document = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "metadata": {"component": subject}}
    return canonical({**document, "components": components})


def _normalized(package: str) -> str:
    """The one spelling of a package's name (PEP 503), as package addresses have it."""
    return re.sub(r"[-_.]+", "-", package).lower()


if __name__ == "__main__":  # `python -m <package>.sbom NAME FILE`, while an image is built
    Path(sys.argv[2]).write_bytes(of_image(sys.argv[1]))
