"""Requests of the same moment, scored in one run of the model.

A run for one row costs mostly what every run costs; by the time the next request has been read, the processor has forgotten
the model's code again. Nobody waits for company: a run takes what has arrived by the next turn of the event loop.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from ..features import Matrix
from .predictor import Scores

MOST_ROWS = 1024
"""In one run of several requests: more gain nothing, and would hold up whoever comes next."""

Waiting = tuple[Matrix, "asyncio.Future[Scores]"]


class Together:
    """Puts one model's requests together."""

    def __init__(self, run: Callable[[Matrix], Scores]) -> None:
        self._run = run
        self._waiting: list[Waiting] = []

    def scores(self, matrix: Matrix) -> "asyncio.Future[Scores]":
        """Of each row, at the next turn of the event loop; an error is that of these rows alone."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Scores] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._turn)
        self._waiting.append((matrix, future))
        return future

    def _turn(self) -> None:
        waiting, self._waiting = self._waiting, []
        for group in _groups(waiting):
            self._score(group)

    def _score(self, group: Sequence[Waiting]) -> None:
        try:
            found = self._run(group[0][0] if len(group) == 1 else np.concatenate([matrix for matrix, _ in group]))
        except Exception as error:
            if len(group) > 1:
                for each in group:
                    self._score([each])
            elif not group[0][1].done():
                group[0][1].set_exception(error)
            return
        start = 0
        for matrix, future in group:
            end = start + len(matrix)
            if not future.done():  # its client has not left
                future.set_result(found[start:end])
            start = end


def _groups(waiting: Sequence[Waiting]) -> Iterator[Sequence[Waiting]]:
    """In their order, each as large as may be."""
    start = rows = 0
    for index, (matrix, _) in enumerate(waiting):
        if rows and rows + len(matrix) > MOST_ROWS:
            yield waiting[start:index]
            start, rows = index, 0
        rows += len(matrix)
    yield waiting[start:]
