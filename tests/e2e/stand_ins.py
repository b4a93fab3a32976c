"""The platform with stand-ins for the images that cannot be pulled here: the same manifests, other digests."""

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

from .hooks import machine

HERE = Path(__file__).resolve().parent
IMAGES = HERE / "images"
OPERATOR = "quay.io/prometheus-operator/"
PACKAGED = {"docker.io/library/postgres:17": "postgres", "docker.io/chrislusf/seaweedfs:4.48": "seaweedfs"}
BUILT = {
    "quay.io/prometheus/prometheus:v3.15.0": ("prometheus", ""),
    "quay.io/prometheus/alertmanager:v0.34.1": ("alertmanager", ""),
    f"{OPERATOR}prometheus-operator:v0.85.0": ("prometheus-operator", "prometheus-operator"),
    f"{OPERATOR}prometheus-config-reloader:v0.85.0": ("prometheus-operator", "prometheus-config-reloader"),
}


def build() -> dict[str, str]:
    """Build all of them into the cluster; gives NAME@sha256:… by NAME:TAG."""
    found = {name: machine("stand_in", name, IMAGES / folder) for name, folder in PACKAGED.items()}
    for name, (folder, target) in BUILT.items():
        context = _said(IMAGES / "build.sh", folder)
        options = ["-f", str(IMAGES / folder / "Dockerfile"), *(["--target", target] if target else [])]
        found[name] = machine("stand_in", name, context, *options)
    return found


def write(project: Path, images: dict[str, str]) -> str:
    """Write the kustomization that names the stand-ins, and lay the operator's manifests where `make platform` looks for them."""
    folder = project / "artifacts" / "stand-ins"
    folder.mkdir(parents=True, exist_ok=True)
    kustomization: dict[str, Any] = {"resources": ["../../k8s/platform"]}
    # As k8s/platform calls them.
    digests = {
        name.partition(":")[0].removeprefix("docker.io/").removeprefix("library/"): said
        for name, said in images.items()
    }
    kustomization["images"] = [
        {"name": name, "digest": said.partition("@")[2]}
        for name, said in digests.items()
        if name in ("postgres", "chrislusf/seaweedfs")
    ]
    kustomization["patches"] = [
        {"target": {"kind": kind}, "patch": json.dumps([{"op": "replace", "path": "/spec/image", "value": said}])}
        for kind, name in (
            ("Prometheus", "quay.io/prometheus/prometheus"),
            ("Alertmanager", "quay.io/prometheus/alertmanager"),
        )
        if (said := digests.get(name))
    ]
    (folder / "kustomization.yaml").write_text(json.dumps(kustomization))
    if images:
        _lay_operator(project)
    return str(folder.relative_to(project))


def _lay_operator(project: Path) -> None:
    """The released bundle.yaml is a file of the operator's module; its hash is the one that install.env names."""
    module = "github.com/prometheus-operator/prometheus-operator"
    _said("go", "mod", "download", module, cwd=IMAGES / "prometheus-operator")
    where = _said("go", "list", "-m", "-f", "{{.Dir}}", module, cwd=IMAGES / "prometheus-operator")
    content = (Path(where) / "bundle.yaml").read_bytes()
    downloads = project / "artifacts" / "downloads"
    downloads.mkdir(parents=True, exist_ok=True)
    (downloads / hashlib.sha256(content).hexdigest()).write_bytes(content)


def _said(*command: str | Path, cwd: Path = HERE) -> str:
    done = subprocess.run(list(map(str, command)), cwd=cwd, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
