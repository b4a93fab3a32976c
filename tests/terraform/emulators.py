"""The three object stores that hold states, as emulators on this machine, and what a backend must be told to use them."""

import http.client
import json
import os
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from copy import copy
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import ROOT, free_port

from . import azure
from .stacks import TOOLS

GCS = ROOT / "build" / "emulators" / "fake-gcs-server"
AZURITE = ROOT / "build" / "azurite" / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
BUCKET = "states"
# Its own default listens on every address.
MOTO = """
import threading, boto3
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "eu-central-1"}
boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", **keys).create_bucket(
    Bucket="states", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
print(port, flush=True)
threading.Event().wait()
"""


@dataclass(frozen=True)
class Backend:
    """One kind of backend, and where its emulator is."""

    kind: str
    settings: dict[str, object]
    environment: dict[str, str]

    def write(self, folder: Path) -> Path:
        """The lines of a file for `init -backend-config`."""
        file = folder / "dev.backend.hcl"
        lines = (f"{name} = {json.dumps(value).replace(': ', ' = ')}\n" for name, value in self.settings.items())
        file.write_text("".join(lines), encoding="utf-8")
        return file


@contextmanager
def s3() -> Iterator[Backend]:
    if not (TOOLS / "moto_server").exists():
        pytest.skip("NOT RUN: moto was not found (make tools-terraform)")
    with started([TOOLS / "python", "-c", MOTO], subprocess.PIPE) as process:
        assert process.stdout is not None
        address = f"http://127.0.0.1:{int(process.stdout.readline())}"
        skipped = ("credentials_validation", "metadata_api_check", "region_validation", "requesting_account_id")
        settings: dict[str, object] = {
            "bucket": BUCKET,
            "key": "dev.tfstate",
            "region": "eu-central-1",
            "use_lockfile": True,
            "use_path_style": True,
            "endpoints": {"s3": address},
        } | {f"skip_{name}": True for name in skipped}
        yield Backend("s3", settings, {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"})


@contextmanager
def gcs() -> Iterator[Backend]:
    if not GCS.exists():
        pytest.skip("NOT RUN: fake-gcs-server was not found (make tools-terraform)")
    port = free_port()
    address = f"127.0.0.1:{port}"
    words = ["-backend", "memory", "-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-public-host", address]
    with started([GCS, *words]):
        body = json.dumps({"name": BUCKET}).encode()
        answered(
            urllib.request.Request(
                f"http://{address}/storage/v1/b?project=x", body, {"Content-Type": "application/json"}
            )
        )
        place = f"http://{address}/storage/v1/b"
        settings: dict[str, object] = {"bucket": BUCKET, "prefix": "dev", "storage_custom_endpoint": place}
        yield Backend("gcs", settings, {"GOOGLE_OAUTH_ACCESS_TOKEN": "x", "STORAGE_EMULATOR_HOST": ""})


@contextmanager
def azurerm(folder: Path) -> Iterator[Backend]:
    """Reached through a proxy that leads its names to this machine, and by nobody's authority but its own."""
    if not AZURITE.exists():
        pytest.skip("NOT RUN: Azurite was not found (make tools-terraform)")
    certificate, key = azure.certificate(folder)
    port = free_port()
    words: list[str | Path] = ["--blobHost", "127.0.0.1", "--blobPort", str(port), "--cert", certificate, "--key", key]
    # It knows fewer versions of the interface than Terraform speaks.
    words += ["--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry"]
    with started(["node", AZURITE, *words]), azure.cloud(port, certificate, key) as proxy:
        signature = azure.signature()
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({"https": proxy}),
            urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(certificate))),
        )
        address = f"https://{azure.ACCOUNT}.blob.{azure.STORAGE}/{BUCKET}?restype=container&{signature}"
        answered(urllib.request.Request(address, b"", {"x-ms-version": "2021-12-02"}, method="PUT"), opener)
        settings: dict[str, object] = {
            "storage_account_name": azure.ACCOUNT,
            "container_name": BUCKET,
            "key": "dev.tfstate",
            "metadata_host": azure.MANAGEMENT,
        }
        environment = {
            "ARM_SAS_TOKEN": signature,
            "SSL_CERT_FILE": str(certificate),
            "HTTPS_PROXY": proxy,
            "NO_PROXY": "",
        }
        yield Backend("azurerm", settings, environment)


def emulator(kind: str, folder: Path) -> AbstractContextManager[Backend]:
    """One of the three, by the name of its backend; the folder is for files of its own."""
    return {"s3": s3, "gcs": gcs}[kind]() if kind in ("s3", "gcs") else azurerm(folder)


@contextmanager
def started(command: list[str | Path], output: int = subprocess.DEVNULL) -> Iterator[subprocess.Popen[str]]:
    environment = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}
    process = subprocess.Popen(
        list(map(str, command)), stdout=output, stderr=subprocess.DEVNULL, text=True, env=environment
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def answered(asked: urllib.request.Request, opener: urllib.request.OpenerDirector | None = None) -> None:
    """Ask until the server is there."""
    ask = (opener or urllib.request.build_opener(urllib.request.ProxyHandler({}))).open
    end = time.monotonic() + 30
    while (refused := refusal(ask, asked)) is not None:
        assert time.monotonic() < end, f"{asked.full_url} does not answer: {refused}"
        time.sleep(0.1)


def refusal(ask: Callable[..., http.client.HTTPResponse], asked: urllib.request.Request) -> Exception | None:
    """Why nobody answers; an answer that is an error is raised."""
    try:
        ask(copy(asked), timeout=5).close()  # a proxy's name is written into what is sent
    except urllib.error.HTTPError:
        raise
    except (ConnectionError, urllib.error.URLError) as error:
        return error
    return None
