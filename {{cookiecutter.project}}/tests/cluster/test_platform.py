"""What a platform needs before it can be made, when it is ready, and that the operator's released manifests are those of the hash that install.env names."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from {{ cookiecutter.package }}.cluster import operator
from {{ cookiecutter.package }}.cluster.platform import lost, new_secrets, progress, storage, workloads
from {{ cookiecutter.package }}.errors import Refused

CLAIM: dict[str, Any] = {"kind": "PersistentVolumeClaim", "metadata": {"name": "postgres"}, "spec": {}}
SERVICE: dict[str, Any] = {"kind": "Service", "metadata": {"name": "postgres"}, "spec": {}}
SETTLED = {"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1}
NAMES = ["mlflow", "postgres"]
CONTENT = b"kind: CustomResourceDefinition\n"
RELEASE = operator.Release("v1", "https://example.org/bundle.yaml", hashlib.sha256(CONTENT).hexdigest())


def workload(name: str, **status: int) -> dict[str, Any]:
    return {"metadata": {"name": name, "generation": 2}, "spec": {"replicas": 1}, "status": SETTLED | status}


def pod(name: str, **container: Any) -> dict[str, Any]:
    status = {"name": "server", "ready": False, "restartCount": 0, "state": {"running": {}}} | container
    return {
        "metadata": {"name": name},
        "spec": {"containers": [{"name": "server"}]},
        "status": {"containerStatuses": [status]},
    }


def test_volumes_need_a_default_class() -> None:
    assert storage([SERVICE, CLAIM], [], None) == (
        "the volume postgres needs a StorageClass, and this cluster has no default one: mark one "
        'by the annotation storageclass.kubernetes.io/is-default-class: "true"'
    )


def test_volumes_that_name_their_class_or_are_there_need_none() -> None:
    named = CLAIM | {"spec": {"storageClassName": "fast"}}
    assert storage([SERVICE, CLAIM], [], "standard") == ""
    assert storage([SERVICE, named], [], None) == ""
    assert storage([SERVICE, CLAIM], ["postgres"], None) == ""


def test_a_password_that_a_volume_knows_too_is_not_made_again() -> None:
    assert lost([], []) == ""
    assert lost(["postgres", "mlflow"], ["postgres"]) == ""
    assert lost(["mlflow"], ["postgres"]) == (
        "the Secret postgres in mlops-platform is gone, and the database in the volume postgres still has its passwords: "
        "put it back, or give up all that is registered: kubectl --namespace mlops-platform delete pvc postgres"
    )


def test_secrets_are_random_and_what_must_agree_agrees() -> None:
    one, two = new_secrets(), new_secrets()
    assert one.keys() == two.keys() == {"postgres", "object-store", "mlflow", "mlflow-reader"}
    values = [value for made in (one, two) for name, keys in made.items() for key, value in keys.items()]
    assert len({*values}) == len(values) - 1  # the name of the account that reads
    store = one["object-store"]
    (account,) = json.loads(store["identities.json"])["identities"]
    assert account["credentials"] == [
        {"accessKey": store["AWS_ACCESS_KEY_ID"], "secretKey": store["AWS_SECRET_ACCESS_KEY"]}
    ]
    assert account["actions"] == ["Read:mlflow", "Write:mlflow", "List:mlflow"]


def test_what_the_operator_makes_is_waited_for_too() -> None:
    kinds = ["Service", "Deployment", "StatefulSet", "Prometheus", "Alertmanager"]
    found = [{"kind": kind, "metadata": {"name": kind.lower()}} for kind in kinds]
    assert workloads(found) == ["deployment", "statefulset", "prometheus-prometheus", "alertmanager-alertmanager"]


def test_it_is_ready_when_all_run_in_their_newest_form() -> None:
    found = progress(NAMES, [workload("mlflow"), workload("postgres")], [])
    assert (found.said, found.done) == ("all ready", True)


@pytest.mark.parametrize("late", ["observedGeneration", "replicas", "updatedReplicas", "readyReplicas"])
def test_what_is_waited_for_is_named(late: str) -> None:
    found = progress(NAMES, [workload("mlflow"), workload("postgres", **{late: 0})], [pod("postgres-0")])
    assert (found.said, found.done, found.failed) == ("waiting for postgres", False, "")
    assert found.trouble is not None
    assert (found.trouble.pod, found.trouble.container) == ("postgres-0", "server")


def test_what_is_not_there_yet_is_waited_for() -> None:
    assert progress(NAMES, [workload("mlflow")], []).said == "waiting for postgres"


def test_a_pod_that_cannot_start_is_named() -> None:
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}
    found = progress(NAMES, [workload("mlflow")], [pod("another-0"), pod("postgres-0", state=waiting)])
    assert found.failed == "pod postgres-0, container server: ImagePullBackOff, no such image"


def test_pods_of_others_are_not_looked_at() -> None:
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}
    found = progress(NAMES, [workload("mlflow"), workload("postgres")], [pod("grafana-0", state=waiting)])
    assert found.done


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
