"""`python -m pipelines`: what it takes from where, what it prints, and what it refuses."""

import errno
import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from {{ cookiecutter.package }}.errors import run_program

from pipelines import training
from pipelines.__main__ import Settings, app

import sample_project

from .kubeflow import API, IMAGE, NIGHTLY, Kubeflow

PROJECT = Settings.load(sample_project.root()).project

Call = Callable[..., tuple[object, str, str]]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """`python -m pipelines` with these words and this environment: exit code, output and errors."""
    monkeypatch.chdir(sample_project.write(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))

    def command_line(*words: str, **environment: str) -> tuple[object, str, str]:
        with monkeypatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["pipelines", *words])
            with pytest.raises(SystemExit) as ended:
                run_program(app)
        return (ended.value.code, *capsys.readouterr())

    return command_line


def test_submit_takes_image_and_server_from_the_environment(call: Call, kubeflow: Kubeflow) -> None:
    words = ("submit", "--environment", "dev", "--source", "s3://rows/today.parquet")
    who = {"GIT_AUTHOR_NAME": "Ada Lovelace", "GIT_AUTHOR_EMAIL": "ada@example.org"}
    code, said, errors = call(*words, IMAGE=IMAGE, KF_PIPELINES_ENDPOINT=kubeflow.url, **who)
    assert (code, errors) == (0, "")
    assert said.splitlines() == [
        f"Experiment details: {kubeflow.url}/#/experiments/details/e1",
        f"Run details: {kubeflow.url}/#/runs/details/r1",
        "run r1",
    ]
    assert kubeflow.changes() == [("POST", f"{API}/runs")]
    (body,) = kubeflow.bodies
    assert kubeflow.experiments == {f"{PROJECT}-dev": "e1"}
    assert body["runtime_config"]["parameters"] == {
        "environment": "dev",
        "source": "s3://rows/today.parquet",
        "author": "Ada Lovelace <ada@example.org>",
    }
    executors = body["pipeline_spec"]["pipeline_spec"]["deploymentSpec"]["executors"].values()
    assert {executor["container"]["image"] for executor in executors} == {IMAGE}


@pytest.mark.parametrize("given", ["options", "environment"])
def test_schedule_takes_all_of_it_as_options_or_from_the_environment(
    given: str, call: Call, kubeflow: Kubeflow
) -> None:
    if given == "options":
        words = ["--cron", NIGHTLY, "--image", IMAGE, "--host", kubeflow.url]
        environment = {"CRON": "ignored", "IMAGE": "ignored", "KF_PIPELINES_ENDPOINT": "ignored"}
    else:
        words, environment = [], {"CRON": NIGHTLY, "IMAGE": IMAGE, "KF_PIPELINES_ENDPOINT": kubeflow.url}
    code, said, errors = call("schedule", "--environment", "prod", *words, **environment)
    assert (code, errors) == (0, "")
    assert said.splitlines() == [f"Experiment details: {kubeflow.url}/#/experiments/details/e1", "schedule s1"]
    assert kubeflow.changes() == [("POST", f"{API}/recurringruns")]
    (body,) = kubeflow.bodies
    assert body["display_name"] == f"{PROJECT}-prod"
    assert body["trigger"] == {"cron_schedule": {"cron": NIGHTLY}}


def test_compile_writes_the_image_that_is_given(call: Call, tmp_path: Path) -> None:
    assert call("compile", IMAGE=IMAGE) == (
        0,
        "artifacts/pipeline/training.yaml\nartifacts/pipeline/training.kubernetes.yaml\n",
        "",
    )
    assert (tmp_path / "artifacts" / "pipeline" / training.IR).read_text().count(f"image: {IMAGE}\n") == 11
    shutil.rmtree(tmp_path / "artifacts")
    assert call("compile", "--output", "here") == (0, "here/training.yaml\nhere/training.kubernetes.yaml\n", "")
    assert f"image: {PROJECT}-python\n" in (tmp_path / "here" / training.IR).read_text()


HOST = "http://kubeflow.invalid"
NO_DIGEST = "must be an address with a digest, as in registry/name@sha256:…"
REFUSED = {
    "no image": ({"IMAGE": ""}, f"IMAGE: empty: {NO_DIGEST}"),
    "a tag": ({"IMAGE": "registry/model:1.0"}, f"IMAGE: registry/model:1.0: {NO_DIGEST}"),
    "five fields": (
        {"CRON": "0 3 * * *"},
        "CRON: '0 3 * * *': must have six fields, seconds first: '0 0 3 * * 1' is Mondays at 03:00 UTC",
    ),
    "no server": (
        {"KF_PIPELINES_ENDPOINT": ""},
        "KF_PIPELINES_ENDPOINT: not set: give the address of the Kubeflow Pipelines server",
    ),
    "no scheme": (
        {"KF_PIPELINES_ENDPOINT": "kubeflow:8888"},
        "KF_PIPELINES_ENDPOINT: kubeflow:8888: must begin with http:// or https://",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_schedule_refuses_before_it_asks_anybody(case: str, call: Call, tmp_path: Path) -> None:
    wrong, sentence = REFUSED[case]
    environment = {"IMAGE": IMAGE, "CRON": NIGHTLY, "KF_PIPELINES_ENDPOINT": HOST, **wrong}
    assert call("schedule", "--environment", "dev", **environment) == (1, "", f"refused: {sentence}\n")
    assert not (tmp_path / "artifacts").exists()


@pytest.mark.parametrize("file", ["gates", "monitoring"])
def test_a_run_begins_when_the_whole_configuration_is_right(file: str, call: Call, tmp_path: Path) -> None:
    (tmp_path / "config" / f"{file}.yaml").write_text("a typo: [\n", encoding="utf-8")
    code, said, errors = call("run")
    assert (code, said) == (1, "")
    assert errors.startswith(f"refused: config/{file}.yaml: line 2: not valid YAML")
    assert not (tmp_path / "artifacts").exists()


def test_compile_refuses_an_image_without_a_digest(call: Call, tmp_path: Path) -> None:
    assert call("compile", IMAGE="registry/model:1.0") == (1, "", f"refused: IMAGE: registry/model:1.0: {NO_DIGEST}\n")
    assert not (tmp_path / "artifacts").exists()


@pytest.mark.parametrize("verb", ["submit", "schedule"])
def test_a_server_that_cannot_be_reached_is_a_sentence(verb: str, call: Call) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        host = f"http://127.0.0.1:{unused.getsockname()[1]}"
        environment = {"IMAGE": IMAGE, "CRON": NIGHTLY, "KF_PIPELINES_ENDPOINT": host}
        assert call(verb, "--environment", "dev", **environment) == (
            1,
            "",
            f"refused: KF_PIPELINES_ENDPOINT: {host} cannot be reached: [Errno {errno.ECONNREFUSED}] Connection refused\n",
        )


def test_a_server_that_turns_us_away_is_a_sentence(call: Call, kubeflow: Kubeflow) -> None:
    kubeflow.status = 401
    assert call("submit", "--environment", "dev", IMAGE=IMAGE, KF_PIPELINES_ENDPOINT=kubeflow.url) == (
        1,
        "",
        f"refused: KF_PIPELINES_ENDPOINT: {kubeflow.url} answered 401 Unauthorized: is it a Kubeflow Pipelines server, "
        "and does it want another KF_PIPELINES_TOKEN?\n",
    )
    assert kubeflow.changes() == []
