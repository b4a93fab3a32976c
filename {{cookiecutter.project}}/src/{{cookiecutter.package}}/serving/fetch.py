"""The init container: brings the promoted bundle, verified, into MODEL_DIR."""

import os
import sys
from pathlib import Path

from .. import bundle
from ..errors import Refused


def fetch(uri: str, bundle_id: str, model_dir: Path) -> Path:
    """The folder of the verified bundle; what an earlier start fetched is verified again, not fetched."""
    folder = model_dir / bundle_id
    bundle.fetch(uri, folder, bundle_id)
    return folder


def main() -> None:
    """Exit code 0 also when there is no model yet: the server then says so."""
    uri, bundle_id = os.environ.get("MODEL_URI", ""), os.environ.get("MODEL_ID", "")
    if not uri or not bundle_id:
        print("no model has been promoted in this environment yet: nothing to fetch")
        return
    try:
        if not (model_dir := os.environ.get("MODEL_DIR")):
            raise Refused("MODEL_DIR is not set: name the folder from which the server reads the model")
        print(f"verified {fetch(uri, bundle_id, Path(model_dir))}")
    except Refused as problem:
        print(f"refused: {problem}", file=sys.stderr)
        sys.exit(1)
