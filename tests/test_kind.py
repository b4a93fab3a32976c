"""`make cluster` and its removal, as far as they go without kind: what they refuse, and that nothing is taken by name alone."""

import re
import shutil
from pathlib import Path

import pytest
from conftest import SKELETON, make, run

MAKE = SKELETON / "make"


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A PATH with what a shell script needs, and no kind, docker or podman, whatever this machine has."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "sed", "dirname", "make"):
        found = shutil.which(name)
        assert found
        (folder / name).symlink_to(found)
    return folder


def test_without_kind_the_first_sentence_says_where_to_get_it(project: Path, bare: Path) -> None:
    done = run("make", "cluster", cwd=project, check=False, PATH=str(bare))
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines()[0] == (
        "refused: kind was not found: install it (https://kind.sigs.k8s.io/docs/user/quick-start/#installation)"
    )
    assert not (project / "artifacts" / "downloads").exists()


@pytest.mark.parametrize("words", [(), ("CONFIRM=",), ("CONFIRM=flight-delay-local",), ("CONFIRM=mlops x",)], ids=str)
def test_the_cluster_is_removed_only_by_its_name(words: tuple[str, ...], project: Path) -> None:
    done = make(project, "clean-cluster", *words, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == (
        "refused: this deletes the kind cluster mlops with all environments, models and images in it: CONFIRM=mlops; "
        "to delete one environment's namespace only, name it: ENV="
    )


def test_with_its_name_kind_is_asked(bare: Path) -> None:
    done = run("sh", MAKE / "cluster.sh", "down", "mlops", cwd=bare, check=False, PATH=str(bare))
    assert (done.returncode, done.stderr.partition(":")[0]) == (1, "refused")
    assert "kind was not found" in done.stderr


def test_usage(bare: Path) -> None:
    done = run("sh", MAKE / "cluster.sh", "sideways", cwd=bare, check=False, PATH=str(bare))
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "usage: cluster.sh up | down NAME\n")


def test_nothing_is_taken_by_name_alone() -> None:
    text = (MAKE / "cluster.env").read_text()
    pins = dict(line.split("=", 1) for line in text.splitlines() if not line.startswith("#"))
    for name in ("NODE", "REGISTRY"):
        assert re.fullmatch(r"docker\.io/[a-z/]+:[v0-9.]+@sha256:[0-9a-f]{64}", pins[name])
    assert pins["METRICS_SERVER"].startswith("https://github.com/kubernetes-sigs/metrics-server/releases/download/v")
    version = pins["METRICS_SERVER"].split("/")[-2]
    assert re.search(rf"^# {re.escape(version)} is commit [0-9a-f]{{40}} there\.$", text, re.MULTILINE)
    assert re.fullmatch("[0-9a-f]{64}", pins["METRICS_SERVER_SHA256"])
    assert re.fullmatch("sha256:[0-9a-f]{64}", pins["METRICS_SERVER_DIGEST"])
    used = set(re.findall(r"\$([A-Z][A-Z0-9_]+)\b", (MAKE / "cluster.sh").read_text())) - {"PWD"}
    assert used == pins.keys()
