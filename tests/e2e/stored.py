"""Things in the object store and the registry of `local` that no verb would put there, or not so."""

import json
from pathlib import Path
from typing import Any

from .conftest import World

_START = """
import io, json, sys
from pathlib import Path
from tempfile import TemporaryDirectory
import obstore
from flight_delay import bundle
from flight_delay.cluster.place import reached
from flight_delay.registry import Registry
from flight_delay.settings import Settings
from flight_delay.store import Store
settings = Settings.load()
with reached(settings, "local", ""):
    where = settings.environment("local")
    store, registry = Store.open(where.store_uri), Registry(where)
"""
_ROWS = """
    import pandas as pd
    content = io.BytesIO()
    pd.read_parquet("samples/flights.parquet").sample(frac=float(sys.argv[1]), random_state=7).to_parquet(content)
    store.put_new(path := f"data/{sys.argv[1]}.parquet", content.getvalue())
    print(store.uri(path), end="")
"""
_VARIANT = """
    champion, changes = registry.champion(), json.loads(sys.argv[1])
    with TemporaryDirectory() as folder:
        found = bundle.fetch(champion.uri, Path(folder) / "champion", champion.bundle_id)
        fields = json.loads((found.folder / "manifest.json").read_bytes())
        files = {name: (found.folder / name).read_bytes() for name in fields.pop("files")}
        fields = {name: value | changes.get(name, {}) if isinstance(value, dict) else changes.get(name, value)
                  for name, value in fields.items()}
        made = bundle.write(Path(folder) / "variant", fields, files)
        registry.register(bundle.publish(Path(folder) / "variant", store), made, "Somebody")
    print(made, end="")
"""
_CHANGE = """
    bucket = obstore.store.from_url(where.store_uri, client_options={"allow_http": True})
    content = bytearray(store.get(sys.argv[1]))
    content[0] ^= 1
    obstore.put(bucket, sys.argv[1], bytes(content))
"""
_OTHER = """
    champion = registry.champion()
    print(next(known.bundle_id for known in reversed(registry.versions()) if known.bundle_id != champion.bundle_id), end="")
"""
_FETCH = """
    champion = registry.champion()
    print(bundle.fetch(champion.uri, Path(sys.argv[1]) / champion.bundle_id, champion.bundle_id).folder, end="")
"""
_WIPE = """
    from mlflow import MlflowClient
    bucket = obstore.store.from_url(where.store_uri, client_options={"allow_http": True})
    obstore.delete(bucket, store.list(""))
    MlflowClient(where.registry_uri, where.registry_uri).delete_registered_model(where.model_name)
    assert store.list("") == [] and registry.versions() == []
"""


def rows_at(world: World, share: float) -> str:
    """The address of a part of the sample in the environment's own prefix."""
    return world.python(_START + _ROWS, str(share))


def variant(world: World, **changes: Any) -> str:
    """Register the champion's bundle with another manifest, and give its id."""
    return world.python(_START + _VARIANT, json.dumps(changes))


def change_a_byte(world: World, path: str) -> None:
    """Replace what our own code never replaces."""
    world.python(_START + _CHANGE, path)


def other_bundle(world: World) -> str:
    """The bundle that was registered first, or second if that is the champion."""
    return world.python(_START + _OTHER)


def champion_in(world: World, folder: Path) -> Path:
    """The champion's bundle, fetched into a folder, where it is called by its id."""
    return Path(world.python(_START + _FETCH, str(folder)))


def wipe(world: World) -> None:
    """Remove everything of the environment from the object store and the registry."""
    world.python(_START + _WIPE)
