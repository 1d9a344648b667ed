"""Masks: what a batch looks like when it leaves."""

import hashlib
import hmac
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from landbridge.connectors.masking import masked
from landbridge.errors import ConfigError, SourceError
from landbridge.schema.arrow import arrow_schema
from landbridge.schema.columns import Columns, Pick, leaving
from landbridge.schema.model import Column, TableSchema, Type
from tests.conformance import every_kind

KEY = b"correct horse battery staple, and more of it"
EVERYTHING_HASHED = Columns(tuple(Pick(name, f"{name}_h", "hash") for name in every_kind.VALUES))


def through(batch: pa.RecordBatch, schema: TableSchema, columns: Columns, key: bytes | None = KEY) -> pa.RecordBatch:
    (found,) = masked([batch], schema, columns, key)
    assert found.schema == arrow_schema(leaving(schema, columns))
    return found


def hashes(kind: Type, *values: object) -> list[str | None]:
    schema = TableSchema((Column("c", kind),))
    batch = pa.record_batch([list(values)], schema=arrow_schema(schema))
    return through(batch, schema, Columns((Pick("c", None, "hash"),)))["c"].to_pylist()


def test_a_hash_is_what_openssl_prints() -> None:
    """128 bits of HMAC-SHA-256 over the UTF-8 of the text; the number is fixed here, for it is in people's targets."""
    expected = hmac.digest(KEY, "größe".encode(), hashlib.sha256).hex()[:32]
    assert hashes(Type("text"), "größe", None, "größe", "") == [
        expected,
        None,
        "cec29c22d446049e5cd0f69c8df80b2e",
        hmac.digest(KEY, b"", hashlib.sha256).hex()[:32],
    ]


def test_the_same_value_has_one_hash_whatever_its_type() -> None:
    """So keys still join: integers, decimals, digits as text; clocks of any precision."""
    five = {
        *hashes(Type("int16"), 5),
        *hashes(Type("int64"), 5),
        *hashes(Type("decimal", 10, 2), Decimal(5)),
        *hashes(Type("decimal", 38, 0), Decimal(5)),
        *hashes(Type("decimal"), "5.0"),
        *hashes(Type("text"), "5"),
    }
    assert len(five) == 1
    clocks = {
        *hashes(Type("timestamptz", 6), datetime(2024, 1, 31, 10, tzinfo=UTC)),
        *hashes(Type("timestamptz", 9), datetime(2024, 1, 31, 10, tzinfo=UTC)),
    }
    assert len(clocks) == 1


def test_every_kind_can_be_hashed() -> None:
    """Distinct values stay distinct, NULL stays NULL, and no value is left readable."""
    batch = every_kind.batch()
    found = through(batch, every_kind.SCHEMA, EVERYTHING_HASHED)
    for given, masked_column in zip(batch.columns, found.columns, strict=True):
        assert masked_column.is_null().equals(given.is_null())
        assert len(masked_column.unique()) == len(given.unique())
        assert {len(value) for value in masked_column.to_pylist() if value} == {32}


def test_null_and_constant_do_not_look_at_what_is_there() -> None:
    """Every row of a constant is the constant, also where there was NULL; NULL is of the column's own type."""
    schema = TableSchema((Column("a", Type("date")), Column("b", Type("decimal", 10, 2)), Column("c", Type("text"))))
    batch = pa.record_batch([[1, None], [Decimal(7), None], ["x", "y"]], schema=arrow_schema(schema))
    columns = Columns((Pick("a", "A", "null"), Pick("b", None, "constant", "1.5")))
    assert through(batch, schema, columns).to_pylist() == [
        {"A": None, "b": Decimal("1.50"), "c": "x"},
        {"A": None, "b": Decimal("1.50"), "c": "y"},
    ]


def test_nothing_is_hashed_without_a_key() -> None:
    """A hash that anybody can compute hides nothing; where there is nothing to hash, none is asked for."""
    batch = every_kind.batch()
    for key in (None, b""):
        with pytest.raises(ConfigError, match="without a key"):
            through(batch, every_kind.SCHEMA, EVERYTHING_HASHED, key)
    assert repr(through(batch, every_kind.SCHEMA, Columns(), None).to_pylist()) == repr(batch.to_pylist())


def test_a_value_without_a_text_names_its_column() -> None:
    """An error, rather than a hash of something else."""
    schema = TableSchema((Column("day", Type("date")),))
    batch = pa.record_batch([pa.array([2_145_042_905], pa.int32()).cast(pa.date32())], schema=arrow_schema(schema))
    with pytest.raises(SourceError, match="column day"):
        through(batch, schema, Columns((Pick("day", None, "hash"),)))
