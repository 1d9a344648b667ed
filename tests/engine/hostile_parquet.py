"""Parquet files that a trusted signer could make who means harm: bytes of one part of funds in, other bytes out."""

import pyarrow as pa
import pyarrow.parquet as pq


def _written(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, store_schema=False)
    return sink.getvalue().to_pybytes()


def _read(plain: bytes) -> pa.Table:
    return pq.read_table(pa.BufferReader(plain))


def junk(plain: bytes) -> bytes:
    """No Parquet at all."""
    return b"junk" * len(plain)


def without_rows(plain: bytes) -> bytes:
    return _written(_read(plain).slice(0, 0))


def with_another_column(plain: bytes) -> bytes:
    return _written(_read(plain).append_column("more", pa.array([1])))


def nested(plain: bytes) -> bytes:
    """The text column is a list of structs."""
    inner = pa.array([[{"a": [1]}]])
    return _written(_read(plain).set_column(1, "name", inner))


def not_text(plain: bytes) -> bytes:
    """A text column of bytes that are no UTF-8."""
    bad = pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff\xfe"]).buffers())
    return _written(_read(plain).set_column(1, "name", bad))


def boastful(plain: bytes) -> bytes:
    """A footer that counts three rows (in zigzag, 6) wherever there is one (2)."""
    length = int.from_bytes(plain[-8:-4], "little")
    footer = plain[-8 - length : -8].replace(b"\x16\x02", b"\x16\x06")
    return plain[: -8 - length] + footer + plain[-8:]


def long_footer(plain: bytes) -> bytes:
    """A footer that says that it is longer than the file."""
    return plain[:-8] + b"\xff\xff\xff\x7f" + plain[-4:]


def cut_pages(plain: bytes) -> bytes:
    """Zeros where the pages were."""
    length = int.from_bytes(plain[-8:-4], "little")
    return b"PAR1" + bytes(len(plain) - 12 - length) + plain[-8 - length :]


def dictionary_bomb(size: int, rows: int) -> bytes:
    """One text of `size` bytes, said once, in every row: a few hundred bytes that decode to `size` times `rows`."""
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["a" * size]))
    table = pa.table({"id": pa.array(range(rows), pa.int32()), "name": texts})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", store_schema=False, dictionary_pagesize_limit=2**31 - 1)
    return sink.getvalue().to_pybytes()
