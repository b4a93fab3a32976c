"""What the Terraform modules take and give, by their own files: read for the tables in their READMEs, and by the tests."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hcl2

ROOT = Path(__file__).resolve().parents[1]
TERRAFORM = ROOT / "terraform"
CLOUDS = ("aws", "gcp", "azure")
ROOTS = (*CLOUDS, "local")
FILES = ("main.tf", "variables.tf", "outputs.tf")
"""What every module consists of; a root, and each bootstrap, says in versions.tf with what it works."""
LINK = "stack_variables.tf"
"""In a bootstrap: the stack's own variables.tf, by a link, so that both take the same values."""
BANNER = "\n# Only here\n"
"""Above it, the variables are the same in every root."""

Body = dict[str, Any]


@dataclass(frozen=True)
class Variable:
    """A variable as it is written; what is left out is empty or None."""

    name: str
    description: str
    type: str
    needed: bool
    default: Any
    nullable: bool | None
    sensitive: bool | None
    validations: tuple[tuple[str, str], ...]
    """Condition and message of each."""


@dataclass(frozen=True)
class Output:
    name: str
    description: str
    sensitive: bool | None


def modules(root: str) -> list[Path]:
    """The folders of a root that hold Terraform's files: itself, its modules and bootstrap."""
    found = {path.parent for path in (TERRAFORM / root).rglob("*.tf") if ".terraform" not in path.parts}
    return sorted(path for path in found if path.name != "tests")


def bodies(text: str, kind: str) -> Iterator[tuple[str, Body]]:
    """The blocks of a kind with one label, by their label."""
    for block in hcl2.loads(text).get(kind, []):
        for label, body in block.items():
            yield unquoted(label), body


def variables(text: str) -> list[Variable]:
    """Those of a file, in its order."""
    return [
        Variable(
            name,
            unquoted(body.get("description", "")),
            expression(body.get("type", "")),
            "default" not in body,
            plain(body.get("default")),
            body.get("nullable"),
            body.get("sensitive"),
            tuple(
                (expression(each["condition"]), unquoted(each["error_message"])) for each in body.get("validation", [])
            ),
        )
        for name, body in bodies(text, "variable")
    ]


def outputs(text: str) -> list[Output]:
    """Those of a file, in its order; the comment above each describes it, as for terraform-docs."""
    said = {name: comment for comment, name in re.findall(r'^# (.+)\noutput "(\w+)"', text, re.MULTILINE)}
    return [Output(name, said.get(name, ""), body.get("sensitive")) for name, body in bodies(text, "output")]


def unquoted(text: Any) -> Any:
    """A quoted string as what it means; anything else as it is."""
    return json.loads(text) if isinstance(text, str) and re.fullmatch(r'".*"', text, re.DOTALL) else text


def expression(text: Any) -> Any:
    """What stands in HCL without `${}`, which its reader puts around expressions."""
    return re.sub(r"^\$\{(.*)\}$", r"\1", text, flags=re.DOTALL) if isinstance(text, str) else text


def plain(value: Any) -> Any:
    """A default as Python has it."""
    if isinstance(value, dict):
        return {unquoted(key): plain(each) for key, each in value.items() if not key.startswith("__")}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return expression(unquoted(value))
