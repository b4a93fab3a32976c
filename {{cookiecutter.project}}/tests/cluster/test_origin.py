"""What an environment's images were made of: said where the work tree has become something else, and only there."""

from dataclasses import replace
from pathlib import Path

import pytest

from {{ cookiecutter.package }}.cluster import images, origin
from {{ cookiecutter.package }}.cluster.builders import Builder
from {{ cookiecutter.package }}.cluster.images import Delivery, Image
from {{ cookiecutter.package }}.errors import Refused
from {{ cookiecutter.package }}.settings import Settings

import sample_project

from ..unit.git_helpers import commit, isolated, start

FILES = {"config/serving.yaml": "port: 1\n", "src/a.py": "", "Dockerfile": "FROM x\n", "docs/a.md": ""}
IMAGES = "k8s/overlays/dev/images/kustomization.yaml"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A project whose images for dev were built from its only commit."""
    isolated(monkeypatch)
    root = tmp_path / "project"
    (root / "k8s/overlays/staging").mkdir(parents=True)
    at = commit(start(root), None, FILES)
    images.write(root / IMAGES, {kind: image(kind, at[:12]) for kind in ("serving", "pipeline")})
    return replace(Settings.load(sample_project.root()), root=root)


def image(kind: str, tag: str) -> Image:
    return Image(f"r/{kind}", tag, f"sha256:{'d' * 64}", "python:3.13", 1, 1)


def built_from(settings: Settings) -> str:
    return origin.commits(settings.root / IMAGES)["serving"]


def test_all_that_goes_into_images_is_looked_at() -> None:
    given = (sample_project.PROJECT / ".dockerignore").read_text().splitlines()
    copied = {line[1:] for line in given if line.startswith("!")}
    assert {*origin.SOURCES} == copied - {"pyproject.toml"} | {"Dockerfile"}


def test_images_of_the_work_tree_as_it_is_need_no_word(settings: Settings) -> None:
    assert origin.outdated(settings, "dev") == ""
    commit(settings.root, None, {"docs/a.md": "more", IMAGES: (settings.root / IMAGES).read_text()})
    assert origin.outdated(settings, "dev") == ""


def test_what_has_changed_since_is_named(settings: Settings) -> None:
    at = built_from(settings)[:8]
    (settings.root / "config/serving.yaml").write_text("port: 2\n")
    assert origin.outdated(settings, "dev") == (
        f"note: config/ differs from what the images were made of (commit {at}): make image ENV=dev takes it over"
    )
    (settings.root / "src/new.py").write_text("")
    said = f"note: config/ and src/ differ from what the images were made of (commit {at}): make image ENV=dev takes them over"
    assert origin.outdated(settings, "dev") == said
    commit(settings.root, None, {})
    assert origin.outdated(settings, "dev") == said, "committed, and still in no image"


def test_images_that_were_copied_are_copied_again(settings: Settings) -> None:
    folder = settings.root / "k8s/overlays/staging/images"
    folder.mkdir()
    (folder / "kustomization.yaml").write_text((settings.root / IMAGES).read_text())
    (settings.root / "Dockerfile").write_text("FROM y\n")
    said = origin.outdated(settings, "staging")
    assert said.startswith("note: Dockerfile differs from ")
    copy = "cp k8s/overlays/dev/images/kustomization.yaml k8s/overlays/staging/images/"
    assert said.endswith(f": let dev try it, then copy its images, and commit: {copy}")
    assert origin.first(settings, "staging") == f"first copy those that dev has tried, and commit: {copy}"
    assert origin.first(settings, "dev") == "make image ENV=dev first"


@pytest.mark.parametrize("tag", ["0123456789ab", "DIRTY", ""], ids=["unknown commit", "never committed", "unnamed"])
def test_where_git_cannot_tell_nothing_is_said(tag: str, settings: Settings) -> None:
    tag = tag.replace("DIRTY", f"{built_from(settings)}-dirty")
    images.write(settings.root / IMAGES, {kind: image(kind, tag) for kind in ("serving", "pipeline")})
    (settings.root / "config/serving.yaml").write_text("port: 2\n")
    assert origin.outdated(settings, "dev") == ""


def test_without_a_repository_or_images_nothing_is_said(settings: Settings, tmp_path: Path) -> None:
    (settings.root / "config/serving.yaml").write_text("port: 2\n")
    assert origin.outdated(settings, "dev") != ""
    assert origin.outdated(settings, "staging") == origin.outdated(settings, "laptop") == ""
    (settings.root / ".git").rename(tmp_path / "elsewhere")
    assert origin.outdated(settings, "dev") == ""


def test_an_image_keeps_its_commit_when_another_is_built(settings: Settings) -> None:
    at = built_from(settings)
    images.write(settings.root / IMAGES, {"pipeline": image("pipeline", "0123456789ab-dirty")})
    assert origin.commits(settings.root / IMAGES) == {"serving": at, "pipeline": "0123456789ab-dirty"}


def test_what_is_not_committed_is_named(settings: Settings) -> None:
    assert origin.uncommitted(settings.root) == ""
    (settings.root / "config/serving.yaml").write_text("port: 2\n")
    (settings.root / "new.md").write_text("")
    assert origin.uncommitted(settings.root) == (
        "note: config/serving.yaml, new.md: not committed, so the images are called -dirty and nobody can build them again: "
        "deploy them to no environment after dev"
    )


def test_a_configuration_that_pods_would_refuse_goes_into_no_image(tmp_path: Path) -> None:
    file = sample_project.write(tmp_path) / "config" / "serving.yaml"
    file.write_text(file.read_text().replace("port:", "prot:", 1))
    with pytest.raises(Refused, match=r"(?m)^config/serving\.yaml: prot: "):
        images.make(Settings.load(tmp_path), "dev", Builder(("docker",)), Delivery(registry="r.example.org"))
