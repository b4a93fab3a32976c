"""Requests that are scored together get what each would have got alone."""

import asyncio
from typing import Any

import numpy as np
import pytest

from {{ cookiecutter.package }} import scoring
from {{ cookiecutter.package }}.serving.together import MOST_ROWS, Together

from .helpers import INPUTS, model


class Counted:
    """A model that doubles the first input, notes how many rows it is asked at once, and fails for a negative one."""

    def __init__(self) -> None:
        self.runs: list[int] = []

    def __call__(self, matrix: Any) -> Any:
        self.runs.append(len(matrix))
        if (matrix < 0).any():
            raise ValueError("negative")
        return matrix[:, 0] * 2


def asked(run: Any, *requests: Any) -> list[Any]:
    """The answers to requests of the same moment."""

    async def ask() -> list[Any]:
        together = Together(run)
        answers = [together.scores(np.array(rows, dtype=np.float32).reshape(-1, 1)) for rows in requests]
        return list(await asyncio.gather(*answers, return_exceptions=True))

    return [answer if isinstance(answer, Exception) else answer.tolist() for answer in asyncio.run(ask())]


@pytest.mark.proof("Requests that are scored together get what each would have got alone")
def test_one_run_for_all_and_each_gets_its_own() -> None:
    run = Counted()
    assert asked(run, [1], [2, 3], [4]) == [[2.0], [4.0, 6.0], [8.0]]
    assert run.runs == [4]


def test_only_those_fail_whose_rows_fail() -> None:
    run = Counted()
    first, failed, last = asked(run, [1], [-2], [3])
    assert (first, last) == ([2.0], [6.0])
    assert isinstance(failed, ValueError)
    assert run.runs == [3, 1, 1, 1]


def test_a_run_has_an_end() -> None:
    run = Counted()
    large = [1.0] * (MOST_ROWS - 1)
    assert [len(answer) for answer in asked(run, large, [1], [2], large, [3] * (2 * MOST_ROWS))] == [
        len(large), 1, 1, len(large), 2 * MOST_ROWS
    ]  # fmt: skip
    assert run.runs == [MOST_ROWS, MOST_ROWS, 2 * MOST_ROWS]


def test_who_has_left_holds_up_nobody() -> None:
    async def ask() -> list[float]:
        together = Together(Counted())
        left, stays = (together.scores(np.array([[value]], dtype=np.float32)) for value in (1.0, 2.0))
        left.cancel()
        found: list[float] = (await stays).tolist()
        return found

    assert asyncio.run(ask()) == [4.0]


@pytest.mark.proof("Requests that are scored together get what each would have got alone")
@pytest.mark.parametrize("rows", [1, 2, 7, 64])
def test_company_changes_no_score(rows: int) -> None:
    session = scoring.session(model())
    generator = np.random.default_rng(rows)
    matrix = generator.normal(INPUTS, 1, (rows, len(INPUTS))).astype(np.float32)
    alone = np.concatenate([scoring.scores(session, matrix[row : row + 1]) for row in range(rows)])
    assert np.abs(scoring.scores(session, matrix) - alone).max() <= 1e-7
