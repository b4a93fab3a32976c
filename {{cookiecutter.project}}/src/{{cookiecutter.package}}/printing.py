"""Where tables are printed."""

import sys

from rich.console import Console

# Of a file or a pipe, for which rich takes 80: more than any row has, so that a line stays one.
WIDTH = 10_000


def console() -> Console:
    """Standard output, as wide as its terminal."""
    return Console(width=None if sys.stdout.isatty() else WIDTH)
