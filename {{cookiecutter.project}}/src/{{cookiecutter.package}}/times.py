"""Time stamps: always with a zone, and no local hour that happened twice or never."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


class WrongTime(ValueError):
    """Why a text or a local time is not a point in time; the message completes `value: …`."""


def instant(value: str | datetime, zone: str | None) -> datetime:
    """The point in time (UTC) that a text in ISO 8601 or a datetime means; without offset it is local time of `zone`."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            raise WrongTime("is no time in the form 2013-10-01T08:30:00+02:00") from None
    if value.tzinfo is not None:
        return value.astimezone(UTC)
    if zone is None:
        raise WrongTime("has no zone; write it with an offset, or name the zone in config/data.yaml: zone")
    early, late = (value.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (0, 1))
    if early.utcoffset() != late.utcoffset():
        if early.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) != value:
            raise WrongTime(f"did not happen in {zone}: clocks were put forward; write it with an offset")
        raise WrongTime(f"happened twice in {zone}: clocks were put back; write it with an offset")
    return early.astimezone(UTC)


def local(value: datetime, zone: str | None) -> datetime:
    """The wall clock of `zone` (UTC if there is none) at a point in time, without zone: what `features.encode` takes."""
    return value.astimezone(ZoneInfo(zone) if zone else UTC).replace(tzinfo=None)
