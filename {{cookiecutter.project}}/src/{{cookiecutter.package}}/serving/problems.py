"""Errors as RFC 9457 problem documents: what was wrong, where, and what the rule is."""

from typing import Any

import msgspec

MEDIA_TYPE = b"application/problem+json"
SHOWN_CHARACTERS = 80
SHOWN_ERRORS = 20

KINDS = {
    "not-http": "The request is no HTTP that we understand.",
    "not-json": "The body is no JSON that we accept.",
    "wrong-shape": "The body is JSON, but not of the form that the route takes.",
    "contract": "A value breaks the data contract; `errors` names row, field and rule.",
    "too-many-rows": "The request has more rows than one request may have.",
    "body-too-large": "The body is longer than one request's may be.",
    "body-too-slow": "The body did not arrive in time.",
    "wrong-content-type": "The body must be application/json.",
    "wrong-key": "No API key was given, or one that is not known.",
    "wrong-model": "This server serves a model of another name or version.",
    "wrong-path": "There is nothing at this path.",
    "wrong-method": "The path takes another method; `Allow` says which.",
    "too-busy": "As many requests as allowed are under way; `Retry-After` says when to come back.",
    "stopping": "The server is not ready any more, for it is about to stop; another one takes over.",
    "no-model": "No model has been promoted yet, so none is served.",
    "internal": "The server failed; its log says where.",
}
"""Every kind of problem, as it stands in `type` and in the metric of errors."""


class FieldError(msgspec.Struct, frozen=True, omit_defaults=True):
    """One value that breaks one rule; the value itself only where its personal-data class allows."""

    field: str
    rule: str
    row: int | None = None
    value: str | None = None


class Problem(Exception):
    """An answer that is an error."""

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        errors: tuple[FieldError, ...] = (),
        headers: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        super().__init__(kind)
        self.status, self.kind, self.detail, self.errors, self.headers = status, kind, detail, errors, headers

    def body(self) -> bytes:
        """The document; `type` is relative to the server."""
        title = self.kind.replace("-", " ")
        document: dict[str, Any] = {
            "type": f"/docs#{self.kind}",
            "title": title,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            document["errors"] = self.errors
        return msgspec.json.encode(document)


CLOSE = ((b"connection", b"close"),)
"""For an answer given before the whole request was read: the rest of it must not be taken for the next request."""


def shown(value: object) -> str:
    """A value as a message quotes it: JSON, cut to what fits a line."""
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"
