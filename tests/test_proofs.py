"""The table of proofs in README.md names every marked test, and no other. What they gave is not compared."""

import sys
from pathlib import Path

import pytest
from conftest import PROJECT_VENV, ROOT, SKELETON, Bake

sys.path.append(str(ROOT / "docs"))
import proofs


def test_table_names_the_marked_tests_and_no_others(bake: Bake, tmp_path: Path) -> None:
    collected = proofs.collected(bake(), PROJECT_VENV / "bin" / "python", tmp_path)
    shown = proofs.shown()
    assert len(shown) > 20
    assert shown - collected == set(), "README.md names tests that are not there: run `make docs`"
    assert collected - shown == set(), "README.md has no row for these tests: run `make docs`"


@pytest.mark.parametrize(
    ("root", "looked_in"), [(ROOT, proofs.TESTS), (SKELETON, proofs.TESTS_OF_A_PROJECT)], ids=["template", "project"]
)
def test_no_folder_with_a_claim_is_left_out(root: Path, looked_in: tuple[str, ...]) -> None:
    marked = [file for file in (root / "tests").rglob("test_*.py") if "mark.proof(" in file.read_text(encoding="utf-8")]
    assert len(marked) > 10
    assert {file.parent.relative_to(root).as_posix() for file in marked} <= set(looked_in)


@pytest.mark.parametrize(
    ("cases", "expected"),
    [
        (["passed", "passed"], "passed (2)"),
        (["passed", "not run"], "not run"),
        (["passed", "not run", "failed"], "failed"),
        ([], "not run"),
    ],
)
def test_a_claim_is_as_good_as_its_worst_case(cases: list[str], expected: str) -> None:
    assert proofs.result(cases) == expected
