"""The verbs for infrastructure through make, on a cluster that is there already: Terraform itself, and no account."""

import json
import re
import resource
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import PROJECT_VENV, Bake, commit, git, make, run

pytestmark = pytest.mark.skipif(shutil.which("terraform") is None, reason="NOT RUN: terraform was not found")
CONTEXT = "flight-delay-dev"
KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "elsewhere",
    "contexts": [{"name": name, "context": {"cluster": f"of-{name}", "user": "me"}} for name in (CONTEXT, "elsewhere")],
    "clusters": [
        {"name": f"of-{CONTEXT}", "cluster": {"server": "https://127.0.0.1:9", "certificate-authority-data": "Q0E="}},
        {"name": "of-elsewhere", "cluster": {"server": "https://127.0.0.1:10"}},
    ],
    "users": [{"name": "me", "user": {"token": "a-token"}}],
}


@pytest.fixture(scope="module")
def project(bake: Bake, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A committed project, and a kubeconfig where people have theirs."""
    project = bake(cloud="local")
    git("init", "--quiet", cwd=project)
    commit(project, "Start")
    return project


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    home = tmp_path_factory.mktemp("home")
    (home / ".kube").mkdir()
    (home / ".kube" / "config").write_text(json.dumps(KUBECONFIG))
    return {"HOME": str(home), "KUBECONFIG": str(home / ".kube" / "config")}


def ask(project: Path, home: dict[str, str], *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return make(project, *words, "ENV=dev", check=check, **home)


def answer(project: Path, text: str) -> None:
    """What an owner fills in before the first plan."""
    file = project / "terraform" / "environments" / "dev.tfvars"
    file.write_text(file.read_text().replace("emails = []", 'emails = ["a@example.org"]') + text)


@pytest.mark.proof(
    "A cluster that is there already: Terraform plans, applies, says drift and destroys, and changes nothing outside of its state"
)
def test_a_day(project: Path, home: dict[str, str]) -> None:
    def said(*words: str) -> str:
        return ask(project, home, *words).stdout

    def refused(*words: str) -> str:
        done = ask(project, home, *words, check=False)
        assert done.returncode == 2
        return done.stderr[done.stderr.index("refused: ") + len("refused: ") :].splitlines()[0]

    assert refused("infra-plan").startswith(
        "terraform/environments/dev.tfvars: budget: emails: at least one mail address"
    )
    answer(project, "")
    assert refused("infra-bootstrap").startswith("local: a cluster that is there already needs no bootstrap")
    assert said("infra-plan").splitlines()[:2] == ["dev (local): 1 created", "  created terraform_data.this"]
    assert "dev is as planned" in said("infra-apply")
    assert said("infra-plan") == "dev (local): no object is changed\n"
    assert said("infra-drift") == "dev: no drift\n"
    assert said("overlay-values") == "k8s/overlays/dev/environment.yaml has these values already\n"
    assert re.match("kubectl config use-context flight-delay-dev\nSwitched to context", said("infra-kubeconfig"))

    answer(project, 'artifact_uri = "s3://another"\n')
    assert refused("infra-drift").startswith("drift: dev is not what the code says")
    assert said("infra-plan").splitlines()[1:2] == ["  outputs that change: artifact_uri"]
    said("infra-apply")
    assert "artifact_uri: s3://models → s3://another" in said("overlay-values")
    assert refused("infra-destroy") == "nothing was destroyed: CONFIRM=dev destroys what is listed above"
    assert "dev is destroyed" in said("infra-destroy", "CONFIRM=dev")
    changed = git("status", "--porcelain", cwd=project).split()
    assert changed == ["M", "k8s/overlays/dev/environment.yaml", "M", "terraform/environments/dev.tfvars"]
    assert [path for path in project.rglob("*") if path.is_file() and b"a-token" in path.read_bytes()] == []


def test_a_context_that_is_not_there_is_named(project: Path, home: dict[str, str]) -> None:
    answer(project, "")
    file = project / "terraform" / "environments" / "dev.tfvars"
    file.write_text(re.sub(r'(?m)^context = ".*"', 'context = "gone"', file.read_text()))
    done = ask(project, home, "infra-plan", check=False)
    assert done.stderr.startswith(
        "refused: terraform/environments/dev.tfvars: context: gone is not in ~/.kube/config, which has elsewhere, flight-delay-dev."
    )
    done = ask(project, {"HOME": str(project)}, "infra-plan", check=False)
    assert done.stderr.startswith(
        "refused: terraform/environments/dev.tfvars: kubeconfig: there is no file ~/.kube/config: set the path of the one that reaches"
    )


def processor_seconds(*command: str | Path, cwd: Path, **environment: str) -> float:
    """What a program and its children compute: on a busy machine they wait, too."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run(*command, cwd=cwd, check=True, **environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.proof("A plan by the verb costs at most half a second more than Terraform itself")
def test_a_plan_costs_little_more_than_terraforms(bake: Bake, home: dict[str, str], tmp_path: Path) -> None:
    project = bake(cloud="local")
    answer(project, "")
    module, environments = project / "terraform" / "local", "../environments"
    environment = home | {"TF_DATA_DIR": str(tmp_path), "PYTHONPATH": "src"}

    def terraform() -> float:
        init = ["terraform", "init", f"-backend-config={environments}/dev.backend.hcl"]
        plan = ["terraform", "plan", f"-var-file={environments}/dev.tfvars", f"-out={tmp_path}/plan"]
        return sum(processor_seconds(*command, cwd=module, **environment) for command in (init, plan))

    def verb() -> float:
        command: list[str | Path] = [PROJECT_VENV / "bin" / "python", "-m", "terraform", "plan", "--environment", "dev"]
        return processor_seconds(*command, cwd=project, **environment)

    assert min(verb() for _ in range(3)) - min(terraform() for _ in range(3)) <= 0.5
