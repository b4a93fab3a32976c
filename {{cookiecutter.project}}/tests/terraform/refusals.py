"""What a verb says when it refuses."""

from collections.abc import Callable
from typing import Any

import pytest

from terraform.place import Refused


def refusal(verb: Callable[..., Any], *arguments: object) -> str:
    with pytest.raises(Refused) as refused:
        verb(*arguments)
    return str(refused.value)
