"""MLflow as the registry: runs, model versions and the aliases champion, challenger and previous.

A version's number is a label; what it stands for is the bundle id in its tag and the bundle's address in its source.
"""

import logging
import os
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from . import bundle, staging
from .errors import Refused

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel

    from .settings import Environment

ALIASES = CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"
_SQLITE = "sqlite:///"


@dataclass(frozen=True)
class Version:
    """A registered model version: one bundle in one environment."""

    number: str
    bundle_id: str
    uri: str
    trainer: str
    run_id: str | None
    rejected: bool


class Registry:
    """One environment's registered model."""

    def __init__(self, environment: "Environment") -> None:
        self._name = environment.model_name
        self._uri = environment.registry_uri
        self._client: MlflowClient | None = None

    def champion(self) -> Version | None:
        """The version that is served."""
        return self.alias(CHAMPION)

    def challenger(self) -> Version | None:
        """The version that was registered last."""
        return self.alias(CHALLENGER)

    def previous(self) -> Version | None:
        """The version that was served before the champion."""
        return self.alias(PREVIOUS)

    def alias(self, alias: str) -> Version | None:
        """The version that an alias names, if any."""
        if not self._exists():
            return None
        with self._session() as client:
            aliases = self._aliases(client)
            return _version(client.get_model_version(self._name, aliases[alias])) if alias in aliases else None

    def aliases(self) -> dict[str, Version]:
        """The versions that have one of the three aliases, by it, asked for together: over a network each question takes its time."""
        if not self._exists():
            return {}
        with self._session() as client:
            named = {alias: number for alias, number in self._aliases(client).items() if alias in ALIASES}
            found = {number: _version(client.get_model_version(self._name, number)) for number in set(named.values())}
        return {alias: found[number] for alias, number in named.items()}

    def versions(self) -> list[Version]:
        """All versions, the newest first."""
        if not self._exists():
            return []
        with self._session() as client:
            return self._search(client, f"name = '{self._name}'")

    def find(self, bundle_id: str) -> Version | None:
        """The version of a bundle, if it is registered here."""
        if not self._exists():
            return None
        with self._session() as client:
            return self._find(client, bundle_id)

    def register(self, uri: str, bundle_id: str, trainer: str, run_id: str | None = None) -> Version:
        """Make a version of a published bundle; the same bundle again gives the same version."""
        with self._session() as client:
            if registered := self._find(client, bundle_id):
                return registered
            self._ensure_model(client)
            tags = {"bundle_id": bundle_id, "trainer": trainer}
            return _version(client.create_model_version(self._name, source=uri, run_id=run_id, tags=tags))

    def set_alias(self, alias: str, version: Version | None) -> None:
        """Point an alias at a version, or remove it."""
        with self._session() as client:
            if version is not None:
                client.set_registered_model_alias(self._name, alias, version.number)
            elif alias in self._aliases(client):
                client.delete_registered_model_alias(self._name, alias)

    def set_rejected(self, version: Version, rejected: bool) -> None:
        """Mark a version as one that was rolled back, or as taken back into use."""
        with self._session() as client:
            client.set_model_version_tag(self._name, version.number, "rejected", str(rejected).lower())

    def log_run(
        self,
        params: Mapping[str, object],
        metrics: Mapping[str, float],
        artifacts: Path | None,
        tags: Mapping[str, str],
    ) -> str:
        """Log one training run with everything in the folder `artifacts`, and return its id."""
        from mlflow.entities import Metric, Param, RunTag

        with self._session() as client:
            run_id = client.create_run(self._experiment(client)).info.run_id
            now = int(time.time() * 1000)
            client.log_batch(
                run_id,
                metrics=[Metric(key, value, now, 0) for key, value in metrics.items()],
                params=[Param(key, str(value)) for key, value in params.items()],
                tags=[RunTag(key, value) for key, value in tags.items()],
            )
            if artifacts is not None:
                client.log_artifacts(run_id, str(artifacts))
            client.set_terminated(run_id)
        return str(run_id)

    def _exists(self) -> bool:
        """Whether there is anything to ask; a registry that is a file is made by the first who writes into it."""
        return not self._uri.startswith(_SQLITE) or _database(self._uri).exists()

    def _find(self, client: "MlflowClient", bundle_id: str) -> Version | None:
        found = self._search(client, f"name = '{self._name}' and tag.bundle_id = '{bundle_id}'")
        return found[-1] if found else None

    def _search(self, client: "MlflowClient", condition: str) -> list[Version]:
        found: list[ModelVersion] = []
        token = None
        while True:
            page = client.search_model_versions(condition, page_token=token)
            found += page
            token = page.token
            if not token:
                ours = (entry for entry in found if "bundle_id" in entry.tags)
                return [_version(entry) for entry in sorted(ours, key=lambda entry: -int(entry.version))]

    def _aliases(self, client: "MlflowClient") -> dict[str, str]:
        model = self._registered(client)
        return dict(model.aliases) if model else {}

    def _registered(self, client: "MlflowClient") -> "RegisteredModel | None":
        from mlflow.exceptions import MlflowException

        try:
            return client.get_registered_model(self._name)
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise

    def _ensure_model(self, client: "MlflowClient") -> None:
        """Make the registered model where there is none; where there is one, the account need not be allowed to make any."""
        from mlflow.exceptions import MlflowException

        try:
            client.get_registered_model(self._name)
            return
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
        try:
            client.create_registered_model(self._name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise

    def _experiment(self, client: "MlflowClient") -> str:
        from mlflow.exceptions import MlflowException

        if (found := client.get_experiment_by_name(self._name)) is not None:
            return str(found.experiment_id)
        try:
            return str(client.create_experiment(self._name, artifact_location=_artifact_location(self._uri)))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            return self._experiment(client)

    @contextmanager
    def _session(self) -> Iterator["MlflowClient"]:
        """Give the client; with SQLite to one process at a time, since it answers two writers "database is locked"."""
        with warnings.catch_warnings():
            # mlflow 3.17 uses what SQLAlchemy 2.1 deprecates: nothing that a user of the project could change.
            warnings.simplefilter("ignore", DeprecationWarning)
            mlflow_error = _quiet_mlflow()
            try:
                if not self._uri.startswith(_SQLITE):
                    yield self._opened()
                    return
                database = _database(self._uri)
                with staging.locked(database.with_name(database.name + ".lock")):
                    _create(database)
                    yield self._opened()
            except mlflow_error as error:
                raise Refused(f"{self._uri}: the registry did not answer: {str(error).splitlines()[0]}") from error

    def _opened(self) -> "MlflowClient":
        from mlflow import MlflowClient

        if self._client is None:
            self._client = MlflowClient(tracking_uri=self._uri, registry_uri=self._uri)
        return self._client


def state(environment: "Environment") -> str | None:
    """What differs after any change of a registry that is a file; None where only the registry itself can tell."""
    if not environment.registry_uri.startswith(_SQLITE):
        return None
    database = _database(environment.registry_uri)
    found = []
    for file in (database, Path(f"{database}-wal")):
        with suppress(FileNotFoundError):
            status = file.stat()
            found.append(f"{status.st_ino}:{status.st_size}:{status.st_mtime_ns}")
    return " ".join(found) or None


def champion_of(environment: "Environment") -> Version | None:
    """The version that an environment serves: a plain function, so that another process can be asked to call it."""
    return Registry(environment).champion()


def champion_bundle(environment: "Environment", folder: Path) -> bundle.Bundle | None:
    """Fetch the bundle of an environment's champion into `folder`; None where there is no champion yet."""
    champion = Registry(environment).champion()
    return bundle.fetch(champion.uri, folder, champion.bundle_id) if champion else None


def _version(entry: "ModelVersion") -> Version:
    tags = entry.tags
    if "bundle_id" not in tags:
        raise Refused(
            f"version {entry.version} of {entry.name} was not registered by this project (it has no tag bundle_id): "
            "point its alias at one that was"
        )
    return Version(
        number=str(entry.version),
        bundle_id=tags["bundle_id"],
        uri=entry.source or "",
        trainer=tags.get("trainer", ""),
        run_id=entry.run_id or None,
        rejected=tags.get("rejected") == "true",
    )


def _quiet_mlflow() -> type[Exception]:
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("DO_NOT_TRACK", "true")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    from mlflow.exceptions import MlflowException

    logging.getLogger("mlflow").setLevel(logging.WARNING)
    return MlflowException


def _database(uri: str) -> Path:
    return Path(uri.removeprefix(_SQLITE).partition("?")[0])


def _artifact_location(uri: str) -> str | None:
    return (_database(uri).parent / "mlflow").as_uri() if uri.startswith(_SQLITE) else None


def _create(database: Path) -> None:
    """Create MLflow's tables beside the destination first: a database with half of them could never be completed."""
    if database.exists():
        return
    from mlflow import MlflowClient

    with staging.scratch(database.parent) as folder:
        staged = folder / database.name
        MlflowClient(tracking_uri=f"{_SQLITE}{staged}", registry_uri=f"{_SQLITE}{staged}").search_registered_models()
        staging.flush_file(staged)
        staged.rename(database)
        staging.flush_folder(database.parent)
