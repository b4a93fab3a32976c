"""Every choice gives exactly its files; every accepted name gives a project that passes its own checks and tests."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import EVIDENCE, QUESTIONS, ROOT, Bake, files, make
from cookiecutter.main import cookiecutter
from test_questions import HOSTILE
from test_tutorial import contract_of_the_tutorial

GOLDEN = ROOT / "tests" / "golden"

LICENSES = {
    "Apache-2.0": "Apache License\n                           Version 2.0, January 2004\n",
    "MIT": "MIT License\n\nCopyright (c) ML Platform Team\n\nPermission is hereby granted",
    "Proprietary": "Copyright (c) ML Platform Team. All rights reserved.\n\nNo part of this repository",
}

# Import sorting and line wrapping depend on the names, the files of an environment on the cloud.
NAMES = {
    "default": {},
    "one letter": {"project": "a"},
    "greatest lengths": {"project": "p" * 40, "package": "p" * 30},
    "first of all": {"project": "aaa"},
    "last of all": {"project": "zzz"},
    "hostile text": HOSTILE,
    **{cloud: {"cloud": cloud} for cloud in QUESTIONS["cloud"][1:]},
}


@pytest.mark.parametrize("license_", QUESTIONS["license"])
@pytest.mark.parametrize("cloud", QUESTIONS["cloud"])
def test_files(cloud: str, license_: str, bake: Bake, request: pytest.FixtureRequest) -> None:
    """A licence is the content of a file: the same files belong to all."""
    listed = "".join(f"{name}\n" for name in files(bake(cloud=cloud, license=license_)))
    golden = GOLDEN / f"files-{cloud}.txt"
    if request.config.getoption("--golden"):
        GOLDEN.mkdir(exist_ok=True)
        golden.write_text(listed)
    assert listed == golden.read_text()


@pytest.mark.parametrize("cloud", QUESTIONS["cloud"])
def test_only_the_chosen_cloud_is_there(cloud: str, bake: Bake) -> None:
    project = bake(cloud=cloud)
    others = set(QUESTIONS["cloud"]) - {cloud}
    names = {path.name for path in (project / "terraform").iterdir()} | {
        path.name for path in (project / "k8s" / "components").iterdir()
    }
    assert cloud in names
    assert others & names == set()
    overlays = [
        (project / "k8s" / "overlays" / name / "kustomization.yaml").read_text() for name in ("dev", "staging", "prod")
    ]
    taken = "platform" if cloud == "local" else cloud
    assert all(f'../../components/{taken}"' in text for text in overlays)
    # The index of the pages names those that are there, and no other.
    index = (project / "docs" / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^│   [├└]── (\S+\.md)", index, re.MULTILINE)
    there = [*(project / "docs" / "how-to").iterdir(), *(project / "docs" / "reference").iterdir()]
    assert sorted(listed) == sorted(path.name for path in there)


@pytest.mark.parametrize("license_", QUESTIONS["license"])
def test_license(license_: str, bake: Bake) -> None:
    text = (bake(license=license_) / "LICENSE").read_text(encoding="utf-8")
    assert text.lstrip().startswith(LICENSES[license_])
    others = [start for name, start in LICENSES.items() if name != license_]
    assert not any(start.split("\n")[0] in text for start in others if not start.startswith("Copyright"))
    assert "{{" not in text
    assert "#%" not in text


@pytest.mark.proof("A project of any accepted name is clean: ruff, mypy, yamllint, hadolint")
@pytest.mark.parametrize("names", NAMES)
def test_lint(names: str, bake: Bake, tmp_path_factory: pytest.TempPathFactory) -> None:
    # The types of the dependencies are read once for all names.
    cache = tmp_path_factory.getbasetemp() / "mypy"
    make(bake(**NAMES[names]), "lint", MYPY_CACHE_DIR=str(cache))


def test_what_belongs_to_another_choice_is_dropped(template: Path, tmp_path: Path) -> None:
    """`_only_for` of cookiecutter.json: a path that several choices share stays with each of them."""
    copy = tmp_path / "template"
    shutil.copytree(template, copy, symlinks=True, ignore=shutil.ignore_patterns(".git"))
    owners = {"license": {"MIT": ["samples/README.md", "docs"], "Proprietary": ["docs", "k8s/components"]}}
    (copy / "cookiecutter.json").write_text(json.dumps(QUESTIONS | {"_only_for": owners}))

    def listed(license_: str) -> set[str]:
        out = tmp_path / license_
        settings = {"cookiecutters_dir": str(tmp_path), "replay_dir": str(tmp_path)}
        answers = {"license": license_}
        baked = cookiecutter(str(copy), no_input=True, extra_context=answers, output_dir=out, default_config=settings)
        return set(files(Path(baked)))

    apache, mit, proprietary = map(listed, ("Apache-2.0", "MIT", "Proprietary"))
    docs = {name for name in mit if name.startswith("docs/")}
    components = {name for name in proprietary if name.startswith("k8s/components/")}
    assert len(docs) > 5 < len(components)
    assert mit - apache == {"samples/README.md"} | docs
    assert proprietary - apache == docs | components
    assert apache < mit & proprietary


def test_own_tests(bake: Bake, tmp_path: Path) -> None:
    """The project's own tests, outside the template's tree, with the answers that break most; their warnings are errors.

    They are about the code: an owner who has brought other data must not see them fail.
    """
    project = bake(**HOSTILE)
    (project / "config" / "data.yaml").write_text(contract_of_the_tutorial())
    said = own("test", project, tmp_path)
    assert " passed" in said
    assert skipped(said) == []


@pytest.mark.skipif(shutil.which("strace") is None, reason="NOT RUN: strace was not found (apt-get install strace)")
def test_own_kill_tests(bake: Bake, tmp_path: Path) -> None:
    """Every verb, killed at each of its writes."""
    said = own("test-kill", bake(), tmp_path)
    assert " passed" in said
    assert skipped(said) == []


def skipped(said: str) -> list[str]:
    """What pytest left out, but for what a user who is not root, or has no Terraform, cannot try."""
    fine = ("only root", "terraform was not found")
    return [line for line in said.splitlines() if line.startswith("SKIPPED") and not any(word in line for word in fine)]


def own(verb: str, project: Path, scratch: Path) -> str:
    """What a verb of a project's own tests says; what they have proven is kept."""
    (scratch / "home").mkdir()
    # Whatever the user's home holds must not matter; pyenv finds its Pythons there.
    home, pyenv = str(scratch / "home"), os.environ.get("PYENV_ROOT", "")
    said = make(project, verb, HOME=home, TMPDIR=str(scratch), PYENV_ROOT=pyenv).stdout
    # The project is of no commit; the template that made it is.
    evidence = json.loads((project / "artifacts" / "evidence" / f"{verb}.json").read_text())
    evidence |= {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain"))}
    EVIDENCE.mkdir(parents=True, exist_ok=True)
    (EVIDENCE / f"project-{verb}.json").write_text(json.dumps(evidence, ensure_ascii=False, indent=2) + "\n")
    return said


def git(*words: str) -> str | None:
    """What Git says of the template; nothing of an archive of it."""
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None
