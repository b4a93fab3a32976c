"""The init container: it brings what was promoted, whole and verified, or says why not."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .helpers import MODULE

(BUNDLE,) = (Path(__file__).parents[1] / "bundles" / "format-1").iterdir()


def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MODEL_")}
    environment |= {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), **variables}
    command = [sys.executable, "-W", "error", "-m", MODULE, *words]
    return subprocess.run(command, env=environment, text=True, capture_output=True, check=False, timeout=60)


@pytest.fixture
def promoted(tmp_path: Path) -> dict[str, str]:
    """What the annotations of a pod say."""
    shutil.copytree(BUNDLE, tmp_path / "store" / BUNDLE.name)
    uri = (tmp_path / "store" / BUNDLE.name).as_uri()
    return {"MODEL_URI": uri, "MODEL_ID": BUNDLE.name, "MODEL_DIR": str(tmp_path / "models")}


def test_what_was_promoted_is_there_and_verified(promoted: dict[str, str], tmp_path: Path) -> None:
    for _ in ("fetched", "found"):
        done = run("fetch", **promoted)
        assert (done.returncode, done.stdout) == (0, f"verified {tmp_path}/models/{BUNDLE.name}\n")
    there = sorted(path.name for path in (tmp_path / "models" / BUNDLE.name).iterdir())
    assert there == sorted(path.name for path in BUNDLE.iterdir())


def test_no_model_yet_is_a_state() -> None:
    done = run("fetch", ENVIRONMENT="dev")
    assert done.returncode == 0
    assert done.stdout == "no model has been promoted in dev yet: nothing to fetch\n"
    assert run("fetch").stdout == "no model has been promoted in this environment yet: nothing to fetch\n"


def test_a_changed_byte_is_refused(promoted: dict[str, str], tmp_path: Path) -> None:
    model = tmp_path / "store" / BUNDLE.name / "model.onnx"
    content = model.read_bytes()
    model.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    done = run("fetch", **promoted)
    assert done.returncode == 1
    assert done.stderr.startswith(f"refused: {promoted['MODEL_URI']}/model.onnx has the sha256 ")
    assert not (tmp_path / "models" / BUNDLE.name).exists()


def test_an_address_that_does_not_exist_is_refused(promoted: dict[str, str]) -> None:
    done = run("fetch", **promoted | {"MODEL_URI": f"{promoted['MODEL_URI']}x"})
    assert (done.returncode, done.stderr) == (1, f"refused: {promoted['MODEL_URI']}x/manifest.json does not exist\n")


def test_nowhere_to_put_it_is_refused(promoted: dict[str, str]) -> None:
    done = run("fetch", **promoted | {"MODEL_DIR": ""})
    assert done.returncode == 1
    assert done.stderr == "refused: MODEL_DIR is not set: name the folder from which the server reads the model\n"


def test_another_word_is_a_mistake() -> None:
    done = run("fetsh")
    assert (done.returncode, done.stderr) == (2, f"usage: python -m {MODULE} [fetch]\n")
