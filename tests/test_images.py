"""The Dockerfile: what it holds to, whatever builds it. That the images work is proven on a cluster (tests/e2e)."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from conftest import QUESTIONS, SKELETON, Bake

TARGETS = ("serving", "pipeline")
LICENSES = {"Apache-2.0": "Apache-2.0", "MIT": "MIT", "Proprietary": "LicenseRef-Proprietary"}
LABELS = {"licenses", "revision", "source", "title", "version"}


def stages(dockerfile: str) -> dict[str, list[str]]:
    """The instructions of each stage by its name, lines joined."""
    found: dict[str, list[str]] = {}
    lines = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", dockerfile, flags=re.MULTILINE)).splitlines()
    for line in filter(None, lines):
        if line.startswith("FROM "):
            found[line.split()[-1]] = []
        if found:
            next(reversed(found.values())).append(line)
    return found


@pytest.fixture(scope="module")
def dockerfile(project: Path) -> dict[str, list[str]]:
    return stages((project / "Dockerfile").read_text(encoding="utf-8"))


def test_one_base_for_everything(dockerfile: dict[str, list[str]]) -> None:
    bases = {lines[0].split()[1] for lines in dockerfile.values()}
    assert bases - dockerfile.keys() == {"${BASE}"}
    assert list(dockerfile)[-1] == "serving"


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_runs_as_a_number_and_names_itself(target: str, dockerfile: dict[str, list[str]]) -> None:
    lines = dockerfile[target]
    assert "USER 10001:10001" in lines
    assert not any(line.startswith(("RUN", "COPY", "ADD")) for line in lines[lines.index("USER 10001:10001") :])
    module = "flight_delay.serving" if target == "serving" else "flight_delay"
    assert f"ENTRYPOINT {json.dumps(['python', '-m', module])}" in lines
    (labels,) = (line for line in lines if line.startswith("LABEL"))
    assert set(re.findall(r"org\.opencontainers\.image\.(\w+)=", labels)) == LABELS
    assert f'org.opencontainers.image.title="flight-delay-{target}"' in labels
    assert 'mlops-template.io/sbom="/app/sbom.json"' in labels


@pytest.mark.parametrize("license_", QUESTIONS["license"])
def test_the_licence_is_named_as_spdx_does(license_: str, bake: Bake) -> None:
    text = (bake(license=license_) / "Dockerfile").read_text(encoding="utf-8")
    assert text.count(f'org.opencontainers.image.licenses="{LICENSES[license_]}"') == len(TARGETS)


def test_what_is_copied_is_what_the_builder_is_given(project: Path, dockerfile: dict[str, list[str]]) -> None:
    given = {line[1:] for line in (project / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied: set[str] = set()
    for lines in dockerfile.values():
        for line in lines:
            if line.startswith("COPY") and "--from" not in line:
                copied |= set(line.split()[1:-1])
    assert copied == given
    assert all((project / name).exists() for name in copied)


def test_every_package_is_pinned_by_hash(dockerfile: dict[str, list[str]]) -> None:
    assert "PIP_REQUIRE_HASHES=1" in " ".join(dockerfile["build"])
    for name in ("serving", "training", "tasks"):
        text = (SKELETON / "requirements" / f"{name}.txt").read_text()
        assert all("--hash=sha256:" in entry for entry in re.split(r"\n(?=\S)", text.strip()) if entry[0] != "#")


def test_serving_has_no_packages_of_training() -> None:
    text = (SKELETON / "requirements" / "serving.txt").read_text()
    names = set(re.findall(r"^([\w-]+)==", text, re.MULTILINE))
    assert not names & {"kfp", "mlflow", "mlflow-skinny", "pandas", "pyarrow", "scikit-learn", "scipy"}
    assert {"numpy", "onnxruntime", "uvicorn", "uvloop"} <= names


def test_the_hooks_of_a_machine_say_what_there_is() -> None:
    script = Path(__file__).parent / "e2e" / "machine.sh"
    done = subprocess.run([script, "no-such-hook"], text=True, capture_output=True, check=False)
    assert done.returncode == 2
    hooks = done.stderr.removeprefix("usage: machine.sh [has] ").split()
    documented = re.findall(r"^\| `(\w+)", (script.parent / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(documented) == sorted(hooks)
    assert subprocess.run([script, "has", "no-such-hook"], check=False).returncode == 1
