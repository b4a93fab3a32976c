"""`make docs`: write the pages again that are made of what the code says. The tests compare them with it.

A page of the template is a function that gives its text. Those of the project are written by a default project's own
`make docs`, and copied back into the template.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import modules
import proofs
from cookiecutter.generate import generate_context
from cookiecutter.prompt import prompt_for_config

ROOT = Path(__file__).resolve().parents[1]
SKELETON = ROOT / "{{cookiecutter.project}}"
REFERENCE = Path("docs") / "reference"
BUILD = ROOT / "build" / "docs"

QUESTIONS = """\
# Questions

Written by `make docs`; do not edit. The generator asks these. What it refuses, it refuses before it has written anything.

"""
CHOICES = """
## Choices

The first one is the default.

"""
REFUSED = """
## Refused, for example

"""
VERBS = """\
# Verbs

Written by `make docs`; do not edit. `make help` prints the same. `NAME=` stands for a value that you give: `make train ENV=dev`.
"""

# Answers that show the rules: what is said of them is the hook's own.
WRONG = (
    ("title", "{{ }}"),
    ("project", "Flight Delay"),
    ("package", "class"),
    ("package", "docs"),
    ("package", "sklearn"),
    ("description", "two\nlines"),
    ("owner", " "),
    ("registry", "https://ghcr.io/my-team"),
)
# Questions that may be answered with nothing.
EMPTY = ("registry",)


def questions() -> str:
    """What the generator asks, and what it takes for an answer."""
    asked = json.loads((ROOT / "cookiecutter.json").read_text(encoding="utf-8"))
    prompts, defaults, hook = asked["__prompts__"], default_answers(), hook_names()
    names = [name for name in asked if not name.startswith("_")]
    chosen = [name for name in names if isinstance(asked[name], list)]

    def rows() -> Iterator[Sequence[str]]:
        for name in names:
            if name in chosen:
                yield code(name), prompts[name]["__prompt__"], code(asked[name][0]), "one of the choices"
            else:
                made_of = " and ".join(code(word) for word in re.findall(r"\bcookiecutter\.(\w+)", asked[name]))
                default = code(defaults[name]) if defaults[name] else "nothing"
                default += f", from {made_of}" if made_of else ""
                wrong = " " if name in EMPTY else ""
                yield code(name), prompts[name], default, remedy(said_of(hook, defaults, name, wrong))

    choices = [(code(name), code(choice), prompts[name][choice]) for name in chosen for choice in asked[name]]
    wrong = [(code(name), code(answer), said_of(hook, defaults, name, answer)) for name, answer in WRONG]
    return (
        f"{QUESTIONS}{table(('question', 'what is asked', 'default', 'rule'), rows())}"
        f"{CHOICES}{table(('question', 'choice', 'what it is'), choices)}"
        f"{REFUSED}{table(('question', 'answer', 'what is said'), wrong)}"
    )


def verbs() -> str:
    """Everything that `make` does, here and in a project."""
    return VERBS + "".join(
        f"\n## {title}\n\n{table(('verb', 'what it does'), verbs_of(makefile))}"
        for title, makefile in (("Of the template", ROOT / "Makefile"), ("Of a project", SKELETON / "Makefile"))
    )


def verbs_of(makefile: Path) -> list[tuple[str, str]]:
    """The verbs that `make help` lists, each with its meaning."""
    found = re.findall(r"^([a-z-]*):.*## (.*)$", makefile.read_text(encoding="utf-8"), re.MULTILINE)
    return [(code(f"make {verb}"), meaning) for verb, meaning in found]


def terraform_readme(folder: Path) -> str:
    """The README of a root of terraform/ with the tables of what it takes and gives."""
    takes = modules.variables((folder / "variables.tf").read_text(encoding="utf-8"))
    gives = modules.outputs((folder / "outputs.tf").read_text(encoding="utf-8"))
    inputs = [
        (code(each.name), code(each.type), "" if each.needed else code(json.dumps(each.default)), each.description)
        for each in takes
    ]
    tables = {
        "variables": table(("variable", "type", "default", "what it is"), inputs),
        "outputs": table(("output", "what it is"), [(code(each.name), each.description) for each in gives]),
    }
    text = (folder / "README.md").read_text(encoding="utf-8")
    for name, made in tables.items():
        before, start, rest = text.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- end of {name} -->\n")
        if not (start and end):
            raise RuntimeError(f"{folder / 'README.md'} has no place for the table of {name}")
        text = f"{before}{start}\n{made}\n{end}{after}"
    return text


def default_answers() -> dict[str, str]:
    """All answers of somebody who only confirms."""
    answers: dict[str, str] = prompt_for_config(generate_context(str(ROOT / "cookiecutter.json")), no_input=True)
    return answers


def hook_names() -> dict[str, Any]:
    """What hooks/pre_gen_project.py defines, with no answers in it."""
    source = (ROOT / "hooks" / "pre_gen_project.py").read_text(encoding="utf-8")
    names: dict[str, Any] = {"__name__": "hook"}
    exec(source.replace("{{ cookiecutter | jsonify }}", "{}"), names)  # noqa: S102  our own, and Jinja until now
    return names


def said_of(hook: dict[str, Any], defaults: dict[str, str], question: str, answer: str) -> str:
    """The refusal of one wrong answer among good ones."""
    private = {"__project_answered": answer} if question == "project" else {}
    (sentence,) = hook["refusals"]({**defaults, question: answer, **private})
    return str(sentence)


def remedy(sentence: str) -> str:
    return sentence.partition(": answer with ")[2]


def code(text: str) -> str:
    """Text as it is; line ends are shown."""
    return f"`{text}`".replace("\n", "\\n")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Markdown."""
    lines = [head, *([cell.replace("|", r"\|") for cell in row] for row in rows)]
    first, *rest = (f"| {' | '.join(line)} |\n" for line in lines)
    return f"{first}|{'---|' * len(head)}\n{''.join(rest)}"


PAGES: dict[str, Callable[[], str]] = {"questions.md": questions, "verbs.md": verbs}
"""Every page in docs/reference that is written here, and what gives its text."""
TERRAFORM_READMES = [
    folder for root in modules.ROOTS for folder in modules.modules(root) if folder.parent.name != "modules"
]
"""The folders of terraform/ whose README has tables that are written here."""
PROJECT_PAGES = ("configuration.md", "metrics.md")
"""What a project's make/reference.py writes."""


def write_project_pages(venv: str) -> Path:
    """Have a default project write its pages, and take them over; returns that project."""
    shutil.rmtree(BUILD, ignore_errors=True)
    BUILD.mkdir(parents=True)
    settings = BUILD / "cookiecutter.yaml"  # not the user's: their answers would change the project
    settings.write_text(json.dumps({"cookiecutters_dir": str(BUILD), "replay_dir": str(BUILD)}))
    tool = Path(sys.executable).with_name("cookiecutter")
    subprocess.run([tool, "--no-input", "--config-file", settings, "--output-dir", BUILD, ROOT], check=True)
    (project,) = (path for path in BUILD.iterdir() if path.is_dir())
    subprocess.run(["make", "--no-print-directory", "docs", f"VENV={venv}"], cwd=project, check=True)
    for name in PROJECT_PAGES:
        shutil.copyfile(project / REFERENCE / name, SKELETON / REFERENCE / name)
    return project


def main() -> None:
    for name, page in PAGES.items():
        (ROOT / REFERENCE / name).write_text(page(), encoding="utf-8")
    for folder in TERRAFORM_READMES:
        (folder / "README.md").write_text(terraform_readme(folder), encoding="utf-8")
    venv = os.environ.get("PROJECT_VENV", str(ROOT / "build" / "venv"))
    project = write_project_pages(venv)
    proofs.write(proofs.collected(project, Path(venv) / "bin" / "python", BUILD))


if __name__ == "__main__":
    main()
