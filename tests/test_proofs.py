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


@pytest.mark.parametrize(("root", "prefix"), [(ROOT, ""), (SKELETON, proofs.PROJECT)], ids=["template", "project"])
def test_no_file_with_a_claim_is_left_out(root: Path, prefix: str) -> None:
    """As one in a folder would be that is not looked in."""
    tests = root / "tests"
    marked = [file for file in tests.rglob("test_*.py") if "\n@pytest.mark.proof(" in file.read_text(encoding="utf-8")]
    assert len(marked) > 10
    shown = {test.name.partition("::")[0] for test in proofs.shown()}
    assert {prefix + file.relative_to(tests).as_posix() for file in marked} - shown == set()


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
