"""How Terraform is called, and what is made of what it says."""

import ast
import json
import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import terraform
from terraform import calling
from terraform.stack import Change, Diagnostic, Plan, Stack, StackError, objects

Program = Callable[..., Path]

ERROR = {
    "type": "diagnostic",
    "diagnostic": {
        "severity": "error",
        "summary": "Invalid value for variable",
        "detail": "size: must be more than 0.",
        "range": {"filename": "main.tf", "start": {"line": 6}},
        "snippet": {
            "code": 'variable "password"',
            "values": [{"traversal": "var.password", "statement": "is hunter2"}],
        },
    },
}


def stack(tmp_path: Path) -> Stack:
    return Stack(tmp_path, tmp_path / "data")


def calls(file: Path) -> list[tuple[list[str], dict[str, str], str]]:
    return [tuple(json.loads(line)) for line in file.read_text().splitlines()]


def test_a_call_is_one_of_cmd_with_what_automation_needs(
    tmp_path: Path, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = program(2)
    monkeypatch.setenv("TF_WORKSPACE", "another")
    monkeypatch.setenv("TF_DATA_DIR", "of-the-user")
    before = dict(os.environ)
    changes, _ = stack(tmp_path).plan(Path("p"), Path("v"), destroy=True, targets=("module.a", "module.b"))
    assert changes
    ((words, environment, folder),) = calls(made)
    assert words[0] == "plan"
    assert {*words[1:]} == {
        "-json",
        "-detailed-exitcode",
        "-out=p",
        "-var-file=v",
        "-destroy",
        "-target=module.a",
        "-target=module.b",
        "-input=false",
        "-lock-timeout=10s",
    }
    assert folder == str(tmp_path)
    assert environment["TF_DATA_DIR"] == str(tmp_path / "data")
    assert (environment["TF_IN_AUTOMATION"], environment["TF_INPUT"]) == ("1", "0")
    assert "TF_WORKSPACE" not in environment
    assert dict(os.environ) == before


def test_a_file_name_comes_after_the_options(tmp_path: Path, program: Program) -> None:
    made = program()
    stack(tmp_path).apply(Path("with space.tfplan"), print)
    ((words, _, _),) = calls(made)
    assert (words[0], words[-1]) == ("apply", "with space.tfplan")
    assert not any(word.startswith(("-var", "-auto")) for word in words)


def test_a_state_that_lies_about_is_not_read(tmp_path: Path, program: Program) -> None:
    (tmp_path / "terraform.tfstate").write_text("")
    program(out="{}")
    assert stack(tmp_path).outputs() == {}


def test_nothing_but_cmd_is_used_of_python_terraform() -> None:
    """Its other calls fail, ask on standard input, or print what they were given."""
    uses = []
    for file in Path(terraform.__file__).parent.glob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        if "Terraform" in names:
            attributes = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute))
            uses += [
                each.attr for each in attributes if isinstance(each.value, ast.Name) and each.value.id == "terraform"
            ]
    assert uses == ["cmd"]


def test_an_error_has_command_code_and_words_and_no_value(tmp_path: Path, program: Program) -> None:
    program(1, out=json.dumps(ERROR) + "\nnot JSON\n", error="on standard error\n")
    with pytest.raises(StackError) as raised:
        stack(tmp_path).plan(Path("p"), Path("v"))
    error = raised.value
    assert (error.command, error.code) == ("plan", 1)
    assert error.stderr == "Invalid value for variable: size: must be more than 0.\nnot JSON\non standard error"
    assert error.diagnostics == (
        Diagnostic("Invalid value for variable", "size: must be more than 0.", "", "main.tf", 6),
    )
    assert "hunter2" not in f"{error} {error.stderr} {error.diagnostics}"


@pytest.mark.proof("No secret is in what the verbs for infrastructure print, log or leave behind")
def test_nothing_is_logged_or_left_behind(
    tmp_path: Path, program: Program, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    handlers, files = list(logging.getLogger().handlers), {*Path(tempfile.gettempdir()).iterdir()}
    program(1, out=json.dumps(ERROR) + "\nhunter2\n", error="hunter2\n")
    with pytest.raises(StackError):
        stack(tmp_path).plan(Path("p"), Path("v"))
    assert caplog.records == []
    assert logging.getLogger().handlers == handlers
    assert capfd.readouterr() == ("", "")
    left = {*Path(tempfile.gettempdir()).iterdir()} - files
    assert [path for path in left if path.name.endswith(".tfvars.json")] == []


def test_without_the_program_nothing_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StackError) as raised:
        stack(tmp_path).outputs()
    assert (raised.value.command, raised.value.code) == ("output", 127)
    assert not (tmp_path / "data").exists()


def test_steps_are_reported_by_address_while_they_are_done(tmp_path: Path, program: Program) -> None:
    hook = {"action": "create", "resource": {"addr": "module.a.x.this"}, "id_value": "hunter2", "elapsed_seconds": 10}
    events = [
        {"type": kind, "hook": hook} for kind in ("apply_start", "apply_progress", "apply_complete", "apply_errored")
    ]
    program(out="".join(json.dumps(each) + "\n" for each in [{"type": "version"}, *events]))
    lines: list[str] = []
    stack(tmp_path).apply(Path("p"), lines.append)
    what = "create module.a.x.this"
    assert lines == [f"{what} …", f"{what} … 10 s", f"{what} done (10 s)", f"{what} failed (10 s)"]


def test_what_a_plan_says(tmp_path: Path, program: Program) -> None:
    def each(address: str, *actions: str, **change: Any) -> dict[str, Any]:
        return {"address": address, "change": {"actions": list(actions), **change}}

    replaced = {
        "before": {"name": "a", "size": 1},
        "after": {"name": "b", "size": 1},
        "after_unknown": {"id": True},
        "replace_paths": [["name"], ["rule", 0]],
    }
    document = {
        "resource_changes": [
            each("a", "no-op", before={}, after={}),
            each("data.b", "read", before=None, after={}),
            each("c", "delete", "create", **replaced),
        ],
        "resource_drift": [each("d", "update", before={"x": 1}, after={"x": 2})],
        "output_changes": {"same": {"actions": ["no-op"]}, "other": {"actions": ["update"]}},
        "variables": {"deletion_protection": {"value": True}},
    }
    program(out=json.dumps(document))
    found = stack(tmp_path).show_plan(Path("p"))
    assert found == Plan.of(document)
    assert found.changes == (
        Change("c", ("delete", "create"), ("id", "name"), ("name", "rule.0"), {"name": "a", "size": 1}),
    )
    assert [change.address for change in found.drift] == ["d"]
    assert (found.outputs, found.variables) == (("other",), {"deletion_protection": True})
    assert "hunter2" not in repr(Plan.of({**document, "variables": {"password": {"value": "hunter2"}}}))


def test_objects_of_modules_are_found(tmp_path: Path, program: Program) -> None:
    def resource(address: str, mode: str = "managed") -> dict[str, Any]:
        return {"address": address, "mode": mode, "values": {}}

    inner = {"resources": [resource("module.a.module.b.y"), resource("module.a.module.b.data.z", "data")]}
    module = {"resources": [resource("x")], "child_modules": [{"child_modules": [inner]}]}
    program(out=json.dumps({"values": {"root_module": module}}))
    assert [each.address for each in objects(stack(tmp_path).state())] == ["x", "module.a.module.b.y"]
    program(out="{}")
    assert objects(stack(tmp_path).state()) == []


def test_json_lines_only() -> None:
    assert calling._event("[1]") == calling._event("plain") == {}


def test_colours_and_frames_are_not_handed_on(tmp_path: Path, program: Program) -> None:
    red, end = "\x1b[31m", "\x1b[0m"
    program(1, error=f"{red}╷{end}\n{red}│{end} {end}Value must be valid{end}\n{red}╵{end}\n")
    with pytest.raises(StackError) as raised:
        stack(tmp_path).init()
    assert raised.value.stderr.split() == ["Value", "must", "be", "valid"]
