"""Several promotions at once: one wins, and the others say so and have changed nothing."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from {{ cookiecutter.package }} import bundle, promotion, records, staging, switch
from {{ cookiecutter.package }}.errors import Refused
from {{ cookiecutter.package }}.registry import Registry, Version
from {{ cookiecutter.package }}.settings import Environment, EnvironmentRule, Settings
from {{ cookiecutter.package }}.store import Store

import sample_project

from .store_helpers import begun, make_bundle, outcomes

Train = Callable[[str], str]
SOURCE = Path(switch.__file__).parents[1]


def test_another_host_at_work_is_left_alone(settings: Settings, local: Environment, train: Train) -> None:
    bundle_id = train("one")
    begun(local, bundle_id, timedelta(minutes=1), "elsewhere:/lock")
    sentence = f"a promotion to {bundle_id[:12]} is under way in local: Somebody began it at .* on elsewhere; wait"
    with pytest.raises(Refused, match=sentence):
        promotion.promote(settings, "local", "x")
    assert promotion.recover(settings, "local")[0].startswith("a promotion to")
    assert outcomes(local) == [("promotion", "open")]


def test_who_only_looks_holds_nothing(settings: Settings, local: Environment, train: Train) -> None:
    train("one")
    promotion.promote(settings, "local", "x")
    with staging.locked(settings.artifacts / "local.lock"):
        # It would name another promotion if it had asked for the lock.
        assert promotion.recover(settings, "local") == []


def test_another_host_that_begins_while_we_look_is_left_alone(
    settings: Settings, local: Environment, train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle_id = train("one")
    read = records.read

    def read_first(store: Store) -> list[records.Attempt]:
        monkeypatch.setattr(records, "read", read)
        found = read(store)
        begun(local, bundle_id, timedelta(seconds=1), "elsewhere:/lock")
        return found

    monkeypatch.setattr(records, "read", read_first)
    with pytest.raises(Refused, match="is under way in local: Somebody began it"):
        promotion.promote(settings, "local", "x")
    assert outcomes(local) == [("promotion", "open")]
    assert Registry(local).champion() is None


def test_of_two_promotions_here_one_says_that_the_other_is_under_way(settings: Settings, train: Train) -> None:
    train("one")
    with (
        staging.locked(settings.artifacts / "local.lock"),
        pytest.raises(Refused, match="another promotion or rollback of local is under way here; wait for it to end"),
    ):
        promotion.promote(settings, "local", "x")
    assert promotion.promote(settings, "local", "x").champion.number == "1"


class Baton:
    """Lets two threads go on in one order only: a step lasts until its thread asks for the next one, or leaves."""

    def __init__(self, order: Sequence[str]) -> None:
        self._order, self._active = list(order), ""
        self._changed = threading.Condition()

    def turn(self) -> None:
        name = threading.current_thread().name
        with self._changed:
            self._end(name)
            assert self._changed.wait_for(lambda: not self._active and self._order[:1] == [name], 60)
            self._active = name

    def leave(self) -> None:
        name = threading.current_thread().name
        with self._changed:
            self._end(name)
            self._order = [other for other in self._order if other != name]
            self._changed.notify_all()

    def _end(self, name: str) -> None:
        if self._active == name:
            self._active = ""
            self._order.pop(0)
            self._changed.notify_all()


class Waiting(switch.Laptop):
    """A target whose change takes until it is this thread's turn again."""

    def __init__(self, baton: Baton) -> None:
        self.baton = baton

    def apply(self, version: Version | None) -> None:
        self.baton.turn()


# Each of two hosts, A and B, looks at the records, begins, and ends.
ORDERS = ["".join("A" if place in places else "B" for place in range(6)) for places in combinations(range(6), 3)]


@pytest.mark.proof("Of two promotions at once one wins and the other says so, whatever their clocks say")
@pytest.mark.parametrize("minutes", [0, 10], ids=lambda minutes: f"clock of B {minutes:+} min")
def test_of_two_hosts_exactly_one_wins_in_every_order_of_their_steps(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    monkeypatch.setenv("ARTIFACT_URI", (tmp_path / "store").as_uri())
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    clocks = {"A": timedelta(), "B": timedelta(minutes=minutes)}
    monkeypatch.setattr(switch, "_now", lambda: datetime.now(UTC) + clocks[threading.current_thread().name])
    # Without gates: these bundles hold no model that could be compared.
    rules = settings.gates.environments | {"staging": EnvironmentRule(after="dev", approval="none")}
    gates = settings.gates.model_copy(update={"environments": rules})
    for number, order in enumerate(ORDERS):
        case = replace(settings, project=f"case-{number}", gates=gates)
        ids = {name: published(case, tmp_path / case.project / name, f"{number} {name}") for name in "AB"}
        said = in_order(order, case, tmp_path, ids)
        won = [name for name in "AB" if said[name] == ids[name]]
        one_after_the_other = order.endswith(("AAA", "BBB"))
        assert len(won) == (2 if one_after_the_other else 1), (order, said)
        assert all("is under way in" in said[name] or "came first" in said[name] for name in "AB" if name not in won)
        won.sort(key=order.index)
        unchanged_but_for(case.environment("staging"), [ids[name] for name in won], order)


def published(settings: Settings, folder: Path, name: str) -> str:
    bundle_id = make_bundle(folder, name=name)
    bundle.publish(folder, Store.open(settings.environment("dev").store_uri))
    return bundle_id


def in_order(order: str, settings: Settings, folder: Path, ids: dict[str, str]) -> dict[str, str]:
    """What two hosts end with, champion or refusal, when their steps are taken in this order."""
    baton, said = Baton(order), {}
    recover, begin = switch.Switch.recover, records.begin

    def looking(self: switch.Switch) -> None:
        baton.turn()
        recover(self)

    def beginning(*arguments: Any) -> records.Attempt:
        baton.turn()
        return begin(*arguments)

    def promote() -> None:
        name = threading.current_thread().name
        try:
            host = replace(settings, root=folder / name)
            said[name] = promotion.promote(host, "staging", "x", ids[name], Waiting(baton)).champion.bundle_id
        except Refused as refused:
            said[name] = str(refused)
        finally:
            baton.leave()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(switch.Switch, "recover", looking)
        patch.setattr(records, "begin", beginning)
        threads = [threading.Thread(target=promote, name=name) for name in "AB"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return said


def unchanged_but_for(environment: Environment, winners: list[str], order: str) -> None:
    """Nothing in an environment but what these, in this order, have left."""
    registry, store = Registry(environment), Store.open(environment.store_uri)
    attempts = records.read(store)
    assert [(attempt.begun.to_id, attempt.succeeded) for attempt in attempts] == [(won, True) for won in winners], order
    assert {path.split("/")[1] for path in store.list(bundle.FOLDER)} == {*winners}, order
    assert [version.bundle_id for version in registry.versions()] == winners[::-1], order
    champion = registry.champion()
    assert champion is not None
    assert champion.bundle_id == winners[-1], order


# Says "changing" in the middle of its promotion and waits there for a line.
PROGRAM = f"""
import sys
from dataclasses import replace
from pathlib import Path
from {switch.__package__} import promotion
from {switch.__package__}.errors import Refused
from {switch.__package__}.settings import Settings
from {switch.__package__}.switch import Laptop

class Waiting(Laptop):
    def apply(self, version):
        print("changing", flush=True)
        sys.stdin.readline()

settings = replace(Settings.load(Path(sys.argv[1])), root=Path(sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
try:
    print(promotion.promote(settings, "local", "x", sys.argv[3], Waiting()).champion.bundle_id)
except Refused as refused:
    print("refused:", refused)
"""


@pytest.mark.proof("Of two promotions at once one wins and the other says so, whatever their clocks say")
@pytest.mark.parametrize("hosts", [1, 2])
def test_of_two_processes_at_once_one_wins_and_the_other_says_so(
    settings: Settings, train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hosts: int
) -> None:
    local = settings.environment("local")
    monkeypatch.setenv("ARTIFACT_URI", local.store_uri.rpartition("/")[0])
    monkeypatch.setenv("MLFLOW_TRACKING_URI", local.registry_uri)
    # What a host is known by is its lock, which lies in the project.
    roots = [tmp_path, tmp_path if hosts == 1 else tmp_path / "elsewhere"]
    ids = [train(name) for name in ("one", "two")]
    with started(roots[0], ids[0]) as one, started(roots[1], ids[1]) as two:
        processes = [one, two]
        assert [said(process) for process in processes] == ["ready", "ready"]
        for process in processes:
            tell(process)
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(said, processes))
        (winner,) = [number for number in (0, 1) if answers[number] == "changing"]
        busy = {1: "another promotion or rollback of local", 2: f"a promotion to {ids[winner][:12]}"}
        assert answers[1 - winner].startswith(f"refused: {busy[hosts]} is under way ")
        tell(processes[winner])
        assert said(processes[winner]) == ids[winner]
    assert [process.returncode for process in processes] == [0, 0]
    champion = Registry(local).champion()
    assert champion is not None
    assert champion.bundle_id == ids[winner]
    assert outcomes(local) == [("promotion", "succeeded")]


def started(root: Path, bundle_id: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", PROGRAM, str(sample_project.root()), str(root), bundle_id]
    variables = {**os.environ, "PYTHONPATH": str(SOURCE)}
    return subprocess.Popen(command, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def said(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def tell(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
