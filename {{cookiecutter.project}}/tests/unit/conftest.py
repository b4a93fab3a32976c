from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .store_helpers import Environment, Settings, entered, settings_at


@pytest.fixture(scope="session")
def object_store() -> Iterator[str]:
    """The address of an S3 server of our own with the bucket `bucket`."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    boto3.client("s3", endpoint_url=address, **keys).create_bucket(Bucket="bucket")
    yield address
    server.stop()


@pytest.fixture
def bucket(object_store: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The bucket's address, with the variables that obstore reads set for it."""
    for name, value in s3_variables(object_store).items():
        monkeypatch.setenv(name, value)
    return "s3://bucket"


def s3_variables(address: str) -> dict[str, str]:
    """What a process needs to reach an S3 server of our own."""
    return {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
    }


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The settings of a project in which nothing was trained yet."""
    return settings_at(tmp_path)


@pytest.fixture
def local(settings: Settings) -> Environment:
    return settings.environment("local")


@pytest.fixture
def train(settings: Settings, tmp_path: Path) -> Callable[[str], str]:
    """Does what a training does at its end, with a bundle of that name; returns its id."""
    return lambda name: entered(settings, "local", tmp_path / "runs" / name, name)
