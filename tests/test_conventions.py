"""What keeps the template readable: it parses before rendering, with little Jinja, no default name, no dead code."""

import ast
import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import GROUPS, QUESTIONS, ROOT, SKELETON, Bake, files, run
from ruamel.yaml import YAML

JINJA = re.compile(r"\{\{|\{%|\{#|^\s*#%", re.MULTILINE)
PACKAGE = "{{ cookiecutter.package }}"


def template_files() -> list[Path]:
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT).stdout
    paths = [ROOT / name for name in listed.split("\0") if name]
    return [path for path in paths if path.is_file()]


def text_of(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def texts() -> dict[Path, str]:
    """Every text file of the template, by its path from the root."""
    return {path.relative_to(ROOT): text for path in template_files() if (text := text_of(path)) is not None}


TEXTS = texts()
IN_PROJECT = {path: text for path, text in TEXTS.items() if (ROOT / path).is_relative_to(SKELETON)}


def parse(path: Path, text: str) -> None:
    """Raise when the file is not valid in its own language as it stands, before rendering."""
    if path.suffix == ".py":
        # The one exception: the module's name in an import statement.
        ast.parse(re.sub(r"^(\s*(?:from|import) )" + re.escape(PACKAGE), r"\1package_name", text, flags=re.MULTILINE))
    elif path.suffix == ".toml":
        tomllib.loads(text)
    elif path.suffix == ".json":
        json.loads(text)
    elif path.suffix in (".yaml", ".yml"):
        list(YAML(typ="safe").load_all(text))
    elif path.suffix == ".sh":
        shell = "bash" if text.partition("\n")[0].endswith("bash") else "sh"
        subprocess.run([shell, "-n", ROOT / path], check=True)
    elif path.name == "Makefile":
        assert (ROOT / path).parent == ROOT or not JINJA.search(text)
        subprocess.run(
            ["make", "-n", "-f", ROOT / path, "help"], cwd=ROOT / path.parent, check=True, capture_output=True
        )


@pytest.mark.parametrize("path", TEXTS, ids=str)
def test_parses_before_rendering(path: Path) -> None:
    parse(path, TEXTS[path])


def test_every_link_is_copied() -> None:
    """A linked folder that is not in the list would arrive empty, without a word."""
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", SKELETON, cwd=ROOT).stdout
    links = {path for name in listed.split("\0") if (path := ROOT / name).is_symlink()}
    assert {path.relative_to(SKELETON).as_posix() for path in links} == set(QUESTIONS["_copy_without_render"])
    assert {path.relative_to(SKELETON): path.resolve() for path in links} == {
        path.relative_to(SKELETON): ROOT / path.relative_to(SKELETON) for path in links
    }


def test_shared_folders_hold_no_jinja() -> None:
    """They arrive as they are."""
    shared = [path for path in TEXTS if path.parts[0] == "k8s"]
    assert len(shared) > 30
    assert [str(path) for path in shared if "cookiecutter" in TEXTS[path]] == []


def test_at_most_a_quarter_of_the_files_holds_jinja() -> None:
    with_jinja = [path for path, text in IN_PROJECT.items() if JINJA.search(text)]
    assert len(with_jinja) * 4 <= len(IN_PROJECT), sorted(map(str, with_jinja))


def test_no_raw_blocks() -> None:
    assert [path for path, text in IN_PROJECT.items() if re.search(r"\{%-?\s*raw", text)] == []


def test_python_holds_jinja_in_imports_only() -> None:
    def stray() -> Iterator[str]:
        for path, text in IN_PROJECT.items():
            if path.suffix == ".py":
                rest = re.sub(r"^\s*(?:from|import) " + re.escape(PACKAGE), "", text, flags=re.MULTILINE)
                # Inside a quoted value the name may stand too: patched paths, programs run as modules.
                rest = re.sub(r"""(["'])[^"'\n]*\{\{ cookiecutter\.(?:package|project) \}\}[^"'\n]*\1""", "", rest)
                yield from (f"{path}: {found[0]}" for found in JINJA.finditer(rest))

    assert list(stray()) == []


def test_no_default_name_in_another_project(bake: Bake) -> None:
    """Not even where it speaks of the sample: that is about flights, whatever the project is called."""
    answers = {"title": "Other Words", "description": "Says something else.", "owner": "Somebody"}
    words = re.compile(r"flight[-_ ]?delay|ml platform team", re.IGNORECASE)
    baked = files(bake(**answers)).items()
    assert [name for name, content in baked if words.search(name + content.decode("utf-8", "replace"))] == []


def test_no_answer_is_left_unrendered(bake: Bake) -> None:
    for name, content in files(bake(project="zzz")).items():
        assert b"cookiecutter." not in content, name


def test_shell_and_makefiles_hold_no_dead_code() -> None:
    """Python's is found by ruff (ERA)."""
    dead = re.compile(r"^\s*# *(?:\w+ *[:?+]?= *\S+|\w+\(\)|if |for |fi$|done$|make \w+$)", re.MULTILINE)
    checked = {
        path: text for path, text in TEXTS.items() if path.suffix == ".sh" or path.name in ("Makefile", "Dockerfile")
    }
    assert len(checked) >= 5
    assert [f"{path}: {found[0]}" for path, text in checked.items() for found in dead.finditer(text)] == []


def test_groups_name_tests_that_there_are() -> None:
    for start in GROUPS:
        path, _, name = start.partition("::")
        assert f"\ndef {name or 'test_'}" in TEXTS[Path(path)], start


def test_modules_are_short() -> None:
    long = {
        str(path): text.count("\n") for path, text in TEXTS.items() if path.suffix == ".py" and text.count("\n") > 300
    }
    assert long == {}


def test_no_machine_or_registry_in_requirements() -> None:
    for path, text in TEXTS.items():
        if path.suffix == ".txt" and "requirements" in path.parts:
            assert not re.search(r"https?:|--index|--find-links|file:|^-e ", text, re.MULTILINE), path


def test_version_is_that_of_the_changelog_and_of_the_tag() -> None:
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest
    assert newest[1] == QUESTIONS["_version"]
    tags = [
        tag
        for tag in run("git", "tag", "--points-at", "HEAD", cwd=ROOT, check=False).stdout.split()
        if re.match(r"\d", tag)
    ]
    assert tags in ([], [QUESTIONS["_version"]])


def test_the_templates_own_code_is_clean() -> None:
    run("make", "lint", cwd=ROOT)


@pytest.mark.parametrize("folder", [ROOT, SKELETON], ids=["template", "project"])
def test_help_lists_every_verb(folder: Path) -> None:
    text = (folder / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    assert phony
    verbs = set(phony[1].split()) - {"tools", "tools-k8s", "tools-terraform", "venv"}
    shown = run("make", "help", cwd=folder).stdout
    assert {line.split()[0] for line in shown.splitlines()[2:]} == verbs
