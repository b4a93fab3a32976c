"""A wrong configuration file: the message names file, key, value and rule."""

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from {{ cookiecutter.package }}.errors import Refused
from {{ cookiecutter.package }}.settings import Settings

import sample_project

PROJECT = sample_project.root()

WRONG = [
    # File, what is replaced, by what, and the whole message.
    (
        "data",
        "dep_hour: {type: uint8, roles: [feature], min: 0,",
        "dep_hour: {type: uint8, roles: [feature], min: -3,",
        "config/data.yaml: columns.dep_hour.min: -3: must be ≥ 0",
    ),
    (
        "training",
        "seed: 2013",
        "sead: 2013",
        "config/training.yaml: seed: missing: this key is required\n"
        "config/training.yaml: sead: 2013: unknown key; remove it or correct its name",
    ),
    (
        "training",
        "seed: 2013",
        "seed: 1\nseed: 2013",
        "config/training.yaml: line 3: seed: this key stands twice; keep one",
    ),
    ("training", "l2: 1.0", "l2: none", "config/training.yaml: model.l2: none: must be a number"),
    (
        "training",
        "max_iterations: 80",
        'max_iterations: "80"',
        "config/training.yaml: model.max_iterations: 80: must be a whole number",
    ),
    (
        "training",
        "max_iterations: 80",
        "max_iterations: 1.5",
        "config/training.yaml: model.max_iterations: 1.5: must be a whole number",
    ),
    ("training", "evaluation: 0.25", "evaluation: 1", "config/training.yaml: split.evaluation: 1: must be < 1.0"),
    ("training", "l2: 1.0", "l2: .nan", "config/training.yaml: model.l2: nan: must be a finite number"),
    (
        "training",
        "seed: 2013",
        "seed: [2013",
        "config/training.yaml: line 4: not valid YAML: expected ',' or ']', but got '<scalar>'",
    ),
    (
        "gates",
        "staging: {after: dev,",
        "staging: {after: test,",
        "config/gates.yaml: environments.staging.after: test: must be one of laptop, local, dev, staging, prod\n"
        "config/gates.yaml: environments.prod.after: test: must be one of laptop, local, dev, staging, prod",
    ),
    (
        "gates",
        "dev: {approval: none}",
        "dev: {approval: none, after: prod}",
        "config/gates.yaml: environments.dev.after: prod: leads back to itself; one environment must be the first\n"
        "config/gates.yaml: environments.staging.after: dev: leads back to itself; one environment must be the first\n"
        "config/gates.yaml: environments.prod.after: staging: leads back to itself; one environment must be the first",
    ),
    (
        "gates",
        "prod: {after: staging, approval: file,",
        "prod: {after: staging, approval: mail,",
        "config/gates.yaml: environments.prod.approval: mail: must be one of 'none' or 'file'",
    ),
    (
        "serving",
        "metrics_port: 8081",
        "metrics_port: 8080",
        "config/serving.yaml: metrics_port: 8080: must differ from port",
    ),
    (
        "serving",
        "concurrent_bytes: 2097152",
        "concurrent_bytes: 1048575",
        "config/serving.yaml: limits.concurrent_bytes: 1048575: must be at least body_bytes",
    ),
    (
        "serving",
        "prediction_log: stdout",
        "prediction_log: yes",
        "config/serving.yaml: prediction_log: yes: must be one of 'off' or 'stdout'",
    ),
    ("monitoring", "bins: 10", "bins: 1", "config/monitoring.yaml: reference.bins: 1: must be ≥ 2"),
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of the project's configuration."""
    return sample_project.write(tmp_path)


def replace(root: Path, name: str, old: str, new: str) -> None:
    file = root / "config" / f"{name}.yaml"
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, old
    file.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.proof("A wrong configuration is refused by file, key, value and rule")
@pytest.mark.parametrize(("name", "old", "new", "message"), WRONG, ids=[f"{name}: {new}" for name, _, new, _ in WRONG])
def test_a_wrong_value_is_named(root: Path, name: str, old: str, new: str, message: str) -> None:
    replace(root, name, old, new)
    with pytest.raises(Refused) as refused:
        Settings.load(root).checked()
    assert str(refused.value) == message


def test_no_stays_a_word(root: Path) -> None:
    replace(root, "data", "categories: [EWR, JFK, LGA]", "categories: [NO, on, yes, 1e3x]")
    assert Settings.load(root).contract.columns["origin"].categories == ("NO", "on", "yes", "1e3x")


def test_a_number_as_category_needs_quotes(root: Path) -> None:
    replace(root, "data", "categories: [EWR, JFK, LGA]", "categories: [EWR, 12, true]")
    with pytest.raises(Refused) as refused:
        Settings.load(root).checked()
    assert str(refused.value) == (
        "config/data.yaml: columns.origin.categories.1: 12: must be text (put it in quotes)\n"
        "config/data.yaml: columns.origin.categories.2: true: must be text (put it in quotes)"
    )


def test_a_missing_file_is_named(root: Path) -> None:
    (root / "config" / "gates.yaml").unlink()
    with pytest.raises(Refused, match=r"^config/gates\.yaml: this file is missing; restore it from Git$"):
        Settings.load(root).checked()


def test_bytes_that_are_no_text_are_named(root: Path) -> None:
    (root / "config" / "gates.yaml").write_bytes(b"floor: \xff")
    with pytest.raises(Refused, match=r"^config/gates\.yaml: byte 7: must be UTF-8$"):
        Settings.load(root).checked()


def test_a_file_with_nothing_in_it(root: Path) -> None:
    (root / "config" / "monitoring.yaml").write_text("# nothing\n", encoding="utf-8")
    with pytest.raises(Refused, match=r"^config/monitoring\.yaml: missing: must be a mapping of names to values$"):
        Settings.load(root).checked()


def test_a_mistake_stops_only_what_needs_its_file(root: Path) -> None:
    replace(root, "data", "task: binary", "task: ternary")
    settings = Settings.load(root)
    assert settings.training.seed == 2013
    with pytest.raises(Refused, match=r"^config/data\.yaml: task: ternary: must be one of 'binary'$"):
        _ = settings.contract


def test_the_mistakes_of_all_files_are_named_at_once(root: Path) -> None:
    replace(root, "data", "task: binary", "task: ternary")
    replace(root, "gates", "max_milliseconds: 5 ", "max_milliseconds: 0 ")
    with pytest.raises(Refused) as refused:
        Settings.load(root).checked()
    assert str(refused.value) == (
        "config/data.yaml: task: ternary: must be one of 'binary'\n"
        "config/gates.yaml: latency.max_milliseconds: 0: must be > 0.0"
    )


def test_a_file_is_read_once(root: Path) -> None:
    settings = Settings.load(root)
    seed = settings.training.seed
    replace(root, "training", "seed: 2013", "seed: 2014")
    assert settings.training.seed == seed


def test_settings_do_not_change(root: Path) -> None:
    settings = Settings.load(root)
    with pytest.raises(FrozenInstanceError):
        settings.gates = settings.gates  # type: ignore[misc]


def test_outside_a_project(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        Settings.load(tmp_path)
    assert str(refused.value) == (
        f"{tmp_path}: this is no project (pyproject.toml has no [tool.mlops-template.answers]); run from its folder"
    )


def test_an_unknown_environment_is_named() -> None:
    with pytest.raises(Refused) as refused:
        Settings.load(PROJECT).environment("qa")
    assert str(refused.value) == (
        "environment qa: not in config/gates.yaml: environments; use one of laptop, local, dev, staging, prod, or add it there"
    )


@pytest.mark.parametrize("folder", ["/elsewhere", "elsewhere", ""])
def test_where_working_files_go(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ARTIFACT_URI", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("ARTIFACTS_DIR", folder)
    settings = Settings.load(PROJECT)
    assert settings.artifacts == PROJECT / (folder or "artifacts")
    local = settings.environment("local")
    assert local.store_uri == f"{(settings.artifacts / 'store').as_uri()}/{settings.project}-local"
    assert local.registry_uri == f"sqlite:///{settings.artifacts / 'mlflow.db'}"


def test_where_an_environment_keeps_its_things(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ARTIFACTS_DIR", raising=False)
    monkeypatch.delenv("ARTIFACT_URI", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    settings = Settings.load(PROJECT)
    local = settings.environment("local")
    assert local.model_name == f"{settings.project}-local"
    assert local.store_uri == f"{(PROJECT / 'artifacts' / 'store').as_uri()}/{settings.project}-local"
    assert local.registry_uri == f"sqlite:///{PROJECT / 'artifacts' / 'mlflow.db'}"
    monkeypatch.setenv("ARTIFACT_URI", "s3://models/")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow")
    prod = settings.environment("prod")
    assert (prod.store_uri, prod.registry_uri) == (f"s3://models/{settings.project}-prod", "http://mlflow")
    # A model is promoted out of the store of one environment into that of another.
    monkeypatch.setenv("ARTIFACT_URI_STAGING", "gs://of-staging")
    assert settings.environment("staging").store_uri == f"gs://of-staging/{settings.project}-staging"
    assert settings.environment("prod").store_uri == prod.store_uri
