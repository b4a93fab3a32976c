"""Who may do what in the object store: what its shell is told, decided from what it says; and whose account the verbs use."""

import base64
import json
import os
from pathlib import Path

import pytest

from {{ cookiecutter.package }}.cluster import object_store, overlay
from {{ cookiecutter.package }}.cluster.accounts import split
from {{ cookiecutter.package }}.cluster.object_store import Identity, Key, State, commands, parse, rights
from {{ cookiecutter.package }}.cluster.place import Namespace
from {{ cookiecutter.package }}.errors import Refused

from .stand_ins import Api, program

OWN, OTHER = Key("own", "s1"), Key("other", "s2")
RIGHTS = rights("models/x-staging", "models/x-dev")
EMPTY = State(frozenset(), {})


def state(*keys: Key, has: frozenset[str] = RIGHTS) -> State:
    return State(frozenset({"models"}), {"x-staging": Identity(frozenset(keys), has)})


def told(found: State) -> list[str]:
    return commands(found, "models", "x-staging", OWN, RIGHTS)


def test_an_environment_writes_under_its_own_prefix_and_reads_under_that_of_the_one_before() -> None:
    assert sorted(RIGHTS) == [
        "List:models/x-dev/*",
        "List:models/x-staging/*",
        "Read:models/x-dev/*",
        "Read:models/x-staging/*",
        "Write:models/x-staging/*",
    ]
    first = rights("models/x-dev", None)
    assert sorted(first) == ["List:models/x-dev/*", "Read:models/x-dev/*", "Write:models/x-dev/*"]


def test_all_is_made_where_nothing_is() -> None:
    assert told(EMPTY) == [
        "s3.bucket.create -name models",
        f"s3.configure -user=x-staging -actions={','.join(sorted(RIGHTS))} -apply",
        "s3.configure -user=x-staging -access_key=own -secret_key=s1 -apply",
    ]


def test_nothing_is_told_where_all_is_right() -> None:
    assert told(state(OWN)) == []


def test_the_key_of_the_secret_replaces_any_other() -> None:
    assert told(state(OTHER)) == [
        "s3.configure -user=x-staging -access_key=own -secret_key=s1 -apply",
        "s3.configure -user=x-staging -access_key=other -delete -apply",
    ]


def test_rights_that_are_no_longer_wanted_are_taken_away() -> None:
    assert told(state(OWN, has=rights("models/x-staging", "models/x-test"))) == [
        "s3.configure -user=x-staging -actions=List:models/x-dev/*,Read:models/x-dev/* -apply",
        "s3.configure -user=x-staging -actions=List:models/x-test/*,Read:models/x-test/* -delete -apply",
    ]


def test_an_identity_is_forgotten_once() -> None:
    assert object_store.forgetting(state(OWN), "x-staging") == ["s3.configure -user=x-staging -delete -apply"]
    assert object_store.forgetting(state(OWN), "x-dev") == []


def test_what_the_shell_prints_is_read() -> None:
    identity = {
        "name": "x-staging",
        "credentials": [{"accessKey": "own", "secretKey": "s1", "status": "Active"}],
        "actions": sorted(RIGHTS),
        "account": None,
    }
    buckets = "  mlflow\tsize:0\tchunk:0\n  models\tsize:12\tchunk:1\n"
    assert parse(buckets + json.dumps({"identities": [identity]}, indent=2)) == State(
        frozenset({"mlflow", "models"}), state(OWN).identities
    )


@pytest.mark.parametrize("printed", ["", "{}", '{"identities": null}', '{\n  "identities":  []\n}\n'])
def test_a_store_that_has_nothing_yet_is_read(printed: str) -> None:
    assert parse(printed) == EMPTY


def test_a_key_is_random_and_is_not_shown() -> None:
    one, two = Key.new(), Key.new()
    assert (one.id, one.secret) != (two.id, two.secret)
    assert (one.id + one.secret).isalnum()
    assert one.secret not in repr(one)


def test_an_address_names_the_bucket_and_the_place_in_it() -> None:
    assert split("s3://models") == ("models", "models")
    assert split("s3://models/team/") == ("models", "models/team")


@pytest.mark.parametrize("address", ["gs://models", "s3://", "models"])
def test_another_address_is_refused_by_name(address: str) -> None:
    with pytest.raises(Refused, match=f"artifact_uri '{address}'.* is addressed by s3://<bucket>"):
        split(address)


SECRETS = {
    "object-store": {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret"},
    "mlflow": {"MLFLOW_TRACKING_USERNAME": "name", "MLFLOW_TRACKING_PASSWORD": "password"},
}


def add(api: Api, place: Namespace, name: str, values: dict[str, str]) -> None:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    api.add(f"/api/v1/namespaces/{place.name}/secrets/{name}", data=data)


@pytest.mark.parametrize("name", SECRETS)
def test_accounts_of_the_platform_are_the_environments_own_or_none(
    name: str, dev: Namespace, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never those of whoever calls: they would be shown to another service, or a cloud would be asked for some."""
    for values in SECRETS.values():
        for key in values:
            monkeypatch.setenv(key, "of-the-user")
    for other in SECRETS.keys() - {name}:
        add(api, dev, other, SECRETS[other])
    said = f"^{dev.name} has no Secret {name}: make deploy ENV=dev first$"
    with pytest.raises(Refused, match=said), overlay.reached(dev.settings, "dev", dev.cluster):
        pass
    user, password = SECRETS[name]
    add(api, dev, name, {user: "name"})
    said = f"^the Secret {name} in {dev.name} has no {password}: delete it, and it is made again$"
    with pytest.raises(Refused, match=said), overlay.reached(dev.settings, "dev", dev.cluster):
        pass


def test_accounts_of_the_platform_are_taken_from_the_secrets(
    dev: Namespace, api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "kubectl", "echo Forwarding from 127.0.0.1:7777; exec sleep 60")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    wanted = {key: value for values in SECRETS.values() for key, value in values.items()}
    for key in wanted:
        monkeypatch.setenv(key, "of-the-user")
    for name, values in SECRETS.items():
        add(api, dev, name, values)
    with overlay.reached(dev.settings, "dev", dev.cluster):
        assert {key: os.environ[key] for key in wanted} == wanted
        assert os.environ["AWS_ENDPOINT_URL"] == "http://127.0.0.1:7777"
