"""`make serve`: the champion is served; a second one hands over to the next champion, and no client notices."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from {{ cookiecutter.package }} import __name__ as package
from {{ cookiecutter.package }} import bundle
from {{ cookiecutter.package }}.errors import Refused
from {{ cookiecutter.package }}.registry import CHAMPION, Registry
from {{ cookiecutter.package }}.serving import handover
from {{ cookiecutter.package }}.serving.server import listening
from {{ cookiecutter.package }}.settings import Settings
from {{ cookiecutter.package }}.store import Store

import sample_project

from .helpers import Clients, score, write_bundle, write_settings

Serve = Callable[..., subprocess.Popen[str]]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A project with short times, in which only what a server needs is right.

    Making a registry takes seconds, so the tests share it and use an environment each.
    """
    root = tmp_path_factory.mktemp("project")
    sample_project.write(root)
    write_settings(root, concurrency=64)
    for name in ("data", "training", "monitoring"):
        (root / "config" / f"{name}.yaml").write_text("a typo: [\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("ARTIFACT_URI", "MLFLOW_TRACKING_URI"):
            patch.delenv(name, raising=False)
        yield Settings.load(root)


@pytest.fixture
def serve(settings: Settings) -> Iterator[Serve]:
    """Run `serve` as a person would, in processes that end with the test."""
    started: list[subprocess.Popen[str]] = []

    def run(environment: str, *options: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", package, "serve", "--environment", environment, *options]
        path = os.pathsep.join(path for path in sys.path if path)
        variables = {**os.environ, "PROJECT_ROOT": str(settings.root), "PYTHONPATH": path}
        pipe = subprocess.PIPE
        started.append(subprocess.Popen(command, env=variables, stdout=pipe, stderr=pipe, text=True, cwd=settings.root))
        return started[-1]

    yield run
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


def promote(settings: Settings, name: str, golden: float | None = None) -> str:
    """Publish, register and make champion: what `promote` does, without its records."""
    environment = settings.environment(name)
    bundle_id = write_bundle(settings.root / "new" / name, golden)
    uri = bundle.publish(settings.root / "new" / name / bundle_id, Store.open(environment.store_uri))
    registry = Registry(environment)
    registry.set_alias(CHAMPION, registry.register(uri, bundle_id, "A <a@example.org>"))
    return bundle_id


def wait(settings: Settings, name: str) -> handover.State:
    """The state of the server, as soon as there is one."""
    for _ in range(300):
        if state := handover.served(settings, name):
            return state
        time.sleep(0.1)
    raise AssertionError("no server came up")


@pytest.mark.proof("A server that is stopped, or hands over to a new model, loses no request of its clients")
def test_handover_loses_no_request(settings: Settings, serve: Serve) -> None:
    first = promote(settings, "local")
    supervisor = serve("local")
    state = wait(settings, "local")
    assert (state.bundle, state.version, state.handovers) == (first, "1", 0)
    clients = Clients(state.port, 8, reconnect=True)
    time.sleep(0.5)

    second = promote(settings, "local", golden=score() + 1e-8)
    asked = serve("local")
    output, errors = asked.communicate(timeout=60)
    assert asked.returncode == 0, errors
    assert output.splitlines()[-1] == f"now serving version 2 (bundle {second[:12]}) at http://127.0.0.1:{state.port}"
    time.sleep(0.5)
    after = handover.State(state.pid, state.port, state.metrics_port, second, "2", handovers=1)
    assert handover.served(settings, "local") == after

    # A champion that does not start changes nothing.
    promote(settings, "local", golden=0.1)
    asked = serve("local")
    _, errors = asked.communicate(timeout=60)
    assert asked.returncode == 1
    assert "the golden request gave" in errors
    assert f"still serving version 2 (bundle {second[:12]})" in errors

    assert clients.stop() == [[200]] * 8
    assert clients.versions == {"1", "2"}
    assert clients.answered > 100
    supervisor.send_signal(signal.SIGINT)
    assert supervisor.wait(20) == 0
    assert handover.served(settings, "local") is None


def test_the_port_of_the_metrics_moves_along(settings: Settings) -> None:
    configured = settings.serving.model_copy(update={"port": 8080, "metrics_port": 8081})
    assert handover.ports(configured, None) == (8080, 8081)
    assert handover.ports(configured, 9000) == (9000, 9001)
    assert handover.ports(configured, 0) == (0, 0)
    assert handover.ports(settings.serving, 9000) == (9000, 0)


def test_no_model_then_the_first_champion(settings: Settings, serve: Serve) -> None:
    serve("dev")
    assert wait(settings, "dev").bundle is None
    log = (settings.artifacts / "serving" / "dev" / "server.log").read_text()
    assert "in dev yet: run `make train ENV=dev` and `make promote ENV=dev REASON=…`, then `make serve ENV=dev`" in log
    bundle_id = promote(settings, "dev")
    assert serve("dev").wait(60) == 0
    assert wait(settings, "dev").bundle == bundle_id


def test_a_taken_port_is_refused(settings: Settings, serve: Serve) -> None:
    serve("prod")
    port = wait(settings, "prod").port
    other = serve("staging", "--port", str(port))
    _, errors = other.communicate(timeout=60)
    assert other.returncode == 1
    assert f"refused: port {port} on 127.0.0.1: address already in use; stop the program that has it" in errors


def test_a_killed_supervisor_takes_its_server_along(settings: Settings, serve: Serve) -> None:
    supervisor = serve("staging")
    port = wait(settings, "staging").port
    supervisor.kill()
    supervisor.communicate(timeout=10)
    assert handover.served(settings, "staging") is None
    for _ in range(100):
        with suppress(Refused):
            listening("127.0.0.1", port).close()
            return
        time.sleep(0.1)
    raise AssertionError("the server lives on")
