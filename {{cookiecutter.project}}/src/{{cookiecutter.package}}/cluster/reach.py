"""Whether an environment's API server answers from here. One that is private never does from outside, and a time-out would not say so."""

import ipaddress
import re
import socket
import subprocess
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

SECONDS = 5


def look(root: Path, environment: str, context: str = "") -> tuple[str, str]:
    """What was found of the server of kubeconfig's context, and what to do about it; nothing where it answers."""
    address = server(context)
    if address is None:
        named = f"no context {context}" if context else "no current context"
        return (
            f"kubeconfig has {named}",
            f"make infra-kubeconfig ENV={environment}, or name one by KUBECONFIG or CONTEXT=",
        )
    where = urlsplit(address)
    host, port = where.hostname or "", where.port or 443
    if answers(host, port):
        return f"{address} answers", ""
    variables = Path("terraform") / "environments" / f"{environment}.tfvars"
    if private(host, resolved(host), _read(root / variables)):
        opened = f", or give authorized_cidrs your own addresses in {variables}" if environment == "dev" else ""
        return (
            f"the API server is private: {address} answers only inside its network",
            f"work from there: through a VPN, on a machine or a runner inside it{opened}",
        )
    return f"{address} does not answer", "see that the cluster is up, and that this is the right context (CONTEXT=)"


def server(context: str) -> str | None:
    """The address that kubeconfig has for a context, else for the current one."""
    words = ["kubectl", "config", "view", "--minify", "--output", "jsonpath={.clusters[0].cluster.server}"]
    done = subprocess.run(
        [*words, *(["--context", context] if context else [])], capture_output=True, text=True, check=False, timeout=10
    )
    return done.stdout.strip() or None


def answers(host: str, port: int) -> bool:
    """Whether somebody takes a connection."""
    try:
        with socket.create_connection((host, port), timeout=SECONDS):
            return True
    except OSError:
        return False


def resolved(host: str) -> list[str]:
    """The addresses of a name; none when it has none here."""
    try:
        return sorted({str(found[4][0]) for found in socket.getaddrinfo(host, None)})
    except OSError:
        return []


def private(host: str, addresses: Iterable[str], variables: str) -> bool:
    """By its addresses, its name where it has none here, or by what Terraform was told."""
    found = [ipaddress.ip_address(each) for each in addresses]
    if found and all(each.is_private and not each.is_loopback for each in found):
        return True
    if not found and re.search(r"\.(privatelink|private)\.", host):
        return True
    closed = re.search(r"^authorized_cidrs\s*=\s*\[\s*\]", variables, re.MULTILINE)
    return bool(closed) and not any(each.is_loopback for each in found)


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""
