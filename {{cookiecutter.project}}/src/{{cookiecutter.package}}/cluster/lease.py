"""The Lease `promotion`: of all hosts, one at a time changes what an environment serves.

Who holds it renews it. Who finds it held watches whether it is renewed, by its own clock: clocks need not agree.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from kubernetes import client
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from ..switch import UnderWay
from .connection import Cluster, said

NAME = "promotion"
LEASE_SECONDS = 20
RENEW_SECONDS = 5


class Lease:
    """What this process holds, until somebody else has it."""

    def __init__(self, cluster: Cluster, namespace: str, holder: str) -> None:
        self._cluster, self._namespace, self._holder = cluster, namespace, holder
        self._api = client.CoordinationV1Api(cluster.api)
        self._stop, self._lost = threading.Event(), False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold it; UnderWay names who does."""
        with said(self._cluster, f"take the Lease {NAME} in {self._namespace}"):
            self._take()
        renewing = threading.Thread(target=self._renew, daemon=True)
        renewing.start()
        try:
            yield
        finally:
            self._stop.set()
            renewing.join()
            # Not given back, it is free for the next after LEASE_SECONDS.
            with suppress(ApiException, HTTPError, OSError):
                found = self._read()
                if found.spec.holder_identity == self._holder:
                    self._write(found, "")

    def check(self) -> None:
        """UnderWay when it is ours no more: asked before anything is changed."""
        if self._lost:
            raise UnderWay(
                f"another promotion took the Lease {NAME} in {self._namespace}, since this one did not renew it for "
                f"{LEASE_SECONDS} s: look at make status, then try again"
            )

    def _take(self) -> None:
        found = self._read()
        holder = found.spec.holder_identity
        if holder and not self._abandoned(found):
            raise UnderWay(f"a promotion or rollback is under way in {self._namespace}: {holder}; wait for it to end")
        try:
            self._write(found, self._holder)
        except ApiException as error:
            if error.status != 409:
                raise
            raise UnderWay(
                f"another promotion or rollback in {self._namespace} came first; look at make status, then try again"
            ) from None

    def _abandoned(self, found: Any) -> bool:
        print(
            f"{found.spec.holder_identity} holds the Lease {NAME}: watching for {LEASE_SECONDS} s whether it is alive"
        )
        end = time.monotonic() + LEASE_SECONDS
        while time.monotonic() < end:
            time.sleep(1)
            now = self._read()
            if not now.spec.holder_identity:
                break
            if now.spec.renew_time != found.spec.renew_time:
                return False
        found.metadata.resource_version = now.metadata.resource_version
        return True

    def _renew(self) -> None:
        while not self._stop.wait(RENEW_SECONDS):
            # An API server that restarts is no reason to give up; that somebody else has it is.
            with suppress(ApiException, HTTPError, OSError):
                found = self._read()
                if found.spec.holder_identity != self._holder:
                    self._lost = True
                    return
                self._write(found, self._holder)

    def _read(self) -> Any:
        found = self._api.read_namespaced_lease(NAME, self._namespace)
        found.spec = found.spec or client.V1LeaseSpec()
        return found

    def _write(self, found: Any, holder: str) -> None:
        """Replace it, if nobody else did since it was read."""
        found.spec.holder_identity = holder
        found.spec.renew_time = datetime.now(UTC)
        found.spec.lease_duration_seconds = LEASE_SECONDS
        self._api.replace_namespaced_lease(NAME, self._namespace, found)
