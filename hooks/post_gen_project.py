"""Finish the new project: mend links that were lost on the way here, and drop what no choice asked for.

Plain Python even before rendering: Jinja appears only inside the string below. Silent on success: `cruft diff` shares our output.
"""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

ANSWERS = json.loads(r"""{{ cookiecutter | jsonify }}""")


def mend(shared: Path, template: Path | None) -> str | None:
    """Put what is shared in the place of a link that arrived as text, as from an archive; a sentence when that cannot be done."""
    link = "../" * len(shared.parts) + shared.as_posix()
    if shared.is_dir() or shared.read_text(encoding="utf-8").strip() != link:
        return None
    # Cookiecutter says where the template is, from where it was started: this is another folder. Cruft says nothing.
    if template is None or not template.is_absolute() or not (template / shared).exists():
        return (
            f"{shared}: this copy of the template holds a text where it should hold a symbolic link: "
            "take the template's address in place of a copy, or clone it with git clone -c core.symlinks=true"
        )
    shared.unlink()
    if (template / shared).is_dir():
        shutil.copytree(template / shared, shared)
    else:
        shutil.copyfile(template / shared, shared)
    return None


def link(path: Path, target: str) -> None:
    """Make a link inside the project of what cookiecutter has copied; where the file system takes none, leave a copy."""
    path.unlink()
    try:
        path.symlink_to(target)
    except OSError:
        shutil.copyfile(path.parent / target, path)


def unwanted(answers: dict[str, Any]) -> set[str]:
    """The paths that belong to choices (`_only_for`: question, choice, paths), but to none that was made."""
    owners = answers["_only_for"]
    owned = {path for choices in owners.values() for paths in choices.values() for path in paths}
    wanted = {path for question, choices in owners.items() for path in choices.get(answers[question], [])}
    return owned - wanted


def remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def finish(answers: dict[str, Any]) -> str | None:
    """A sentence when the project cannot be whole."""
    template = Path(answers["_repo_dir"]) if "_repo_dir" in answers else None
    for shared in answers["_copy_without_render"]:
        if sentence := mend(Path(shared), template):
            return sentence
    for path in unwanted(answers):
        remove(Path(path))
    for copy in Path("terraform").glob("*/bootstrap/stack_variables.tf"):
        link(copy, "../variables.tf")
    return None


if __name__ == "__main__":
    if refusal := finish(ANSWERS):
        print(f"refused: {refusal}", file=sys.stderr)
        sys.exit(1)
