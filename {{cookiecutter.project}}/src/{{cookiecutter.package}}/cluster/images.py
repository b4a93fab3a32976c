"""`make image`: build an environment's images, bring them where its nodes find them, and write down which they are."""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console

from .. import advice, lineage, staging
from ..errors import Refused
from ..settings import Settings
from ..strict import read_yaml
from . import archive, origin, overlay
from .builders import Builder, Recipe

PROJECT, PLATFORM = ("serving", "pipeline"), "mlflow"
PLATFORM_SERVICE = "//mlflow.mlops-platform.svc"
HERE = "localhost"
"""The registry of images that are in none: a name without a host would mean Docker Hub, and somebody may own it there."""

_REGISTRY = re.compile(r"[a-z0-9][a-z0-9.-]*(:[0-9]+)?(/[a-z0-9._-]+)*")
_BY_DIGEST = re.compile(r"(\S+)@(sha256:[0-9a-f]{64})")


@dataclass(frozen=True)
class Delivery:
    """How images reach the nodes: a command that loads an archive, or a registry."""

    load: str = ""
    registry: str = ""

    @classmethod
    def of(cls, load: str, push: str, known: str, environment: str) -> "Delivery":
        """What the user said, else the environment's own registry."""
        if load and push:
            raise Refused("LOAD and PUSH are both given: the images go into the nodes or into a registry; give one")
        if load:
            return cls(load=load)
        if not (registry := push or known):
            raise Refused(
                "no LOAD and no PUSH: say how the images reach the nodes: LOAD='kind load image-archive' puts them into a kind "
                "cluster, PUSH=registry.example.org/team into a registry; or write the registry into "
                f"k8s/overlays/{environment}/environment.yaml: data.registry"
            )
        if not _REGISTRY.fullmatch(registry):
            raise Refused(f"PUSH: {registry}: must be a host and a path in lower case, as in registry.example.org/team")
        return cls(registry=registry)


@dataclass(frozen=True)
class Image:
    """One image where nodes find it: by digest, or, where nothing names one, by tag."""

    name: str
    tag: str
    digest: str
    base: str
    base_bytes: int
    added_bytes: int

    @property
    def reference(self) -> str:
        """What a pod names."""
        return f"{self.name}@{self.digest}" if self.digest else f"{self.name}:{self.tag}"


def make(settings: Settings, environment: str, builder: Builder, delivery: Delivery, only: str = "") -> None:
    """Build, deliver, measure and record; nothing is recorded unless all of it succeeded."""
    settings.checked()  # it goes into the images, whose pods would refuse it
    place = overlay.read(settings, environment)
    wanted = selected(only, PLATFORM_SERVICE in place.mlflow_uri)
    tag, arguments = _revision(settings.root)
    folder = settings.artifacts / "images"
    folder.mkdir(parents=True, exist_ok=True)
    recipes = {kind: _recipe(settings, kind, delivery.registry or HERE, tag, arguments) for kind in wanted}
    console, made = Console(soft_wrap=True), {}
    if note := origin.uncommitted(settings.root):
        console.print(note, highlight=False, markup=False)
    with console.status("") as status:

        def say(what: str) -> None:
            if console.is_terminal:
                status.update(what)
            else:
                print(f"{what} …", flush=True)  # minutes pass, and who reads a log wants to know with what

        for kind, recipe in recipes.items():
            say(f"building {recipe.name}")
            builder.build(recipe, folder / f"{kind}.log")
        for kind, recipe in recipes.items():
            made[kind] = _deliver(recipe.name, builder, delivery, folder / f"{kind}.sbom.json", say)
            console.print(said(kind, made[kind]), highlight=False)
    _record(folder / "images.json", made)
    file = settings.root / "k8s" / "overlays" / environment / "images" / "kustomization.yaml"
    write(file, made)
    verb = "platform" if PLATFORM in made else "deploy"
    console.print(
        f"{file.relative_to(settings.root)} names them; next: make {verb}{advice.where(settings, environment)}",
        highlight=False,
    )


def selected(only: str, platform: bool) -> tuple[str, ...]:
    """Which images: those named, else the project's, and the platform's where the environment uses that."""
    known = (*PROJECT, PLATFORM)
    if unknown := sorted(set(only.split()) - set(known)):
        raise Refused(f"IMAGES: {', '.join(unknown)}: must be of {', '.join(known)}")
    return tuple(kind for kind in known if kind in only.split()) or (known if platform else PROJECT)


def said(kind: str, image: Image) -> str:
    """One line about an image, for a person."""
    sizes = f"{image.added_bytes / 1e6:.0f} MB"
    if image.base:
        sizes += f" on the {image.base_bytes / 1e6:.0f} MB of {image.base}"
    return f"{kind}: {image.reference}, {sizes}"


def public(remote: str | None) -> str:
    """An address of a repository without the name and password that it may hold; empty when there is none."""
    if not remote or "://" not in remote:
        return remote or ""
    parts = urlsplit(remote)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def kustomization(images: Iterable[dict[str, str]]) -> str:
    """The component that replaces the names in the manifests."""
    lines = [
        "# Written by `make image`; committed, it is what decides which images run here.",
        "apiVersion: kustomize.config.k8s.io/v1alpha1",
        "kind: Component",
        "images:",
    ]
    for image in images:
        built = f" # built from {image['commit']}" if image.get("commit") else ""
        lines.append(f"  - name: {image['name']}{built}")
        lines += [f'    {key}: "{image[key]}"' for key in ("newName", "newTag", "digest") if key in image]
    return "\n".join([*lines, ""])


def write(file: Path, made: dict[str, Image]) -> None:
    """Write the component; entries of images that were not made now stay."""
    before = read_yaml(file, str(file)) if file.exists() else {}
    commits = origin.commits(file)
    known = {
        entry["name"]: entry | {"commit": commits.get(entry["name"], "")} for entry in (before or {}).get("images", [])
    }
    for kind, image in made.items():
        which = {"digest": image.digest} if image.digest else {"newTag": image.tag}
        known[kind] = {"name": kind, "newName": image.name, "commit": image.tag, **which}
    file.parent.mkdir(parents=True, exist_ok=True)
    staging.write(file, kustomization(known.values()).encode())


def _revision(root: Path) -> tuple[str, dict[str, str]]:
    """The tag, and what is written into the images about where they come from."""
    source = lineage.source(root)
    if source.commit is None:
        raise Refused(f"images are called by the commit that they were built from, and {source.reason}: commit first")
    dirty = origin.DIRTY if origin.uncommitted(root) else ""
    tag = source.commit[:12] + dirty
    remote = public(lineage.git(root, "remote", "get-url", "origin"))
    return tag, {"REVISION": source.commit + dirty, "SOURCE": remote, "VERSION": tag}


def _recipe(settings: Settings, kind: str, registry: str, tag: str, arguments: dict[str, str]) -> Recipe:
    if kind == PLATFORM:
        context = settings.root / "k8s" / "platform" / PLATFORM
        return Recipe(f"{registry}/mlops-platform-{kind}:{tag}", context / "Dockerfile", context, arguments)
    name = f"{registry}/{settings.project}-{kind}:{tag}"
    return Recipe(name, settings.root / "Dockerfile", settings.root, arguments, target=kind)


def _deliver(name: str, builder: Builder, delivery: Delivery, sbom: Path, say: Callable[[str], None]) -> Image:
    repository, _, tag = name.rpartition(":")
    with staging.scratch(sbom.parent) as scratch:
        file = scratch / "image.tar"
        say(f"saving {name}")
        builder.save(name, file)
        found = archive.read(file)
        if delivery.load:
            say(f"loading {name}: {delivery.load}")
            repository, digest = _load(delivery.load, name, file)
        else:
            say(f"pushing {name}")
            digest = builder.push(name, scratch)
    if found.sbom:
        staging.write(sbom, found.sbom)
    return Image(repository, tag, digest, found.base, found.base_bytes, found.added_bytes)


def _load(command: str, name: str, file: Path) -> tuple[str, str]:
    """Give the archive to the user's command. One that ends with NAME@sha256:… says by which name pods can use it."""
    try:
        words = shlex.split(command)
        environment = os.environ | {"IMAGE": name}
        done = subprocess.run([*words, str(file)], text=True, capture_output=True, check=False, env=environment)
    except (ValueError, OSError) as error:
        raise Refused(f"LOAD: {command}: {error}") from None
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
        raise Refused(f"LOAD: {command} ended with {done.returncode} for {name}: {said}")
    last = _BY_DIGEST.fullmatch((done.stdout.split() or [""])[-1])
    return (last[1], last[2]) if last else (name.rpartition(":")[0], "")


def _record(file: Path, made: dict[str, Image]) -> None:
    known: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    known |= {kind: {**asdict(image), "reference": image.reference} for kind, image in made.items()}
    staging.write(file, (json.dumps(known, indent=2, sort_keys=True) + "\n").encode())
