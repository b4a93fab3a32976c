"""Who may do what in the object store: what its shell is told, decided from what it says."""

import json

import pytest

from {{ cookiecutter.package }}.cluster import object_store
from {{ cookiecutter.package }}.cluster.accounts import split
from {{ cookiecutter.package }}.cluster.object_store import Identity, Key, State, commands, parse, rights
from {{ cookiecutter.package }}.errors import Refused

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
