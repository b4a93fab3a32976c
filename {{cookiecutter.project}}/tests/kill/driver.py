"""Runs verbs in children that have everything imported, so that a run costs a fork and not seconds of imports.

One JSON document a line. In: {"verb", "root", "folder", "variables", "aftermath"}; out: {"pid"} of a child that waits;
in: an empty line, the child goes on; out: {"status"}, negative when a signal ended it, and {"said"}, JSON or a traceback.
"""

import gc
import json
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from mlflow.store.db import utils as tables
from rich.console import Console

from {{ cookiecutter.package }} import bundle, pipeline, plots, promotion, records, sbom, staging, switch
from {{ cookiecutter.package }}.errors import Refused
from {{ cookiecutter.package }}.registry import ALIASES, CHALLENGER, CHAMPION, Registry, Version
from {{ cookiecutter.package }}.settings import EnvironmentRule, Settings
from {{ cookiecutter.package }}.store import Store

import sample_project

SOURCE = "source.parquet"


@cache
def _project() -> Settings:
    return Settings.load(sample_project.root()).checked()


def small(root: Path) -> Settings:
    """The project with little to compute, and no gate that asks more than whether there is a model."""
    loaded = _project()
    rules = {name: EnvironmentRule(approval="none") for name in ("one", "two")}
    rules["two"] = EnvironmentRule(approval="none", after="one")
    gates = loaded.gates.model_copy(
        update={
            "environments": rules,
            "floor": loaded.gates.floor.model_copy(update={"min_auc": 0.5, "min_brier_skill": -1.0}),
            "slices": loaded.gates.slices.model_copy(update={"min_auc": 0.0}),
            "rows": loaded.gates.rows.model_copy(update={"min_positive_rows": 1}),
            "champion": loaded.gates.champion.model_copy(update={"max_auc_loss": 1.0}),
            "fairness": loaded.gates.fairness.model_copy(update={"max_equal_opportunity_difference": 1.0}),
            "calibration": loaded.gates.calibration.model_copy(update={"max_error": 1.0}),
            "contract": loaded.gates.contract.model_copy(update={"max_single_feature_auc": 1.0, "max_auc": 1.0}),
        }
    )
    training = loaded.training.model_copy(
        update={
            "model": loaded.training.model.model_copy(update={"max_iterations": 2}),
            "evaluation": loaded.training.evaluation.model_copy(update={"bootstrap_samples": 100}),
        }
    )
    return replace(loaded, root=root, gates=gates, training=training)


def train(settings: Settings, folder: Path) -> None:
    pipeline.run(settings, "one", str(folder / SOURCE), Console(quiet=True))


def publish(settings: Settings, folder: Path) -> None:
    bundle.publish(folder / "bundle", Store.open(settings.environment("one").store_uri))


def register(settings: Settings, folder: Path) -> None:
    environment, written = settings.environment("one"), bundle.read(folder / "bundle")
    uri = Store.open(environment.store_uri).uri(bundle.path_of(written.id))
    registry = Registry(environment)
    registry.set_alias(CHALLENGER, registry.register(uri, written.id, written.manifest.trainer))


def promote(settings: Settings, folder: Path) -> None:
    promotion.promote(settings, "two", "a test", bundle.read(folder / "bundle").id)


def promote_swapped(settings: Settings, folder: Path) -> None:
    """Point the alias at a bundle that is not published yet: the tests must see what that breaks."""

    def enter(self: switch.Switch, candidate: bundle.Bundle) -> Version:
        uri = self.store.uri(bundle.path_of(candidate.id))
        version = self.registry.register(uri, candidate.id, candidate.manifest.trainer)
        self.registry.set_alias(CHAMPION, version)
        bundle.publish(candidate.folder, self.store)
        return version

    switch.Switch._enter = enter  # type: ignore[method-assign]
    promote(settings, folder)


def rollback(settings: Settings, folder: Path) -> None:
    promotion.rollback(settings, "two", "a test")


def create(settings: Settings, folder: Path) -> None:
    """Write into the registry for the first time, which creates it; only asking would not."""
    Registry(settings.environment("one")).set_alias(CHALLENGER, None)


VERBS: dict[str, Callable[[Settings, Path], None]] = {
    verb.__name__: verb for verb in (train, publish, register, promote, promote_swapped, rollback, create)
}


def look(settings: Settings) -> dict[str, Any]:
    """Say what a user would find now."""
    found: dict[str, Any] = {"broken": []}
    for name in ("one", "two"):
        environment = settings.environment(name)
        registry, store = Registry(environment), Store.open(environment.store_uri)
        versions, aliases = registry.versions(), registry.aliases()
        for version in versions:
            with staging.scratch(settings.artifacts) as scratch:
                try:
                    bundle.fetch(version.uri, scratch / "bundle", version.bundle_id)
                except Refused as refused:
                    found["broken"].append(str(refused))
        found[name] = {
            "versions": [version.bundle_id for version in versions],
            **{alias: (at := aliases.get(alias)) and at.bundle_id for alias in ALIASES},
            "attempts": [
                (attempt.begun.to_id, attempt.ended.outcome if attempt.ended else "open")
                for attempt in records.read(store)
            ],
        }
    return found


def aftermath(settings: Settings, folder: Path, verb: str) -> dict[str, Any]:
    """Look, run the verb once more as a user would, look again."""
    before = look(settings)
    attempts = before["two"]["attempts"]
    if verb == "rollback" and len(attempts) > 2 and attempts[-1][1] == "succeeded":
        promotion.recover(settings, "two")  # it had ended: rolling back again would be another rollback
    else:
        VERBS[verb](settings, folder)
    return {"before": before, "after": look(settings)}


def serve() -> None:
    """Answer requests until the input ends."""
    for line in sys.stdin:
        request = json.loads(line)
        said_in, said_out = os.pipe()
        wait_in, wait_out = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(wait_out)
            os.read(wait_in, 1)
            os._exit(child(request, said_out))
        os.close(said_out)
        os.close(wait_in)
        answer({"pid": pid})
        sys.stdin.readline()
        os.close(wait_out)
        with os.fdopen(said_in) as said:
            text = said.read()
        _, status = os.waitpid(pid, 0)
        answer({"status": os.waitstatus_to_exitcode(status), "said": text})


def child(request: dict[str, Any], said: int) -> int:
    """Run one verb, or what comes after one that was killed."""
    os.environ.update(request["variables"])
    settings, folder, verb = small(Path(request["root"])), Path(request["folder"]), request["verb"]
    try:
        if request["aftermath"]:
            os.fsync = lambda _: None  # nobody kills this run: no need to wait for a disk
            os.write(said, json.dumps(aftermath(settings, folder, verb)).encode())
        else:
            VERBS[verb](settings, folder)
    except BaseException:
        os.write(said, traceback.format_exc().encode())
        return 1
    return 0


def answer(document: dict[str, Any]) -> None:
    print(json.dumps(document), flush=True)


def spare() -> None:
    """Leave out what takes long and writes nothing: drawing, listing what is installed, reading the history of MLflow's tables."""
    plots._save = lambda path, draw: path.write_bytes(b"a picture")
    sbom.build = cache(sbom.build)
    tables._get_latest_schema_revision = cache(tables._get_latest_schema_revision)


def warm(folder: Path) -> None:
    """Run every verb once, so that no child imports anything."""
    spare()
    settings = small(folder / "warm")
    train(settings, folder)
    for written in (folder / "warm/artifacts/runs").glob("*/bundle"):
        written.rename(folder / "warm/bundle")
    for verb in (publish, register, promote):
        verb(settings, folder / "warm")


if __name__ == "__main__":
    warm(Path(sys.argv[1]))
    gc.freeze()  # a child that looks for garbage in what it shares with this process would get a copy of it
    answer({"ready": True})
    serve()
