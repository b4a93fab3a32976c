"""Files and folders that appear whole or not at all, whatever kills the process.

Everything is written into a staging folder beside its destination, flushed to the disk, and then linked or renamed
into place. The writer holds a lock on what it stages; the kernel drops that lock with the process, so that whoever
comes next can tell what a dead process left behind, and removes it: that, and nothing that has not our names.
"""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

# A destination may lie among a user's own files: no other program has a folder of this name, with entries of this form.
STAGING = ".mlops-template-staging"
_ENTRY = re.compile("[0-9a-f]{32}")


def write_new(path: Path, content: bytes, staging: Path | None = None) -> None:
    """Create a file with this content; FileExistsError when there is one already, which stays as it is."""
    with _staged_file(staging or path.parent, content) as staged:
        make_folder(path.parent)
        os.link(staged, path)
        flush_folder(path.parent)


def write(path: Path, content: bytes) -> None:
    """Create or replace a file."""
    with _staged_file(path.parent, content) as staged:
        staged.replace(path)
        flush_folder(path.parent)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Give an empty folder to fill, which becomes `path` at the end; FileExistsError when that has files by then."""
    make_folder(path.parent)
    clean(path.parent)
    with _entry(path.parent, folder=True) as (staged, _):
        yield staged
        for file in staged.iterdir():
            flush_file(file)
        flush_folder(staged)
        try:
            staged.rename(path)
        except OSError as error:
            if not path.is_dir():
                raise
            raise FileExistsError(f"{path} is there already and not empty") from error
        flush_folder(path.parent)


@contextmanager
def scratch(root: Path) -> Iterator[Path]:
    """Give an empty folder below `root`, for work whose result is copied or renamed out of it."""
    clean(root)
    with _entry(root, folder=True) as (staged, _):
        yield staged


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold a lock that dies with the process; BlockingIOError when another holds it and we do not wait."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def clean(root: Path) -> list[str]:
    """Remove what dead processes left under `root/.staging`; return the names."""
    removed: list[str] = []
    staging = root / STAGING
    with suppress(FileNotFoundError):
        entries = (entry for entry in sorted(staging.iterdir()) if _ENTRY.fullmatch(entry.name))
        removed = [entry.name for entry in entries if _remove_if_abandoned(entry)]
    _drop_if_empty(staging)
    return removed


def clean_below(root: Path) -> None:
    """Remove what dead processes left anywhere below the folder of working files: nobody looks into old trainings.

    Not for a folder that a user named: it may be a home, with more below than anybody wants to wait for.
    """
    for folder, names, _ in os.walk(root):
        if STAGING in names:
            names.remove(STAGING)
            clean(Path(folder))


def make_folder(path: Path) -> None:
    """Create a folder and those above it, durably."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(exist_ok=True)
        flush_folder(path.parent)


def flush_file(path: Path) -> None:
    """Make a file's content durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    flush_file(path)


@contextmanager
def _staged_file(root: Path, content: bytes) -> Iterator[Path]:
    clean(root)
    with _entry(root, folder=False) as (staged, descriptor):
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield staged


@contextmanager
def _entry(root: Path, *, folder: bool) -> Iterator[tuple[Path, int]]:
    """Hold a locked entry of the staging folder; remove it at the end, unless it has become something else by then."""
    staged, descriptor = _new_entry(root, folder=folder)
    try:
        yield staged, descriptor
    finally:
        _remove(staged)
        os.close(descriptor)
        _drop_if_empty(staged.parent)


def _new_entry(root: Path, *, folder: bool) -> tuple[Path, int]:
    while True:
        entry = root / STAGING / uuid4().hex
        entry.parent.mkdir(parents=True, exist_ok=True)
        # Between creating and locking, another process may take the entry for abandoned and remove it: try again.
        with suppress(FileNotFoundError, BlockingIOError):
            if folder:
                entry.mkdir()
                descriptor = os.open(entry, os.O_RDONLY)
            else:
                descriptor = os.open(entry, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if entry.exists():
                    return entry, descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)


def _remove_if_abandoned(entry: Path) -> bool:
    try:
        descriptor = os.open(entry, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _remove(entry)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def _remove(entry: Path) -> None:
    if entry.is_dir():
        shutil.rmtree(entry, ignore_errors=True)
    else:
        entry.unlink(missing_ok=True)


def _drop_if_empty(staging: Path) -> None:
    with suppress(OSError):
        staging.rmdir()
