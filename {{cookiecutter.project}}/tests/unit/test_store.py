"""The same promises, kept by a folder and by a bucket."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

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
