"""What goes into a parcel comes out of it, value for value."""

import string
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from landbridge.schema.arrow import arrow_schema, arrow_type, travels_as_text
from landbridge.schema.model import Column, TableSchema, Type
from landbridge.sealing.note import Signers
from landbridge.stage.location import open_store
from landbridge.stage.manifest import Compression
from landbridge.stage.reading import check_parcel, open_parcel, read_part
from landbridge.stage.writing import PartSettings
from tests.stage.parcels import FIN, IDENTITY, RECIPIENT, VERIFIER, export, fin

INT64 = st.integers(-(2**63), 2**63 - 1)
DIGITS = st.from_regex(r"-?[0-9]{1,60}(\.[0-9]{1,20})?", fullmatch=True)
TEXT = st.text(max_size=12) | st.sampled_from(["", "NULL", "\\N", "\0", 'a,b\n"c"', "ß€𝄞"])


def decimals(kind: Type):
    most = 10**kind.precision - 1
    return (st.integers(-most, most) | st.sampled_from([most, -most, 0])).map(lambda n: scaled(n, kind.scale))


def scaled(digits, scale):
    sign, digit_tuple, _ = Decimal(digits).as_tuple()
    return Decimal((sign, digit_tuple, -scale))


def values(kind: Type):
    """Any value of the kind, in a form that `array` takes."""
    if kind.kind == "decimal":
        return DIGITS if travels_as_text(kind) else decimals(kind)
    if kind.kind in ("int16", "int32"):
        bits = int(kind.kind[3:]) - 1
        return st.integers(-(2**bits), 2**bits - 1)
    day = 86_400 * 10 ** (kind.precision or 6) - 1
    return {
        "boolean": st.booleans(),
        "int64": INT64,
        "float32": st.floats(width=32),
        "float64": st.floats(),
        "char": TEXT,
        "text": TEXT,
        "json": st.just('{"a": null}') | TEXT,
        "binary": st.binary(max_size=12),
        "date": st.integers(-719_162, 2_932_896),  # years 1 to 9999
        "time": st.integers(0, day),
        "timestamp": INT64,
        "timestamptz": INT64,
        "uuid": st.binary(min_size=16, max_size=16),
    }[kind.kind]


def array(kind: Type, items: list) -> pa.Array:
    """Dates and times are given as integers, for the whole range that Arrow has."""
    plain = {"date": pa.int32(), "time": pa.int64(), "timestamp": pa.int64(), "timestamptz": pa.int64()}.get(kind.kind)
    built = pa.array(items, plain or arrow_type(kind))
    return built.cast(arrow_type(kind)) if plain else built


bounded = st.integers(1, 38).flatmap(lambda p: st.integers(0, p).map(lambda s: Type("decimal", precision=p, scale=s)))
kinds = st.one_of(
    bounded,
    st.sampled_from([Type("decimal"), Type("decimal", precision=60, scale=10)]),
    st.sampled_from(["boolean", "int16", "int32", "int64", "float32", "float64", "binary", "date", "json", "uuid"]).map(
        Type
    ),
    st.sampled_from([Type("char", length=12), Type("text"), Type("text", length=12)]),
    st.builds(Type, st.sampled_from(["time", "timestamp", "timestamptz"]), st.sampled_from([6, 9])),
)
names = st.text(string.ascii_letters + ' ."ü', min_size=1, max_size=8)


@st.composite
def tables(draw):
    """A schema and a few batches of it."""
    columns = draw(st.lists(st.builds(Column, names, kinds), min_size=1, max_size=6, unique_by=lambda c: c.name))
    schema = TableSchema(tuple(columns))
    batches = []
    for rows in draw(st.lists(st.integers(0, 8), max_size=3)):
        items = [draw(st.lists(st.none() | values(c.type), min_size=rows, max_size=rows)) for c in columns]
        arrays = [array(c.type, i) for c, i in zip(columns, items, strict=True)]
        batches.append(pa.RecordBatch.from_arrays(arrays, schema=arrow_schema(schema)))
    return schema, batches


def bits(table: pa.Table) -> pa.Table:
    """Floats as their bits, so that NaN equals NaN and -0.0 is not 0.0."""
    floats = {pa.float32(): pa.int32(), pa.float64(): pa.int64()}
    columns = [
        pa.chunked_array([c.view(floats.get(c.type, c.type)) for c in col.chunks], floats.get(col.type, col.type))
        for col in table.columns
    ]
    return pa.table(columns, names=table.column_names)


def read(store, folder, identities=(IDENTITY,)) -> pa.Table:
    parcel = open_parcel(store, folder, signers=Signers([VERIFIER]), identities=identities)
    batches = [b for entry in parcel.manifest.parts for b in read_part(store, parcel, entry, identities)]
    return pa.Table.from_batches(batches, arrow_schema(parcel.manifest.schema))


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    tables(), st.sampled_from(["zstd", "snappy", "gzip", "brotli", None]), st.booleans(), st.sampled_from([1, 1 << 24])
)
def test_any_table_comes_back_equal(table, compression, sealed, part_size):
    """Every kind, NULL, NaN, empty text, extreme decimals and dates; however compressed, sealed and cut."""
    schema, batches = table
    store = open_store("memory:///")
    how = PartSettings((RECIPIENT,) if sealed else None, Compression(compression), part_size)
    folder = export(store, batches, schema=schema, settings=how)
    expected = pa.Table.from_batches(batches, arrow_schema(schema))
    assert bits(read(store, folder)).equals(bits(expected))


@pytest.mark.parametrize("location", ["path", "url", "memory:///"])
@pytest.mark.parametrize("recipients", [(RECIPIENT,), None])
@pytest.mark.parametrize("compression", [("zstd", 9), ("gzip", 1), (None, None)])
def test_every_location_and_form_round_trips(tmp_path, location, recipients, compression):
    """Folder, file URL and object store; sealed and clear; compressed and not: all sound by `check_parcel`."""
    places = {"path": str(tmp_path / "x"), "url": (tmp_path / "x").as_uri()}
    store = open_store(places.get(location, location))
    folder = export(store, settings=PartSettings(recipients, Compression(*compression)))
    assert read(store, folder, (IDENTITY,) if recipients else ()).equals(pa.Table.from_batches([fin(0, 1000)]))
    for identities in ([IDENTITY], None):
        assert check_parcel(store, folder, signers=Signers([VERIFIER]), identities=identities) == []


def test_a_table_without_rows_is_a_parcel_without_parts(tmp_path):
    """Zero rows are a valid state of a table, also as the first thing at a new location."""
    store = open_store(str(tmp_path / "new"))
    folder = export(store, [fin(0, 0)])
    assert {path.rpartition("/")[2] for path in store.files(folder)} == {"index", "manifest.json.age"}
    assert read(store, folder).num_rows == 0
    parcel = open_parcel(store, folder, signers=Signers([VERIFIER]), identities=[IDENTITY])
    assert (parcel.manifest.parts, parcel.manifest.row_count, parcel.manifest.schema) == ((), 0, FIN)
