"""`make image`, with a stand-in for the program that builds: what is asked of it, measured, recorded and refused."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from {{ cookiecutter.package }}.cluster import archive, builders, images
from {{ cookiecutter.package }}.cluster.builders import Builder
from {{ cookiecutter.package }}.cluster.images import Delivery, Image
from {{ cookiecutter.package }}.errors import Refused
from {{ cookiecutter.package }}.settings import Settings
from {{ cookiecutter.package }}.strict import read_yaml

import sample_project

from ..unit.git_helpers import commit, isolated, start
from .stand_ins import HISTORY, SBOM, program, saved

DIGEST = f"sha256:{'d' * 64}"
SETTINGS = Settings.load(sample_project.root())


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gzip"])
def test_what_is_ours_begins_where_the_base_is_named(compressed: bool, tmp_path: Path) -> None:
    base, packages, sbom = saved(tmp_path / "image.tar", compressed)
    found = archive.read(tmp_path / "image.tar")
    assert found == archive.Contents("python:3.13", base, packages + sbom, SBOM)


def test_an_image_that_names_no_base_is_all_ours(tmp_path: Path) -> None:
    sizes = saved(tmp_path / "image.tar", history=[line for line in HISTORY if "LABEL" not in line["created_by"]])
    found = archive.read(tmp_path / "image.tar")
    assert (found.base_bytes, found.added_bytes) == (0, sum(sizes))


def test_delivery() -> None:
    assert Delivery.of("kind load image-archive", "", "r.example.org", "dev").load == "kind load image-archive"
    assert Delivery.of("", "localhost:5001", "r.example.org", "dev").registry == "localhost:5001"
    assert Delivery.of("", "", "r.example.org/team", "dev").registry == "r.example.org/team"


@pytest.mark.parametrize(
    ("load", "push", "known", "said"),
    [
        ("", "", "", r"^no LOAD and no PUSH: .*k8s/overlays/dev/environment\.yaml: data\.registry$"),
        ("x", "y", "", "^LOAD and PUSH are both given"),
        ("", "https://r.example.org", "", "^PUSH: https://r.example.org: must be a host and a path"),
        ("", "", "Team", "^PUSH: Team: must be a host and a path in lower case"),
    ],
)
def test_refused_deliveries(load: str, push: str, known: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        Delivery.of(load, push, known, "dev")


def test_the_platforms_image_is_built_where_the_platform_is_used() -> None:
    assert images.selected("", platform=True) == ("serving", "pipeline", "mlflow")
    assert images.selected("", platform=False) == ("serving", "pipeline")
    assert images.selected("mlflow serving", platform=False) == ("serving", "mlflow")
    with pytest.raises(Refused, match=r"^IMAGES: server: must be of serving, pipeline, mlflow$"):
        images.selected("server", platform=True)


@pytest.mark.parametrize(
    ("remote", "shown"),
    [
        (None, ""),
        ("https://ada:token@git.example.org/team/x.git", "https://git.example.org/team/x.git"),
        ("https://git.example.org:8443/x", "https://git.example.org:8443/x"),
        ("git@git.example.org:team/x.git", "git@git.example.org:team/x.git"),
    ],
)
def test_no_image_names_a_password(remote: str | None, shown: str) -> None:
    assert images.public(remote) == shown


def image(name: str, tag: str = "12345678", digest: str = DIGEST) -> Image:
    return Image(name, tag, digest, "python:3.13", 229_000_000, 189_700_000)


def test_a_person_reads_name_and_size() -> None:
    assert images.said("serving", image("r/x")) == f"serving: r/x@{DIGEST}, 190 MB on the 229 MB of python:3.13"
    assert images.said("serving", replace(image("r/x", digest=""), base="")) == "serving: r/x:12345678, 190 MB"


def test_what_was_not_built_now_stays_as_it_is_written(tmp_path: Path) -> None:
    file = tmp_path / "images" / "kustomization.yaml"
    images.write(file, {"serving": image("a"), "pipeline": image("b", digest="")})
    images.write(file, {"serving": image("c", digest="")})
    assert read_yaml(file, str(file)) == {
        "apiVersion": "kustomize.config.k8s.io/v1alpha1",
        "kind": "Component",
        "images": [
            {"name": "serving", "newName": "c", "newTag": "12345678"},
            {"name": "pipeline", "newName": "b", "newTag": "12345678"},
        ],
    }


def test_no_program_that_builds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Refused, match=r"^no program that builds images was found: install docker, podman or buildah "):
        Builder.find()
    with pytest.raises(Refused, match=r"^CONTAINER: podman was not found"):
        Builder.find("podman --root /x")
    with pytest.raises(Refused, match=r"^CONTAINER: kaniko: must be docker, podman or buildah"):
        Builder.find("kaniko")
    with pytest.raises(Refused, match=r'^CONTAINER: podman "x: no closing quotation'):
        Builder.find('podman "x')


def test_the_first_that_is_found_and_does_not_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program(tmp_path / "docker", "echo Is the docker daemon running? >&2; exit 1")
    monkeypatch.setenv("PATH", str(tmp_path))
    said = r"^docker cannot be used: Is the docker daemon running\?; start it .* or name another program: CONTAINER=podman$"
    with pytest.raises(Refused, match=said):
        Builder.find()


SILENT = {
    "docker": "echo Is the docker daemon running? >&2; exit 1",
    "podman": "echo cannot connect >&2; exit 125",
    "buildah": "exit 1",
}


def test_the_first_that_answers_builds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program(tmp_path / "docker", SILENT["docker"])
    program(tmp_path / "buildah", "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Builder.find().kind == "buildah"
    said = capsys.readouterr().out
    assert said.startswith("note: docker cannot be used: Is the docker daemon running?; start it ")
    assert said.endswith("; buildah builds instead\n")
    program(tmp_path / "docker", "exit 0")
    assert Builder.find().kind == "docker"
    assert capsys.readouterr().out == ""


def test_the_one_that_is_named_builds_or_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program(tmp_path / "docker", SILENT["docker"])
    program(tmp_path / "buildah", "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Refused, match=r"^docker cannot be used: .*, or name another program: CONTAINER=podman$"):
        Builder.find("docker --context far")


def test_when_none_answers_each_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, body in SILENT.items():
        program(tmp_path / name, body)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Refused) as refused:
        Builder.find()
    assert [line.partition("; ")[0] for line in str(refused.value).splitlines()] == [
        "docker cannot be used: Is the docker daemon running?",
        "podman cannot be used: cannot connect",
        "buildah cannot be used: it said nothing",
    ]


def test_one_that_hangs_does_not_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program(tmp_path / "docker", "exec /bin/sleep 60")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(builders, "ANSWER_SECONDS", 0.2)
    with pytest.raises(Refused, match=r"^docker cannot be used: no answer within 0\.2 s; start it "):
        Builder.find()


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A project with an environment in a cluster, in a repository of its own."""
    isolated(monkeypatch)
    monkeypatch.delenv("ARTIFACTS_DIR", raising=False)
    root = tmp_path / "project"
    values = {
        "environment": "dev",
        "artifact_uri": "s3://models",
        "mlflow_uri": "https://mlflow.example.org",
        "registry": "r.example.org/team",
    }
    files = {"Dockerfile": "FROM x\n", ".gitignore": "/artifacts/\n"}
    files["k8s/overlays/dev/environment.yaml"] = json.dumps({"data": values})
    root.mkdir()
    commit(start(root), None, files)
    return replace(SETTINGS, root=root)


PROGRAM = """printf '%s\\n' "$*" >>"$(dirname "$0")/asked"
case "$1 $*" in
info*) ;;
build*) BUILD ;;
push*docker-archive:*) to=${3#docker-archive:}; cp "$(dirname "$0")/ready.tar" "${to%%:*}" ;;
push*) file=$3; PUSH ;;
esac"""


def builder(folder: Path, build: str = ":", push: str = f'printf {DIGEST} >"$file"') -> Builder:
    """A stand-in that keeps what it was asked for, and saves the archive that `saved` has written."""
    saved(folder / "ready.tar")
    return Builder.find(program(folder / "buildah", PROGRAM.replace("BUILD", build).replace("PUSH", push)))


def made(settings: Settings) -> Path:
    return settings.root / "k8s/overlays/dev/images/kustomization.yaml"


def test_pushed_images_stand_in_the_overlay_by_digest(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images.make(settings, "dev", builder(tmp_path), Delivery.of("", "", "r.example.org/team", "dev"))
    entries = read_yaml(made(settings), "x")["images"]  # type: ignore[index]  # it is a mapping
    assert entries == [
        {"name": kind, "newName": f"r.example.org/team/{settings.project}-{kind}", "digest": DIGEST}
        for kind in ("serving", "pipeline")
    ]
    folder = settings.root / "artifacts" / "images"
    assert (folder / "serving.sbom.json").read_bytes() == SBOM
    recorded = json.loads((folder / "images.json").read_text())
    assert recorded["pipeline"]["reference"] == f"r.example.org/team/{settings.project}-pipeline@{DIGEST}"
    asked = (tmp_path / "asked").read_text().splitlines()
    assert [line.split()[0] for line in asked] == ["info", "build", "build", "push", "push", "push", "push"]
    assert "--target serving" in asked[1]
    assert "--timestamp 315532800" in asked[1]
    # The overlay that was just written is no change of what is built.
    tag = recorded["serving"]["tag"]
    assert f"--build-arg VERSION={tag} " in asked[1]
    images.make(settings, "dev", builder(tmp_path), Delivery.of("", "", "r.example.org/team", "dev"), "serving")
    assert json.loads((folder / "images.json").read_text())["serving"]["tag"] == tag
    capsys.readouterr()
    (settings.root / "Dockerfile").write_text("FROM y\n")
    images.make(settings, "dev", builder(tmp_path), Delivery.of("", "", "r.example.org/team", "dev"), "serving")
    name = f"r.example.org/team/{settings.project}-serving:{tag}-dirty"
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("note: Dockerfile: not committed, so the images are called -dirty ")
    assert said[1:4] == [f"building {name} …", f"saving {name} …", f"pushing {name} …"]
    assert json.loads((folder / "images.json").read_text())["serving"]["tag"] == f"{tag}-dirty"


@pytest.mark.parametrize(
    ("says", "entry"),
    [
        ("echo loaded", {"newName": f"localhost/{SETTINGS.project}-serving", "newTag": "TAG"}),
        (
            'echo loaded; echo "${IMAGE%:*}@' + DIGEST + '"',
            {"newName": f"localhost/{SETTINGS.project}-serving", "digest": DIGEST},
        ),
    ],
    ids=["by tag", "by digest"],
)
def test_loaded_images_are_named_as_their_loader_says(
    says: str, entry: dict[str, str], settings: Settings, tmp_path: Path
) -> None:
    load = program(tmp_path / "load", f'[ -s "$2" ] && {says}')
    images.make(settings, "dev", builder(tmp_path), Delivery.of(f"{load} image-archive", "", "", "dev"), "serving")
    (found,) = read_yaml(made(settings), "x")["images"]  # type: ignore[index]  # it is a mapping
    recorded = json.loads((settings.root / "artifacts" / "images" / "images.json").read_text())
    assert found == {"name": "serving"} | entry | ({"newTag": recorded["serving"]["tag"]} if "newTag" in entry else {})


@pytest.mark.parametrize(
    ("build", "push", "load", "said"),
    [
        (
            "echo error: no such index; exit 1",
            "",
            "",
            r"^r\.example\.org/.*-serving:\w{12} was not built: error: no such index\n\(all that buildah said: .*serving\.log\)$",
        ),
        (
            ":",
            "echo denied >&2; exit 1",
            "",
            r"^r\.example\.org/\S* was not pushed; is r\.example\.org the right registry, and are you logged in\? "
            r"\(buildah login r\.example\.org\): denied$",
        ),
        (":", "echo done", "", r" was pushed, but buildah named no digest: done$"),
        (":", "", "false", r"^LOAD: false ended with 1 for localhost/\S*: it said nothing$"),
        (":", "", "no-such-program", r"^LOAD: no-such-program: .*No such file"),
    ],
    ids=["build", "push", "no digest", "load", "no loader"],
)
def test_nothing_is_recorded_unless_all_succeeded(
    build: str, push: str, load: str, said: str, settings: Settings, tmp_path: Path
) -> None:
    delivery = Delivery.of(load, "" if load else "r.example.org", "", "dev")
    with pytest.raises(Refused, match=said):
        images.make(settings, "dev", builder(tmp_path, build, push), delivery)
    assert not made(settings).exists()
    assert not (settings.root / "artifacts" / "images" / "images.json").exists()


def test_images_are_called_by_a_commit(settings: Settings, tmp_path: Path) -> None:
    (settings.root / ".git").rename(tmp_path / "elsewhere")
    with pytest.raises(Refused, match=r"^images are called by the commit .*in no Git repository: commit first$"):
        images.make(settings, "dev", builder(tmp_path), Delivery(registry="r.example.org"))
