"""An S3 of this machine, where states are."""

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

BUCKET = "state-of-dev"
SETTINGS = {
    "bucket": BUCKET,
    "key": "project/dev/terraform.tfstate",
    "region": "eu-central-1",
    "use_lockfile": "true",
    "skip_credentials_validation": "true",
    "skip_requesting_account_id": "true",
    "use_path_style": "true",
}


def client() -> Any:
    return boto3.client("s3", region_name="eu-central-1")


def keys() -> set[str]:
    return {each["Key"] for each in client().list_objects_v2(Bucket=BUCKET).get("Contents", ())}


@contextmanager
def served() -> Iterator[tuple[str, ThreadedMotoServer]]:
    """A server of its own address, and that."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}", server
    server.stop()


def reset(address: str) -> None:
    """Of one process, every server has the same buckets."""
    host, _, port = address.removeprefix("http://").partition(":")
    connection = http.client.HTTPConnection(host, int(port))
    connection.request("POST", "/moto-api/reset")
    connection.getresponse().read()
    connection.close()
