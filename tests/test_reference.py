"""The generated pages are what the code gives, and each index names every page."""

import sys
from pathlib import Path

import pytest
from conftest import ROOT, SKELETON

sys.path.append(str(ROOT / "docs"))
import generate


@pytest.mark.parametrize("page", generate.PAGES)
def test_page_is_what_the_code_gives(page: str) -> None:
    committed = (ROOT / generate.REFERENCE / page).read_text(encoding="utf-8")
    assert committed == generate.PAGES[page](), f"docs/reference/{page} is behind the code: run `make docs`"


@pytest.mark.parametrize(
    "folder", generate.TERRAFORM_READMES, ids=lambda folder: "-".join(folder.parts[-2:]).removeprefix("terraform-")
)
def test_terraform_readme_names_what_the_code_takes_and_gives(folder: Path) -> None:
    committed = (folder / "README.md").read_text(encoding="utf-8")
    assert committed == generate.terraform_readme(folder), f"{folder}/README.md is behind the code: run `make docs`"


@pytest.mark.parametrize("page", generate.PROJECT_PAGES)
def test_project_page_is_the_same_in_every_project(page: str, project: Path) -> None:
    """What it says is compared by the project's own tests, with default and with hostile answers."""
    assert (project / generate.REFERENCE / page).read_bytes() == (SKELETON / generate.REFERENCE / page).read_bytes()


@pytest.mark.parametrize("folder", [ROOT, SKELETON], ids=["template", "project"])
def test_index_names_every_page(folder: Path) -> None:
    index = (folder / "docs" / "README.md").read_text(encoding="utf-8")
    pages = {path for path in (folder / "docs").rglob("*.md") if not (path.parent / "README.md").exists()}
    assert len(pages) >= 3
    assert [path.name for path in pages if path.name not in index] == []
