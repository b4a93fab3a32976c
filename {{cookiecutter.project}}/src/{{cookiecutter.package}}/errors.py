"""What ends a program with a sentence: what a user can mend, and Ctrl-C."""

from __future__ import annotations  # the doctor reads this with a Python that is too old for all else

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

INTERRUPTED = 130
"""The exit code by which shells tell Ctrl-C: 128 and the signal's number."""


class Refused(Exception):
    """Work that was not done, and why: the message says what was wrong, where, and what to do."""


class Interrupted(Exception):
    """Work that Ctrl-C ended: the message says what to do about it."""


@contextmanager
def interruptible(advice: str) -> Iterator[None]:
    """Let Ctrl-C end what is done in the block with an advice, also where the cleaning up fails."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(advice) from None
    except Interrupted:  # a block inside this one has said what to do
        raise
    except Exception as problem:
        if _by_ctrl_c(problem):
            raise Interrupted(f"{advice}\n  {problem}") from None
        raise


def run_program(program: Callable[[], object]) -> None:
    """Run a program; a refusal is one message on standard error, without a traceback, and exit code 1. Ctrl-C gives 130."""
    try:
        with interruptible("run it again"):
            program()
    except Interrupted as interrupted:
        print(f"interrupted: {interrupted}", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except Refused as refusal:
        print(f"refused: {refusal}", file=sys.stderr)
        sys.exit(1)


def _by_ctrl_c(problem: BaseException) -> bool:
    """Whether it arose from cleaning up after an interruption, and is not what the user has to be told first."""
    found: BaseException | None = problem
    while found is not None and not isinstance(found, KeyboardInterrupt):
        found = found.__context__
    return found is not None
