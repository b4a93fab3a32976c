"""Killed at any moment that can leave a trace on the disk, every verb leaves a project that goes on as if nothing had been.

The system counts those moments: strace lists the calls of a whole run that create, name, remove or flush a file, and the
verb is then run once for each of them, and killed there. One moment more, in each verb, is a run that ends.
"""

import re
import shutil
from collections.abc import Callable
from typing import Any

import pytest

from {{ cookiecutter.package }} import bundle

from .conftest import Laboratory, Run

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="NOT RUN: strace (apt-get install strace)")

# Fewer moments than this, and the count has stopped to see something.
FLOORS = {"train": 100, "publish": 30, "register": 10, "promote": 80, "rollback": 50}

EXPECTED_FILES = re.compile(
    r"artifacts/("
    r"(one|two)\.lock|mlflow\.db|mlflow\.db\.lock"
    r"|store/[^/]+/bundles/[0-9a-f]{64}/" + f"({'|'.join([*bundle.FILES, bundle.MANIFEST])})"
    r"|store/[^/]+/promotions/\d{8}T\d{6}\.\d{6}Z-[0-9a-f]{64}-(begun|ended)\.json"
    r"|mlflow/[0-9a-f]{32}/artifacts/[a-z-]+\.(png|json)"
    r"|runs/\d{8}T\d{12}Z/([a-z]+/)?[a-z-]+\.(png|json|parquet|skops|onnx|md)"
    r")"
)


@pytest.mark.proof("Killed at any write, a verb leaves the champion old or new, never half; the next run goes on")
@pytest.mark.parametrize("verb", FLOORS)
def test_killed_at_every_write_boundary(
    verb: str, laboratory: Laboratory, record_property: Callable[[str, object], None]
) -> None:
    laboratory.restore(verb)
    whole = laboratory.run(verb, "-e", "signal=none")
    assert whole.status == 0, whole.said
    count = len(whole.boundaries)
    record_property("counted", f"{verb}: {count} write boundaries")
    assert count >= FLOORS[verb]
    assert whole.elsewhere == [], "a thread or a child writes too, and nobody kills it there"
    for boundary in range(count):
        kill(laboratory, verb, whole, boundary)
        check(laboratory, verb, laboratory.aftermath(verb), f"{verb} killed at {boundary + 1} of {count}")


@pytest.mark.proof("The kill tests can fail: with alias and publishing swapped they see a champion that does not exist")
def test_the_control_is_red(laboratory: Laboratory) -> None:
    """With alias and publish in the wrong order, some moment leaves a champion that does not exist."""
    laboratory.restore("promote")
    whole = laboratory.run("promote_swapped", "-e", "signal=none")
    assert whole.status == 0, whole.said
    for boundary in range(len(whole.boundaries)):
        kill(laboratory, "promote_swapped", whole, boundary, state="promote")
        if laboratory.aftermath("promote")["before"]["broken"]:
            return
    pytest.fail("the tests above cannot see a champion that is not there")


def test_a_registry_is_there_or_not(laboratory: Laboratory, record_property: Callable[[str, object], None]) -> None:
    """Creating MLflow's tables takes hundreds of writes; an even choice of them must do."""
    laboratory.restore("empty")
    whole = laboratory.run("create", "-e", "signal=none")
    assert whole.status == 0, whole.said
    count = len(whole.boundaries)
    chosen = sorted({*range(0, count, max(count // 5, 1)), *range(count - 5, count)})
    record_property("counted", f"first use of the registry: {len(chosen)} of {count} write boundaries")
    for boundary in chosen:
        kill(laboratory, "create", whole, boundary, state="empty")
        assert laboratory.aftermath("create")["after"]["one"]["versions"] == []
        assert unexpected_files(laboratory) == []


def kill(laboratory: Laboratory, verb: str, whole: Run, boundary: int, state: str = "") -> None:
    """Run a verb up to one of its boundaries."""
    laboratory.restore(state or verb)
    run = laboratory.run(verb, "-e", whole.injection(boundary))
    assert run.status == -9, run.said
    assert len(run.boundaries) == boundary + 1, f"{verb} took another way than the run that was counted"


def check(laboratory: Laboratory, verb: str, found: dict[str, Any], what: str) -> None:
    """State what must hold after any kill, and after the next run."""
    before, after = found["before"], found["after"]
    first = after["two"]["attempts"][0][0]
    second = bundle.read(laboratory.folder / "bundle").id
    assert before["broken"] == after["broken"] == [], f"{what}: a version is registered whose bundle is not whole"
    assert unexpected_files(laboratory) == [], what
    assert "open" not in [outcome for _, outcome in after["two"]["attempts"]], f"{what}: a record is missing"
    EXPECTED[verb](before, after, first, second, what)
    succeeded = [to_id for to_id, outcome in after["two"]["attempts"] if outcome == "succeeded"]
    assert succeeded[-1] == after["two"]["champion"], f"{what}: the records name another champion"


def expect_train(before: dict[str, Any], after: dict[str, Any], first: str, second: str, what: str) -> None:
    assert before["two"]["champion"] == after["two"]["champion"] == first, what
    # One version before, one of the run that follows, and perhaps the one of the run that was killed.
    assert len(after["one"]["versions"]) in (2, 3), what
    assert after["one"]["challenger"] == after["one"]["versions"][0], what


def expect_publish(before: dict[str, Any], after: dict[str, Any], first: str, second: str, what: str) -> None:
    assert before == after, what
    assert after["two"]["champion"] == first, what


def expect_register(before: dict[str, Any], after: dict[str, Any], first: str, second: str, what: str) -> None:
    assert before["two"] == after["two"], what
    assert before["one"]["versions"] in ([first], [second, first]), what
    assert after["one"]["versions"] == [second, first], what
    assert after["one"]["challenger"] == second, what


def expect_promote(before: dict[str, Any], after: dict[str, Any], first: str, second: str, what: str) -> None:
    assert before["two"]["champion"] in (first, second), what
    assert (after["two"]["champion"], after["two"]["previous"]) == (second, first), what
    said_by_records(before, after, first, second, what)


def expect_rollback(before: dict[str, Any], after: dict[str, Any], first: str, second: str, what: str) -> None:
    assert before["two"]["champion"] in (second, first), what
    assert (after["two"]["champion"], after["two"]["previous"]) == (first, None), what
    said_by_records(before, after, second, first, what)


def said_by_records(before: dict[str, Any], after: dict[str, Any], old: str, new: str, what: str) -> None:
    """The interrupted attempt is on record as what it became."""
    known = before["two"]["attempts"]
    if known[-1] == [new, "open"]:
        outcome = after["two"]["attempts"][len(known) - 1][1]
        assert outcome == ("succeeded" if before["two"]["champion"] == new else "reverted"), what
    elif known[-1] != [new, "succeeded"]:
        assert before["two"]["champion"] == old, what


EXPECTED = {
    "train": expect_train,
    "publish": expect_publish,
    "register": expect_register,
    "promote": expect_promote,
    "rollback": expect_rollback,
}


def unexpected_files(laboratory: Laboratory) -> list[str]:
    """List the files of a project that no finished run leaves."""
    files = (path.relative_to(laboratory.root).as_posix() for path in laboratory.root.rglob("*") if path.is_file())
    return [file for file in files if not EXPECTED_FILES.fullmatch(file)]
