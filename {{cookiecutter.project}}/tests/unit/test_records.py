"""What the records imply, and what the registry and the store show of them."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from {{ cookiecutter.package }} import bundle, overview, promotion, records, switch
from {{ cookiecutter.package }}.records import Attempt, Begun, Ended, Kind, Outcome
from {{ cookiecutter.package }}.registry import Registry
from {{ cookiecutter.package }}.settings import Environment, Settings
from {{ cookiecutter.package }}.store import Store, Taken

from .store_helpers import begun, make_bundle, users_files


def attempt(kind: Kind, from_id: str | None, to_id: str, outcome: Outcome = "succeeded") -> Attempt:
    time = "2026-11-24T00:00:00+00:00"
    begun = Begun(1, time, kind, "local", "Ann", "host:/lock", "a reason", from_id, to_id, (), None, None)
    return Attempt("name", begun, Ended(1, time, "Ann", outcome, "1", ""))


HISTORY = [attempt("promotion", None, "A"), attempt("promotion", "A", "B"), attempt("promotion", "B", "C")]


def test_rollback_goes_to_the_champion_before() -> None:
    assert records.rollback_target(HISTORY, "C") == "B"


def test_a_second_rollback_goes_further_back_and_a_third_finds_nothing() -> None:
    once = [*HISTORY, attempt("rollback", "C", "B")]
    assert records.rollback_target(once, "B") == "A"
    twice = [*once, attempt("rollback", "B", "A")]
    assert records.rollback_target(twice, "A") is None
    assert records.rejected(twice) == {"B", "C"}


def test_rollback_looks_only_at_what_succeeded() -> None:
    assert records.rollback_target([*HISTORY[:2], attempt("promotion", "B", "X", "failed")], "B") == "A"
    assert records.rollback_target([*HISTORY[:2], attempt("promotion", "B", "X", "reverted")], "B") == "A"


def test_a_rejected_bundle_that_is_promoted_on_purpose_is_rejected_no_more() -> None:
    back = [*HISTORY, attempt("rollback", "C", "B"), attempt("promotion", "B", "C"), attempt("promotion", "C", "D")]
    assert records.rejected(back) == set()
    assert records.rollback_target(back, "D") == "C"


@given(st.lists(st.sampled_from("ABCDE"), min_size=1, max_size=12))
def test_rollbacks_never_return_and_always_end(promoted: list[str]) -> None:
    history: list[Attempt] = []
    champion = None
    for bundle_id in promoted:
        if bundle_id != champion:
            history.append(attempt("promotion", champion, bundle_id))
            champion = bundle_id
    assert champion is not None
    seen = [champion]
    while (target := records.rollback_target(history, champion)) is not None:
        history.append(attempt("rollback", champion, target))
        champion = target
        seen.append(champion)
    assert len(seen) == len(set(seen))
    assert set(seen) == set(promoted)


Train = Callable[[str], str]


def test_who_only_asks_makes_no_registry(local: Environment) -> None:
    registry = Registry(local)
    assert (registry.champion(), registry.aliases(), registry.versions(), registry.find("A")) == (None, {}, [], None)
    assert not Path(local.registry_uri.removeprefix("sqlite:///")).exists()


def test_names_are_in_the_order_of_the_attempts_whatever_the_clocks_say(local: Environment) -> None:
    store = Store.open(local.store_uri)
    hours = [3, -2, 5, 0, 0]
    for number, hour in enumerate(hours):
        begun(local, str(number), timedelta(hours=hour), "elsewhere:/lock")
        attempt = records.read(store)[-1]
        time = (datetime.now(UTC) - timedelta(hours=hour)).isoformat()
        records.end(store, attempt, Ended(1, time, "Ann", "succeeded", "1", ""))
    assert [attempt.begun.to_id for attempt in records.read(store)] == ["0", "1", "2", "3", "4"]
    assert len({attempt.name for attempt in records.read(store)}) == len(hours)


def test_after_the_same_history_only_one_begins(local: Environment) -> None:
    store = Store.open(local.store_uri)
    for _ in range(2):
        known = records.read(store)
        first = records.begin(store, known, attempt("promotion", None, "A").begun)
        with pytest.raises(Taken):
            records.begin(store, known, attempt("promotion", None, "B").begun)
        records.end(store, first, Ended(1, first.begun.time, "Ann", "succeeded", "1", ""))
    assert [attempt.begun.to_id for attempt in records.read(store)] == ["A", "A"]


def test_a_users_files_beside_the_registry_stay(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = users_files(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'registry.db'}")
    assert Registry(settings.environment("local")).versions() == []
    assert {path: path.read_text() for path in files} == files


def test_registering_twice_gives_one_version(settings: Settings, local: Environment, train: Train) -> None:
    bundle_id = train("one")
    registry = Registry(local)
    assert registry.register("file:///x", bundle_id, "x") == registry.find(bundle_id)
    assert len(registry.versions()) == 1


def test_many_processes_create_the_registry_at_once(settings: Settings, local: Environment) -> None:
    program = (
        "import sys; from pathlib import Path; from types import SimpleNamespace\n"
        f"from {switch.__package__}.registry import Registry\n"
        "registry = Registry(SimpleNamespace(model_name=sys.argv[1], registry_uri=sys.argv[2]))\n"
        "registry.register('file:///' + sys.argv[3], sys.argv[3], 'x')\n"
        "registry.log_run({'a': 1}, {'b': 2.0}, None, {})\n"
    )
    command = [sys.executable, "-c", program, local.model_name, local.registry_uri]
    source = str(Path(switch.__file__).parents[1])
    running = [
        subprocess.Popen([*command, str(number)], env={"PYTHONPATH": source, "PATH": ""}, stderr=subprocess.PIPE)
        for number in range(3)
    ]
    for process in running:
        _, errors = process.communicate(timeout=120)
        assert (process.returncode, errors) == (0, b"")
    assert sorted(version.bundle_id for version in Registry(local).versions()) == ["0", "1", "2"]


def test_garbage_is_listed_and_only_garbage(
    settings: Settings, local: Environment, train: Train, tmp_path: Path
) -> None:
    train("one")
    assert overview.unreferenced(local) == []
    lost = make_bundle(tmp_path / "lost", name="lost")
    bundle.publish(tmp_path / "lost", Store.open(local.store_uri))
    (found,) = overview.unreferenced(local)
    assert (found.bundle_id, len(found.paths), found.settled) == (lost, 6, False)
    assert replace(found, modified=found.modified - timedelta(hours=2)).settled
    overview.remove(local, found)
    assert overview.unreferenced(local) == []
    assert not (tmp_path / "artifacts/store" / local.model_name / "bundles" / lost).exists()


def test_what_a_record_names_is_no_garbage(local: Environment, tmp_path: Path) -> None:
    store = Store.open(local.store_uri)
    named = make_bundle(tmp_path / "named", name="named")
    bundle.publish(tmp_path / "named", store)
    assert [found.bundle_id for found in overview.unreferenced(local)] == [named]
    records.begin(store, [], attempt("promotion", None, named).begun)
    assert overview.unreferenced(local) == []


def test_the_aliases_are_those_of_one_moment(settings: Settings, local: Environment, train: Train) -> None:
    registry, first = Registry(local), train("one")
    assert {alias: version.bundle_id for alias, version in registry.aliases().items()} == {"challenger": first}
    promotion.promote(settings, "local", "x")
    second = train("two")
    registry.set_alias("shadow", registry.find(second))  # somebody's own
    found = {alias: version.bundle_id for alias, version in registry.aliases().items()}
    assert found == {"champion": first, "challenger": second}


def test_status_shows_the_difference(settings: Settings, local: Environment, train: Train) -> None:
    first = train("one")
    promotion.promote(settings, "local", "x")
    registry = Registry(local)
    assert overview.status(registry, [overview.Served("here", first)], "local")[1] == []
    _, problems = overview.status(registry, [overview.Served("here", "f" * 64)], "local")
    assert problems == [f"here serves {'f' * 12}, the champion is {first[:12]}"]
