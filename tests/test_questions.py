"""Which answers are accepted, which are refused, and the words of the refusals."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from conftest import PROJECT_VENV, QUESTIONS, ROOT, TOOLS, Bake, files, run

sys.path.append(str(ROOT / "requirements"))
import pins

HOSTILE = {
    "title": 'Quo"te \'single\' \\ back\\\\slash { brace } # hash %} 🚀 Ünïcödé 日本語 مرحبا """',
    "project": "q",
    "package": "q",
    "description": "It says \"yes\" \\\\n \\\\u0041 {} %} ''' # }}",
    "owner": "Ørsted & Söhne <team@example.org> \\",
}

NO_PROJECT = "cannot name a repository and its environments: answer with 1 to 40 lower-case letters (a-z), digits and inner hyphens, such as flight-delay"
NO_PACKAGE = "cannot name a Python package: answer with 1 to 30 letters (a-z), digits and underscores, a letter first, such as flight_delay"
HIDES = "is a module of Python or of a package that the project installs, and would hide it: answer with another name, such as"
NO_REGISTRY = "cannot be where images are: answer with host, port and path of a registry as far as it has them, in lower case and without https://, such as ghcr.io/my-team or localhost:5000, or with nothing"

REFUSED = {
    "emoji title makes an empty name": ({"title": "🚀"}, f"project: '' {NO_PROJECT}"),
    "empty": ({"project": ""}, f"project: '' {NO_PROJECT}"),
    "this folder": ({"project": "."}, f"project: '.' {NO_PROJECT}"),
    "parent folder": ({"project": ".."}, f"project: '..' {NO_PROJECT}"),
    "two folders": ({"project": "a/b"}, f"project: 'a/b' {NO_PROJECT}"),
    "absolute": ({"project": "/a/b"}, f"project: '/a/b' {NO_PROJECT}"),
    "backslash": ({"project": "a\\b"}, f"project: 'a\\\\b' {NO_PROJECT}"),
    "upper case": ({"project": "Flights"}, f"project: 'Flights' {NO_PROJECT}"),
    "hyphen first": ({"project": "-a"}, f"project: '-a' {NO_PROJECT}"),
    "hyphen last": ({"project": "a-"}, f"project: 'a-' {NO_PROJECT}"),
    "too long": ({"project": "a" * 41}, f"project: '{'a' * 41}' {NO_PROJECT}"),
    "too long for a file": ({"project": "a" * 400}, f"project: '{'a' * 400}' {NO_PROJECT}"),
    "newline in a name": ({"project": "a\n"}, f"project: 'a\\n' {NO_PROJECT}"),
    "no identifier": ({"package": "flight-delay"}, f"package: 'flight-delay' {NO_PACKAGE}"),
    "digit first": ({"package": "2nd"}, f"package: '2nd' {NO_PACKAGE}"),
    "package too long": ({"package": "a" * 31}, f"package: '{'a' * 31}' {NO_PACKAGE}"),
    "package is a path": ({"package": "../a"}, f"package: '../a' {NO_PACKAGE}"),
    "empty package": ({"package": ""}, f"package: '' {NO_PACKAGE}"),
    "keyword": ({"package": "class"}, "package: 'class' is a word of the Python language: answer with another name, such as class_model"),
    "standard library": ({"package": "json"}, f"package: 'json' {HIDES} json_model"),
    "standard library, though it does not say so": ({"package": "test"}, f"package: 'test' {HIDES} test_model"),
    "standard library of 3.11 only": ({"package": "asyncore"}, f"package: 'asyncore' {HIDES} asyncore_model"),
    "a dependency": ({"package": "sklearn"}, f"package: 'sklearn' {HIDES} sklearn_model"),
    "a dependency by its other name": ({"package": "yaml"}, f"package: 'yaml' {HIDES} yaml_model"),
    "a folder": ({"package": "pipelines"}, "package: 'pipelines' is a folder of the project: answer with another name, such as pipelines_model"),
    "a folder on a Mac": ({"package": "Tests"}, "package: 'Tests' is a folder of the project: answer with another name, such as tests_model"),
    "tab": ({"title": "a\tb"}, "title: character U+0009 in 'a\\tb' cannot be printed: answer in one line of plain text"),
    "newline": ({"description": "a\nb"}, "description: character U+000A in 'a\\nb' cannot be printed: answer in one line of plain text"),
    "escape": ({"owner": "a\x1b[31m"}, "owner: character U+001B in 'a\\x1b[31m' cannot be printed: answer in one line of plain text"),
    "delete": ({"owner": "a\x7f"}, "owner: character U+007F in 'a\\x7f' cannot be printed: answer in one line of plain text"),
    "registry with a scheme": ({"registry": "https://ghcr.io/team"}, f"registry: 'https://ghcr.io/team' {NO_REGISTRY}"),
    "registry with a space": ({"registry": "ghcr.io/my team"}, f"registry: 'ghcr.io/my team' {NO_REGISTRY}"),
    "registry in upper case": ({"registry": "ghcr.io/Team"}, f"registry: 'ghcr.io/Team' {NO_REGISTRY}"),
    "registry without a host": ({"registry": "team"}, f"registry: 'team' {NO_REGISTRY}"),
    "registry with a tag": ({"registry": "ghcr.io/team:1"}, f"registry: 'ghcr.io/team:1' {NO_REGISTRY}"),
    "registry with a slash behind": ({"registry": "ghcr.io/"}, f"registry: 'ghcr.io/' {NO_REGISTRY}"),
    "registry of another script": ({"registry": "ghcr.io/tëam"}, f"registry: 'ghcr.io/tëam' {NO_REGISTRY}"),
    "registry too long": ({"registry": f"ghcr.io/{'a' * 200}"}, f"registry: 'ghcr.io/{'a' * 200}' {NO_REGISTRY}"),
    "blank owner": ({"owner": " "}, "owner: it is empty: answer with at least one letter"),
}  # fmt: skip

ACCEPTED = {
    "one letter": {"project": "a"},
    "greatest lengths": {"project": "a" * 40, "package": "b" * 30},
    "two hyphens": {"project": "a--b", "package": "a_b"},
    "digits": {"project": "2nd-try", "package": "second_try"},
    "upper-case package": {"package": "FlightDelay"},
    "registry": {"registry": "ghcr.io/my-team"},
    "registry with a port": {"registry": "localhost:5000"},
    **{cloud: {"cloud": cloud} for cloud in QUESTIONS["cloud"]},
    "registry of a cloud": {"registry": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/ml_team/a.b--c"},
}


@pytest.mark.parametrize("force", [(), ("-f",)], ids=["", "-f"])
@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str, force: tuple[str, ...], template: Path, tmp_path: Path) -> None:
    answers, sentence = REFUSED[case]
    folder = tmp_path / "work"
    (folder / "src").mkdir(parents=True)
    (folder / "README.md").write_text("the user's own\n")
    settings = tmp_path / "settings.yaml"
    settings.write_text(f"replay_dir: {tmp_path / 'replay'}\n")
    words = [f"{question}={answer}" for question, answer in answers.items()]
    command: list[str | Path] = [
        TOOLS / "cookiecutter",
        "--no-input",
        "--config-file",
        settings,
        *force,
        template,
        *words,
    ]
    done = run(*command, cwd=folder, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"refused: {sentence}\n")  # as README.md says
    assert files(tmp_path / "work") == {"README.md": b"the user's own\n"}
    assert {path.name for path in folder.iterdir()} == {"src", "README.md"}
    assert {path.name for path in tmp_path.iterdir()} == {"work", "settings.yaml", "replay"}


@pytest.mark.parametrize("project", ["", "..", "a/b"])
def test_refused_by_cruft(project: str, template: Path, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("the user's own\n")
    extra = json.dumps({"project": project})
    command: list[str | Path] = [
        TOOLS / "cruft",
        "create",
        "--no-input",
        "--overwrite-if-exists",
        "--extra-context",
        extra,
        template,
    ]
    done = run(*command, cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert f"refused: project: {project!r} {NO_PROJECT}\n" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]


def test_text_that_an_update_would_evaluate_is_refused(template: Path) -> None:
    """Typed at the prompt it would pass, and be rendered by the next update: the hook sees it as typed."""
    source = (template / "hooks" / "pre_gen_project.py").read_text(encoding="utf-8")
    for text in ("{{ x }}", "{% x", "{# x", "#% if"):
        answers = QUESTIONS | {
            "license": "MIT",
            "cloud": "local",
            "title": text,
            "project": "a",
            "package": "a",
            "registry": "",
            "__project_answered": "a",
        }
        hook = source.replace("{{ cookiecutter | jsonify }}", json.dumps(answers))
        done = subprocess.run([sys.executable, "-c", hook], text=True, capture_output=True, check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == (
            f"refused: title: {text[:2]!r} in {text!r} would be read as a template by the next update: put a space into it\n"
        )


@pytest.mark.parametrize("case", ACCEPTED)
def test_accepted(case: str, bake: Bake) -> None:
    answers = ACCEPTED[case]
    project = bake(**answers)
    recorded = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mlops-template"][
        "answers"
    ]
    assert {question: recorded[question] for question in answers} == answers
    assert project.name == recorded["project"]
    assert (project / "src" / recorded["package"] / "__init__.py").exists()


def test_free_text_arrives_as_typed(bake: Bake) -> None:
    project = bake(**HOSTILE, license="MIT")
    pyproject = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    assert pyproject["tool"]["mlops-template"]["answers"] == HOSTILE | {
        "license": "MIT",
        "registry": "",
        "cloud": "local",
    }
    assert pyproject["project"]["description"] == HOSTILE["description"]
    readme = (project / "README.md").read_text(encoding="utf-8")
    assert readme.startswith(f"# {HOSTILE['title']}\n\n{HOSTILE['description']}\n")
    assert f"Copyright (c) {HOSTILE['owner']}\n" in (project / "LICENSE").read_text(encoding="utf-8")


def test_every_question_is_asked_in_words() -> None:
    asked = {question for question in QUESTIONS if not question.startswith("_")}
    assert set(QUESTIONS["__prompts__"]) == asked
    for question in asked:
        if isinstance(QUESTIONS[question], list):
            assert set(QUESTIONS["__prompts__"][question]) == {"__prompt__", *QUESTIONS[question]}


def test_folders_of_the_project_are_refused_as_package(project: Path) -> None:
    source = (ROOT / "hooks" / "pre_gen_project.py").read_text(encoding="utf-8")
    refused = set(re.findall(r'FOLDERS = frozenset\(\s*"([^"]*)"', source)[0].split())
    folders = {path.name for path in project.iterdir() if path.is_dir() and not path.name.startswith(".")}
    assert folders <= refused


def test_names_of_modules_are_those_of_the_installed_packages() -> None:
    """`make requirements` writes the list; a package added without it would be missing here."""
    python = PROJECT_VENV / "bin" / "python"
    listed = pins.listed_in_hook()
    assert len(listed) > 350
    assert (pins.names(python, pins.INSTALLED) | pins.names(python, pins.OWN)) - listed == set()
    assert {"asyncore", "distutils", "tomllib", "sklearn", "kfp", "yaml"} <= listed
