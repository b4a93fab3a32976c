"""The file of API keys, as `make api-key` changes it."""

import pytest

from {{ cookiecutter.package }}.cluster.api_keys import added, removed
from {{ cookiecutter.package }}.errors import Refused

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
