"""`make overlay-values`: what Terraform has made, into the one file from which manifests and verbs learn where things are."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from . import verbs
from .place import Place, Refused

ANNOTATIONS = {
    "azure.workload.identity/client-id": "{workload}_identity",
    "azure.workload.identity/tenant-id": "identity_tenant",
}
"""What tells pods apart on Azure, and the keys of environment.yaml for it. Elsewhere their name and namespace are enough."""
OUTPUTS = ("artifact_uri", "region", "registry_url", "workload_identities")


def write(place: Place) -> None:
    """Put the outputs into k8s/overlays/<environment>/environment.yaml; everything else in it stays as it is."""
    file = place.root / "k8s" / "overlays" / place.environment / "environment.yaml"
    if not file.exists():
        raise Refused(f"{place.name(file)} is missing: k8s/overlays has no environment of that name")
    text = file.read_text(encoding="utf-8")
    new, changed = put(text, values(place.cloud, verbs.outputs(place, *OUTPUTS)))
    for line in changed:
        print(line)
    if not changed:
        print(f"{place.name(file)} has these values already")
        return
    _replace(file, new)
    print(f"{place.name(file)} is written: look at it, and commit it")


def values(cloud: str, outputs: Mapping[str, Any]) -> dict[str, str]:
    """The keys of environment.yaml that the outputs say something about.

    Where the cluster was there already, so is its object store: what the file says of that one's region and endpoint stays.
    """
    found = {"artifact_uri": outputs["artifact_uri"]}
    if outputs["registry_url"]:
        found["registry"] = outputs["registry_url"]
    if cloud != "local":
        found |= {"region": outputs["region"], "object_store_endpoint": ""}
    for workload in ("serving", "training"):
        annotations = outputs["workload_identities"].get(workload, {}).get("annotations", {})
        found |= {ANNOTATIONS[name].format(workload=workload): value for name, value in annotations.items()}
    return found


def put(text: str, wanted: Mapping[str, str]) -> tuple[str, list[str]]:
    """The file with these values under `data`, comments and order kept; and a line for each that differs."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 10_000
    document = yaml.load(text)
    data = document["data"]
    changed = {key: value for key, value in wanted.items() if data.get(key) != value}
    lines = [f"{key}: {data.get(key) or 'nothing'} → {value or 'nothing'}" for key, value in changed.items()]
    data.update(changed)
    out = io.StringIO()
    yaml.dump(document, out)
    return out.getvalue(), lines


def _replace(file: Path, text: str) -> None:
    new = file.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    new.replace(file)
