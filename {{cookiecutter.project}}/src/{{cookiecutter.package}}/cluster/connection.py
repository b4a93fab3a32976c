"""One cluster, reached through one context of the user's kubeconfig, as one account."""

import base64
import json
import re
import shutil
import subprocess
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from urllib3.exceptions import HTTPError

from ..errors import Refused
from . import kubeconfig

TOKEN_SECONDS = 1800
"""How long an account's token is good: longer than a rollout may take, and short."""
POD_SECONDS = 5
"""How long a way into the cluster waits for a pod behind it."""
_FORWARDING = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+)")


@dataclass(frozen=True)
class Cluster:
    """A context and the account that acts in it."""

    context: str
    api: client.ApiClient
    account: str = "you"

    @classmethod
    def connect(cls, context: str | None = None) -> "Cluster":
        """Use a context of $KUBECONFIG or ~/.kube/config (default: the current one); Refused when there is none or nobody answers."""
        if shutil.which("kubectl") is None:
            raise Refused(
                "kubectl was not found: install it (https://kubernetes.io/docs/tasks/tools), or put it on PATH"
            )
        kubeconfig.require_file()
        try:
            name = context or config.list_kube_config_contexts()[1]["name"]
            api = _client(name)
        except (ConfigException, TypeError) as problem:
            kubeconfig.require_context(context)
            raise Refused(
                f"no cluster: {problem}; name one by KUBECONFIG or `kubectl config use-context`, or make one: make cluster"
            ) from None
        api.configuration.retries = 3
        found = cls(name, api)
        with said(found, "reach the cluster"):
            client.VersionApi(api).get_code(_request_timeout=10)
        return found

    def acting_as(self, namespace: str, account: str) -> "Cluster":
        """The same cluster as a service account, by a short token that is written nowhere."""
        request = {"spec": {"expirationSeconds": TOKEN_SECONDS}}
        with said(self, f"get a token of the account {account} in {namespace}"):
            token = client.CoreV1Api(self.api).create_namespaced_service_account_token(account, namespace, request)
        known = self.api.configuration
        acting = client.Configuration()
        acting.host, acting.ssl_ca_cert, acting.verify_ssl = known.host, known.ssl_ca_cert, known.verify_ssl
        acting.proxy, acting.no_proxy, acting.tls_server_name = known.proxy, known.no_proxy, known.tls_server_name
        acting.proxy_headers, acting.retries = known.proxy_headers, known.retries
        acting.api_key = {"authorization": f"Bearer {token.status.token}"}
        return Cluster(self.context, client.ApiClient(acting), f"system:serviceaccount:{namespace}:{account}")

    def kubectl(self, *words: str, given: str | None = None, timeout: float = 60) -> str:
        """Run kubectl as the user of the context and give what it prints; Refused with its last line when it fails."""
        try:
            done = subprocess.run(
                ["kubectl", "--context", self.context, *words],
                input=given,
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
                start_new_session=True,  # as below
            )
        except subprocess.TimeoutExpired:
            raise Refused(f"kubectl {' '.join(words)}: no answer within {timeout:.0f} s") from None
        if done.returncode != 0:
            lines = [line for line in done.stderr.splitlines() if line.strip()]
            raise Refused(f"kubectl {' '.join(words)}: {lines[-1] if lines else 'failed without a word'}")
        return done.stdout

    @contextmanager
    def forward(self, namespace: str, target: str, port: int) -> Iterator[int]:
        """A port of this machine that leads to a Service or pod (`pod/name`), for as long as the block lasts."""
        target = target if "/" in target else f"service/{target}"
        command = ["kubectl", "--context", self.context, "--namespace", namespace, "port-forward", target, f":{port}"]
        command += [f"--pod-running-timeout={POD_SECONDS}s"]  # a minute by default, and somebody waits
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # A terminal sends Ctrl-C to its whole session: whoever cleans up after it still needs the way.
            start_new_session=True,
        ) as process:
            assert process.stdout is not None
            try:
                yield _forwarded(process.stdout, target, namespace)
            finally:
                process.terminate()

    def secret(self, namespace: str, name: str) -> dict[str, str] | None:
        """What a Secret holds; None when there is none."""
        with said(self, f"read the Secret {name} in {namespace}"):
            try:
                found = client.CoreV1Api(self.api).read_namespaced_secret(name, namespace)
            except ApiException as error:
                if error.status == 404:
                    return None
                raise
        return {key: base64.b64decode(value).decode() for key, value in (found.data or {}).items()}

    def make_secret(self, namespace: str, name: str, values: Mapping[str, str]) -> bool:
        """Make a Secret; False when there is one of this name, which stays as it is."""
        body = {"metadata": {"name": name}, "stringData": dict(values)}
        with said(self, f"make the Secret {name} in {namespace}"):
            try:
                client.CoreV1Api(self.api).create_namespaced_secret(namespace, body)
            except ApiException as error:
                if error.status == 409:
                    return False
                raise
        return True


def _client(context: str) -> client.ApiClient:
    """One for a context of kubeconfig; the library knows nothing of its proxies."""
    configuration = client.Configuration()
    config.load_kube_config(context=context, client_configuration=configuration)
    server = kubeconfig.server(context)
    if server is not None and server.proxy is not None:
        configuration.proxy, configuration.proxy_headers = server.proxy.url, server.proxy.headers
    return client.ApiClient(configuration)


@contextmanager
def said(cluster: Cluster, what: str) -> Iterator[None]:
    """Turn what the API answers to a failed request into a sentence."""
    try:
        yield
    except ApiException as error:
        raise Refused(f"{cluster.account} could not {what} (context {cluster.context}): {_reason(error)}") from error
    except (HTTPError, OSError) as error:
        host = cluster.api.configuration.host
        raise Refused(
            f"could not {what}: {host} (context {cluster.context}) does not answer; is the cluster up, and is this the right context?"
        ) from error


def _reason(error: ApiException) -> str:
    """The API's own sentence: it names the missing verb and resource, or the policy that refused."""
    try:
        status: dict[str, Any] = json.loads(error.body)
        return str(status["message"])
    except (TypeError, ValueError, KeyError):
        return f"{error.status} {error.reason}"


def _forwarded(output: IO[str], target: str, namespace: str) -> int:
    """The port that kubectl says it forwards from."""
    said = []
    for line in output:
        if found := _FORWARDING.match(line):
            # It goes on to write a line for each connection, and would wait for somebody to read them.
            threading.Thread(target=deque, args=(output, 0), daemon=True).start()
            return int(found[1])
        said.append(line.strip())
    reason = said[-1] if said else "kubectl port-forward ended without a word"
    raise Refused(
        f"no way to {target} in {namespace}: {reason}; does it run? (kubectl --namespace {namespace} get pods)"
    )
