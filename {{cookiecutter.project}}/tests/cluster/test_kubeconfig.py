"""The way to an API server that kubeconfig names, a proxy included: what the doctor says of it, and what the verbs take."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from {{ cookiecutter.package }}.cluster import kubeconfig, place, reach
from {{ cookiecutter.package }}.cluster.connection import Cluster
from {{ cookiecutter.package }}.cluster.place import Namespace
from {{ cookiecutter.package }}.errors import Refused

from .stand_ins import program, served

SERVER = "http://api.invalid:6443"
RIGHT = "see that the cluster is up, and that this is the right context (CONTEXT=)"
Write = Callable[[str], None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a kubeconfig of one context, its cluster behind this proxy; `kubectl` gives it as that does."""
    tools = tmp_path / "tools"
    tools.mkdir()
    program(tools / "kubectl", f'case "$*" in *none*) exit 1 ;; esac; exec /bin/cat {tmp_path / "config"}')
    monkeypatch.setenv("PATH", str(tools))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "config"))

    def config(proxy: str) -> None:
        cluster = {"server": SERVER} | ({"proxy-url": proxy} if proxy else {})
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "here",
            "contexts": [{"name": "here", "context": {"cluster": "it", "user": "me"}}],
            "clusters": [{"name": "it", "cluster": cluster}],
            "users": [{"name": "me", "user": {}}],
        }
        (tmp_path / "config").write_text(json.dumps(document))

    return config


@contextmanager
def proxy(status: str) -> Iterator[tuple[int, list[str]]]:
    """What answers one request to connect with this line; gives its port and what it was asked."""
    asked: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            try:
                connection, _ = listening.accept()
            except TimeoutError:  # nobody came, which the test sees
                return
            with connection, connection.makefile("rb") as lines:
                asked.extend(line.decode().strip() for line in iter(lines.readline, b"\r\n"))
                connection.sendall(f"{status}\r\n\r\n".encode())

        listening.settimeout(5)
        thread = threading.Thread(target=answer)
        thread.start()
        yield listening.getsockname()[1], asked
        thread.join()


def test_how_a_connection_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "SECONDS", 0.1)

    def found(host: str, port: int) -> reach.Found:
        return reach.dial(lambda: socket.create_connection((host, port), timeout=reach.SECONDS).close())

    with socket.socket() as listening, ExitStack() as waiting:
        listening.bind(("127.0.0.1", 0))
        assert found(*listening.getsockname()) is reach.Found.REFUSES
        listening.listen(0)
        assert found(*listening.getsockname()) is reach.Found.ANSWERS
        for _ in range(4):  # nobody takes them, and no more can wait
            waiting.enter_context(client := socket.socket())
            client.setblocking(False)
            client.connect_ex(listening.getsockname())
        assert found(*listening.getsockname()) is reach.Found.SILENT
    assert found("no-such-host.invalid", 443) is reach.Found.UNKNOWN
    assert found("255.255.255.255", 443) is reach.Found.APART


def test_the_context_that_is_named(write: Write, tmp_path: Path) -> None:
    write("")
    assert kubeconfig.server("here") == kubeconfig.Server(SERVER)
    assert kubeconfig.server("none") is None
    assert reach.look(tmp_path, "dev", "none") == (
        "kubeconfig has no context none",
        "make infra-kubeconfig ENV=dev, or name one by KUBECONFIG or CONTEXT=",
    )


def test_a_server_that_its_proxy_reaches_answers(write: Write, tmp_path: Path) -> None:
    with proxy("HTTP/1.1 200 OK") as (port, asked):
        write(f"http://ada:p%40ss@127.0.0.1:{port}")
        assert reach.look(tmp_path, "dev") == (f"{SERVER} answers through the proxy http://127.0.0.1:{port}", "")
    assert asked[0].startswith("CONNECT api.invalid:6443 HTTP/1.")
    assert "proxy-authorization: Basic YWRhOnBAc3M=" in asked


@pytest.mark.parametrize(
    ("answer", "said"), [("HTTP/1.1 403 Forbidden", "403 Forbidden"), ("SSH-2.0-OpenSSH", "no HTTP")]
)
def test_a_proxy_that_does_not_lead_there(answer: str, said: str, write: Write, tmp_path: Path) -> None:
    with proxy(answer) as (port, _):
        write(f"http://127.0.0.1:{port}")
        found = reach.look(tmp_path, "dev")
    assert found == (f"the proxy http://127.0.0.1:{port} does not lead to {SERVER}: it answers {said}", RIGHT)
    assert reach.look(tmp_path, "dev") == (
        f"the proxy http://127.0.0.1:{port} refuses the connection: nothing listens there",
        "start it, or correct this cluster's proxy-url in kubeconfig",
    )


@pytest.mark.parametrize("address", ["socks5://127.0.0.1:1080", "https://proxy.example.org"])
def test_a_proxy_that_the_verbs_cannot_use_is_named(address: str, write: Write, tmp_path: Path) -> None:
    write(address)
    sentence = f"kubeconfig: proxy-url: {address.removesuffix(':1080')}: must begin with http:// and name a host: "
    found, fix = reach.look(tmp_path, "dev")
    assert found.startswith(sentence)
    assert fix
    with pytest.raises(Refused) as refused:
        Cluster.connect()
    assert str(refused.value) == found


def test_the_verbs_take_the_proxy_and_name_the_context_again(write: Write, dev: Namespace) -> None:
    """The Kubernetes client for Python knows nothing of a proxy by itself."""
    asked: list[tuple[str, str]] = []
    keys = (
        "buildDate",
        "compiler",
        "gitCommit",
        "gitTreeState",
        "gitVersion",
        "goVersion",
        "major",
        "minor",
        "platform",
    )

    def answer(method: str, path: str, _: Any) -> tuple[int, Any]:
        asked.append((method, path))
        return 200, dict.fromkeys(keys, "")

    with served(answer) as port:
        write(f"http://ada:secret@127.0.0.1:{port}")
        for context, where in (("here", " ENV=dev CONTEXT=here"), ("", " ENV=dev")):
            there = place.found(dev.settings, "dev", context)
            assert (there.where, there.cluster.context) == (where, "here")
            known = there.cluster.api.configuration
            assert known.proxy_headers == {"proxy-authorization": "Basic YWRhOnNlY3JldA=="}
            there.cluster.api.rest_client.pool_manager.clear()
    assert asked == [("GET", f"{SERVER}/version/")] * 2
