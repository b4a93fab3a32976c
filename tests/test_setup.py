"""Set-up does what is needed once, and refuses with one sentence and its remedy what cannot work."""

import hashlib
import socket
import subprocess
from pathlib import Path
from zipfile import ZipFile

import pytest
from conftest import PROJECT_VENV, SKELETON, Bake, make, run

INSTALL = SKELETON / "make" / "install.sh"
REQUIREMENTS = SKELETON / "requirements" / "dev.txt"
PYTHON = str(PROJECT_VENV / "bin" / "python")


def program(path: Path, body: str) -> Path:
    """A stand-in on the PATH for what this machine has or lacks."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def refusal(folder: Path, python: str | Path = PYTHON, requirements: Path = REQUIREMENTS, **environment: str) -> str:
    done = run("sh", INSTALL, folder / "venv", requirements, python, cwd=folder, check=False, **environment)
    assert done.returncode == 1
    return done.stderr.splitlines()[-1]


def test_no_python(tmp_path: Path) -> None:
    assert refusal(tmp_path, "python9") == (
        "refused: python9 was not found: install Python 3.11, 3.12 or 3.13, or name it: make PYTHON=/path/to/python3"
    )
    assert list(tmp_path.iterdir()) == []


def test_wrong_python(tmp_path: Path) -> None:
    # Says that it is 3.10, and so ends the check of the version with 1.
    old = program(tmp_path / "bin" / "python3", '[ "$1" = --version ] && echo Python 3.10.4 && exit 0\nexit 1')
    assert refusal(tmp_path, old) == (
        "refused: Python 3.10.4 cannot be used: install Python 3.11, 3.12 or 3.13 and name it: make PYTHON=python3.13"
    )


def test_debian_without_venv(tmp_path: Path) -> None:
    bare = program(tmp_path / "bin" / "python3", 'case "$2" in *ensurepip*) exit 1;; esac')
    assert refusal(tmp_path, bare) == (
        f"refused: {bare} cannot make virtual environments; on Debian and Ubuntu: sudo apt-get install --yes python3-venv"
    )


@pytest.mark.proof("Set-up refuses with one sentence what cannot work, and two at once do not disturb each other")
def test_too_little_disk(tmp_path: Path) -> None:
    program(tmp_path / "bin" / "df", "printf 'head\\n/dev/x 9 9 716800 9%% /\\n'")
    path = f"{tmp_path / 'bin'}:/usr/bin:/bin"
    assert refusal(tmp_path, PATH=path) == (
        f"refused: {tmp_path / 'venv'} needs 1600 MB of disk and 700 MB are free: make room, or put it elsewhere (make VENV=...)"
    )
    assert not (tmp_path / "venv").exists()


@pytest.mark.proof("Set-up refuses with one sentence what cannot work, and two at once do not disturb each other")
def test_no_network(tmp_path: Path) -> None:
    small = tmp_path / "small.txt"
    small.write_text(f"# downloads 1 MB, needs 1 MB, 1 minutes\nidna==3.20 --hash=sha256:{'0' * 64}\n")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        index = f"http://127.0.0.1:{unused.getsockname()[1]}/simple"
        nothing = {"PIP_INDEX_URL": index, "PIP_RETRIES": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": "/dev/null"}
        assert refusal(tmp_path, requirements=small, **nothing) == (
            "refused: pip reached no package index: check the network, or set pip's proxy or index "
            "(HTTPS_PROXY, PIP_INDEX_URL) and try again"
        )
    assert (tmp_path / "venv" / "installed.txt").read_text() == ""  # so that the next set-up begins again


def test_a_folder_with_other_files_is_not_emptied(tmp_path: Path) -> None:
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "thesis.tex").write_text("years of work")
    assert refusal(tmp_path) == (
        f"refused: {tmp_path / 'venv'} holds files that were not installed from here: remove it, or give the environment "
        "a folder of its own (make VENV=...)"
    )
    assert (tmp_path / "venv" / "thesis.tex").read_text() == "years of work"


@pytest.mark.proof("Set-up refuses with one sentence what cannot work, and two at once do not disturb each other")
def test_of_two_at_once_one_installs_and_the_other_waits(tmp_path: Path) -> None:
    empty = tmp_path / "empty.txt"
    empty.write_text("# downloads 1 MB, needs 1 MB, 1 minutes\n")
    command = ["sh", str(INSTALL), str(tmp_path / "venv"), str(empty), PYTHON]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=60)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted(text.count("Setting up") for text in said) == [0, 1]


def test_what_was_interrupted_is_begun_again(tmp_path: Path) -> None:
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "installed.txt").touch()
    (tmp_path / "venv" / "half").touch()
    empty = tmp_path / "empty.txt"
    empty.write_text("# downloads 1 MB, needs 1 MB, 1 minutes\n")
    run("sh", INSTALL, tmp_path / "venv", empty, PYTHON, cwd=tmp_path)
    assert not (tmp_path / "venv" / "half").exists()


def test_what_is_pinned_is_installed_once_and_again_after_a_change(tmp_path: Path) -> None:
    empty = tmp_path / "empty.txt"
    empty.write_text("# downloads 1 MB, needs 1 MB, 1 minutes\n")
    install = ("sh", INSTALL, tmp_path / "venv", empty, PYTHON)
    assert "Setting up" in run(*install, cwd=tmp_path).stderr
    (tmp_path / "venv" / "witness").touch()
    again = run(*install, cwd=tmp_path)
    assert (again.stdout, again.stderr) == ("", "")
    empty.write_text("# downloads 2 MB, needs 2 MB, 1 minutes\n")
    assert "about 2 MB to download" in run(*install, cwd=tmp_path).stderr
    assert not (tmp_path / "venv" / "witness").exists()


def wheel(folder: Path, name: str) -> str:
    """A package with nothing in it; its line in a file of requirements."""
    file, inside = folder / f"{name}-1.0-py3-none-any.whl", f"{name}-1.0.dist-info"
    with ZipFile(file, "w") as archive:
        archive.writestr(f"{inside}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{inside}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{inside}/RECORD", "")
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}\n"


def install_wheels(folder: Path, requirements: Path) -> subprocess.CompletedProcess[str]:
    """Set up from the packages of this folder, and from nowhere else."""
    pip = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder), "PIP_CONFIG_FILE": "/dev/null"}
    return run("sh", INSTALL, folder / "venv", requirements, PYTHON, cwd=folder, check=False, **pip)


def test_setup_says_how_far_it_is_and_no_more(tmp_path: Path) -> None:
    wanted = tmp_path / "wanted.txt"
    lines = [wheel(tmp_path, f"nothing{number}") for number in range(41)]
    wanted.write_text("# downloads 1 MB, needs 1 MB, 1 minutes\n" + "".join(lines))
    done = install_wheels(tmp_path, wanted)
    assert done.stdout == ""
    said = done.stderr.splitlines()
    assert said[0].startswith(f"Setting up {tmp_path / 'venv'}: 41 packages, about 1 MB to download, ")
    assert said[1:] == ["  20 of 41 packages", "  40 of 41 packages", "  all are there, installing them"]


def test_what_pip_has_against_it_is_shown_whole(tmp_path: Path) -> None:
    wanted, line = tmp_path / "wanted.txt", wheel(tmp_path, "nothing")
    wanted.write_text("# downloads 1 MB, needs 1 MB, 1 minutes\n" + line.replace("sha256:", "sha256:0")[:-2] + "\n")
    done = install_wheels(tmp_path, wanted)
    assert "DO NOT MATCH THE HASHES" in done.stderr
    assert "Expected sha256 0" in done.stderr
    assert done.stderr.splitlines()[-1].startswith(f"refused: pip could not install {wanted}: its last words are above")


def test_a_taken_port(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run("sh", SKELETON / "make" / "ui.sh", PROJECT_VENV / "bin", port, cwd=tmp_path, check=False)
    assert (done.returncode, done.stderr) == (1, f"refused: port {port} is taken: name another, make ui PORT=5001\n")


@pytest.mark.parametrize(("group", "least"), [("serving", 20), ("training", 20), ("tasks", 1)])
def test_a_purpose_installs_what_was_tested(group: str, least: int) -> None:
    """The same versions as in the environment of the tests."""

    def pins(name: str) -> set[str]:
        text = (SKELETON / "requirements" / f"{name}.txt").read_text()
        return {line.split()[0] for line in text.splitlines() if "==" in line}

    assert len(pins(group)) >= least
    assert pins(group) <= pins("dev")


def test_no_environment_is_left_where_it_cannot_be_ignored(bake: Bake) -> None:
    project = bake()
    run("git", "init", "--quiet", cwd=project)
    for folder in (".venv", ".venv-ui", ".venv-update"):
        environment(project / folder)
    (project / "artifacts").mkdir()
    for folder in (".venv", ".venv-ui", ".venv-update", "artifacts"):
        (project / folder / "file").touch()
    untracked = run("git", "status", "--porcelain", "--untracked-files=all", cwd=project).stdout
    assert not [line for line in untracked.splitlines() if line.endswith("/file")]
    make(project, "clean", f"VENV={project / '.venv'}")
    assert not [name for name in (".venv", ".venv-ui", ".venv-update", "artifacts") if (project / name).exists()]


def environment(folder: Path) -> Path:
    """What tells that `make setup` has made it."""
    folder.mkdir()
    for name in ("pyvenv.cfg", "installed.txt"):
        (folder / name).touch()
    return folder


@pytest.mark.parametrize("marks", [[], ["pyvenv.cfg"], ["installed.txt"]], ids=lambda marks: "+".join(marks) or "none")
def test_clean_removes_no_folder_that_is_no_environment(marks: list[str], bake: Bake, tmp_path: Path) -> None:
    project, mine = bake(), tmp_path / "of mine"
    for folder in (mine, project / "artifacts"):
        folder.mkdir()
    for name in ("file", *marks):
        (mine / name).touch()
    done = make(project, "clean", f"VENV={mine}", check=False)
    assert done.returncode == 2
    assert (
        f"refused: {mine} is no environment that make has made (pyvenv.cfg and installed.txt are not both in it)"
        in done.stderr
    )
    assert (mine / "file").exists()
    assert (project / "artifacts").exists()


@pytest.mark.proof("`make clean` keeps a state of Terraform that is nowhere else, and says what to do with it")
@pytest.mark.parametrize(
    ("file", "remedy"),
    [
        ("bootstrap/bootstrap/terraform.tfstate", "make infra-bootstrap ENV=dev CONFIRM=dev moves it"),
        ("bootstrap/errored.tfstate", "make infra-bootstrap ENV=dev CONFIRM=dev moves it"),
        ("errored.tfstate", "make infra-plan ENV=dev says how to push it"),
    ],
)
def test_clean_keeps_a_state_that_is_nowhere_else(file: str, remedy: str, bake: Bake) -> None:
    project = bake()
    venv = environment(project / ".venv")
    state = project / "artifacts" / "terraform" / "dev" / file
    state.parent.mkdir(parents=True)
    state.touch()
    done = make(project, "clean", f"VENV={venv}", check=False)
    assert done.returncode == 2
    assert (
        f"refused: artifacts/terraform/dev/{file} is the only state of what Terraform has made there: {remedy}. If"
        in done.stderr
    )
    assert state.exists()
    assert venv.exists()
    # Where a state is kept elsewhere, this is only where.
    (state.parent / "data").mkdir()
    state.rename(state.parent / "data" / "terraform.tfstate")
    make(project, "clean", f"VENV={venv}")
    assert not (project / "artifacts").exists()
