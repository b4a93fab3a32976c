"""The same against a bucket: killed at every request that the object store sees."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from .conftest import Laboratory, prepared
from .test_kill import check

NAME = "bucket"
# Fewer requests than this, and the server has stopped to see something.
FLOORS = {"train": 6, "publish": 6, "promote": 15, "rollback": 10}


class Quiet(WSGIRequestHandler):
    """A server that does not report each request on standard error."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 (the library's own name for it)
        pass


class Bucket:
    """moto, and before it a count of requests that kills the client at one of them."""

    def __init__(self) -> None:
        self._store = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=Quiet)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self.victim: int | None = None
        self.fatal: int | None = None
        self.requests = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def watch(self, victim: int, fatal: int | None = None) -> None:
        """Count from now on, and kill the victim at the request with this number (from 0), before it has any effect."""
        self.victim, self.fatal, self.requests = victim, fatal, 0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if self.victim is not None:
            self.requests += 1
            if self.requests - 1 == self.fatal:
                os.kill(self.victim, signal.SIGKILL)
                self.victim = None
                start_response("503 Service Unavailable", [("Content-Length", "0")])
                return []
        answer: Iterable[bytes] = self._store(environ, start_response)
        return answer


@dataclass
class Stocked(Laboratory):
    """A laboratory in which the object store is a bucket, whose content is part of every state."""

    client: Any = None
    contents: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def save(self, state: str) -> None:
        """Keep the bucket's objects too."""
        super().save(state)
        found = self.client.list_objects_v2(Bucket=NAME).get("Contents", [])
        self.contents[state] = {
            entry["Key"]: self.client.get_object(Bucket=NAME, Key=entry["Key"])["Body"].read() for entry in found
        }

    def restore(self, state: str) -> None:
        """Put the bucket's objects back too."""
        super().restore(state)
        for entry in self.client.list_objects_v2(Bucket=NAME).get("Contents", []):
            self.client.delete_object(Bucket=NAME, Key=entry["Key"])
        for key, content in self.contents[state].items():
            self.client.put_object(Bucket=NAME, Key=key, Body=content)


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    bucket = Bucket()
    bucket.start()
    yield bucket
    bucket.stop()


@pytest.fixture(scope="module")
def stocked(
    bucket: Bucket, driver: "subprocess.Popen[str]", project_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stocked]:
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    client = boto3.client("s3", endpoint_url=bucket.address, **keys)
    client.create_bucket(Bucket=NAME)
    variables = {"ARTIFACT_URI": f"s3://{NAME}/models", "AWS_ENDPOINT_URL": bucket.address}
    variables |= {name.upper(): value for name, value in keys.items() if name != "region_name"} | {
        "AWS_REGION": "us-east-1"
    }
    laboratory = Stocked(tmp_path_factory.mktemp("stocked"), project_folder / "s3", driver, variables, client=client)
    prepared(laboratory)
    yield laboratory
    client.close()


@pytest.mark.proof("Killed at any write, a verb leaves the champion old or new, never half; the next run goes on")
@pytest.mark.parametrize("verb", FLOORS)
def test_killed_at_every_request(
    verb: str, stocked: Stocked, bucket: Bucket, record_property: Callable[[str, object], None]
) -> None:
    stocked.restore(verb)
    whole = stocked.run(verb, on_start=bucket.watch)
    assert whole.status == 0, whole.said
    count = bucket.requests
    record_property("counted", f"{verb}: {count} requests to the object store")
    assert count >= FLOORS[verb]
    for fatal in range(count):
        stocked.restore(verb)
        killed = stocked.run(verb, on_start=partial(bucket.watch, fatal=fatal))
        assert killed.status == -signal.SIGKILL, killed.said
        check(stocked, verb, stocked.aftermath(verb), f"{verb} killed at request {fatal + 1} of {count}")
