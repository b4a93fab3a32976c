"""What a user gives to a verb reaches the program as it was typed, whatever make and the shell make of such characters."""

import re
from pathlib import Path

import pytest
from conftest import HARD, SKELETON, Bake, commit, files, git, run
from test_setup import program

ARGUMENTS = {
    "train": (["ENV"], "-m pipelines run --environment ENV"),
    "serve": (["ENV", "PORT"], "-m flight_delay serve --environment ENV --port PORT"),
    "predict": (
        ["ENV", "INPUT", "OUTPUT", "CONTEXT"],
        "-m flight_delay predict INPUT OUTPUT --environment ENV --context CONTEXT",
    ),
    "promote": (
        ["ENV", "REASON", "BUNDLE", "CONTEXT"],
        "-m flight_delay promote --environment ENV --context CONTEXT --reason REASON --bundle BUNDLE",
    ),
    "rollback": (
        ["ENV", "REASON", "CONTEXT"],
        "-m flight_delay rollback --environment ENV --context CONTEXT --reason REASON",
    ),
    "history": (["ENV", "CONTEXT"], "-m flight_delay history --environment ENV --context CONTEXT"),
    "status": (["ENV", "CONTEXT"], "-m flight_delay status --environment ENV --context CONTEXT"),
    "gc": (["ENV", "DELETE", "CONTEXT"], "-m flight_delay gc --environment ENV --context CONTEXT --delete"),
    "image": (
        ["ENV", "CONTAINER", "BUILD_OPTIONS", "LOAD", "PUSH", "IMAGES"],
        "-m flight_delay.cluster image --environment ENV --container CONTAINER --build-options BUILD_OPTIONS --load LOAD "
        "--push PUSH --images IMAGES",
    ),
    "platform": (
        ["ENV", "CONTEXT", "PLATFORM"],
        "-m flight_delay.cluster platform --environment ENV --context CONTEXT --folder PLATFORM",
    ),
    "deploy": (["ENV", "CONTEXT"], "-m flight_delay.cluster deploy --environment ENV --context CONTEXT"),
    "pipeline-run": (
        ["ENV", "CONTEXT", "SOURCE"],
        "-m flight_delay.cluster pipeline-run --environment ENV --context CONTEXT --source SOURCE",
    ),
    "smoke": (["ENV", "CONTEXT"], "-m flight_delay.cluster smoke --environment ENV --context CONTEXT"),
    "api-key": (
        ["ENV", "CONTEXT", "NAME", "REVOKE"],
        "-m flight_delay.cluster api-key --environment ENV --context CONTEXT --name NAME --revoke",
    ),
    "backup": (
        ["ENV", "CONTEXT", "OUTPUT"],
        "-m flight_delay.cluster backup --environment ENV --context CONTEXT --output OUTPUT",
    ),
    "restore": (
        ["ENV", "CONTEXT", "INPUT"],
        "-m flight_delay.cluster restore --environment ENV --context CONTEXT --source INPUT",
    ),
    "clean-cluster": (
        ["ENV", "CONTEXT", "CONFIRM"],
        "-m flight_delay.cluster clean-cluster --environment ENV --context CONTEXT --confirm CONFIRM",
    ),
    **{
        f"infra-{verb}": (["ENV"], f"-m terraform {verb} --environment ENV")
        for verb in ("plan", "apply", "drift", "kubeconfig")
    },
    **{
        f"infra-{verb}": (["ENV", "CONFIRM"], f"-m terraform {verb} --environment ENV --confirm CONFIRM")
        for verb in ("bootstrap", "destroy")
    },
    "overlay-values": (["ENV"], "-m terraform overlay-values --environment ENV"),
    "doctor": (["ENV", "CONTEXT"], "-m flight_delay.doctor VENV ENV CONTEXT"),
    "update": (
        ["FROM", "DIRECTORY", "TO", "ANSWER"],
        "make/update.py --cruft VENV-update/bin/cruft --from FROM --directory DIRECTORY --to TO --answer ANSWER",
    ),
}
# `ui` is a script that takes the port alone; what `requirements` takes is no more than set or not.
ELSEWHERE = {"ui", "requirements"}


@pytest.fixture(scope="module")
def echoing(bake: Bake) -> tuple[Path, Path]:
    """A project, and an environment whose Python prints its arguments, one a line."""
    project = bake()
    git("init", "--quiet", cwd=project)
    commit(project, "Start")
    venv = project.parent / "my venv"
    for folder, requirements in ((venv, "dev.txt"), (Path(f"{venv}-update"), "update.txt")):
        folder.mkdir()
        (folder / "installed.txt").write_bytes((project / "requirements" / requirements).read_bytes())
        program(folder / "bin" / "python", "printf '%s\\n' \"$@\"")
    return project, venv


@pytest.mark.parametrize("verb", ARGUMENTS)
def test_what_is_given_to_a_verb_arrives_as_typed(verb: str, echoing: tuple[Path, Path]) -> None:
    project, venv = echoing
    variables, wanted = ARGUMENTS[verb]
    said = run("make", f"VENV={venv}", verb, *(f"{name}={name} {HARD}" for name in variables), cwd=project)
    assert said.stdout.splitlines() == [
        f"{word} {HARD}" if word in variables else word.replace("VENV", str(venv)) for word in wanted.split()
    ]
    assert said.stderr == ""


def test_every_verb_that_hands_something_on_is_tried_with_all_its_variables() -> None:
    text = (SKELETON / "Makefile").read_text(encoding="utf-8")
    shared = {"place": {"ENV", "CONTEXT"}, "environment": {"ENV"}}
    for verb, recipe in re.findall(r"^([a-z-]+):.*\n((?:\t.*\n)+)", text, re.MULTILINE):
        used = set(re.findall(r"\(call quote,([A-Z_]+)\)", recipe)) | set(re.findall(r"\(value ([A-Z_]+)\)", recipe))
        used |= {name for word in re.findall(r"\$\((\w+)\)", recipe) for name in shared.get(word, ())}
        if verb not in ELSEWHERE:
            assert used - {"VENV"} == set(ARGUMENTS.get(verb, ([], ""))[0]), verb


def test_a_reason_of_several_lines_is_refused(echoing: tuple[Path, Path]) -> None:
    project, venv = echoing
    done = run("make", f"VENV={venv}", "promote", "REASON=one\ntwo", cwd=project, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "refused: REASON has several lines: give it in one" in done.stderr


def test_clean_removes_nothing_else(bake: Bake) -> None:
    project = bake()
    before = files(project)
    for folder in ("my venv", "my", "my venv-ui", "venv", "artifacts"):
        (project / folder).mkdir()
        (project / folder / "file").touch()
    for folder in ("my venv", "my venv-ui"):
        (project / folder / "installed.txt").touch()
        (project / folder / "pyvenv.cfg").touch()
    run("make", "VENV=my venv", "clean", cwd=project)
    assert set(files(project)) - set(before) == {"my/file", "venv/file"}
