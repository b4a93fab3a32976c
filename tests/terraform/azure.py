"""What the azurerm backend asks for besides its store: who is who in the cloud, and names that lead to this machine."""

import base64
import hashlib
import hmac
import json
import socket
import ssl
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from conftest import run

# Azurite's only account; its key is public: https://learn.microsoft.com/azure/storage/common/storage-use-azurite
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
STORAGE, MANAGEMENT = "storage.test", "management.test"
# No storage account of the address given would be found without it: the backend's SDK reads all of this before it begins.
METADATA = {
    "name": "AzureCloud",
    "resourceManager": f"https://{MANAGEMENT}/",
    "microsoftGraphResourceId": "https://graph.test/",
    "authentication": {
        "loginEndpoint": "https://login.test/",
        "audiences": [f"https://{MANAGEMENT}/"],
        "tenant": "common",
        "identityProvider": "AAD",
    },
    "suffixes": {"storage": STORAGE, "keyVaultDns": "vault.test"},
}


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate that is its own authority, and its key."""
    made, key = folder / "certificate.pem", folder / "key.pem"
    names = f"subjectAltName=DNS:*.blob.{STORAGE},DNS:{MANAGEMENT}"
    words = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    run("openssl", "req", *words, "-subj", "/CN=tests", "-addext", names, "-keyout", key, "-out", made, cwd=folder)
    return made, key


def signature() -> str:
    """A shared access signature that may do everything with the account's blobs.

    Its form: https://learn.microsoft.com/rest/api/storageservices/create-account-sas
    """
    fields = {
        "sp": "rwdlacup",
        "ss": "b",
        "srt": "sco",
        "se": "2100-01-01T00:00:00Z",
        "spr": "https",
        "sv": "2020-12-06",
    }
    signed = [
        ACCOUNT,
        fields["sp"],
        fields["ss"],
        fields["srt"],
        "",
        fields["se"],
        "",
        fields["spr"],
        fields["sv"],
        "",
        "",
    ]
    digest = hmac.new(base64.b64decode(KEY), "\n".join(signed).encode(), hashlib.sha256).digest()
    return urllib.parse.urlencode(fields | {"sig": base64.b64encode(digest).decode()})


class Quiet(BaseHTTPRequestHandler):
    def log_message(self, format: str, *values: object) -> None:  # noqa: A002  the name is the base class's
        pass


class Metadata(Quiet):
    def do_GET(self) -> None:
        body = json.dumps(METADATA).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def proxy(ports: dict[str, int]) -> type[Quiet]:
    """Leads each name to a port of this machine, and every other name nowhere."""

    class Proxy(Quiet):
        def do_CONNECT(self) -> None:
            port = ports.get(self.path.partition(":")[0])
            try:
                server = socket.create_connection(("127.0.0.1", port or 0))
            except OSError:
                self.send_error(502)
                return
            with server:
                self.send_response(200)
                self.end_headers()
                back = threading.Thread(target=pump, args=(server, self.connection), daemon=True)
                back.start()
                pump(self.connection, server)
                back.join()

    return Proxy


def pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@contextmanager
def cloud(blobs: int, certificate: Path, key: Path) -> Iterator[str]:
    """The address of a proxy, behind which are the store at that port and the cloud's description of itself."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with served(Metadata, context) as metadata:
        ports = {f"{ACCOUNT}.blob.{STORAGE}": blobs, MANAGEMENT: metadata.server_port}
        with served(proxy(ports)) as way:
            yield f"http://127.0.0.1:{way.server_port}"


@contextmanager
def served(handler: type[Quiet], context: ssl.SSLContext | None = None) -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
