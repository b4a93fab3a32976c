"""API keys: a file of `name:hash` lines, re-read when it changes, so that a name is revoked without a restart.

The hash is plain SHA-256 of the key. A slow hash such as scrypt protects what people choose; these keys are 32 random
bytes, which nobody guesses at any speed, and every request would pay for it.
"""

import hashlib
import hmac
import os
import re
from pathlib import Path

from ..errors import Refused

_LINE = re.compile(rb"([A-Za-z0-9._-]{1,64}):([0-9a-f]{64})")


class Keys:
    """The keys that are valid now."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._hashes: tuple[tuple[str, bytes], ...] = ()
        self._hashes, self._seen = self._read(), self._stamp()

    def refresh(self) -> str | None:
        """Read the file again if it changed; a sentence when it cannot be read, in which case no key is valid."""
        stamp = self._stamp()
        if stamp == self._seen:
            return None
        self._seen = stamp
        try:
            self._hashes = self._read()
        except Refused as problem:
            self._hashes = ()
            return f"{problem}; until then every request is refused"
        return None

    def name(self, authorization: bytes) -> str | None:
        """Whose key a header `Authorization: Bearer …` holds; takes equally long for right and wrong ones."""
        scheme, _, key = authorization.partition(b" ")
        digest = hashlib.sha256(key.strip()).digest()
        found = None
        for name, known in self._hashes:
            if hmac.compare_digest(known, digest):
                found = name
        return found if scheme.lower() == b"bearer" else None

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            status = os.stat(self._path)  # noqa: PTH116 - twice as fast, and asked every second
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _read(self) -> tuple[tuple[str, bytes], ...]:
        try:
            lines = self._path.read_bytes().splitlines()
        except OSError as error:
            raise Refused(
                f"{self._path}: {error.strerror}; mount the file of API keys or unset API_KEYS_FILE"
            ) from None
        found: list[tuple[str, bytes]] = []
        for number, line in enumerate(map(bytes.strip, lines), start=1):
            if not line or line.startswith(b"#"):
                continue
            match = _LINE.fullmatch(line)
            if match is None:
                raise Refused(
                    f"{self._path}: line {number}: must be name:hash, the hash being the key's SHA-256 in 64 hex digits"
                )
            found.append((match[1].decode(), bytes.fromhex(match[2].decode())))
        return tuple(found)
