"""The platform's MLflow, spoken to as its administrator: accounts, and what each may change."""

import base64
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ..errors import Refused
from .connection import Cluster
from .object_store import PLATFORM

SERVICE, PORT, ADMIN = "mlflow", 5000, "admin"
TIMEOUT_SECONDS = 60
MANAGE, EDIT = "MANAGE", "EDIT"


@dataclass(frozen=True)
class Tracking:
    """MLflow's API."""

    address: str
    password: str = field(repr=False)

    def ensure_account(self, name: str, password: str) -> None:
        """Make the account, or give it this password when it has another."""
        status, _ = self._ask("GET", "2.0/mlflow/users/get", {"username": name}, accept=404)
        if status == 404:
            self._ask("POST", "2.0/mlflow/users/create", {"username": name, "password": password})
        elif self._ask("GET", "2.0/mlflow/users/current", {}, accept=401, account=(name, password))[0] == 401:
            self._ask("PATCH", "2.0/mlflow/users/update-password", {"username": name, "password": password})

    def remove_account(self, name: str) -> None:
        """Remove the account with its rights, if there is one; what it has made stays."""
        self._ask("DELETE", "2.0/mlflow/users/delete", {"username": name}, accept=404)

    def ensure_model(self, name: str) -> None:
        """Make the experiment and the registered model of this name, and let the account of this name, and no other, change them."""
        experiment = self._experiment(name)
        if self._ask("GET", "2.0/mlflow/registered-models/get", {"name": name}, accept=404)[0] == 404:
            self._ask("POST", "2.0/mlflow/registered-models/create", {"name": name})
        # An alias is taken away only by who may delete.
        self._grant(name, "registered_model", name, MANAGE)
        self._grant(name, "experiment", experiment, EDIT)

    def _experiment(self, name: str) -> str:
        status, found = self._ask("GET", "2.0/mlflow/experiments/get-by-name", {"experiment_name": name}, accept=404)
        if status == 404:
            return str(self._ask("POST", "2.0/mlflow/experiments/create", {"name": name})[1]["experiment_id"])
        return str(found["experiment"]["experiment_id"])

    def _grant(self, account: str, kind: str, thing: str, permission: str) -> None:
        _, found = self._ask("GET", "3.0/mlflow/users/permissions/list", {"username": account})
        has = {(each["resource_type"], each["resource_pattern"]): each["permission"] for each in found["permissions"]}
        what = {"username": account, "resource_type": kind, "resource_id": thing}
        if has.get((kind, thing)) == permission:
            return
        if (kind, thing) in has:
            self._ask("POST", "3.0/mlflow/users/permissions/revoke", what)
        self._ask("POST", "3.0/mlflow/users/permissions/grant", {**what, "permission": permission})

    def _ask(
        self, method: str, path: str, content: dict[str, str], accept: int = 200, account: tuple[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Send a request; Refused when the answer is neither 200 nor the one that is expected besides."""
        address, body = f"{self.address}/api/{path}", json.dumps(content).encode()
        if method == "GET":
            address, body = f"{address}?{urllib.parse.urlencode(content)}", b""
        credentials = base64.b64encode(":".join(account or (ADMIN, self.password)).encode()).decode()
        headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}
        request = urllib.request.Request(address, data=body or None, headers=headers, method=method)  # noqa: S310 - this address is ours
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            if error.code == accept:
                return error.code, {}
            raise Refused(f"MLflow answered {error.code} to {method} {path}: {_reason(error)}") from error
        except OSError as error:
            raise Refused(
                f"MLflow did not answer to {method} {path}: {error}; see the log of deployment/mlflow in {PLATFORM}"
            ) from error


@contextmanager
def reached(cluster: Cluster) -> Iterator[Tracking]:
    """MLflow with its administrator's password, through a port-forward that lasts as long as the block."""
    secret = cluster.secret(PLATFORM, SERVICE)
    if secret is None:
        raise Refused(f"there is no MLflow in {PLATFORM} (context {cluster.context}): make platform first")
    with cluster.forward(PLATFORM, SERVICE, PORT) as port:
        yield Tracking(f"http://127.0.0.1:{port}", secret["admin-password"])


def _reason(error: urllib.error.HTTPError) -> str:
    text = error.read().decode(errors="replace")
    try:
        return str(json.loads(text)["message"]).splitlines()[0]
    except (ValueError, KeyError, TypeError, IndexError):
        return text[:200] or str(error.reason)
