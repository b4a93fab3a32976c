"""Terraform must hear of an interrupt once, and then be let finish: else it leaves things that no state knows.

From a terminal an interrupt reaches every process; passed on by the ones above, Terraform would hear it twice, which means "now,
whatever is lost". So the work is done in a session of its own, and this process hands on the first interrupt and waits.
"""

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
AGAIN = "Terraform is finishing what it has begun; without that, things would be left that no state knows"
heard: list[int] = []
"""What the one that works was told: what has not begun by then must not begin."""


def run(work: Callable[[], int]) -> int:
    """Do the work in a child, and give its exit code."""
    sys.stdout.flush()
    sys.stderr.flush()
    # What arrives between the fork and the handlers waits.
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    child = os.fork()
    if child == 0:
        os.setsid()
        for each in SIGNALS:
            signal.signal(each, _wait_for_terraform)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        os._exit(_finished(work))
    for each in SIGNALS:
        signal.signal(each, _hand_on(child))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    _, status = os.waitpid(child, 0)
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)  # nothing is left to interrupt, and the exit code is known
    return os.waitstatus_to_exitcode(status)


def _finished(work: Callable[[], int]) -> int:
    code = 1
    try:
        code = work()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return code


def _wait_for_terraform(number: int, frame: FrameType | None) -> None:
    """It has heard of it too, and says when it is done."""
    heard.append(number)


def _hand_on(child: int) -> Callable[[int, FrameType | None], None]:
    before: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        again = bool(before)
        before.append(number)
        if not again:
            os.killpg(child, signal.SIGINT)
        with suppress(OSError):  # of a terminal that is gone
            print(AGAIN if again else "interrupted: Terraform finishes what it has begun, and stops", file=sys.stderr)

    return handle
