"""Tables as files, read and written a part at a time: Parquet and CSV, gzip or not."""

import gzip
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from .. import staging, tables
from ..errors import Refused

_SUFFIXES = (".parquet", ".csv", ".csv.gz")
_BLOCK = 1 << 20  # of CSV read at once, and longer than any row should be; Arrow reads 32 of them ahead
_HEAD = 1 << 20  # the longest header


class Writer(Protocol):
    """What takes the parts of a table."""

    def write_batch(self, batch: pa.RecordBatch) -> None: ...


@dataclass(frozen=True)
class Table:
    """An open table: the names of its columns, and its parts, each with the share (0 to 1) of the file read by then."""

    names: tuple[str, ...]
    parts: Callable[[Sequence[str], Sequence[str]], Iterator[tuple[pa.RecordBatch, float]]]
    """Called with the columns to read and those among them that hold few different texts."""


@contextmanager
def opened(path: Path, name: str, rows: int) -> Iterator[Table]:
    """Open a table that is read in parts of at most `rows`; Refused says what is wrong with the file."""
    with ExitStack() as stack:
        try:
            file = stack.enter_context(path.open("rb"))
            start = file.read(4)
        except OSError as error:
            raise Refused(f"{name}: cannot be read: {error.strerror}") from None
        if not start:
            raise Refused(f"{name}: the file is empty; give one with a header and rows")
        file.seek(0)
        if path.suffix == ".parquet" or start == b"PAR1":
            yield _parquet(path, name, rows, whole=start == b"PAR1")
        else:
            yield _csv(file, path, name, rows, zipped=start.startswith(b"\x1f\x8b"))


@contextmanager
def created(path: Path, name: str, schema: pa.Schema) -> Iterator[Writer]:
    """Give what writes a table; at the end it stands at `path` whole, and after a failure there is what was there."""
    try:
        with staging.scratch(path.parent) as folder:
            staged = folder / path.name
            with _writer(staged, path.name, schema) as writer:
                yield writer
            staging.flush_file(staged)
            staged.replace(path)
            staging.flush_folder(path.parent)
    except OSError as error:
        raise Refused(f"{name}: cannot be written: {error.strerror or error}") from None


def check_paths(source: str, output: str) -> None:
    """Refuse what could only fail after all the work, and what would destroy the input."""
    read, written = Path(source), Path(output)
    if "://" in source:
        raise Refused(f"{source}: only files are scored; copy the object here first")
    if not written.name.endswith(_SUFFIXES):
        raise Refused(f"{output}: must end in {', '.join(_SUFFIXES[:-1])} or {_SUFFIXES[-1]}")
    if written.is_dir():
        raise Refused(f"{output}: is a folder; name a file in it")
    if not written.parent.is_dir():
        raise Refused(f"{output}: the folder {written.parent} does not exist; create it")
    if written.exists() and read.exists() and written.samefile(read):
        raise Refused(f"{output}: is the input; name another file")


def _parquet(path: Path, name: str, rows: int, *, whole: bool) -> Table:
    hint = "it is truncated or damaged" if whole else "its first bytes are not those of Parquet"
    with _readable(name, f"no readable Parquet file: {hint}; copy or export it again"):
        total = pq.read_metadata(path)

    def parts(columns: Sequence[str], few: Sequence[str]) -> Iterator[tuple[pa.RecordBatch, float]]:
        done = 0
        with (
            _readable(name, "no readable Parquet file: it is truncated or damaged; copy or export it again"),
            pq.ParquetFile(path, read_dictionary=list(few), buffer_size=1 << 20, pre_buffer=False) as file,
        ):
            for part in file.iter_batches(batch_size=rows, columns=list(columns)):
                done += part.num_rows
                yield part, done / max(total.num_rows, 1)

    return Table(tuple(total.schema.to_arrow_schema().names), parts)


def _csv(file: Any, path: Path, name: str, rows: int, *, zipped: bool) -> Table:
    size = path.stat().st_size
    with _readable(name, "the gzip file is truncated or damaged; copy or export it again"):
        head = (gzip.GzipFile(fileobj=file) if zipped else file).read(_HEAD)
    names, delimiter = tables.header(name, head)
    file.seek(0)

    def stream(source: Any) -> pa.NativeFile:
        plain = pa.PythonFile(source, "r")
        return pa.CompressedInputStream(plain, "gzip") if zipped else plain

    def ragged() -> str | None:
        with path.open("rb") as again:
            return tables.ragged(stream(again), names, delimiter)

    def parts(columns: Sequence[str], _: Sequence[str]) -> Iterator[tuple[pa.RecordBatch, float]]:
        with _readable(name, "no readable CSV", ragged):
            reader = csv.open_csv(
                stream(file),
                read_options=csv.ReadOptions(block_size=_BLOCK, column_names=names, skip_rows=1),
                parse_options=csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
                convert_options=csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()),
                    include_columns=list(columns),
                    strings_can_be_null=True,
                    null_values=[""],
                ),
            )
            for part in _gathered(reader, rows):
                yield part, min(file.tell() / size, 1.0)

    return Table(tuple(names), parts)


def _gathered(blocks: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """Blocks of any size as parts of `rows`, and what remains."""
    waiting: list[pa.RecordBatch] = []
    count = 0
    for block in blocks:
        waiting.append(block)
        count += block.num_rows
        while count >= rows:
            whole = pa.concat_batches(waiting)
            yield whole.slice(0, rows)
            count -= rows
            waiting = [whole.slice(rows)]
    if count:
        yield pa.concat_batches(waiting)


@contextmanager
def _readable(name: str, otherwise: str, found: Callable[[], str | None] = lambda: None) -> Iterator[None]:
    """Errors of Arrow and gzip as sentences, or as what is found then. Only errors of reading are to arise inside."""
    try:
        yield
    except (pa.ArrowException, OSError, EOFError) as error:
        detail = f": {str(error).splitlines()[0]}" if otherwise.endswith("CSV") else ""
        raise Refused(f"{name}: {found() or otherwise + detail}") from None


@contextmanager
def _writer(path: Path, name: str, schema: pa.Schema) -> Iterator[Writer]:
    if name.endswith(".parquet"):
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            yield writer
        return
    plain = pa.schema([(field.name, _plain(field.type)) for field in schema])
    with ExitStack() as stack:
        sink = stack.enter_context(pa.OSFile(os.fspath(path), "wb"))
        if name.endswith(".gz"):
            sink = stack.enter_context(pa.CompressedOutputStream(sink, "gzip"))
        yield _Csv(stack.enter_context(csv.CSVWriter(sink, plain)), plain)


@dataclass(frozen=True)
class _Csv:
    """Writes parts as text; CSV has no dictionaries."""

    writer: Any
    schema: pa.Schema

    def write_batch(self, batch: pa.RecordBatch) -> None:
        self.writer.write_batch(batch.cast(self.schema))


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind
