"""`make clean-cluster`: what it removes besides the namespace, and what cannot stop it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from {{ cookiecutter.package }}.cluster.cleaning import clean
from {{ cookiecutter.package }}.cluster.place import Namespace
from {{ cookiecutter.package }}.errors import Refused

from .stand_ins import Api, program, served

KUBECTL = r"""
case "$*" in
*port-forward*) echo "Forwarding from 127.0.0.1:MLFLOW -> 5000"; exec /bin/sleep 60 ;;
esac
cd STORE || exit 1
told=$(cat)
for user in $(echo "$told" | sed -n 's/^s3.configure -user=\(.*\) -delete -apply$/\1/p'); do rm "$user" || exit 1; done
printf '  models\tsize:0\n{"identities": ['
comma=
for user in *; do printf '%s{"name": "%s"}' "$comma" "$user"; comma=,; done
printf ']}\n'
"""


class Platform:
    """The accounts of the two that are in the platform; each is deleted by its name, once."""

    def __init__(self, folder: Path) -> None:
        self.users = {"admin", "reader"}
        self._store = folder
        folder.mkdir()
        (folder / "mlflow").touch()

    def add(self, name: str) -> None:
        self.users.add(name)
        (self._store / name).touch()

    @property
    def identities(self) -> set[str]:
        return {path.name for path in self._store.iterdir()}

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        assert (method, path) == ("DELETE", "/api/2.0/mlflow/users/delete")
        if body["username"] not in self.users:
            return 404, {"message": "no such user"}
        self.users.remove(body["username"])
        return 200, {}


@pytest.fixture
def platform(dev: Namespace, api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """The namespace, its accounts, and those of another in a platform that answers."""
    found = Platform(tmp_path / "store")
    for name in (dev.name, "another-dev"):
        found.add(name)
    api.add(f"/api/v1/namespaces/{dev.name}")
    api.add("/api/v1/namespaces/mlops-platform/secrets/mlflow", data={"admin-password": "c2VjcmV0"})
    with served(found.answer) as port:
        tools = tmp_path / "tools"
        tools.mkdir()
        program(tools / "kubectl", KUBECTL.replace("MLFLOW", str(port)).replace("STORE", str(tmp_path / "store")))
        monkeypatch.setenv("PATH", str(tools), prepend=":")
        yield found


STAYS = "bundles, records and versions stay: make deploy ENV=dev says how to serve the champion again"


def test_the_accounts_go_with_the_namespace(dev: Namespace, api: Api, platform: Platform) -> None:
    assert clean(dev, dev.name) == STAYS
    assert f"/api/v1/namespaces/{dev.name}" not in api.objects
    assert platform.users == {"admin", "reader", "another-dev"}
    assert platform.identities == {"mlflow", "another-dev"}
    assert clean(dev, dev.name) == f"there is no namespace {dev.name}"


def test_nothing_goes_unless_the_name_is_repeated(dev: Namespace, api: Api, platform: Platform) -> None:
    with pytest.raises(Refused, match=f"CONFIRM={dev.name}$"):
        clean(dev, "dev")
    assert f"/api/v1/namespaces/{dev.name}" in api.objects
    assert dev.name in platform.users & platform.identities


def test_a_namespace_that_stays_keeps_its_accounts(dev: Namespace, api: Api, platform: Platform) -> None:
    api.forbidden = {("DELETE", f"/api/v1/namespaces/{dev.name}")}
    with pytest.raises(Refused, match="could not delete the namespace"):
        clean(dev, dev.name)
    assert dev.name in platform.users & platform.identities


def test_a_platform_that_does_not_answer_does_not_stop_it(
    dev: Namespace, api: Api, platform: Platform, tmp_path: Path
) -> None:
    del api.objects["/api/v1/namespaces/mlops-platform/secrets/mlflow"]
    program(tmp_path / "tools" / "kubectl", 'echo "namespaces mlops-platform not found" >&2; exit 1')
    with pytest.raises(Refused) as refused:
        clean(dev, dev.name)
    said = str(refused.value)
    assert said.startswith(f"the namespace {dev.name} is gone, but its key in the object store (kubectl exec ")
    assert "not found) and its account in MLflow (there is no MLflow in mlops-platform" in said
    assert said.endswith(
        f") could not be removed: make clean-cluster ENV=dev CONFIRM={dev.name} removes what is left once the platform answers"
    )
    assert f"/api/v1/namespaces/{dev.name}" not in api.objects


def test_what_can_be_removed_goes_and_the_rest_with_the_next_call(
    dev: Namespace, api: Api, platform: Platform, tmp_path: Path
) -> None:
    kubectl = tmp_path / "tools" / "kubectl"
    answers = kubectl.read_text()
    program(kubectl, f'case "$*" in *exec*) exit 1 ;; esac\n{answers}')
    there = Namespace(dev.settings, "dev", dev.cluster, "my cluster")
    with pytest.raises(Refused) as refused:
        clean(there, dev.name)
    assert "MLflow" not in str(refused.value)
    assert f"make clean-cluster ENV=dev CONTEXT='my cluster' CONFIRM={dev.name} removes" in str(refused.value)
    assert dev.name not in platform.users
    assert dev.name in platform.identities
    kubectl.write_text(answers)
    assert clean(there, dev.name) == f"there is no namespace {dev.name}"
    assert dev.name not in platform.identities
