"""What the verbs talk to, as far as their tests need it: servers that answer in JSON, programs on PATH, and the images that these save."""

import gzip
import io
import json
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Answer = Callable[[str, str, Any], tuple[int, Any]]
"""From method, path and body to status and body."""

SBOM = b'{"bomFormat": "CycloneDX"}\n'
HISTORY: list[dict[str, Any]] = [
    {"created_by": "ADD rootfs"},
    {"created_by": "CMD bash", "empty_layer": True},
    {"created_by": 'LABEL org.opencontainers.image.base.name="${BASE}"', "empty_layer": True},
    {"created_by": "COPY packages"},
    {"created_by": "RUN sbom"},
]


@contextmanager
def served(answer: Answer) -> Iterator[int]:
    """A server on this machine; gives its port."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            given = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, found = answer(self.command, self.path.partition("?")[0], json.loads(given) if given else None)
            body = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Api:
    """Objects of a cluster by their path, as its API makes, reads, lists, replaces, annotates and deletes them."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.forbidden: set[tuple[str, str]] = set()
        """Method and path, or the path of what it is among."""

    def add(self, path: str, **content: Any) -> None:
        self.objects[path] = {"metadata": {"name": path.rpartition("/")[2]}, **content}

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        below = [each for name, each in self.objects.items() if name.rpartition("/")[0] == path]
        if {(method, path), (method, path.rpartition("/")[0])} & self.forbidden:
            return 403, {"message": f"{path} is forbidden: cannot {method}"}
        if method == "POST" and path not in self.objects:
            made = f"{path}/{body['metadata']['name']}"
            known = self.objects.setdefault(made, body)
            return (201, body) if known is body else (409, {"message": f"{made} already exists"})
        if path not in self.objects:
            return (200, {"items": below}) if below else (404, {"message": f"{path} not found"})
        if method == "DELETE":
            return 200, self.objects.pop(path)
        if method == "PUT":
            self.objects[path] = body
        if method == "PATCH":
            self.objects[path]["metadata"].setdefault("annotations", {}).update(body["metadata"]["annotations"])
        return 200, self.objects[path]


MODEL = {"mlops-template.io/model-id": "a" * 64}


def add_deployment(api: Api, namespace: str, replicas: int = 2, **status: int) -> None:
    """The servers' Deployment, with the account that promotes."""
    template = {"metadata": {"annotations": MODEL}, "spec": {"containers": [{"name": "server"}]}}
    spec = {"replicas": replicas, "selector": {}, "template": template}
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/serving"
    api.add(path, spec=spec, status=status)
    api.objects[path]["metadata"]["generation"] = 1
    token = {"token": "x", "expirationTimestamp": "2030-01-01T00:00:00Z"}
    api.add(f"/api/v1/namespaces/{namespace}/serviceaccounts/promoter/token", spec={"audiences": []}, status=token)


def add_pod(api: Api, namespace: str, name: str, **container: Any) -> None:
    """A pod of theirs, of which the API says this about its container."""
    known = {"name": "server", "image": "x", "imageID": "x", "ready": False}
    path = f"/api/v1/namespaces/{namespace}/pods/{name}"
    api.add(path, status={"phase": "Running", "containerStatuses": [known | container]})
    api.objects[path]["metadata"]["annotations"] = MODEL


def program(path: Path, body: str) -> str:
    """A shell script to be called in the place of a program."""
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def tar(files: dict[str, bytes]) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as made:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            made.addfile(member, io.BytesIO(content))
    return written.getvalue()


def saved(path: Path, compressed: bool = False, history: list[dict[str, Any]] = HISTORY) -> list[int]:
    """Write an image as `docker save` does; returns the sizes of its three layers."""
    layers = [tar({"etc/os-release": b"ID=debian\n"}), tar({"opt/lib": b"x" * 50_000}), tar({"app/sbom.json": SBOM})]
    labels = {"org.opencontainers.image.base.name": "python:3.13", "mlops-template.io/sbom": "/app/sbom.json"}
    files = {f"{number}.tar": gzip.compress(layer) if compressed else layer for number, layer in enumerate(layers)}
    manifest = [{"Config": "config.json", "RepoTags": ["x:1"], "Layers": list(files)}]
    config = {"config": {"Labels": labels}, "history": history}
    documents = {"config.json": config, "manifest.json": manifest}
    path.write_bytes(tar(files | {name: json.dumps(document).encode() for name, document in documents.items()}))
    return [len(layer) for layer in layers]
