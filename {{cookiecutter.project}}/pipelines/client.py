"""Talk to a Kubeflow Pipelines server: start a run, keep one schedule per environment."""

import contextlib
import re
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from {{ cookiecutter.package }}.errors import Refused

from . import pods

DIGEST = re.compile(r"[^@\s]+@sha256:[0-9a-f]{64}")
FINISHED = {"SUCCEEDED", "FAILED", "SKIPPED", "CANCELED"}
PAGE = 100
PATIENCE_SECONDS = 10.0


def check_image(image: str) -> str:
    """A tag can move: what ran, and what the cache keeps, would then be unknown."""
    if not DIGEST.fullmatch(image):
        raise Refused(f"IMAGE: {image or 'empty'}: must be an address with a digest, as in registry/name@sha256:…")
    return image


def check_cron(cron: str) -> str:
    """Kubeflow's cron has six fields: with five, minutes would be read as seconds."""
    if len(cron.split()) != 6:
        raise Refused(f"CRON: {cron!r}: must have six fields, seconds first: '0 0 3 * * 1' is Mondays at 03:00 UTC")
    return cron


def check_host(host: str) -> str:
    """An address that nothing has to be guessed of."""
    if not host:
        raise Refused("KF_PIPELINES_ENDPOINT: not set: give the address of the Kubeflow Pipelines server")
    if not host.startswith(("http://", "https://")):
        raise Refused(f"KF_PIPELINES_ENDPOINT: {host}: must begin with http:// or https://")
    return host.rstrip("/")


@contextlib.contextmanager
def answered(host: str) -> Iterator[None]:
    """What the network or the server has against a request, as a sentence."""
    from kfp_server_api import ApiException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except HTTPError as error:
        reason = str(error).rpartition(": ")[2]
        raise Refused(f"KF_PIPELINES_ENDPOINT: {host} cannot be reached: {reason}") from None
    except ApiException as error:
        raise Refused(
            f"KF_PIPELINES_ENDPOINT: {host} answered {error.status} {error.reason}: is it a Kubeflow Pipelines server, "
            "and does it want another KF_PIPELINES_TOKEN?"
        ) from None


class Server:
    """One Kubeflow Pipelines server, and one experiment on it per environment.

    One of many users runs it in the environment's namespace, by the account that is there for it; one of a single user knows no
    other namespace than its own.
    """

    def __init__(self, host: str, project: str, environment: str, token: str | None = None) -> None:
        from kfp.client import Client

        self.host = check_host(host)
        self.name = f"{project}-{environment}"
        self.environment = environment
        with warnings.catch_warnings(), answered(self.host):
            warnings.simplefilter("ignore", FutureWarning)  # "works with 2.0 and later", on every start
            many_users = self._ask_once(token)
            self.client: Any = Client(host=self.host, existing_token=token)
        self.namespace = self.name if many_users else None
        self.account = pods.ACCOUNT if many_users else None

    def submit(self, package: Path, source: str, author: str) -> str:
        """Start one run now, for the person who answers for the training (`name <mail>`); returns its id."""
        run = self.client.run_pipeline(
            experiment_id=self._experiment(),
            job_name=f"{self.name} {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}",
            pipeline_package_path=str(package),
            params={**self._arguments(source), "author": author},
            service_account=self.account,
        )
        return str(run.run_id)

    def schedule(self, package: Path, cron: str, source: str, patience: float = 3600.0) -> str:
        """Make this the only schedule of the environment; returns its id.

        The old one stops first and goes last: two never fire, and a failure in between leaves a stopped one that the
        next call removes. Deleting a schedule kills its run in flight, so that run is awaited.
        """
        experiment = self._experiment()
        old = [job.recurring_run_id for job in self._schedules(experiment) if job.display_name == self.name]
        for schedule in old:
            self.client.disable_recurring_run(schedule)
        new = self.client.create_recurring_run(
            experiment_id=experiment,
            job_name=self.name,
            cron_expression=cron,
            max_concurrency=1,
            no_catchup=True,
            pipeline_package_path=str(package),
            params=self._arguments(source),
            service_account=self.account,
        )
        deadline = time.monotonic() + patience
        for schedule in old:
            self._await_runs(experiment, schedule, deadline)
            self.client.delete_recurring_run(schedule)
        return str(new.recurring_run_id)

    def _ask_once(self, token: str | None) -> bool:
        """Say whether the server has many users.

        The client itself asks one that turns it away for half a minute, and prints a traceback each time.
        """
        import kfp_server_api

        configuration = kfp_server_api.Configuration(host=self.host)
        configuration.retries = False
        if token:
            configuration.api_key["authorization"] = token
            configuration.api_key_prefix["authorization"] = "Bearer"
        with kfp_server_api.ApiClient(configuration) as client:
            healthz = kfp_server_api.HealthzServiceApi(client)
            return bool(healthz.healthz_service_get_healthz(_request_timeout=PATIENCE_SECONDS).multi_user)

    def _arguments(self, source: str) -> dict[str, str]:
        return {"environment": self.environment, "source": source}

    def _experiment(self) -> str:
        return str(self.client.create_experiment(name=self.name, namespace=self.namespace).experiment_id)

    def _schedules(self, experiment: str) -> Iterator[Any]:
        token = ""
        while True:
            page = self.client.list_recurring_runs(experiment_id=experiment, page_token=token, page_size=PAGE)
            yield from page.recurring_runs or []
            token = page.next_page_token
            if not token:
                return

    def _running(self, experiment: str, schedule: str) -> bool:
        """Newest first: what runs now is on the first page."""
        page = self.client.list_runs(experiment_id=experiment, page_size=PAGE, sort_by="created_at desc")
        return any(run.recurring_run_id == schedule and run.state not in FINISHED for run in page.runs or [])

    def _await_runs(self, experiment: str, schedule: str, deadline: float) -> None:
        while self._running(experiment, schedule):
            if time.monotonic() > deadline:
                raise Refused(f"schedule {schedule} is disabled, but its run goes on: schedule again once it has ended")
            time.sleep(5)
