"""The init container: brings the promoted bundle, verified, into MODEL_DIR."""

import os
from pathlib import Path

from .. import bundle
from ..errors import Refused, run_program


def fetch(uri: str, bundle_id: str, model_dir: Path) -> Path:
    """The folder of the verified bundle; what an earlier start fetched is verified again, not fetched."""
    folder = model_dir / bundle_id
    bundle.fetch(uri, folder, bundle_id)
    return folder


def main() -> None:
    """Exit code 0 also when there is no model yet: the server then says so."""
    run_program(_fetch_promoted)


def _fetch_promoted() -> None:
    uri, bundle_id = os.environ.get("MODEL_URI", ""), os.environ.get("MODEL_ID", "")
    if not uri or not bundle_id:
        where = os.environ.get("ENVIRONMENT") or "this environment"
        print(f"no model has been promoted in {where} yet: nothing to fetch")
        return
    if not (model_dir := os.environ.get("MODEL_DIR")):
        raise Refused("MODEL_DIR is not set: name the folder from which the server reads the model")
    print(f"verified {fetch(uri, bundle_id, Path(model_dir))}")
