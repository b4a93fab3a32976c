import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from {{ cookiecutter.package }} import bundle, overview, promotion, records, switch
from {{ cookiecutter.package }}.errors import Refused
from {{ cookiecutter.package }}.registry import CHAMPION, Registry, Version
from {{ cookiecutter.package }}.settings import Environment, Settings
from {{ cookiecutter.package }}.store import Store

from .git_helpers import commit, git, isolated, start
from .store_helpers import TRAINER, begun, entered, make_bundle, outcomes

Train = Callable[[str], str]


@pytest.fixture(params=["file", "s3"])
def kind(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A kind of object store; asked for first, since it decides where an environment keeps its bundles."""
    if request.param == "s3":
        monkeypatch.setenv("ARTIFACT_URI", f"{request.getfixturevalue('bucket')}/{tmp_path.name}")
    return str(request.param)


@pytest.mark.proof("Promoted and rolled back on a disk and on S3; no rollback returns to a rejected model")
def test_a_life(kind: str, settings: Settings, local: Environment, train: Train, tmp_path: Path) -> None:
    assert local.store_uri.startswith(f"{kind}://")
    registry = Registry(local)
    first = train("one")
    promoted = promotion.promote(settings, "local", " the first ")
    assert promoted.champion.bundle_id == first
    assert promoted.notes == [f"{first[:12]} is now the champion of local (version 1)"]
    assert registry.previous() is None

    second, third = train("two"), train("three")
    promotion.promote(settings, "local", "by name", second[:10])
    promotion.promote(settings, "local", "the challenger")
    champion, previous = registry.champion(), registry.previous()
    assert champion is not None
    assert previous is not None
    assert (champion.bundle_id, previous.bundle_id, champion.trainer) == (third, second, TRAINER)

    assert promotion.rollback(settings, "local", "it is bad").champion.bundle_id == second
    assert [version.rejected for version in registry.versions()] == [True, False, False]
    with pytest.raises(Refused, match="was rolled back: train again, or promote it by name"):
        promotion.promote(settings, "local", "again")
    assert promotion.rollback(settings, "local", "bad too").champion.bundle_id == first
    assert registry.previous() is None
    with pytest.raises(Refused, match="local has nothing to go back to"):
        promotion.rollback(settings, "local", "once more")

    assert promotion.promote(settings, "local", "it was good after all", third).champion.bundle_id == third
    assert [version.rejected for version in registry.versions()] == [False, True, False]
    assert outcomes(local) == [(kind, "succeeded") for kind in ("promotion",) * 3 + ("rollback",) * 2 + ("promotion",)]

    lost = make_bundle(tmp_path / "lost", name="lost")
    bundle.publish(tmp_path / "lost", Store.open(local.store_uri))
    (found,) = overview.unreferenced(local)
    assert (found.bundle_id, len(found.paths)) == (lost, 6)
    overview.remove(local, found)
    assert overview.unreferenced(local) == []
    for version in registry.versions():
        assert bundle.fetch(version.uri, tmp_path / "fetched" / version.number, version.bundle_id)
    files = ["local.lock", "mlflow.db", "mlflow.db.lock", *(["store"] if kind == "file" else [])]
    assert sorted(path.name for path in (tmp_path / "artifacts").iterdir()) == files


def test_the_records_say_everything(settings: Settings, local: Environment, train: Train) -> None:
    first = train("one")
    promotion.promote(settings, "local", "the first")
    second = train("two")
    promotion.promote(settings, "local", "the second")
    store = Store.open(local.store_uri)
    paths = store.list("promotions")
    assert [path.split("-")[-1] for path in paths] == ["begun.json", "ended.json"] * 2
    begun = json.loads(store.get(paths[2]))
    assert begun.pop("time") <= json.loads(store.get(paths[3]))["time"]
    assert begun.pop("actor")
    assert begun.pop("place").endswith("local.lock")
    assert begun == {
        "format": 1,
        "kind": "promotion",
        "environment": "local",
        "reason": "the second",
        "from": first,
        "to": second,
        "verdicts": [{"gate": "floor", "outcome": "passed", "value": 0.7, "threshold": 0.6, "reason": "above"}],
        "commit": None,
        "approval": None,
    }
    table = overview.history(records.read(store), "local")
    whats, whys = list(table.columns[1].cells), list(table.columns[2].cells)
    assert whats[1] == f"promotion\nfrom {first[:12]}\nto   {second[:12]}"
    assert str(whys[1]).splitlines()[1:] == ["the second", "succeeded"]


def test_refusals_change_nothing(settings: Settings, local: Environment, train: Train) -> None:
    for refused, sentence in [
        (lambda: promotion.promote(settings, "local", " "), "REASON= is required"),
        (lambda: promotion.rollback(settings, "local", ""), "REASON= is required"),
        (lambda: promotion.promote(settings, "nowhere", "x"), "environment nowhere: not in config/gates.yaml"),
        (lambda: promotion.promote(settings, "local", "x"), "local has no challenger: make train"),
        (lambda: promotion.rollback(settings, "local", "x"), "local has no champion"),
        (lambda: promotion.promote(settings, "local", "x", "../../etc"), r"BUNDLE=\.\./\.\./etc: must be a bundle id"),
        (lambda: promotion.promote(settings, "local", "x", "0" * 64), "there is no such bundle in file://"),
    ]:
        with pytest.raises(Refused, match=sentence):
            refused()
    assert outcomes(local) == []
    train("one")
    assert promotion.promote(settings, "local", "x").notes[0].endswith("version 1)")
    assert promotion.promote(settings, "local", "x").notes[0].endswith("is the champion of local already")
    assert outcomes(local) == [("promotion", "succeeded")]


def test_a_damaged_bundle_is_not_promoted(settings: Settings, local: Environment, train: Train, tmp_path: Path) -> None:
    bundle_id = train("one")
    (tmp_path / "artifacts/store" / local.model_name / "bundles" / bundle_id / "card.md").write_bytes(b"# Fake\n")
    with pytest.raises(Refused, match=r"card\.md has the sha256"):
        promotion.promote(settings, "local", "x")
    assert Registry(local).champion() is None
    assert outcomes(local) == []


def test_a_bundle_moves_to_the_next_environment(settings: Settings, tmp_path: Path) -> None:
    first = entered(settings, "dev", tmp_path / "one", "one")
    promotion.promote(settings, "dev", "fine")
    champion = promotion.promote(settings, "staging", "fine in dev", first).champion
    assert champion.bundle_id == first
    assert champion.uri.endswith(f"-staging/bundles/{first}")
    assert bundle.fetch(champion.uri, tmp_path / "fetched", first).id == first
    with pytest.raises(Refused, match=f"governance/approvals/{first}.yaml: there is no approval of this bundle"):
        promotion.promote(settings, "prod", "fine in staging", first)
    assert Registry(settings.environment("prod")).versions() == []


@pytest.mark.proof("Where an approval is demanded, a second person must have committed it; the record keeps who")
def test_an_approved_bundle_is_promoted_and_everything_about_the_approval_is_kept(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    isolated(monkeypatch)
    approver, reason = "Doe, Ann <ann@example.org>", "Errors read; no group is worse off."
    commit(start(tmp_path), TRAINER, {".gitignore": "/artifacts/\n"})
    bundle_id = entered(settings, "staging", tmp_path / "artifacts" / "run", "one")
    file = f"governance/approvals/{bundle_id}.yaml"
    approved = commit(tmp_path, approver, {file: f"bundle: {bundle_id}\nreason: {reason}\ndate: 2026-11-24\n"})
    assert promotion.promote(settings, "prod", "fine in staging", bundle_id).champion.bundle_id == bundle_id

    prod = settings.environment("prod")
    champion = Registry(prod).champion()
    assert champion is not None
    assert (champion.bundle_id, champion.trainer) == (bundle_id, TRAINER)
    (attempt,) = records.read(Store.open(prod.store_uri))
    date = git(tmp_path, "log", "-1", "--format=%aI", approved)
    assert attempt.succeeded
    assert attempt.begun.approval == records.Approval(approver, approved, date, reason)
    assert attempt.begun.commit == approved
    printed = io.StringIO()
    Console(file=printed, width=200).print(overview.history([attempt], "prod"))
    assert f"approved by {approver} ({date[:10]}, commit {approved[:12]}): {reason}" in printed.getvalue()


class Broken(switch.Laptop):
    """A target that does not come up with one version."""

    def __init__(self, bad: str) -> None:
        self.bad = bad
        self.applied: list[str | None] = []

    def apply(self, version: Version | None) -> None:
        self.applied.append(version.bundle_id if version else None)
        if version is not None and version.bundle_id == self.bad:
            raise Refused("the rollout did not end in time")


def test_on_failure_the_alias_goes_back_and_the_records_stay(
    settings: Settings, local: Environment, train: Train
) -> None:
    first = train("one")
    target = Broken(first)
    with pytest.raises(Refused, match="the rollout did not end in time"):
        promotion.promote(settings, "local", "x", target=target)
    assert Registry(local).champion() is None
    promotion.promote(settings, "local", "x")
    second = train("two")
    target = Broken(second)
    with pytest.raises(Refused, match="the rollout did not end in time"):
        promotion.promote(settings, "local", "x", target=target)
    assert target.applied == [second, first]
    champion = Registry(local).champion()
    assert champion is not None
    assert champion.bundle_id == first
    assert outcomes(local) == [("promotion", "failed"), ("promotion", "succeeded"), ("promotion", "failed")]


class Interrupted(switch.Laptop):
    """A target during whose change somebody presses Ctrl-C, so many times."""

    def __init__(self, times: int) -> None:
        self.times = times

    def apply(self, version: Version | None) -> None:
        self.times -= 1
        if self.times >= 0:
            raise KeyboardInterrupt


def test_one_ctrl_c_reverts_and_another_leaves_that_to_recovery(
    settings: Settings, local: Environment, train: Train, capsys: pytest.CaptureFixture[str]
) -> None:
    train("one")
    for times in (1, 2):
        with pytest.raises(KeyboardInterrupt):
            promotion.promote(settings, "local", "x", target=Interrupted(times))
        assert Registry(local).champion() is None
    said = "interrupted: going back to what was served; another Ctrl-C leaves that to make status\n"
    assert capsys.readouterr().out == said * 2
    assert outcomes(local) == [("promotion", "failed"), ("promotion", "open")]
    attempt, _ = records.read(Store.open(local.store_uri))
    assert attempt.ended is not None
    assert attempt.ended.note == "interrupted"
    assert len(promotion.recover(settings, "local")) == 1
    assert outcomes(local)[1] == ("promotion", "reverted")


def test_promoting_the_champion_again_brings_back_what_serves(
    settings: Settings, local: Environment, train: Train
) -> None:
    first, target = train("one"), Broken("")
    for _ in range(2):
        promotion.promote(settings, "local", "x", first, target)
    assert target.applied == [first, first]
    assert outcomes(local) == [("promotion", "succeeded")]


def test_a_dead_promotion_is_reverted_or_completed_and_said(
    settings: Settings, local: Environment, train: Train
) -> None:
    bundle_id = train("one")
    old = timedelta(hours=1)
    begun(local, bundle_id, old, "elsewhere:/lock")
    (note,) = promotion.recover(settings, "local")
    assert note.startswith(f"the promotion to {bundle_id[:12]} that Somebody began at ")
    assert note.endswith("was interrupted before the champion had changed: reverted")
    registry = Registry(local)
    registry.set_alias(CHAMPION, registry.find(bundle_id))
    begun(local, bundle_id, old, "elsewhere:/lock")
    promoted = promotion.promote(settings, "local", "x")
    assert promoted.notes[0].endswith("was interrupted after the champion had changed: completed")
    assert promoted.notes[1].endswith("is the champion of local already")
    assert outcomes(local) == [("promotion", "reverted"), ("promotion", "succeeded")]
    assert promotion.recover(settings, "local") == []


def test_who_repeats_an_interrupted_rollback_goes_back_once(
    settings: Settings, local: Environment, train: Train
) -> None:
    ids = [train(name) for name in ("one", "two", "three")]
    for bundle_id in ids:
        promotion.promote(settings, "local", "x", bundle_id)
    registry, store = Registry(local), Store.open(local.store_uri)
    # It began in this very place, whose lock is free: it has died, however short ago.
    place = records.read(store)[-1].begun.place
    time = datetime.now(UTC).isoformat()
    record = records.Begun(1, time, "rollback", "local", "Ann", place, "x", ids[2], ids[1], (), None, None)
    records.begin(store, records.read(store), record)
    registry.set_alias(CHAMPION, registry.find(ids[1]))
    rolled_back = promotion.rollback(settings, "local", "x")
    assert rolled_back.champion.bundle_id == ids[1]
    assert rolled_back.notes[1] == "to go further back, roll back once more"
    assert promotion.rollback(settings, "local", "x").champion.bundle_id == ids[0]
