"""Overlays as their owners would write them: with every component, with images, filled in for a cloud."""

import shutil
from pathlib import Path
from typing import Any

from conftest import ROOT
from ruamel.yaml import YAML

COMPONENTS = sorted(path.name for path in (ROOT / "k8s" / "components").iterdir())
CLOUDS = ["aws", "azure", "gcp"]
ONE_OF = {"platform", "mlflow", *CLOUDS}  # where artifacts are; `mlflow` is a part of each
EVERYTHING = "every-component"
VALUES = {
    "hostname": "flights.example.org",
    "gateway_name": "edge",
    "gateway_namespace": "gateways",
    "secret_store": "vault",
    "secret_path": "teams/flights",
}
"""What components ask of environment.yaml beyond what every overlay gives."""

FILLED_IN = {
    "aws": {"artifact_uri": "s3://bucket", "region": "eu-central-1"},
    "azure": {
        "artifact_uri": "abfss://container@account.dfs.core.windows.net",
        "region": "westeurope",
        "identity_tenant": "33333333-3333-3333-3333-333333333333",
        "serving_identity": "11111111-1111-1111-1111-111111111111",
        "training_identity": "22222222-2222-2222-2222-222222222222",
    },
    "gcp": {"artifact_uri": "gs://bucket", "region": "europe-west4"},
}
"""What Terraform's outputs give a cloud's environment.yaml."""

IMAGES = "registry.example.org/team/flight-delay"
MADE, UNBUILT = f"sha256:{'1' * 64}", f"sha256:{'0' * 64}"

Object = dict[str, Any]


def add_everything(overlays: Path) -> None:
    """An overlay as an owner would write it who wants every component."""
    shutil.copytree(overlays / "dev", overlays / EVERYTHING)
    file, yaml = overlays / EVERYTHING / "kustomization.yaml", YAML()
    overlay = yaml.load(file)
    abilities = [name for name in COMPONENTS if name not in ONE_OF | {"environment"}]
    overlay["components"] = [f"../../components/{name}" for name in (*abilities, "platform", "environment")] + [
        "images"
    ]
    yaml.dump(overlay, file)
    with (overlays / EVERYTHING / "environment.yaml").open("a") as environment:
        environment.writelines(f"  {key}: {value}\n" for key, value in VALUES.items())


def write_images(overlay: Path) -> None:
    """What `make image` writes; of `local` it is no part of a project."""
    made = [{"name": name, "newName": f"{IMAGES}-{name}", "digest": MADE} for name in ("serving", "pipeline")]
    component = {"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component", "images": made}
    (overlay / "images").mkdir()
    YAML().dump(component, overlay / "images" / "kustomization.yaml")


def with_images(overlays: Path) -> Path:
    """The platform as `make platform` applies it: with the image of it that `make image` has built."""
    folder = overlays.parent / "platform-with-images"
    folder.mkdir()
    built = {"name": "mlflow", "newName": "registry.example.org/team/mlops-platform-mlflow", "digest": UNBUILT}
    YAML().dump({"resources": ["../platform"], "images": [built]}, folder / "kustomization.yaml")
    return folder


def filled_in(project: Path, cloud: str) -> Path:
    """The overlay `dev` of a cloud, as `make overlay-values` fills it in."""
    overlay = project / "k8s" / "overlays" / "dev"
    file, yaml = overlay / "environment.yaml", YAML()
    environment = yaml.load(file)
    assert {environment["data"][name] for name in ("artifact_uri", "region", "object_store_endpoint")} == {""}
    environment["data"] |= FILLED_IN[cloud]
    yaml.dump(environment, file)
    return overlay
