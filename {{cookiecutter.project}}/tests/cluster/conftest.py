import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from kubernetes import client

from {{ cookiecutter.package }}.cluster.connection import Cluster
from {{ cookiecutter.package }}.cluster.place import Namespace
from {{ cookiecutter.package }}.registry import CHALLENGER, Registry
from {{ cookiecutter.package }}.settings import Settings

import sample_project

from .stand_ins import Api, served

VALUES = {
    "environment": "dev",
    "artifact_uri": "s3://models",
    "mlflow_uri": "http://mlflow.mlops-platform.svc:5000",
    "object_store_endpoint": "http://object-store.mlops-platform.svc:8333",
}


@pytest.fixture
def api() -> Api:
    """A cluster in which there is nothing yet."""
    return Api()


@pytest.fixture(scope="session")
def empty_registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry as a file, to be copied: to make one takes seconds."""
    file = tmp_path_factory.mktemp("registry") / "mlflow.db"
    environment = Settings.load(sample_project.root()).environment("dev")
    registry = Registry(replace(environment, registry_uri=f"sqlite:///{file}"))
    registry.set_alias(CHALLENGER, None)  # only asking would make none
    assert registry.versions() == []
    return file


@pytest.fixture
def dev(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Namespace]:
    """The environment `dev` of a project, which uses the platform of that cluster."""
    for name in ("ARTIFACT_URI", "ARTIFACTS_DIR", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    root = sample_project.write(tmp_path / "project")
    (root / "k8s/overlays/dev").mkdir(parents=True)
    (root / "k8s/overlays/dev/environment.yaml").write_text(json.dumps({"data": VALUES}))
    with served(api.answer) as port:
        configuration = client.Configuration()
        configuration.host = f"http://127.0.0.1:{port}"
        cluster = Cluster("here", client.ApiClient(configuration))
        yield Namespace(Settings.load(root), "dev", cluster)
        cluster.api.rest_client.pool_manager.clear()
