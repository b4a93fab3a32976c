"""The file of API keys, as `make api-key` changes it."""

import base64

import pytest

from {{ cookiecutter.package }}.cluster import api_keys
from {{ cookiecutter.package }}.cluster.api_keys import added, removed
from {{ cookiecutter.package }}.cluster.place import Namespace
from {{ cookiecutter.package }}.errors import Refused

from .stand_ins import Api

HASH = "0" * 64


def test_a_key_is_added_and_removed_by_name() -> None:
    lines = added([f"smoke:{HASH}"], "web-shop", HASH)
    assert lines == [f"smoke:{HASH}", f"web-shop:{HASH}"]
    assert removed(lines, "smoke") == [f"web-shop:{HASH}"]


@pytest.mark.parametrize("name", ["", "a b", "a:b", "x" * 65, "ä"])
def test_a_name_that_the_server_would_refuse_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="must be 1 to 64 letters"):
        added([], name, HASH)


def test_nothing_happens_twice_or_to_nobody() -> None:
    with pytest.raises(Refused, match="NAME=smoke: has a key already"):
        added([f"smoke:{HASH}"], "smoke", HASH)
    with pytest.raises(Refused, match="NAME=smok: has no key; known are: smoke"):
        removed([f"smoke:{HASH}"], "smok")
    with pytest.raises(Refused, match="nobody has one"):
        removed([], "smoke")


PODS = [f"/api/v1/namespaces/NAME/pods/serving-{number}" for number in range(2)]


@pytest.fixture
def pods(dev: Namespace, api: Api) -> list[str]:
    """Two pods, and the file with the key `smoke` that they have."""
    paths = [path.replace("NAME", dev.name) for path in PODS]
    for path in paths:
        api.add(path)
    content = base64.b64encode(f"smoke:{HASH}\n".encode()).decode()
    api.add(f"/api/v1/namespaces/{dev.name}/secrets/api-keys", data={"keys": content})
    return paths


def changes(api: Api, pods: list[str]) -> set[str | None]:
    return {(api.objects[pod]["metadata"].get("annotations") or {}).get(api_keys.CHANGED) for pod in pods}


def test_every_change_has_the_pods_read_the_file_at_once(dev: Namespace, api: Api, pods: list[str]) -> None:
    assert changes(api, pods) == {None}
    key, soon = api_keys.give(dev, "web-shop")
    (first,) = changes(api, pods)
    assert first is not None
    assert (len(key) > 30, soon) == (True, "within seconds, two minutes at most")
    assert [line.partition(":")[0] for line in api_keys.lines(dev)] == ["smoke", "web-shop"]
    assert api_keys.revoke(dev, "web-shop") == soon
    (second,) = changes(api, pods)
    assert second is not None
    assert second > first
    api_keys.merge(dev, [f"old:{HASH}"])
    assert changes(api, pods) != {second}


def test_who_may_not_change_pods_gives_out_keys_that_take_longer(dev: Namespace, api: Api, pods: list[str]) -> None:
    api.forbidden = {("PATCH", pod) for pod in pods}
    assert api_keys.give(dev, "web-shop")[1] == "within two minutes"
    assert [line.partition(":")[0] for line in api_keys.lines(dev)] == ["smoke", "web-shop"]
