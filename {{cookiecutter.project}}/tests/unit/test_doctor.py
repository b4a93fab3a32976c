"""Each check, once well and once bad, with the fix that it names."""

import ast
import fcntl
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from {{ cookiecutter.package }} import doctor, staging
from {{ cookiecutter.package }}.cluster import kubeconfig, reach
from {{ cookiecutter.package }}.doctor import Result
from {{ cookiecutter.package }}.errors import Refused
from {{ cookiecutter.package }}.lineage import Source
from {{ cookiecutter.package }}.serving import handover
from {{ cookiecutter.package }}.settings import Settings

import sample_project

PROJECT = sample_project.root()
SIZES = "# downloads 400 MB, needs 1600 MB, 3 minutes\n"
GNU, BSD = "GNU Make 4.3", "usage: make [-BeikNnqrstWwX]"

CHECKS = {
    "Python": (doctor.python((3, 13, 1)), ""),
    "Python too old": (doctor.python((3, 10, 9)), "install Python 3.11, 3.12 or 3.13"),
    "Python too new": (doctor.python((3, 14, 0)), "install Python 3.11, 3.12 or 3.13"),
    "venv": (doctor.venv([]), ""),
    "no venv": (doctor.venv(["ensurepip"]), "install it (Debian and Ubuntu: sudo apt-get install python3-venv)"),
    "git": (doctor.tool("git", "git version 2.39.5 (Apple Git-154)", (2, 20), "install it"), ""),
    "git not there": (doctor.tool("git", None, (2, 20), "install it"), "install it; 2.20 or later"),
    "git too old": (
        doctor.tool("git", "git version 2.9", (2, 20), "install it"),
        "install it; 2.20 or later is needed",
    ),
    "make": (doctor.tool("make", "GNU Make 3.81", (3, 81), "install it"), ""),
    "make too old": (doctor.tool("make", "GNU Make 3.80", (3, 81), "install it"), "3.81 or later is needed"),
    "make of BSD": (doctor.tool("make", BSD, (3, 81), "install it"), "it is not GNU Make: install it"),
    "disk": (doctor.disk(500), ""),
    "disk full": (doctor.disk(499), "make room: 500 MB are needed"),
    "disk for the environment": (doctor.setup_disk(1600, SIZES), ""),
    "disk too full for the environment": (doctor.setup_disk(1599, SIZES), "make room: the environment needs 1600 MB"),
    "no size of the environment": (doctor.setup_disk(1, None), ""),
    "repository": (doctor.repository(Source("a" * 40, True, None), PROJECT), ""),
    "no repository": (
        doctor.repository(Source(None, None, "the project is in no Git repository"), PROJECT),
        "git init",
    ),
    "a repository of another owner": (
        doctor.repository(Source(None, None, "Git reads no repository of another owner; run: git config …"), PROJECT),
        "git config …",
    ),
}


@pytest.mark.parametrize("result_and_fix", CHECKS.values(), ids=CHECKS)
def test_a_check_names_the_fix_or_is_well(result_and_fix: tuple[Result, str]) -> None:
    result, fix = result_and_fix
    assert result.ok == (not fix)
    assert fix in result.fix


def test_a_tool_that_is_not_there_is_found_out() -> None:
    assert doctor._version_text("no-such-program") is None
    assert "git" in (doctor._version_text("git") or "")


def test_artifacts_must_be_writable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.writable(tmp_path / "artifacts").ok
    # Root may write anywhere, so the system's answer is given here.
    monkeypatch.setattr(doctor.os, "access", lambda path, mode: False)
    assert doctor.writable(tmp_path / "artifacts").fix == f"make it yours: sudo chown -R $(id -u) {tmp_path}"
    (tmp_path / "artifacts").write_text("a file")
    monkeypatch.undo()
    assert not doctor.writable(tmp_path / "artifacts").ok


@contextmanager
def holding(folder: Path) -> Iterator[None]:
    """The lock that a set-up has."""
    descriptor = os.open(folder, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    yield
    os.close(descriptor)


def test_the_environment_must_be_the_pinned_one(tmp_path: Path) -> None:
    wanted, folder = tmp_path / "dev.txt", tmp_path / ".venv"
    assert "restore requirements/dev.txt" in doctor.environment(folder, wanted).fix
    wanted.write_text("numpy==2.4.6\n")
    assert doctor.environment(folder, wanted).ok
    assert "is not set up yet" in doctor.environment(folder, wanted).found
    (folder / "bin").mkdir(parents=True)
    assert doctor.environment(folder, wanted).fix.startswith("remove it, or give the environment a folder of its own")
    (folder / "installed.txt").write_text("")
    assert doctor.environment(folder, wanted).fix == "run: make setup"
    with holding(tmp_path):
        assert doctor.environment(folder, wanted) == Result(
            "environment", f"{folder} is being set up: when that is done, more can be looked at"
        )
    (folder / "installed.txt").write_text("numpy==2.4.6\n")
    (folder / "bin" / "python").symlink_to(tmp_path / "upgraded")
    assert doctor.environment(folder, wanted).fix == "remove it, then: make setup"
    (tmp_path / "upgraded").touch()
    assert doctor.environment(folder, wanted).ok
    (folder / "installed.txt").write_text("numpy==2.4.5\n")
    assert doctor.environment(folder, wanted).fix == "run: make setup"


def test_without_the_environment_all_else_is_looked_at(tmp_path: Path) -> None:
    names = ["Python", "venv", "git", "make", "disk", "artifacts", "environment"]
    assert [result.name for result in doctor.examine(tmp_path, tmp_path / ".venv")] == names


def test_of_an_environment_in_a_cluster_its_tools_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fixes() -> dict[str, str]:
        return {each.name: each.fix for each in doctor.examine(tmp_path, tmp_path / ".venv", "dev")[7:]}

    (tmp_path / "k8s/overlays/dev").mkdir(parents=True)
    (tmp_path / "k8s/overlays/dev/kustomization.yaml").touch()
    with pytest.raises(Refused, match="ENV=devv: there is no such environment in a cluster: dev"):
        doctor.examine(tmp_path, tmp_path, "devv")
    assert list(fixes()) == ["kubectl"]
    for folder in ("azure", "environments"):
        (tmp_path / "terraform" / folder).mkdir(parents=True)
    (tmp_path / "terraform/environments/dev.tfvars").touch()
    (tmp_path / "az").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = fixes()
    assert list(found) == ["kubectl", "terraform", "az", "kubelogin"]
    assert (found["az"], found["kubelogin"]) == ("", "install it, as docs/how-to says of this cloud")
    old = doctor.tool("terraform", "Terraform v1.10.5", *doctor.TERRAFORM)
    assert old.fix.endswith("terraform/install); 1.11 or later is needed")


def test_a_python_that_is_too_old_for_the_project_can_read_the_doctor() -> None:
    ast.parse(Path(doctor.__file__).read_text(encoding="utf-8"), feature_version=(3, 7))


def test_ports_must_be_free_unless_a_living_server_of_ours_has_them(tmp_path: Path) -> None:
    settings = replace(Settings.load(PROJECT), root=tmp_path)
    with socket.socket() as taken, socket.socket() as other:
        for each in (taken, other):
            each.bind(("127.0.0.1", 0))
        taken.listen()
        port, metrics_port = taken.getsockname()[1], other.getsockname()[1]
        other.close()
        serving = settings.serving.model_copy(update={"port": port, "metrics_port": metrics_port})
        settings = replace(settings, serving=serving)
        assert doctor.port(settings).found == f"{port} in use by another program"
        assert doctor.port(settings).fix.startswith("stop it, or change config/serving.yaml: port")
        folder = tmp_path / "artifacts" / "serving" / "local"
        folder.mkdir(parents=True, exist_ok=True)
        state = handover.State(1, port, metrics_port, None, None, 0)
        (folder / "state.json").write_bytes(msgspec.json.encode(state))
        assert not doctor.port(settings).ok  # its supervisor was killed, and another program has the port now
        with staging.locked(folder / "lock", wait=False):
            assert doctor.port(settings).found == f"{port} in use by `make serve`; the next one takes over"
    assert doctor.port(settings).ok


def test_a_project_without_champion_is_well(tmp_path: Path) -> None:
    result = doctor.champion(replace(Settings.load(PROJECT), root=tmp_path))
    assert result.ok
    assert "none in laptop yet: make train" in result.found


def test_wrong_configuration_is_shown_in_full(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes((PROJECT / "pyproject.toml").read_bytes())
    result = doctor.inside(tmp_path)[-1]
    assert result.name == "configuration"
    assert "config/data.yaml: this file is missing" in result.found
    assert result.fix


def test_every_check_is_on_a_line_and_a_bad_one_refuses(capsys: pytest.CaptureFixture[str]) -> None:
    well, bad = Result("git", "2.39"), Result("disk", "1 MB free", "make room")
    doctor.report([well])
    assert capsys.readouterr().out == " ok  git: 2.39\n"
    with pytest.raises(Refused, match="1 of 2 checks: disk"):
        doctor.report([well, bad])
    assert capsys.readouterr().out == " ok  git: 2.39\n bad disk: 1 MB free → make room\n"


def test_this_python_is_well() -> None:
    assert doctor.python(sys.version_info[:3]).ok


CLOSED, OPEN = "authorized_cidrs = [] # none", 'authorized_cidrs = ["203.0.113.0/24"]'
INSIDE = "work from inside the network: through a VPN, on a machine or a runner there"
RIGHT = "see that the cluster is up, and that this is the right context (CONTEXT=)"
VALUES = "terraform/environments/dev.tfvars"
Ends = Callable[..., None]


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> Ends:
    """Let connections to the API server end so; its name has these addresses."""

    def patch(address: str, found: reach.Found, *addresses: str) -> None:
        monkeypatch.setattr(kubeconfig, "server", lambda context: kubeconfig.Server(address))
        monkeypatch.setattr(reach, "dial", lambda connect: found)
        monkeypatch.setattr(reach, "resolved", lambda host: addresses)

    return patch


def project(root: Path, cloud: str, **variables: str) -> Path:
    """A project of this cloud, with what Terraform is told of its environments."""
    (root / "terraform" / "environments").mkdir(parents=True)
    (root / "pyproject.toml").write_text(f'[tool.mlops-template.answers]\ncloud = "{cloud}"\n')
    for environment, text in variables.items():
        (root / "terraform" / "environments" / f"{environment}.tfvars").write_text(text)
    return root


def test_one_that_answers_and_one_that_refuses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        address = f"https://127.0.0.1:{listening.getsockname()[1]}"
        monkeypatch.setattr(kubeconfig, "server", lambda context: kubeconfig.Server(address))
        assert reach.look(tmp_path, "dev") == (f"{address} answers", "")
    assert reach.look(project(tmp_path, "aws", dev=CLOSED), "dev") == (
        f"{address} refuses the connection: nothing listens there",
        "start the cluster, or name the right context (CONTEXT=)",
    )


@pytest.mark.proof(
    "`make doctor ENV=` says that an API server is private, and from where it is reached, instead of a time-out"
)
@pytest.mark.parametrize("cloud", ["aws", "gcp", "azure"])
def test_one_that_is_private(ends: Ends, tmp_path: Path, cloud: str) -> None:
    ends("https://abc.example.org", reach.Found.SILENT, "10.20.1.7", "10.20.2.9")
    root = project(tmp_path, cloud, dev=CLOSED, staging=CLOSED, prod=CLOSED)
    found = "the API server is private: https://abc.example.org answers only inside its network"
    opened = f", or give authorized_cidrs your own addresses in {VALUES}"
    assert reach.look(root, "dev") == (found, INSIDE + opened)
    for environment in ("staging", "prod"):
        assert reach.look(root, environment) == (found, INSIDE)


def test_where_no_cloud_makes_the_cluster_nothing_can_be_opened(ends: Ends, tmp_path: Path) -> None:
    """A stopped minikube has an address of its own on this machine, which nobody has then."""
    own = project(tmp_path / "own", "local", dev=CLOSED)
    none = project(tmp_path / "none", "aws")
    address, elsewhere = "https://192.168.49.2:8443", f"start the cluster if it is on this machine; else {INSIDE}"
    for found in (reach.Found.SILENT, reach.Found.APART):
        ends(address, found, "192.168.49.2")
        for root in (own, none):
            assert reach.look(root, "dev") == (f"{address}, a private address, {found.value}", elsewhere)
    ends("https://a.example.org", reach.Found.SILENT, "8.8.8.8")
    for root in (own, none, tmp_path):
        assert reach.look(root, "dev") == ("https://a.example.org does not answer within 5 s", RIGHT)


def test_where_some_may_come_from_outside_it_may_be_others(ends: Ends, tmp_path: Path) -> None:
    root = project(tmp_path, "azure", dev=OPEN, prod=OPEN)
    ends("https://a.example.org", reach.Found.SILENT, "8.8.8.8")
    found = "https://a.example.org does not answer within 5 s"
    assert reach.look(root, "dev") == (found, f"{RIGHT}, and that authorized_cidrs in {VALUES} has your own address")
    assert reach.look(root, "prod") == (found, RIGHT)
    ends("https://a.example.org", reach.Found.UNKNOWN)
    assert reach.look(root, "dev") == ("https://a.example.org has a name that has no address here", RIGHT)


CASES: dict[str, tuple[str, list[str], str, bool]] = {
    "private addresses": ("abc.gr7.eu-central-1.eks.amazonaws.com", ["10.0.0.1"], OPEN, True),
    "public addresses": ("abc.gr7.eu-central-1.eks.amazonaws.com", ["198.51.101.7"], OPEN, False),
    "one of two is public": ("abc.example.org", ["10.0.0.1", "8.8.8.8"], OPEN, False),
    "this machine": ("127.0.0.1", ["127.0.0.1"], CLOSED, False),
    "a private name without addresses": ("a.privatelink.westeurope.azmk8s.io", [], OPEN, True),
    "another name without addresses": ("a.example.org", [], OPEN, False),
    "public addresses, but nobody may come": ("gke-1.europe-west4.gke.goog", ["8.8.8.8"], CLOSED, True),
    "no Terraform": ("a.example.org", ["8.8.8.8"], "", False),
}


@pytest.mark.parametrize("case", CASES)
def test_how_a_private_one_is_known(case: str) -> None:
    host, addresses, variables, private = CASES[case]
    assert reach.private(host, addresses, variables) == private


def test_a_name_that_is_not_known_has_no_addresses() -> None:
    assert reach.resolved("no-such-host.invalid") == []
    assert reach.resolved("127.0.0.1") == ["127.0.0.1"]
