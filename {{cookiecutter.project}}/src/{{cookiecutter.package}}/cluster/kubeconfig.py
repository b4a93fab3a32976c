"""What kubeconfig says of the way to a cluster. kubectl reads it: it may be several files, and a flag may name another context."""

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from urllib3.util import make_headers

from ..errors import Refused


@dataclass(frozen=True)
class Proxy:
    """What stands between this machine and an API server."""

    host: str
    port: int
    url: str
    account: str = field(default="", repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """What it knows us by."""
        return dict(make_headers(proxy_basic_auth=self.account)) if self.account else {}


@dataclass(frozen=True)
class Server:
    """An API server, and the proxy in front of it, if there is one."""

    address: str
    proxy: Proxy | None = None


def require_file() -> None:
    """Refused where KUBECONFIG names files and none of them is there."""
    named = os.environ.get("KUBECONFIG", "")
    files = [file for file in named.split(os.pathsep) if file]
    if files and not any(Path(file).expanduser().exists() for file in files):
        raise Refused(
            f"no cluster: KUBECONFIG={named}: no such file; correct it, or unset it (then ~/.kube/config is read), or make a "
            "cluster: make cluster"
        )


def require_context(name: str | None) -> None:
    """Refused where there is no context of this name, as far as kubectl can tell."""
    if not name:
        return
    words = ["kubectl", "config", "get-contexts", "--output", "name"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=10)
    known = done.stdout.split()
    if done.returncode == 0 and name not in known:
        there = f"there are: {', '.join(known)}" if known else "there is none; make cluster makes one"
        raise Refused(f"CONTEXT={name}: kubeconfig has no context of that name; {there}")


def server(context: str) -> Server | None:
    """The server of a context, else of the current one; None when there is no such context. Refused: a proxy that is no use."""
    words = ["kubectl", "config", "view", "--minify", "--output", "json"]
    done = subprocess.run(
        [*words, *(["--context", context] if context else [])], capture_output=True, text=True, check=False, timeout=10
    )
    clusters = json.loads(done.stdout or "{}").get("clusters") or ()
    for found in (each["cluster"] for each in clusters if each["cluster"].get("server")):
        return Server(found["server"], _proxy(found.get("proxy-url", "")))
    return None


def _proxy(address: str) -> Proxy | None:
    if not address:
        return None
    found = urlsplit(address)
    if found.scheme != "http" or not found.hostname:
        # The Kubernetes client for Python knows no SOCKS, and of one by TLS it expects the cluster's own certificate authority.
        raise Refused(
            f"kubeconfig: proxy-url: {found.scheme}://{found.hostname or ''}: must begin with http:// and name a host: "
            "kubectl knows other proxies too, the verbs of this project do not"
        )
    account = unquote(f"{found.username}:{found.password or ''}") if found.username else ""
    return Proxy(found.hostname, found.port or 80, f"http://{found.netloc.rpartition('@')[2]}", account)
