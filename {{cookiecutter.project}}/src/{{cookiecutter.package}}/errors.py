"""The one exception for what a user can mend, and what a program makes of it."""

from __future__ import annotations  # the doctor reads this with a Python that is too old for all else

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Refused(Exception):
    """Work that was not done, and why: the message says what was wrong, where, and what to do."""


def run_program(program: Callable[[], object]) -> None:
    """Run a program; a refusal is one message on standard error, without a traceback, and exit code 1."""
    try:
        program()
    except Refused as refusal:
        print(f"refused: {refusal}", file=sys.stderr)
        sys.exit(1)
