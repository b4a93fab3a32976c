"""The compiled pipelines of a default project, whole; and one run of them on this machine, with its values."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Bake, Trained, make

GOLDEN = ROOT / "tests" / "golden"
COMPILED = ("training.yaml", "training.kubernetes.yaml")
SAMPLE = "sha256:a26a05c52fb6637d1308a1ed35fec0897fc21e60b3b3bfbdb89f47f369bee1de"


def comparable(text: str) -> str:
    """Without the release of kfp, and without the hash over a file that names it."""
    text = re.sub(r"^ *sdkVersion: .*\n", "", text, flags=re.MULTILINE)
    return re.sub(r"(flight-delay-training)-[0-9a-f]{12}$", r"\1-HASH", text, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def compiled(bake: Bake) -> Path:
    project = bake()
    said = make(project, "compile").stdout
    assert said == "".join(f"artifacts/pipeline/{name}\n" for name in COMPILED)
    return project / "artifacts" / "pipeline"


@pytest.mark.proof("The compiled pipeline is the committed one, to the last line")
@pytest.mark.parametrize("name", COMPILED)
def test_golden(name: str, compiled: Path, request: pytest.FixtureRequest) -> None:
    text = comparable((compiled / name).read_text(encoding="utf-8"))
    golden = GOLDEN / name
    if request.config.getoption("--golden"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_a_run_on_this_machine(trained: Trained) -> None:
    run = min((trained.project / "artifacts" / "runs").iterdir())

    def output(pattern: str) -> Any:
        (file,) = run.glob(f"*/{pattern}")
        return json.loads(file.read_text(encoding="utf-8"))

    assert output("load/executor_output.json")["parameterValues"] == {"Output": SAMPLE}
    validated, fitted = output("validate/validated"), output("train/model/trained.json")
    assert (validated["rows"], validated["label_coverage"]) == (33_522, pytest.approx(0.9718, abs=1e-4))
    assert fitted == {
        "rows": 24_360,
        "positive_rows": 6_088,
        "first": "2013-01-01T11:00:00+00:00",
        "last": "2013-09-28T20:00:00+00:00",
    }
    evaluated, parity = output("evaluate/report/evaluated.json"), output("export/exported/exported.json")["parity"]
    assert (evaluated["rows"], evaluated["first"]) == (8_216, "2013-09-28T20:15:00+00:00")
    assert evaluated["metrics"]["auc"] == pytest.approx(0.6828, abs=1e-3)
    assert (parity["rows"], parity["flips"], parity["unexplained"]) == (8_216, 0, 0)
    assert output("judge/executor_output.json")["parameterValues"] == {"Output": True}
    (bundle,) = run.glob("*/bundle/bundle/manifest.json")
    assert json.loads(bundle.read_text())["name"] == "flight-delay"
    assert output("register/executor_output.json")["parameterValues"] == {"Output": "1"}
