"""The object store: a folder (`file://`) or a bucket (`s3://`, `gs://`, `abfss://`), written only by creating.

Nothing here replaces or deletes what was stored, except `remove`, which `gc` alone calls.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote

from . import staging
from .errors import Refused

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

SCHEMES = ("file", "s3", "gs", "abfss")


def stated(environment: str) -> str | None:
    """Where variables say that an environment's bundles are. One of its own comes first: a model moves from store to store."""
    return os.environ.get(f"ARTIFACT_URI_{environment.upper()}") or os.environ.get("ARTIFACT_URI")


class Missing(Refused):
    """Nothing is stored at this address."""


class Taken(Refused):
    """Something else is stored at this address."""


class _Backend(Protocol):
    def put_new(self, path: str, content: bytes) -> bool: ...
    def get(self, path: str) -> bytes | None: ...
    def list(self, prefix: str) -> list[str]: ...
    def exists(self, path: str) -> bool: ...
    def modified(self, path: str) -> datetime: ...
    def remove(self, path: str) -> None: ...
    def clean(self) -> None: ...


class Store:
    """One prefix of an object store; paths are relative to it and use `/`."""

    def __init__(self, uri: str, backend: _Backend) -> None:
        self._root = uri.rstrip("/")
        self._backend = backend

    @classmethod
    def open(cls, uri: str) -> "Store":
        """Give access to a prefix; nothing is read, written or created yet."""
        scheme, separator, rest = uri.partition("://")
        if not separator or scheme not in SCHEMES or not rest:
            raise Refused(f"{uri!r} is no address of an object store: use {', '.join(s + '://…' for s in SCHEMES)}")
        if scheme == "file":
            return cls(uri, _Folder(_local_path(uri, rest)))
        return cls(uri, _Bucket(uri))

    def uri(self, path: str = "") -> str:
        """Give the full address of a path."""
        return f"{self._root}/{path}" if path else self._root

    def put_new(self, path: str, content: bytes) -> bool:
        """Store a new object; False when the very same bytes were there already, Taken when other bytes were."""
        if self._backend.put_new(path, content):
            return True
        if self._backend.get(path) != content:
            raise Taken(f"{self.uri(path)} exists with other content: what is stored is never replaced")
        return False

    def get(self, path: str) -> bytes:
        """Give an object's bytes; Missing when there is none."""
        content = self._backend.get(path)
        if content is None:
            raise Missing(f"{self.uri(path)} does not exist")
        return content

    def list(self, prefix: str) -> list[str]:
        """Give the paths of all objects under a prefix, sorted."""
        return sorted(self._backend.list(prefix.rstrip("/")))

    def exists(self, path: str) -> bool:
        """Say whether there is an object at this path."""
        return self._backend.exists(path)

    def modified(self, path: str) -> datetime:
        """Say when an object was written (UTC)."""
        return self._backend.modified(path)

    def remove(self, path: str) -> None:
        """Delete one object (only for what nothing refers to)."""
        self._backend.remove(path)

    def clean(self) -> None:
        """Remove what dead processes left half written."""
        self._backend.clean()


class _Folder:
    """A folder of the file system. obstore's own local store is not durable, and leaves `name#1` files when killed."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put_new(self, path: str, content: bytes) -> bool:
        try:
            staging.write_new(self.root / path, content, self.root)
        except FileExistsError:
            return False
        return True

    def get(self, path: str) -> bytes | None:
        try:
            return (self.root / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def list(self, prefix: str) -> list[str]:
        files = (file.relative_to(self.root) for file in (self.root / prefix).rglob("*") if file.is_file())
        return [file.as_posix() for file in files if file.parts[0] != staging.STAGING]

    def exists(self, path: str) -> bool:
        return (self.root / path).is_file()

    def modified(self, path: str) -> datetime:
        return datetime.fromtimestamp((self.root / path).stat().st_mtime, UTC)

    def remove(self, path: str) -> None:
        (self.root / path).unlink(missing_ok=True)
        with suppress(OSError):
            (self.root / path).parent.rmdir()

    def clean(self) -> None:
        staging.clean(self.root)


class _Bucket:
    """A bucket, through obstore; accounts and endpoints come from the clouds' own environment variables."""

    def __init__(self, uri: str) -> None:
        from obstore.store import from_url

        if (
            os.environ.get("AWS_ENDPOINT_URL") == ""
        ):  # an empty address is none: of a store of a cloud, environment.yaml says so
            del os.environ["AWS_ENDPOINT_URL"]
        client: ClientConfig = {"allow_http": os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")}
        # The default is to try for three minutes: too long for a person who mistyped an address.
        retry: RetryConfig = {"max_retries": 5, "retry_timeout": timedelta(seconds=30)}
        self.uri = uri
        with _said(uri):
            self.objects: ObjectStore = from_url(uri, client_options=client, retry_config=retry)

    def put_new(self, path: str, content: bytes) -> bool:
        import obstore
        from obstore.exceptions import AlreadyExistsError

        with _said(self.uri):
            try:
                obstore.put(self.objects, path, content, mode="create")
            except AlreadyExistsError:
                return False
        return True

    def get(self, path: str) -> bytes | None:
        import obstore

        with _said(self.uri):
            try:
                return bytes(obstore.get(self.objects, path).bytes())
            except FileNotFoundError:
                return None

    def list(self, prefix: str) -> list[str]:
        import obstore

        with _said(self.uri):
            return [found["path"] for page in obstore.list(self.objects, prefix or None) for found in page]

    def exists(self, path: str) -> bool:
        import obstore

        with _said(self.uri):
            try:
                obstore.head(self.objects, path)
            except FileNotFoundError:
                return False
        return True

    def modified(self, path: str) -> datetime:
        import obstore

        with _said(self.uri):
            return obstore.head(self.objects, path)["last_modified"]

    def remove(self, path: str) -> None:
        import obstore

        with _said(self.uri):
            obstore.delete(self.objects, path)

    def clean(self) -> None:
        """Do nothing: in a bucket an object is there when it is whole."""


def _local_path(uri: str, rest: str) -> Path:
    if not rest.startswith("/"):
        raise Refused(f"{uri!r}: a file address names no host and starts with three slashes: file:///…")
    return Path(unquote(rest))


@contextmanager
def _said(uri: str) -> Iterator[None]:
    """Turn the store's many errors (no account, no bucket, no network) into a sentence."""
    from obstore.exceptions import AlreadyExistsError, BaseError

    try:
        yield
    except AlreadyExistsError:
        raise
    except (BaseError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise Refused(f"{uri}: {reason}; check the address, the credentials and the network") from error
