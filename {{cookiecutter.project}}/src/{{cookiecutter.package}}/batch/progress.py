"""What a user sees while a table is scored."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

Report = Callable[[float, int], None]
"""Called after each part with the share of the file that is done (0 to 1) and the number of rows."""


@contextmanager
def progress(title: str) -> Iterator[Report]:
    """A bar on a terminal; elsewhere a line at each quarter, so that a log shows life and stays short. On standard error."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines(console, title)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[rows]:,} rows"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(title, total=1.0, rows=0)
        yield lambda share, rows: bar.update(task, completed=share, rows=rows)


class _Lines:
    """Progress as lines."""

    def __init__(self, console: Console, title: str) -> None:
        self._console, self._title, self._quarter = console, title, 0

    def __call__(self, share: float, rows: int) -> None:
        if int(share * 4) > self._quarter:
            self._quarter = int(share * 4)
            self._console.print(f"{self._title}: {self._quarter * 25} % ({rows:,} rows)")
