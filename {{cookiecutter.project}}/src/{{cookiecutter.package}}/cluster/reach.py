"""Whether an environment's API server answers from here, and if not, how it does not: what helps depends on that."""

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable
from enum import Enum
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from ..errors import Refused
from ..settings import answers
from . import kubeconfig

SECONDS = 5
RIGHT = "see that the cluster is up, and that this is the right context (CONTEXT=)"
INSIDE = "work from inside the network: through a VPN, on a machine or a runner there"
TUNNEL = "Tunnel connection failed: "
"""How http.client begins what it says of a proxy's answer."""


class Found(Enum):
    """How a connection ended, as a sentence about an address goes on."""

    ANSWERS = "answers"
    REFUSES = "refuses the connection: nothing listens there"
    SILENT = f"does not answer within {SECONDS} s"
    UNKNOWN = "has a name that has no address here"
    APART = "cannot be reached: no way leads there"


def look(root: Path, environment: str, context: str = "") -> tuple[str, str]:
    """What was found of the server of kubeconfig's context, and what to do about it; nothing where it answers."""
    try:
        server = kubeconfig.server(context)
    except Refused as refused:
        return str(refused), "correct it there"
    if server is None:
        named = f"no context {context}" if context else "no current context"
        return (
            f"kubeconfig has {named}",
            f"make infra-kubeconfig ENV={environment}, or name one by KUBECONFIG or CONTEXT=",
        )
    where = urlsplit(server.address)
    host, port = where.hostname or "", where.port or 443
    if server.proxy is not None:
        return through(server.proxy, server.address, host, port)
    found = dial(lambda: socket.create_connection((host, port), timeout=SECONDS).close())
    if found is Found.ANSWERS:
        return f"{server.address} answers", ""
    return unanswered(root, environment, server.address, host, found)


def dial(connect: Callable[[], None]) -> Found:
    """How it ends to connect."""
    try:
        connect()
    except ConnectionRefusedError:
        return Found.REFUSES
    except TimeoutError:
        return Found.SILENT
    except socket.gaierror:
        return Found.UNKNOWN
    except OSError:
        return Found.APART
    return Found.ANSWERS


def unanswered(root: Path, environment: str, address: str, host: str, found: Found) -> tuple[str, str]:
    """The same of a server that does not answer: another network's, or one that is not up."""
    if found is Found.REFUSES:  # so it was reached: a cluster that was stopped, and no other network
        return f"{address} {found.value}", "start the cluster, or name the right context (CONTEXT=)"
    file = Path("terraform") / "environments" / f"{environment}.tfvars"
    variables = _variables(root, file)
    may_open = bool(variables) and environment == "dev"
    if not private(host, resolved(host), variables):
        listed = (
            f", and that authorized_cidrs in {file} has your own address" if may_open and found is Found.SILENT else ""
        )
        return f"{address} {found.value}", RIGHT + listed
    if not variables:
        return (
            f"{address}, a private address, {found.value}",
            f"start the cluster if it is on this machine; else {INSIDE}",
        )
    opened = f", or give authorized_cidrs your own addresses in {file}" if may_open else ""
    return f"the API server is private: {address} answers only inside its network", INSIDE + opened


def through(proxy: kubeconfig.Proxy, address: str, host: str, port: int) -> tuple[str, str]:
    """The same of a server behind a proxy, which is told to connect, as kubectl tells it."""
    connection = HTTPConnection(proxy.host, proxy.port, timeout=SECONDS)
    connection.set_tunnel(host, port, proxy.headers)
    said: list[str] = []

    def connect() -> None:
        try:
            connection.connect()
        except OSError as error:
            if not str(error).startswith(TUNNEL):
                raise
            said.append(str(error).removeprefix(TUNNEL))
        except HTTPException:
            said.append("no HTTP")
        finally:
            connection.close()

    found = dial(connect)
    if said:
        return f"the proxy {proxy.url} does not lead to {address}: it answers {said[0]}", RIGHT
    if found is not Found.ANSWERS:
        return f"the proxy {proxy.url} {found.value}", "start it, or correct this cluster's proxy-url in kubeconfig"
    return f"{address} answers through the proxy {proxy.url}", ""


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


def _variables(root: Path, file: Path) -> str:
    """What Terraform was told of the environment; nothing where it makes no cluster."""
    try:
        cloud = answers(root)["cloud"]
    except (Refused, KeyError):
        return ""
    return (root / file).read_text(encoding="utf-8") if cloud != "local" and (root / file).exists() else ""
