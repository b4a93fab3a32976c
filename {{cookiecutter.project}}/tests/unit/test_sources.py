"""Every way to store a table is read, and a file that is none is refused by name."""

import gzip
from pathlib import Path

import boto3
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from .data_helpers import Refused, checked, contract, csv, data, refusal, table

RULES = contract()

FILES = [
    # What is wrong, name and content of the file, and the whole message.
    ("empty file", "rides.csv", b"", "rides.csv: the file is empty; give one with a header and rows"),
    (
        "header only",
        "rides.csv",
        csv(table(0)),
        "rides.csv: there is a header but no row; give a table with rows",
    ),
    ("no header", "rides.csv", b"\n1;2\n", "rides.csv: the first line is empty; it must name the columns"),
    (
        "missing column",
        "rides.csv",
        csv(table().drop(columns="city")),
        "rides.csv: column city: missing; the file has ride, start, hour, line, heat, rush, late, arrived",
    ),
    (
        "column twice",
        "rides.csv",
        b"ride,hour,hour\n1,2,3\n",
        "rides.csv: column hour: stands twice in the header; rename one",
    ),
    (
        "a row with too few cells",
        "rides.csv",
        b"ride,hour\n1\n",
        "rides.csv: row 1: has 1 columns, the header has 2",
    ),
    (
        "Latin-1",
        "rides.csv",
        b"ride,hour\nZ\xfcrich,1\n",
        "rides.csv: byte 11: is not UTF-8; export the table as UTF-8",
    ),
    (
        "truncated gzip",
        "rides.csv.gz",
        gzip.compress(csv(table()))[:-20],
        "rides.csv.gz: the gzip file is truncated or damaged; copy or export it again",
    ),
    (
        "no Parquet in it",
        "rides.parquet",
        b"ride,hour\n1,2\n",
        "rides.parquet: no readable Parquet file: its first bytes are not those of Parquet; copy or export it again",
    ),
]


@pytest.mark.parametrize(("name", "content", "message"), [row[1:] for row in FILES], ids=[row[0] for row in FILES])
def test_a_wrong_file_is_named(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    assert refusal(tmp_path, content, name) == message


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.99])
def test_truncated_parquet(tmp_path: Path, keep: float) -> None:
    content = parquet(table())
    assert refusal(tmp_path, content[: int(len(content) * keep)], "rides.parquet") == (
        "rides.parquet: no readable Parquet file: it is truncated or damaged; copy or export it again"
    )


def test_damaged_parquet(tmp_path: Path) -> None:
    content = parquet(table())
    assert refusal(tmp_path, content[:200] + bytes(100) + content[300:], "rides.parquet").startswith("rides.parquet: ")


@pytest.mark.parametrize("source", ["none.csv", "no*.csv"])
def test_no_such_file(tmp_path: Path, source: str) -> None:
    with pytest.raises(Refused) as refused:
        checked(RULES, source, tmp_path)
    what = "no file has such a name" if "*" in source else "there is no such file"
    assert str(refused.value) == f"{source}: {what}; correct config/data.yaml: source"


def parquet(frame: pd.DataFrame) -> bytes:
    """The table with types of its own, as a Parquet file has them."""
    types = {"hour": "int64", "late": "float64", "heat": "float64", "rush": "bool"}
    typed = frame.astype(types).assign(
        start=pd.to_datetime(frame["start"]), city=frame["city"].astype("category"), arrived=pd.NaT
    )
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pandas(typed, preserve_index=False), sink)
    return bytes(sink.getvalue())


SPELLINGS = {
    "rides.csv": csv(table()),
    "semicolon.csv": csv(table(), sep=";"),
    "tab.csv": csv(table(), sep="\t"),
    "bom.csv": b"\xef\xbb\xbf" + csv(table(), sep=";"),
    "crlf.csv": csv(table(), lineterminator="\r\n"),
    "quoted.csv": csv(table(), quoting=1),
    "rides.csv.gz": gzip.compress(csv(table(), sep=";", lineterminator="\r\n")),
    "other-order.csv": csv(table().loc[:, ::-1].assign(more="not in the contract")),
    "offset.csv": csv(table(start=table()["start"] + "+02:00")),
    "rides.parquet": parquet(table()),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_every_spelling_of_a_table_is_the_same_data(tmp_path: Path, name: str) -> None:
    (tmp_path / "rides.csv").write_bytes(SPELLINGS["rides.csv"])
    (tmp_path / name).write_bytes(SPELLINGS[name])
    expected = checked(RULES, "rides.csv", tmp_path).frame
    found = checked(RULES, name, tmp_path).frame
    pd.testing.assert_frame_equal(found, expected)
    assert data.content_hash(found) == data.content_hash(expected)
    assert found["start"].iloc[0] == pd.Timestamp("2026-05-01T06:30:00Z")
    assert found["city"].tolist() == ["CH", "NO"] * 4


@pytest.mark.parametrize("source", ["parts/2.csv", "parts/*.csv", "{root}/parts/*.csv", "{root}/parts/2.csv"])
def test_paths_and_globs(tmp_path: Path, source: str) -> None:
    (tmp_path / "parts").mkdir()
    for part in range(1, 4):
        content = csv(table(ride=[f"{part}-{row}" for row in range(8)]))
        (tmp_path / "parts" / f"{part}.csv").write_bytes(content)
    dataset = checked(RULES, source.replace("{root}", str(tmp_path)), tmp_path)
    parts = [1, 2, 3] if "*" in source else [2]
    assert dataset.files == tuple((f"parts/{part}.csv", 8) for part in parts)
    assert dataset.frame["ride"].tolist() == [f"{part}-{row}" for part in parts for row in range(8)]


def put(address: str, objects: dict[str, bytes]) -> None:
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    client = boto3.client("s3", endpoint_url=address, **keys)
    for name, content in objects.items():
        client.put_object(Bucket="bucket", Key=name, Body=content)


def test_object_store(tmp_path: Path, object_store: str, bucket: str) -> None:
    other = table(ride=[f"b{row}" for row in range(8)], hour={0: 99})
    put(object_store, {"rides/a.parquet": parquet(table()), "rides/b.csv": csv(other)})
    one = checked(RULES, f"{bucket}/rides/a.parquet", tmp_path)
    assert one.files == (("s3://bucket/rides/a.parquet", 8),)
    with pytest.raises(Refused, match=r"^s3://bucket/rides/b\.csv: column hour: row 1: 99: must be ≤ 23$"):
        checked(RULES, f"{bucket}/rides/*", tmp_path)
    with pytest.raises(Refused) as refused:
        checked(RULES, f"{bucket}/rides/*.txt", tmp_path)
    assert str(refused.value) == "s3://bucket/rides/*.txt: no object has such a name; correct config/data.yaml: source"
    with pytest.raises(Refused) as refused:
        checked(RULES, f"{bucket}/rides/c.csv", tmp_path)
    assert str(refused.value) == "s3://bucket/rides/c.csv: no object has such a name; correct config/data.yaml: source"
