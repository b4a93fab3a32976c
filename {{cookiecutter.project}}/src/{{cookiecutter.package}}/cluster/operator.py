"""The Prometheus operator as its authors released it, applied with the patches of k8s/platform/prometheus/operator."""

import hashlib
import shutil
import tempfile
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from kubernetes import client

from ..errors import Refused
from ..settings import Settings
from .connection import Cluster, said
from .object_store import PLATFORM

FOLDER = Path("k8s/platform/prometheus/operator")
GROUP = "monitoring.coreos.com"
DEPLOYMENT = "prometheus-operator"
KINDS = ("alertmanagerconfigs", "alertmanagers", "prometheuses", "prometheusrules", "servicemonitors")
FETCH_SECONDS, START_SECONDS = 60, 120


@dataclass(frozen=True)
class Release:
    """What install.env names: where the released manifests are, and their hash."""

    version: str
    address: str
    sha256: str


def install(cluster: Cluster, settings: Settings) -> None:
    """Bring the operator up, and the kinds that it brings; one that the cluster has already stays as it is."""
    if _is_of_others(cluster):
        print(f"the cluster has a Prometheus operator of its own, which stays as it is: see {FOLDER.parent}/README.md")
        return
    with tempfile.TemporaryDirectory() as work:
        folder = shutil.copytree(settings.root / FOLDER, Path(work) / "operator")
        (folder / "bundle.yaml").write_bytes(fetch(read(folder / "install.env"), settings.artifacts / "downloads"))
        # On the server's side: the client would write each definition into an annotation, and they are too long for one.
        cluster.kubectl("apply", "--server-side", "--force-conflicts", "--kustomize", str(folder), timeout=120)
    print("platform: waiting for the Prometheus operator")
    names = [f"crd/{kind}.{GROUP}" for kind in KINDS]
    cluster.kubectl(
        "wait", "--for=condition=Established", f"--timeout={START_SECONDS}s", *names, timeout=START_SECONDS + 10
    )
    cluster.kubectl(
        *("wait", "--namespace", PLATFORM, "--for=condition=Available", f"--timeout={START_SECONDS}s"),
        f"deployment/{DEPLOYMENT}",
        timeout=START_SECONDS + 10,
    )


def read(file: Path) -> Release:
    """Read install.env; Refused when a value is missing."""
    lines = [line.partition("=") for line in file.read_text().splitlines() if "=" in line and not line.startswith("#")]
    found = {name: value for name, _, value in lines}
    try:
        return Release(found["VERSION"], found["ADDRESS"], found["SHA256"])
    except KeyError as missing:
        raise Refused(
            f"{FOLDER}/install.env: {missing.args[0]} is missing; it is the template's: make update"
        ) from None


def fetch(release: Release, downloads: Path) -> bytes:
    """The released manifests, from where they were kept before or from their address; Refused when they are not those of the hash."""
    kept = downloads / release.sha256
    if not kept.exists():
        content = _download(release.address)
        if (got := hashlib.sha256(content).hexdigest()) != release.sha256:
            raise Refused(
                f"{release.address}: has sha256 {got}, and {FOLDER}/install.env demands {release.sha256}: do not use it"
            )
        downloads.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(content)
    content = kept.read_bytes()
    if hashlib.sha256(content).hexdigest() != release.sha256:
        raise Refused(f"{kept}: is not what its name says; remove it, it is fetched again")
    return content


def _download(address: str) -> bytes:
    if not address.startswith("https://"):
        raise Refused(f"{address!r}: only https:// is fetched; mend {FOLDER}/install.env")
    try:
        with urllib.request.urlopen(address, timeout=FETCH_SECONDS) as answer:  # noqa: S310 - https, by the check above
            return bytes(answer.read())
    except OSError as error:
        raise Refused(
            f"{address}: {error}; check the network (HTTPS_PROXY), or lay the file into artifacts/downloads under its hash, "
            f"which {FOLDER}/install.env names"
        ) from error


def _is_of_others(cluster: Cluster) -> bool:
    """The operator's kinds are there, and its Deployment is not in the platform."""
    with said(cluster, "look for a Prometheus operator"):
        groups = {each.name for each in client.ApisApi(cluster.api).get_api_versions().groups}
        found = client.AppsV1Api(cluster.api).list_namespaced_deployment(PLATFORM).items
    return GROUP in groups and DEPLOYMENT not in {each.metadata.name for each in found}
