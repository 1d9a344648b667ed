"""Padded files tell little by their size, and are read as if they were not padded."""

import io

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge.stage.padding import LEAST, pad_parquet, pad_text, padded_size


@given(st.integers(0, 2**45))
def test_a_padded_size_is_little_more_and_says_little(size):
    """At most 12 % more (16 KiB at least), the same for the size that it gives, and growing with the size."""
    padded = padded_size(size)
    assert max(size, LEAST) <= padded <= max(size * 1.12, LEAST)
    assert padded_size(padded) == padded
    assert padded_size(size + 1) >= padded


def test_few_sizes_exist():
    """Of ten million sizes under 10 MB, fewer than 300 are left; what is smaller than 16 KiB all looks the same."""
    assert len({padded_size(size) for size in range(0, 10_000_000, 500)}) < 300
    assert {padded_size(size) for size in range(0, LEAST, 100)} == {LEAST}


@settings(deadline=None)  # the first example imports
@given(st.integers(0, 2000), st.sampled_from(["zstd", "none"]))
def test_a_padded_parquet_file_is_the_same_table(rows, compression):
    """Also with page indexes."""
    table = pa.table({"id": pa.array(range(rows), pa.int64()), "text": [f"row {n}" for n in range(rows)]})
    sink = io.BytesIO()
    pq.write_table(table, sink, compression=compression, row_group_size=700, write_page_index=True)
    padded = pad_parquet(sink.getvalue())
    assert len(padded) == padded_size(len(sink.getvalue()))
    assert pq.read_table(io.BytesIO(padded)) == table


def test_duckdb_reads_a_padded_parquet_file(tmp_path):
    """A stock reader that shares no code with the writer sees the same rows."""
    sink = io.BytesIO()
    pq.write_table(pa.table({"id": list(range(5000))}), sink, row_group_size=1000)
    path = tmp_path / "padded.parquet"
    path.write_bytes(pad_parquet(sink.getvalue()))
    assert duckdb.sql(f"SELECT count(*), sum(id) FROM '{path}'").fetchall() == [(5000, 12_497_500)]


@given(st.binary(max_size=40_000))
def test_padded_text_ends_in_spaces(text):
    """JSON may end in spaces."""
    padded = pad_text(text)
    assert padded[: len(text)] == text
    assert padded[len(text) :].strip(b" ") == b""
    assert len(padded) == padded_size(len(text))
