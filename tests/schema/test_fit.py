"""What fits where, and tables paired column by column."""

from decimal import Decimal

import pyarrow as pa
import pytest

from landbridge.errors import SchemaMismatch
from landbridge.schema.arrow import arrow_type, travels_as_text
from landbridge.schema.fit import RULES, fit, pair
from landbridge.schema.model import Column, TableSchema, Type


def decimal(precision=None, scale=None):
    return Type("decimal", precision, scale)


def text(length=None):
    return Type("text", length=length)


TABLE = [
    (Type("int16"), Type("int16"), "exact"),
    (Type("int16"), Type("int64"), "widened"),
    (Type("int64"), Type("int32"), "checked"),
    (Type("int64"), decimal(19, 0), "widened"),
    (Type("int64"), decimal(23, 4), "widened"),
    (Type("int32"), decimal(38, 10), "widened"),
    (Type("int64"), decimal(), "widened"),
    (Type("int64"), decimal(18, 0), "checked"),
    (Type("int64"), decimal(19, 1), "checked"),
    (Type("int16"), decimal(30, -2), "checked"),
    (decimal(4, 0), Type("int16"), "widened"),
    (decimal(5, 0), Type("int16"), "checked"),
    (decimal(18, 0), Type("int64"), "widened"),
    (decimal(38, 0), Type("int64"), "checked"),
    (decimal(39, 0), Type("int64"), "refused"),
    (decimal(18, 1), Type("int64"), "refused"),
    (decimal(), Type("int64"), "refused"),
    (decimal(18, 4), decimal(18, 4), "exact"),
    (decimal(18, 4), decimal(20, 6), "widened"),
    (decimal(18, 4), decimal(), "widened"),
    (decimal(18, 4), decimal(60, 10), "widened"),
    (decimal(18, 4), decimal(10, 2), "refused"),
    (decimal(18, 4), decimal(30, 2), "refused"),
    (decimal(18, 4), decimal(10, 4), "checked"),
    (decimal(18, 4), decimal(18, 6), "checked"),
    (decimal(39, 0), decimal(50, 0), "widened"),
    (decimal(39, 0), decimal(38, 0), "refused"),
    (decimal(), decimal(), "exact"),
    (decimal(), decimal(1000, 100), "refused"),
    (decimal(), text(), "widened"),
    (decimal(39, 0), text(), "widened"),
    (decimal(), text(50), "refused"),
    (decimal(18, 4), text(), "refused"),
    (decimal(18, 4), Type("float64"), "refused"),
    (Type("float32"), Type("float64"), "widened"),
    (Type("float64"), Type("float32"), "refused"),
    (Type("int64"), Type("float64"), "refused"),
    (Type("int16"), Type("float64"), "refused"),
    (text(20), text(20), "exact"),
    (text(20), text(30), "widened"),
    (text(20), text(), "widened"),
    (text(), text(20), "checked"),
    (text(30), text(20), "checked"),
    (text(3), Type("char", length=3), "refused"),
    (Type("char", length=3), text(3), "widened"),
    (Type("char", length=3), text(2), "checked"),
    (Type("char", length=3), Type("char", length=4), "refused"),
    (Type("json"), text(), "widened"),
    (Type("json"), text(10), "checked"),
    (text(), Type("json"), "refused"),
    (Type("uuid"), text(), "widened"),
    (Type("uuid"), text(35), "refused"),
    (Type("time", 9), Type("time", 6), "checked"),
    (Type("time", 6), Type("time", 9), "widened"),
    (Type("timestamp"), Type("timestamp", 6), "exact"),
    (Type("timestamp", 9), Type("timestamp", 6), "checked"),
    (Type("timestamp", 6), Type("timestamp", 9), "checked"),
    (Type("timestamp", 3), Type("timestamp", 6), "widened"),
    (Type("timestamp", 6), Type("timestamp", 3), "refused"),
    (Type("timestamp", 9), Type("timestamp", 0), "refused"),
    (Type("timestamp", 0), Type("timestamp", 0), "exact"),
    (Type("timestamptz", 9), Type("timestamptz", 6), "checked"),
    (Type("timestamp", 6), Type("timestamptz", 6), "refused"),
    (Type("timestamptz", 6), Type("timestamp", 6), "refused"),
    (Type("date"), Type("timestamp", 6), "refused"),
    (Type("boolean"), Type("int16"), "refused"),
]


@pytest.mark.parametrize(("incoming", "target", "expected"), TABLE, ids=str)
def test_fit(incoming, target, expected):
    """The table of docs/types.md, row by row."""
    assert fit(incoming, target) == expected


SAMPLES = {
    "int16": -32768,
    "int32": -(2**31),
    "int64": -(2**63),
    "float32": 0.1,
    "time": 1,
    "timestamp": 1,
    "timestamptz": 1,
}


@pytest.mark.parametrize(
    ("incoming", "target"),
    [(a, b) for a, b, expected in TABLE if expected == "widened" and a.kind != "uuid"],  # its text is no cast
    ids=str,
)
def test_widened_is_what_a_safe_cast_does_exactly(incoming, target):
    """The widest value of the incoming type comes back unchanged from the target's Arrow type."""
    value = {
        "decimal": "-" + "9" * (incoming.precision or 60),
        "text": "x" * (incoming.length or 1),
        "char": "x" * (incoming.length or 1),
        "json": "{}",
        **SAMPLES,
    }[incoming.kind]
    if incoming.kind == "decimal" and not travels_as_text(incoming):
        value = Decimal(value).scaleb(-incoming.scale)
    column = pa.array([value, None], arrow_type(incoming))
    cast = column.cast(arrow_type(target), safe=True)
    if target.kind == "decimal" and travels_as_text(target):
        assert [v and Decimal(v) for v in cast.to_pylist()] == [v and Decimal(v) for v in column.to_pylist()]
    else:
        assert cast.to_pylist() == column.to_pylist()


@pytest.mark.parametrize(
    ("incoming", "target", "fits", "misfit"),
    [
        (Type("int64"), Type("int32"), 1, 2**31),
        (decimal(38, 0), Type("int64"), Decimal(1), Decimal(2**63)),
        (decimal(18, 4), decimal(10, 4), Decimal("1.0000"), Decimal("1234567.0000")),
        (Type("timestamp", 9), Type("timestamp", 6), 1000, 1),
        (Type("time", 9), Type("time", 6), 1000, 1),
        (Type("timestamp", 6), Type("timestamp", 9), 1, 253402214400000000),
    ],
    ids=str,
)
def test_checked_is_what_a_safe_cast_refuses_per_value(incoming, target, fits, misfit):
    """A value that fits passes, one that does not is an error: never a rounded or wrapped value."""
    assert fit(incoming, target) == "checked"
    pa.array([fits], arrow_type(incoming)).cast(arrow_type(target), safe=True)
    with pytest.raises(pa.ArrowInvalid):
        pa.array([misfit], arrow_type(incoming)).cast(arrow_type(target), safe=True)


def test_every_rule_has_a_row_in_the_table():
    """No pair of kinds is decided without an example above, integers standing for each other."""
    seen = {(a.kind, b.kind) for a, b, _ in TABLE}
    integers = ("int16", "int32", "int64")
    assert {r for r in RULES if r[0] not in integers and r[1] not in integers} <= seen


def table(*columns):
    return TableSchema(columns)


def test_pair_finds_the_folded_name_then_the_exact_one():
    """SECID goes to secid even where SECID exists as well; where no folded name exists the exact one serves."""
    incoming = table(Column("SECID", text()), Column("NAME", text()))
    target = table(Column("SECID", text()), Column("secid", text(20)), Column("NAME", text()))
    found = pair(incoming, target)
    assert [(p.incoming.name, p.target.name, p.fit) for p in found] == [
        ("SECID", "secid", "checked"),
        ("NAME", "NAME", "exact"),
    ]


def test_pair_lists_every_problem_at_once():
    """One error, a line for each problem, with the words of both databases."""
    incoming = table(
        Column("PRICE", decimal(18, 4), native="NUMBER(18,4)"),
        Column("NEW", text(20)),
        Column("ID", Type("int64")),
        Column("id", Type("int64")),
        Column("span", text()),
        Column("parts", Type("json")),
    )
    target = table(
        Column("price", decimal(10, 2), native="numeric(10,2)"),
        Column("id", Type("int64")),
        Column("span", text(), native="interval"),
        Column("parts", Type("json"), native="STRUCT(a INTEGER)"),
        Column("must", text(), nullable=False),
    )
    with pytest.raises(SchemaMismatch) as caught:
        pair(incoming, target)
    assert caught.value.message.splitlines() == [
        "the target lacks column new; add it as text(20)",
        "2 columns would be loaded into column id",
        "column price is numeric(10,2) and cannot take NUMBER(18,4); it must hold decimal(18,4)",
        "column span is interval and cannot take text; it must hold text",
        "column parts is STRUCT(a INTEGER) and cannot take json; it must hold json",
        "column must of the target is NOT NULL without a default, and nothing arrives for it",
    ]
    assert "migrate-tables" in caught.value.hint


def test_pair_lets_the_target_have_more_columns():
    """A column that does not arrive is fine where NULL or a default fills it."""
    target = table(
        Column("a", text(), nullable=False),
        Column("b", text()),
        Column("c", text(), nullable=False, has_default=True),
    )
    assert [p.target.name for p in pair(table(Column("a", text())), target)] == ["a"]


@pytest.mark.parametrize("native", ["text", "VARCHAR", "character varying(20)", "citext", None])
def test_pair_loads_columns_that_are_text_themselves(native):
    """A text type of any catalogue takes text."""
    assert pair(table(Column("a", text())), table(Column("a", text(), native=native)))
