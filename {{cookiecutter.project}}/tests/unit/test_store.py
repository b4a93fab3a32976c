"""The same promises, kept by a folder and by a bucket."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs

import pytest

from {{ cookiecutter.package }} import bundle, staging
from {{ cookiecutter.package }}.errors import Refused
from {{ cookiecutter.package }}.store import Missing, Store

from .store_helpers import make_bundle, users_files


@pytest.fixture(params=["file", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "file":
        yield Store.open((tmp_path / "a store#1 %41").as_uri())
    else:
        bucket = request.getfixturevalue("bucket")
        yield Store.open(f"{bucket}/{tmp_path.name}")


def test_an_object_is_created_once(store: Store) -> None:
    assert store.put_new("a/b.txt", b"one") is True
    assert store.put_new("a/b.txt", b"one") is False
    with pytest.raises(Refused, match=r"a/b.txt exists with other content: what is stored is never replaced"):
        store.put_new("a/b.txt", b"two")
    assert store.get("a/b.txt") == b"one"


def test_what_is_not_there(store: Store) -> None:
    assert store.list("nothing") == []
    assert store.exists("nothing") is False
    with pytest.raises(Missing, match="nothing does not exist"):
        store.get("nothing")


def test_listing(store: Store) -> None:
    for path in ("x/2", "x/1", "y/1"):
        store.put_new(path, b"")
    assert store.list("x") == ["x/1", "x/2"]
    store.remove("x/1")
    assert store.list("x") == ["x/2"]
    assert store.uri("x/2").endswith("/x/2")


def test_of_many_writers_one_wins(store: Store) -> None:
    def write(number: int) -> bool:
        try:
            return store.put_new("contested", str(number).encode())
        except Refused:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(write, range(8))) == 1


def test_a_bundle_goes_there_and_back(store: Store, tmp_path: Path) -> None:
    bundle_id = make_bundle(tmp_path / "bundle")
    uri = bundle.publish(tmp_path / "bundle", store)
    assert bundle.publish(tmp_path / "bundle", store) == uri == store.uri(f"bundles/{bundle_id}")
    assert bundle.fetch(uri, tmp_path / "fetched", bundle_id).id == bundle_id


@pytest.mark.parametrize("uri", ["", "folder", "/absolute", "ftp://host/x", "file://host/x", "s3://"])
def test_an_address_that_is_none(uri: str) -> None:
    with pytest.raises(Refused, match="address"):
        Store.open(uri)


@pytest.mark.parametrize(
    ("uri", "variables"),
    [
        ("gs://bucket/models", {"GOOGLE_SKIP_SIGNATURE": "true"}),
        ("abfss://container@account.dfs.core.windows.net/models", {"AZURE_STORAGE_ACCOUNT_KEY": "a2V5"}),
    ],
)
def test_the_other_clouds_addresses_are_understood(
    uri: str, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No more than that: there is no such server here to ask."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert Store.open(uri).uri("bundles/a") == f"{uri}/bundles/a"


def test_a_bucket_that_is_not_there(bucket: str) -> None:
    with pytest.raises(Refused, match=r"s3://nobodys-bucket/x: .*check the address, the credentials and the network"):
        Store.open("s3://nobodys-bucket/x").put_new("a", b"")


def test_what_a_dead_process_staged_is_removed_and_what_a_living_one_stages_is_not(tmp_path: Path) -> None:
    child = f"import sys, time; from pathlib import Path; from {staging.__package__} import staging\n"
    child += "with staging.scratch(Path(sys.argv[1])): print('ready', flush=True); time.sleep(60)"
    source = str(Path(staging.__file__).parents[1])
    living = subprocess.Popen(
        [sys.executable, "-c", child, tmp_path], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": source}
    )
    with living:
        assert living.stdout is not None
        assert living.stdout.readline() == b"ready\n"
        assert staging.clean(tmp_path) == []
        staging.write(tmp_path / "file", b"x")
        assert len(list((tmp_path / staging.STAGING).iterdir())) == 1
        living.kill()
    staging.write(tmp_path / "file", b"y")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_cleaning_takes_nothing_of_a_user(tmp_path: Path) -> None:
    files = users_files(tmp_path)
    ours = tmp_path / staging.STAGING / ("1" * 32)
    ours.write_text("left by a dead process")
    with staging.scratch(tmp_path):
        staging.write(tmp_path / "file", b"x")
    assert not ours.exists()
    assert {path: path.read_text() for path in files} == files


def test_what_dead_trainings_staged_is_found_wherever_it_is(tmp_path: Path) -> None:
    left = tmp_path / "runs" / "old" / "deeper" / staging.STAGING / ("1" * 32)
    left.mkdir(parents=True)
    staging.clean_below(tmp_path)
    assert not left.parent.exists()
    assert left.parents[1].is_dir()


class Cloud(BaseHTTPRequestHandler):
    """Gives a token to whoever shows the pod's own, and takes objects from whoever shows that token."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        """EKS Pod Identity's agent on the node."""
        self.asked.append(f"{self.path} {self.headers['Authorization']}")
        names = ("AccessKeyId", "SecretAccessKey", "Token")
        self._say({name: f"the-{name}" for name in names} | {"Expiration": "2100-01-01T00:00:00Z"})

    def do_POST(self) -> None:
        """Entra ID."""
        given = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.asked.append(f"{self.path} {given['client_id'][0]} {given['client_assertion'][0]}")
        self._say({"access_token": "the-token", "expires_in": 3600, "token_type": "Bearer"})

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        shown = self.headers["X-Amz-Security-Token"] or self.headers["Authorization"]
        self.asked.append(f"{self.path} {shown}")
        self._say({}, 201)

    def _say(self, answer: dict[str, object], status: int = 200) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"1"')
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Silent."""


IDENTITIES = {
    "s3://bucket": (
        {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": "{address}/v1/credentials",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "{token}",
            "AWS_REGION": "eu-central-1",
            "AWS_ENDPOINT_URL": "{address}",
        },
        ["/v1/credentials of-the-pod", "/bucket/a/b the-Token"],
    ),
    "abfss://container@account.dfs.core.windows.net": (
        {
            "AZURE_FEDERATED_TOKEN_FILE": "{token}",
            "AZURE_CLIENT_ID": "client",
            "AZURE_TENANT_ID": "tenant",
            "AZURE_AUTHORITY_HOST": "{address}",
            "AZURE_STORAGE_ENDPOINT": "{address}",
            # So that a plain address is allowed, as it is for the platform's own store.
            "AWS_ENDPOINT_URL": "{address}",
        },
        ["/tenant/oauth2/v2.0/token client of-the-pod", "/container/a/b Bearer the-token"],
    ),
}


@pytest.mark.proof(
    "A pod's own token is all that the store of AWS or Azure asks for: it is exchanged, and no key is there"
)
@pytest.mark.parametrize("uri", IDENTITIES)
def test_a_pod_is_known_by_its_token(uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    variables, asked = IDENTITIES[uri]
    for name in [name for name in os.environ if name.startswith(("AWS_", "AZURE_"))]:
        monkeypatch.delenv(name)
    (tmp_path / "token").write_text("of-the-pod")
    monkeypatch.setattr(Cloud, "asked", [])
    with ThreadingHTTPServer(("127.0.0.1", 0), Cloud) as server:
        threading.Thread(target=server.serve_forever).start()
        places = {"address": f"http://127.0.0.1:{server.server_address[1]}", "token": str(tmp_path / "token")}
        for name, value in variables.items():
            monkeypatch.setenv(name, value.format(**places))
        assert Store.open(uri).put_new("a/b", b"content")
        server.shutdown()
    assert Cloud.asked == asked
