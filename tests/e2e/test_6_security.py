"""What must be refused is refused."""

import base64
import copy
import json
import subprocess
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from .conftest import LOCAL, PROJECT, World, kubectl, objects, record, until
from .questions import asked, sample_rows, smoke_key
from .serving import restarts, servers, wait_until_calm

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "can-i.txt"
PROMOTER = f"system:serviceaccount:{LOCAL}:promoter"
ACCOUNTS = ("default", "promoter", "serving", "training")
PROD = f"{PROJECT}-prod"
PAUSE = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "intruder",
        "labels": {"app.kubernetes.io/name": "intruder", "app.kubernetes.io/part-of": "x"},
    },
    "spec": {
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [
            {
                "name": "intruder",
                "image": "busybox:1.36",
                "command": ["sleep", "600"],
                "resources": {"requests": {"cpu": "1m", "memory": "8Mi"}, "limits": {"cpu": "50m", "memory": "32Mi"}},
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
            }
        ],
    },
}


def changed(found: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy in which one field, a dotted path with list indices, is another."""
    made = copy.deepcopy(found)
    *parents, last = path.split(".")
    place: Any = made
    for part in parents:
        place = place[int(part)] if isinstance(place, list) else place.setdefault(part, {})
    place[last] = value
    return made


def refusal(given: dict[str, Any], *words: str, namespace: str = LOCAL) -> str:
    """What the API server says when it refuses an object; empty when it does not."""
    done = subprocess.run(
        ["kubectl", "create", "--dry-run=server", "-n", namespace, "-f", "-", *words],
        input=json.dumps(given),
        text=True,
        capture_output=True,
        check=False,
    )
    return done.stderr if done.returncode else ""


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.hostNetwork", True),
        ("spec.containers.0.securityContext", {"privileged": True}),
        ("spec.containers.0.securityContext.allowPrivilegeEscalation", True),
        ("spec.containers.0.securityContext.capabilities", {"add": ["NET_ADMIN"]}),
        ("spec.securityContext.runAsNonRoot", False),
        ("spec.securityContext.seccompProfile", {"type": "Unconfined"}),
        ("spec.volumes", [{"name": "host", "hostPath": {"path": "/"}}]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.proof("A pod that breaks the restricted standard is refused in an environment's namespace")
def test_unrestricted_pods_are_refused(world: World, path: str, value: Any) -> None:
    assert refusal(PAUSE) == ""
    assert "violates PodSecurity" in refusal(changed(PAUSE, path, value))


@pytest.mark.proof("An image without a digest is refused in prod")
def test_an_image_without_digest_is_refused_in_prod(world: World, prod_namespace: str) -> None:
    assert "@sha256:" in refusal(PAUSE, namespace=prod_namespace)
    pinned = changed(PAUSE, "spec.containers.0.image", f"busybox@sha256:{'0' * 64}")
    assert refusal(pinned, namespace=prod_namespace) == ""


@pytest.fixture
def prod_namespace(world: World) -> str:
    """The namespace of prod as its overlay has it, and nothing in it."""
    rendered = kubectl("kustomize", str(world.project / "k8s/overlays/prod"))
    namespace = next(part for part in rendered.split("\n---\n") if "\nkind: Namespace\n" in f"\n{part}\n")
    kubectl("apply", "-f", "-", given=namespace)
    return PROD


@pytest.mark.parametrize(
    "patch",
    [
        {"spec": {"template": {"spec": {"containers": [{"name": "server", "image": "busybox:1.36"}]}}}},
        {"spec": {"template": {"spec": {"containers": [{"name": "server", "command": ["sh"]}]}}}},
        {"spec": {"template": {"spec": {"containers": [{"name": "server", "env": [{"name": "A", "value": "b"}]}]}}}},
        {"spec": {"template": {"spec": {"initContainers": [{"name": "fetch", "image": "busybox:1.36"}]}}}},
        {"spec": {"replicas": 7}},
        {"spec": {"template": {"metadata": {"labels": {"a": "b"}}}}},
        {"spec": {"template": {"metadata": {"annotations": {"a": "b"}}}}},
        {"spec": {"template": {"spec": {"serviceAccountName": "training"}}}},
        {"metadata": {"labels": {"a": "b"}}},
        {"metadata": {"annotations": {"a": "b"}}},
    ],
    ids=lambda patch: json.dumps(patch).replace('"', "").replace(" ", "")[:90],
)
@pytest.mark.proof("The promoting account can change the model's three annotations, and nothing else of the Deployment")
def test_the_promoting_account_changes_nothing_but_the_model(world: World, patch: dict[str, Any]) -> None:
    words = ("patch", "deployment", "serving", "-n", LOCAL, "--as", PROMOTER, "--dry-run=server", "--patch")
    allowed = {"spec": {"template": {"metadata": {"annotations": {"mlops-template.io/model-version": "9"}}}}}
    assert "patched" in kubectl(*words, json.dumps(allowed))
    said = kubectl(*words, json.dumps(patch), check=False)
    assert "ValidatingAdmissionPolicy" in said, said
    assert "denied request" in said


@pytest.mark.proof(
    "The promoting account cannot change another Deployment, and no account has more rights than the golden matrix says"
)
def test_rights(world: World, request: pytest.FixtureRequest) -> None:
    may = ("auth", "can-i", "patch", "-n", LOCAL, "--as", PROMOTER)
    assert kubectl(*may, "deployment/serving") == "yes\n"
    assert kubectl(*may, "deployment/other", check=False) == "no\n"
    matrix = "".join(f"# {account}\n{_rights(account)}\n" for account in ACCOUNTS)
    if request.config.getoption("--golden"):
        GOLDEN.write_text(matrix)
    assert matrix == GOLDEN.read_text()


def _rights(account: str) -> str:
    listed = kubectl("auth", "can-i", "--list", "-n", LOCAL, "--as", f"system:serviceaccount:{LOCAL}:{account}")
    return "\n".join(sorted(" ".join(line.split()) for line in listed.splitlines()))


@pytest.mark.proof("Another namespace reaches neither the service nor the metrics port")
def test_another_namespace_is_kept_out(world: World) -> None:
    kubectl("create", "namespace", "stranger")
    try:
        services = {each["metadata"]["name"]: each["spec"]["clusterIP"] for each in objects("service", LOCAL)}
        addresses = [(services["serving"], 80, "v2/health/live"), (services["serving"], 8081, "metrics")]
        assert _got(addresses) == [False, False]
        kubectl("label", "namespace", "stranger", "mlops-template.io/client=true")
        time.sleep(2)  # until the policies know of it
        assert _got(addresses) == [True, False]
    finally:
        kubectl("delete", "namespace", "stranger")


def _got(addresses: list[tuple[str, int, str]]) -> list[bool]:
    """Whether pods in the other namespace get an answer, one for each address."""
    with ThreadPoolExecutor() as threads:
        return list(threads.map(_gets, (f"intruder-{number}" for number in range(len(addresses))), addresses))


def _gets(name: str, address: tuple[str, int, str]) -> bool:
    pod = changed(changed(PAUSE, "spec.restartPolicy", "Never"), "metadata.name", name)
    # Not the container's first process, which no signal of `timeout` would end.
    command = "timeout 6 wget -q -O- http://{}:{}/{}; exit $?".format(*address)
    pod = changed(pod, "spec.containers.0.command", ["sh", "-c", command])
    kubectl("create", "-n", "stranger", "-f", "-", given=json.dumps(pod))
    look = ("get", "pod", name, "-n", "stranger", "-o=jsonpath={.status.phase}")
    try:
        until(lambda: kubectl(*look) in ("Succeeded", "Failed"), 60, "its end")
        return kubectl(*look) == "Succeeded"
    finally:
        kubectl("delete", "pod", name, "-n", "stranger")


@pytest.mark.proof("A missing, a wrong and a revoked API key are refused, all without a restart")
def test_keys(world: World, node_port: str) -> None:
    wait_until_calm()
    rows, before = sample_rows(world, 1), (servers(), restarts())
    assert _status(node_port, None, rows[0]) == _status(node_port, "wrong", rows[0]) == 401
    key = world.make("api-key", "ENV=local", "NAME=web-shop").splitlines()[-1]
    given = until(lambda: {_status(node_port, key, rows[0]) for _ in range(10)} == {200}, 60, "all know the new key")
    assert len(asked(world, node_port, rows, key)) == 1
    world.make("api-key", "ENV=local", "NAME=web-shop", "REVOKE=1")
    revoked = until(lambda: {_status(node_port, key, rows[0]) for _ in range(10)} == {401}, 60, "the key is revoked")
    assert _status(node_port, smoke_key(), rows[0]) == 200
    assert (servers(), restarts()) == before
    secret = kubectl("get", "secret", "api-keys", "-n", LOCAL, "-o=go-template={{.data.keys | base64decode}}")
    assert key not in secret
    record("6-keys", seconds_until_known=round(given, 1), seconds_until_revoked=round(revoked, 1))


def _status(address: str, key: str | None, row: dict[str, Any]) -> int:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
    request = urllib.request.Request(f"http://{address}/v1/predict", json.dumps({"rows": [row]}).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - this address is ours
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.proof("No value of a secret stands in a manifest, a log or the work tree")
def test_no_secret_is_anywhere(world: World) -> None:
    values = {
        value
        for namespace in (LOCAL, "mlops-platform")
        for secret in objects("secret", namespace)
        for value in _values(secret)
    }
    assert len(values) >= 8
    places = {
        "objects": kubectl("get", "all,cm,cronjob,lease,networkpolicy", "-A", "-o", "yaml"),
        "logs": "".join(_logs(namespace) for namespace in (LOCAL, "mlops-platform")),
        "work tree": "".join(
            file.read_text(errors="replace")
            for file in world.project.rglob("*")
            if file.is_file() and file.suffix != ".pyc"
        ),
    }
    found = {place for place, text in places.items() for value in values if value in text}
    assert found == set()


def _values(secret: dict[str, Any]) -> list[str]:
    """What is secret in it: the file of API keys holds hashes and names, and what an operator generates is not ours."""
    if secret["metadata"]["name"] == "api-keys" or "ownerReferences" in secret["metadata"]:
        return []
    data = {name: base64.b64decode(value).decode() for name, value in secret.get("data", {}).items()}
    # The accounts are called as the namespaces are.
    return [value for name, value in data.items() if len(value) >= 12 and not name.endswith("USERNAME")]


def _logs(namespace: str) -> str:
    return "".join(
        kubectl("logs", "-n", namespace, pod["metadata"]["name"], "--all-containers", check=False)
        for pod in objects("pods", namespace)
    )
