"""The compiled pipelines of a default project, whole; and one run of them on this machine, with its values."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, SKELETON, Bake, Trained, make
from ruamel.yaml import YAML

GOLDEN = ROOT / "tests" / "golden"
COMPILED = ("training.yaml", "training.kubernetes.yaml")
SAMPLE = "sha256:a26a05c52fb6637d1308a1ed35fec0897fc21e60b3b3bfbdb89f47f369bee1de"


def comparable(text: str) -> str:
    """Without the release of kfp, and without the hash over a file that names it."""
    text = re.sub(r"^ *sdkVersion: .*\n", "", text, flags=re.MULTILINE)
    return re.sub(r"(flight-delay-training)-[0-9a-f]{12}$", r"\1-HASH", text, flags=re.MULTILINE)


def read_all(file: Path) -> list[Any]:
    return list(YAML(typ="safe").load_all(file))


def read(file: Path) -> Any:
    (document,) = read_all(file)
    return document


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


def test_a_task_is_given_what_the_job_is(compiled: Path) -> None:
    """The Job of k8s/base/training, with what k8s/components/platform and /kubeflow add for it and for tasks."""
    manifests = ROOT / "k8s"
    job, added = (
        read(manifests / file)["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        for file in ("base/training/cron-job.yaml", "components/platform/cron-job-patch.yaml")
    )
    (mine,), (patch,) = job["containers"], added["containers"]
    kubernetes = read_all(compiled / "training.yaml")[1]["platforms"]["kubernetes"]
    task = kubernetes["deploymentSpec"]["executors"]["exec-publish"]
    given = [each["envVar"] for source in task["configMapAsEnv"] for each in source["keyToEnv"]]
    # What it is for is an argument of the run; scikit-learn counts the processors of its limit itself.
    assert {*given, "ENVIRONMENT", "OMP_NUM_THREADS"} == {each["name"] for each in mine["env"] + patch["env"]}
    secrets = {each["secretName"] for each in task["secretAsEnv"]}
    assert secrets == {each["secretRef"]["name"] for each in patch["envFrom"]}
    user = job["securityContext"]
    assert task["securityContext"] == {
        "runAsUser": str(user["runAsUser"]),
        "runAsGroup": str(user["runAsGroup"]),
        "runAsNonRoot": user["runAsNonRoot"],
    }
    (mount,), (volume,), (scratch,) = mine["volumeMounts"], job["volumes"], task["emptyDirMounts"]
    assert (scratch["mountPath"], scratch["sizeLimit"]) == (mount["mountPath"], volume["emptyDir"]["sizeLimit"])
    policy = read(manifests / "components/platform/training-network-policy.yaml")
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= task["podMetadata"]["labels"].items()
    config_map = read(manifests / "components/kubeflow/config-map-patch.yaml")
    assert {each["configMapName"] for each in task["configMapAsEnv"]} == {config_map["metadata"]["name"]}
    for overlay in (SKELETON / "k8s" / "overlays").iterdir():
        keys = {each["configMapKey"] for source in task["configMapAsEnv"] for each in source["keyToEnv"]}
        assert keys <= set(read(overlay / "environment.yaml")["data"]), overlay.name


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
