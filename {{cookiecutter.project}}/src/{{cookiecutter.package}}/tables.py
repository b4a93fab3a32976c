"""Where tables come from and how they are read: paths, globs and object stores; Parquet and CSV. Nothing is interpreted yet."""

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import Refused
from .store import Store

if TYPE_CHECKING:
    import pyarrow as pa

_GLOB = frozenset("*?[")
_DELIMITERS = ",;\t|"
_BOM = b"\xef\xbb\xbf"


def read(source: str, root: Path) -> Iterator[tuple[str, "pa.Table"]]:
    """Name and content of each table of a source, in the order of their names; a path is relative to `root`."""
    for name, content in _contents(source, root):
        yield name, parse(name, content)


def parse(name: str, content: bytes) -> "pa.Table":
    """A Parquet or CSV file, told by its first bytes, as a table; every cell of a CSV stays text, an empty one is missing."""
    if not content:
        raise Refused(f"{name}: the file is empty; give one with a header and rows")
    if name.endswith(".parquet") or content.startswith(b"PAR1"):
        return _parquet(name, content)
    return _csv(name, _unzipped(name, content))


def _contents(source: str, root: Path) -> Iterator[tuple[str, bytes]]:
    if "://" in source:
        yield from _stored(source)
        return
    paths = (
        sorted(root.glob(source)) if _GLOB & set(source) and not Path(source).is_absolute() else _absolute(source, root)
    )
    if not paths:
        raise Refused(f"{source}: no file has such a name; correct config/data.yaml: source")
    for path in paths:
        try:
            yield _shown(path, root), path.read_bytes()
        except FileNotFoundError:
            raise Refused(f"{source}: there is no such file; correct config/data.yaml: source") from None
        except OSError as error:
            raise Refused(f"{source}: cannot be read: {error.strerror}") from None


def _absolute(source: str, root: Path) -> list[Path]:
    path = root / source
    if not _GLOB & set(source):
        return [path]
    return sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor))))


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _stored(source: str) -> Iterator[tuple[str, bytes]]:
    folders = source.split("/")
    fixed = next((place for place, part in enumerate(folders) if _GLOB & set(part)), len(folders) - 1)
    store, pattern = Store.open("/".join(folders[:fixed])), "/".join(folders[fixed:])
    if _GLOB & set(pattern):
        names = [name for name in store.list("") if fnmatchcase(name, pattern)]
    else:
        names = [pattern] if store.exists(pattern) else []
    if not names:
        raise Refused(f"{source}: no object has such a name; correct config/data.yaml: source")
    for name in names:
        yield store.uri(name), store.get(name)


def _parquet(name: str, content: bytes) -> "pa.Table":
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_table(pa.BufferReader(content))
    except (pa.ArrowException, OSError):
        hint = (
            "it is truncated or damaged" if content.startswith(b"PAR1") else "its first bytes are not those of Parquet"
        )
        raise Refused(f"{name}: no readable Parquet file: {hint}; copy or export it again") from None


def _unzipped(name: str, content: bytes) -> bytes:
    if not content.startswith(b"\x1f\x8b"):
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error):
        raise Refused(f"{name}: the gzip file is truncated or damaged; copy or export it again") from None


def header(name: str, content: bytes) -> tuple[list[str], str]:
    """The names of a CSV's columns and what separates them, from its first line."""
    line = content.removeprefix(_BOM).split(b"\n", 1)[0].strip()
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        raise Refused(f"{name}: byte {error.start}: is not UTF-8; export the table as UTF-8") from None
    if not text:
        raise Refused(f"{name}: the first line is empty; it must name the columns")
    delimiter = max(_DELIMITERS, key=text.count)
    columns = [column.strip().strip('"') for column in text.split(delimiter)]
    for column in columns:
        if columns.count(column) > 1:
            raise Refused(f"{name}: column {column}: stands twice in the header; rename one")
    return columns, delimiter


def _csv(name: str, content: bytes) -> "pa.Table":
    import pyarrow as pa
    from pyarrow import csv

    columns, delimiter = header(name, content)
    try:
        content.decode()
    except UnicodeDecodeError as error:
        raise Refused(f"{name}: byte {error.start}: is not UTF-8; export the table as UTF-8") from None
    try:
        return csv.read_csv(
            io.BytesIO(content),
            read_options=csv.ReadOptions(column_names=columns, skip_rows=1),
            parse_options=csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=True, null_values=[""]
            ),
        )
    except pa.ArrowException as error:
        reason = ragged(io.BytesIO(content), columns, delimiter) or f"no readable CSV: {str(error).splitlines()[0]}"
        raise Refused(f"{name}: {reason}") from None


def ragged(stream: Any, columns: list[str], delimiter: str) -> str | None:
    """Name the first row of a CSV that has not as many columns as the header. Arrow quotes it, whatever stands in it."""
    import pyarrow as pa
    from pyarrow import csv

    found: list[str] = []

    def keep(row: csv.InvalidRow) -> str:
        found.append(f"row {row.number - 1}: has {row.actual_columns} columns, the header has {row.expected_columns}")
        return "error"

    parse = csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=keep)
    texts = csv.ConvertOptions(column_types=dict.fromkeys(columns, pa.string()))
    # Only one thread can count rows.
    read = csv.ReadOptions(column_names=columns, skip_rows=1, use_threads=False)
    with suppress(pa.ArrowException, OSError), csv.open_csv(stream, read, parse, texts) as blocks:
        for _ in blocks:
            pass
    return found[0] if found else None
