"""The software that a model was made with, as a CycloneDX 1.6 document (https://cyclonedx.org/docs/1.6/json/)."""

import re
from importlib.metadata import distributions
from typing import Any

from .bundle import canonical


def build(name: str) -> bytes:
    """List every package installed beside this one; without serial number and time, so that equal is byte-equal."""
    packages = {_normalized(found.name): found.version for found in distributions()}
    components: list[dict[str, Any]] = [
        {"type": "library", "name": package, "version": version, "bom-ref": purl, "purl": purl}
        for package, version in sorted(packages.items())
        for purl in [f"pkg:pypi/{package}@{version}"]
    ]
    subject = {"type": "machine-learning-model", "name": name, "bom-ref": name}
    document = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "metadata": {"component": subject}}
    return canonical({**document, "components": components})


def _normalized(package: str) -> str:
    """The one spelling of a package's name (PEP 503), as package addresses have it."""
    return re.sub(r"[-_.]+", "-", package).lower()
