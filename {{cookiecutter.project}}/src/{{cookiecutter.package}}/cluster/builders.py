"""The programs that build images. Docker, podman and buildah do the same in words of their own."""

import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ..errors import Refused

EPOCH = "315532800"
"""1980-01-01: the time of every file that a build adds, so that what did not change is one and the same layer in each image."""

ANSWER_SECONDS = 60
"""For a program that was never used on this machine; one whose daemon hangs answers never."""

LINES = 15
"""Of what a builder said last: pip's errors are about as long."""

_LOCAL = re.compile(r"(localhost|127\.0\.0\.1)(:\d+)?/")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class _Words:
    answers: tuple[str, ...]
    build: tuple[str, ...]
    save: tuple[str, ...]
    push: tuple[str, ...]
    plain: tuple[str, ...]
    """For a registry on this machine, which has no certificate; docker knows that by itself."""
    start: str


_REPRODUCIBLE = ("--layers", "--timestamp", EPOCH)
_WORDS = {
    "docker": _Words(
        answers=("version",),
        build=("build", "--build-arg", f"SOURCE_DATE_EPOCH={EPOCH}"),
        save=("save", "--output", "{archive}", "{name}"),
        push=("push", "{name}"),
        plain=(),
        start="start it (Docker Desktop, or: sudo systemctl start docker)",
    ),
    "podman": _Words(
        answers=("info",),
        build=("build", *_REPRODUCIBLE),
        save=("save", "--format", "docker-archive", "--output", "{archive}", "{name}"),
        push=("push", "--digestfile", "{digest}", "{name}"),
        plain=("--tls-verify=false",),
        start="start it (podman machine start)",
    ),
    "buildah": _Words(
        answers=("info",),
        build=("build", *_REPRODUCIBLE),
        save=("push", "{name}", "docker-archive:{archive}:{name}"),
        push=("push", "--digestfile", "{digest}", "{name}", "docker://{name}"),
        plain=("--tls-verify=false",),
        start="give it what it lacks",
    ),
}
NAMES = tuple(_WORDS)


@dataclass(frozen=True)
class Recipe:
    """What is built from what."""

    name: str
    file: Path
    context: Path
    arguments: dict[str, str]
    target: str = ""


class Builder:
    """One of the programs, with the options that it is always given."""

    def __init__(self, command: tuple[str, ...], options: tuple[str, ...] = ()) -> None:
        self._command, self._options = command, options
        self.kind = Path(command[0]).name
        self._words = _WORDS[self.kind]

    @classmethod
    def find(cls, container: str = "", options: str = "") -> "Builder":
        """Take the one that CONTAINER names, options and all, else the first that answers; Refused says of each why it cannot be used."""
        more, commands = _split("BUILD_OPTIONS", options), _commands(container)
        problems: list[str] = []
        for command in commands:
            found = cls(command, more)
            if not (problem := found._problem()):
                if problems:
                    print(f"note: {'; '.join(problems)}; {found.kind} builds instead")
                return found
            problems.append(problem)
        tried = {Path(command[0]).name for command in commands}
        others = [f", or name another program: CONTAINER={name}" for name in NAMES if name not in tried]
        raise Refused("\n".join(problems) + "".join(others[:1]))

    def build(self, recipe: Recipe, log: Path) -> None:
        """Build an image; what the builder says is written to `log`."""
        words = [*self._words.build, "--file", str(recipe.file), "--tag", recipe.name]
        words += ["--target", recipe.target] if recipe.target else []
        for name, value in recipe.arguments.items():
            words += ["--build-arg", f"{name}={value}"]
        command = [*self._command, *words, *self._options, str(recipe.context)]
        with log.open("w") as output:
            # BuildKit, which old dockers do not use unless told: the Dockerfiles mount secrets.
            environment = os.environ | {"DOCKER_BUILDKIT": "1"}
            done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=False, env=environment)
        if done.returncode != 0:
            said = _last(log.read_text(errors="replace"), LINES)
            raise Refused(f"{recipe.name} was not built: {said}\n(all that {self.kind} said: {log})")

    def save(self, name: str, archive: Path) -> None:
        """Write an image into a file, in the form of `docker save`."""
        self._run(f"{name} could not be saved", *self._words.save, name=name, archive=archive)

    def push(self, name: str, scratch: Path) -> str:
        """Put an image into its registry; returns its digest there."""
        file = scratch / "digest"
        plain = self._words.plain if _LOCAL.match(name) else ()
        words = (self._words.push[0], *plain, *self._words.push[1:])
        registry = name.partition("/")[0]
        remedy = f"is {registry} the right registry, and are you logged in? ({self.kind} login {registry})"
        said = self._run(f"{name} was not pushed; {remedy}", *words, name=name, digest=file)
        found = _DIGEST.findall(file.read_text() if file.exists() else said)
        if not found:
            raise Refused(f"{name} was pushed, but {self.kind} named no digest: {_last(said, LINES)}")
        return str(found[-1])

    def _problem(self) -> str:
        """Why it cannot be used, and what to do; empty when it answers."""
        command = [*self._command, *self._words.answers]
        try:
            done = subprocess.run(command, text=True, capture_output=True, check=False, timeout=ANSWER_SECONDS)
        except subprocess.TimeoutExpired:
            return f"{self.kind} cannot be used: no answer within {ANSWER_SECONDS} s; {self._words.start}"
        if done.returncode != 0:
            return f"{self.kind} cannot be used: {_last(done.stderr, 1)}; {self._words.start}"
        return ""

    def _run(self, failed: str, *words: str, **values: str | Path) -> str:
        command = [*self._command, *(word.format(**values) for word in words)]
        done = subprocess.run(command, text=True, capture_output=True, check=False)
        if done.returncode != 0:
            raise Refused(f"{failed}: {_last(done.stderr, 1)}")
        return done.stdout


def _commands(container: str) -> list[tuple[str, ...]]:
    """The command that CONTAINER is, else one for each program on PATH; Refused when there is none."""
    if not (command := _split("CONTAINER", container)):
        if not (found := [(name,) for name in NAMES if shutil.which(name)]):
            raise Refused(
                f"no program that builds images was found: install {', '.join(NAMES[:-1])} or {NAMES[-1]} "
                "(https://docs.docker.com/get-docker, https://podman.io/docs/installation, https://buildah.io), or name it: CONTAINER=/path/to/podman"
            )
        return list(found)
    if Path(command[0]).name not in _WORDS:
        raise Refused(
            f"CONTAINER: {command[0]}: must be {', '.join(NAMES[:-1])} or {NAMES[-1]}, with options or without"
        )
    if shutil.which(command[0]) is None:
        raise Refused(f"CONTAINER: {command[0]} was not found: install it, or name another one")
    return [command]


def _split(name: str, value: str) -> tuple[str, ...]:
    """The words of a command, as a shell would part them."""
    try:
        return tuple(shlex.split(value))
    except ValueError as error:
        raise Refused(f"{name}: {value}: {str(error).lower()}") from None


def _last(text: str, lines: int) -> str:
    return "\n".join([line.rstrip() for line in text.splitlines() if line.strip()][-lines:]) or "it said nothing"
