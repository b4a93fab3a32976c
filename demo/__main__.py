"""`make demo`: generate a project, train, promote, serve, ask it for real flights, and measure what is claimed of it."""

import contextlib
import csv
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from cookiecutter.main import cookiecutter
from rich.console import Console
from rich.markup import escape
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
VENV = Path(os.environ.get("PROJECT_VENV", BUILD / "venv"))
PROJECT = BUILD / "flight-delay"
SCRATCH = BUILD / "demo"
TOLERANCE = 1e-6
"""Scores are float32; a table on disk and JSON may round the last digit."""
SHOWN = 5
START_SECONDS = 30

console = Console(highlight=False, soft_wrap=True)
Json = dict[str, Any]


def fail(what: str, said: str = "") -> NoReturn:
    """End the demo: what was wrong, and the last words of whoever said it."""
    if said:
        console.print(escape("\n".join(said.rstrip().splitlines()[-30:])))
    console.print(f"[bold red]failed:[/] {escape(what)}")
    sys.exit(1)


@contextlib.contextmanager
def stage(name: str) -> Iterator[None]:
    """Show one part of the work, then how long it took."""
    start = time.monotonic()
    with console.status(name):
        yield
    console.print(f"[green]done[/]  {escape(name)} ({time.monotonic() - start:.1f} s)")


def run(*command: str | Path) -> str:
    """Run a program in the project; its output, or the end of the demo."""
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=PROJECT, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        fail(" ".join(words), done.stdout + done.stderr)
    return done.stdout


def make(*words: str) -> str:
    return run("make", "--no-print-directory", f"VENV={VENV}", *words)


def generate() -> None:
    """A new project with the default answers; the one of an earlier demo goes."""
    for folder in (PROJECT, SCRATCH):
        shutil.rmtree(folder, ignore_errors=True)
    SCRATCH.mkdir(parents=True)
    settings = SCRATCH / "cookiecutter.yaml"  # not the user's: their answers would change the project
    settings.write_text(json.dumps({"cookiecutters_dir": str(SCRATCH), "replay_dir": str(SCRATCH)}))
    cookiecutter(str(ROOT), no_input=True, output_dir=str(BUILD), config_file=str(settings))


def free_port() -> int:
    """A port that nothing listens on, nor on the next: metrics have that."""
    while True:
        with socket.socket() as first, socket.socket() as second, contextlib.suppress(OSError, OverflowError):
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            second.bind(("127.0.0.1", port + 1))
            return port


def ask(url: str, body: Json | None = None) -> tuple[int, Json]:
    """Send a request; status and JSON of the answer, an error's too."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310  our own server
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@contextlib.contextmanager
def server() -> Iterator[str]:
    """`make serve` on a free port until the end of the block, as a process group of its own; yields the address."""
    port = free_port()
    url, log = f"http://127.0.0.1:{port}", SCRATCH / "serve.log"
    command = ["make", "--no-print-directory", f"VENV={VENV}", "serve", f"PORT={port}"]
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
        try:
            deadline = time.monotonic() + START_SECONDS
            while not is_ready(url):
                if process.poll() is not None or time.monotonic() > deadline:
                    fail("the server did not become ready", log.read_text())
                time.sleep(0.1)
            yield url
        finally:
            stop(process)


def is_ready(url: str) -> bool:
    try:
        return ask(f"{url}/v2/health/ready")[0] == 200
    except OSError:
        return False


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the whole group; the server finishes what it is answering first."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout=START_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def promoted() -> Json:
    """The promotion's record: what the store says, not what was printed."""
    records = sorted((PROJECT / "artifacts" / "store").glob("*/promotions/*-begun.json"))
    if len(records) != 1:
        fail(f"{len(records)} promotions are recorded instead of one")
    begun: Json = json.loads(records[0].read_text())
    return begun


def verified(folder: Path) -> Json:
    """The manifest of a published bundle, after its id and every file were computed again."""
    content = (folder / "manifest.json").read_bytes()
    manifest: Json = json.loads(content)
    if hashlib.sha256(content).hexdigest() != folder.name:
        fail(f"{folder.name} is not the sha256 of its manifest")
    for name, promise in manifest["files"].items():
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != promise["sha256"]:
            fail(f"{folder / name} is not what the manifest promises")
    return manifest


def check(condition: bool, claim: str, measured: str, proven: Table) -> None:
    """One line of what was proven; a claim that does not hold ends the demo."""
    if not condition:
        fail(f"{claim}: {measured}")
    proven.add_row("[green]yes[/]", escape(claim), escape(measured))


def main() -> None:
    """The whole demo; exits 1 when anything is not as claimed."""
    start = time.monotonic()
    with stage("generate a project with the default answers"):
        generate()
    package = json.loads((ROOT / "cookiecutter.json").read_text())["title"].lower().replace(" ", "_")
    with stage("make train: the compiled Kubeflow pipeline, on this machine"):
        printed = make("train")
    console.print(escape(printed.rstrip()) + "\n", style="dim")
    with stage("make promote"):
        make("promote", "REASON=the first model")
    table, requests, scored = (SCRATCH / name for name in ("flights.csv", "flights.json", "scores.csv"))
    with stage("make predict: score a table of flights"):
        flights = [VENV / "bin" / "python", ROOT / "demo" / "flights.py", package, table, requests]
        run("env", "PYTHONPATH=src", *flights)
        make("predict", f"INPUT={table}", f"OUTPUT={scored}")
    asked = json.loads(requests.read_text())
    with stage("make serve: the same flights, one request each"), server() as url:
        answers = [ask(f"{url}/v1/predict", {"rows": [each["row"]]}) for each in asked]
        (store,) = (PROJECT / "artifacts" / "store").glob("*/bundles")
        manifest = verified(store / promoted()["to"])
        golden = ask(f"{url}/v1/predict", {"rows": [manifest["golden"]["request"]]})[1]
        wrong = ask(f"{url}/v1/predict", {"rows": [{**asked[0]["row"], "dep_hour": 25}]})
    if bad := [status for status, _ in answers if status != 200]:
        fail(f"{len(bad)} of {len(answers)} requests were not answered with 200", str(answers[0]))
    show(asked, [answer for _, answer in answers], manifest)
    prove(manifest, [answer for _, answer in answers], list(csv.DictReader(scored.open())), golden, wrong)
    farewell(time.monotonic() - start)


def show(asked: list[Json], answers: list[Json], manifest: Json) -> None:
    """A few flights, what the model said, and what happened."""
    table = Table(
        "flight", "score", "decision", "arrived", box=None, title="Flights of the sample", title_justify="left"
    )
    for each, answer in list(zip(asked, answers, strict=True))[:: len(asked) // SHOWN][:SHOWN]:
        prediction = answer["predictions"][0]
        decision = "late" if prediction["decision"] else "on time"
        table.add_row(each["flight_id"], f"{prediction['score']:.3f}", decision, f"{each['arr_delay']:+.0f} min")
    console.print()
    console.print(table)
    first = answers[0]
    console.print(f"model {first['model']}, version {first['version']}, bundle {first['bundle']}")
    console.print(f"late from a score of {manifest['threshold']:.2f}\n")


def prove(
    manifest: Json, answers: list[Json], offline: list[dict[str, str]], golden: Json, wrong: tuple[int, Json]
) -> None:
    """Print each claim with what was measured."""
    proven = Table("", "what was proven", "measured", box=None)
    outcomes = [verdict["outcome"] for verdict in manifest["verdicts"]]
    passed, idle = outcomes.count("passed"), outcomes.count("not applicable")
    check(
        "refused" not in outcomes and passed > 0,
        "no gate refused the model",
        f"{passed} passed, {idle} not applicable",
        proven,
    )
    size = sum(file["size"] for file in manifest["files"].values())
    check(
        size > 0,
        "every file is what its manifest promises",
        f"{len(manifest['files'])} files, {size:,} bytes, sha256 of each",
        proven,
    )
    served, wanted = {answer["bundle"] for answer in answers}, promoted()["to"]
    check(served == {wanted}, "what is served is what was promoted", wanted[:12], proven)
    online = [answer["predictions"][0] for answer in answers]
    apart = max(abs(float(row["score"]) - each["score"]) for row, each in zip(offline, online, strict=True))
    check(
        apart <= TOLERANCE,
        "the server scores as the batch does",
        f"{len(online)} flights, largest difference {apart:.1g}",
        proven,
    )
    said, promise = golden["predictions"][0], manifest["golden"]
    apart = abs(said["score"] - promise["score"])
    same = said["decision"] == promise["decision"]
    check(
        apart <= TOLERANCE and same,
        "the golden request has its answer",
        f"{promise['score']:.6f}, difference {apart:.1g}",
        proven,
    )
    status, problem = wrong
    check(
        status == 422 and "dep_hour" in problem["detail"],
        "a row outside of the contract is refused",
        problem["detail"],
        proven,
    )
    console.print(proven)


def farewell(seconds: float) -> None:
    project = PROJECT.relative_to(Path.cwd()) if PROJECT.is_relative_to(Path.cwd()) else PROJECT
    console.print(f"\nEverything above took {seconds:.0f} s. The server is stopped; the project is in {project}.\n")
    console.print("Next:")
    console.print(f"  your own data   {project / 'config' / 'data.yaml'} names the table and its columns")
    console.print(f"  the runs        make -C {project} ui")
    console.print(f"  Kubernetes      {project / 'docs' / 'how-to' / 'try-it-on-kubernetes.md'} goes on from here")
    console.print("\nTo remove all of it: make clean")


main()
