"""Failures of requests, reported to the Sentry that SENTRY_DSN names: type, place and model, never what a client sent."""

from collections.abc import Mapping

import sentry_sdk
from sentry_sdk.types import Event, Hint
from sentry_sdk.utils import Dsn

from ..errors import Refused


class Reporting:
    """The Sentry SDK, kept from reading anything but the exceptions that it is given."""

    def __init__(self, dsn: str, facts: Mapping[str, str]) -> None:
        self._facts = facts
        try:
            Dsn(dsn)
        except ValueError:
            # Not shown, nor is the SDK's own sentence: a DSN holds a key.
            raise Refused(
                "SENTRY_DSN: must be of the form https://<key>@<host>/<project number>: copy it from the project's "
                "settings in Sentry (Client Keys), or unset it"
            ) from None
        # send_default_pii stays unset, which is off: naming it is deprecated.
        sentry_sdk.init(
            dsn,
            default_integrations=False,  # they hook into logging, threads and exits, and send what passes there
            include_local_variables=False,  # locals hold rows of people
            max_request_body_size="never",
            before_send=_without_messages,
        )

    def report(self, error: Exception, route: str, trace_id: str | None) -> None:
        """Hand a failure over; a thread of the SDK sends it."""
        tags = {"route": route, **self._facts}
        with sentry_sdk.new_scope() as scope:
            scope.set_tags({**tags, "trace.id": trace_id} if trace_id else tags)
            scope.capture_exception(error)

    def stop(self, seconds: float) -> None:
        """Send what is left."""
        sentry_sdk.get_client().close(timeout=seconds)


def _without_messages(event: Event, hint: Hint) -> Event:
    """Exceptions without their messages, which may quote a payload: the same rule as in the log."""
    for each in event.get("exception", {}).get("values", []):
        each["value"] = ""
    return event
