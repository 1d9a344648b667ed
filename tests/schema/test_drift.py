"""Drift: every kind of change is seen, told as one line and classed; nothing else is."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landbridge.schema.drift import COUNTED, ORDER, Change, changes, summary
from landbridge.schema.metadata import ColumnMetadata, ForeignKey, TableMetadata
from landbridge.schema.model import Relation, Type

TYPES = {
    "NUMBER(10,2)": Type("decimal", 10, 2),
    "NUMBER(12,2)": Type("decimal", 12, 2),
    "VARCHAR(50)": Type("text", length=50),
    "VARCHAR(10)": Type("text", length=10),
    "TIMESTAMP_NTZ(9)": Type("timestamp", 9),
    "TIMESTAMP_NTZ(6)": Type("timestamp", 6),
    "GEOGRAPHY": Type("text"),
    "VARCHAR": Type("text"),
}


def column(name="PRICE", native="NUMBER(10,2)", **rest):
    return ColumnMetadata(name=name, data_type=native, type=TYPES[native], **rest)


def table(*columns, **rest):
    return TableMetadata(columns=tuple(column(c) if isinstance(c, str) else c for c in columns), **rest)


def lines(before, after):
    return [(change.line, change.safe) for change in changes(before, after)]


FOREIGN = ForeignKey(("CCY",), Relation("CURRENCIES", "REF"), ("CODE",))
ONE = table("PRICE")
KINDS = [
    ("column_added", ONE, table("PRICE", column("RISK", "VARCHAR(50)")), "+ Column added: RISK (VARCHAR(50))", True),
    (
        "column_added",
        ONE,
        table("PRICE", column("RISK", is_nullable=False)),
        "+ Column added: RISK (NUMBER(10,2))",
        False,
    ),
    (
        "column_added",
        ONE,
        table("PRICE", column("RISK", is_nullable=False, default_value="0")),
        "+ Column added: RISK (NUMBER(10,2))",
        True,
    ),
    (
        "column_added",
        ONE,
        table("PRICE", column("RISK", is_nullable=False, identity="always")),
        "+ Column added: RISK (NUMBER(10,2))",
        True,
    ),
    ("column_removed", table("PRICE", "RISK"), ONE, "- Column removed: RISK (NUMBER(10,2))", False),
    ("column_renamed", ONE, table("COST"), "~ Column renamed, as it seems: PRICE → COST", False),
    ("column_renamed", ONE, table("price"), "~ Column renamed: PRICE → price", True),
    (
        "column_type_changed",
        ONE,
        table(column(native="NUMBER(12,2)")),
        "~ Column type changed: PRICE: NUMBER(10,2) → NUMBER(12,2)",
        True,
    ),
    (
        "column_type_changed",
        table(column(native="VARCHAR(50)")),
        table(column(native="VARCHAR(10)")),
        "~ Column type changed: PRICE: VARCHAR(50) → VARCHAR(10)",
        False,
    ),
    (
        "column_type_changed",
        table(column(native="GEOGRAPHY")),
        table(column(native="VARCHAR")),
        "~ Column type changed: PRICE: GEOGRAPHY → VARCHAR",
        True,
    ),
    (
        "column_type_changed",
        ONE,
        table(replace(column(), type=Type("decimal", 10, 1))),
        "~ Column type changed: PRICE: decimal(10,2) → decimal(10,1)",
        False,
    ),
    (
        "column_nullability_changed",
        table(column(is_nullable=False)),
        ONE,
        "~ Column nullability changed: PRICE: NOT NULL → NULL",
        True,
    ),
    (
        "column_nullability_changed",
        ONE,
        table(column(is_nullable=False)),
        "~ Column nullability changed: PRICE: NULL → NOT NULL",
        False,
    ),
    (
        "column_position_changed",
        table("A", "B", "C"),
        table("C", "A", "B"),
        "~ Column position changed: C: 3 → 1",
        True,
    ),
    (
        "column_default_changed",
        ONE,
        table(column(default_value="'a\nb'")),
        "~ Column default changed: PRICE: none → \"'a\\nb'\"",
        True,
    ),
    (
        "column_identity_changed",
        ONE,
        table(column(identity="by default")),
        "~ Column identity changed: PRICE: none → by default",
        True,
    ),
    (
        "column_comment_changed",
        ONE,
        table(column(comment="in €")),
        "~ Column comment changed: PRICE: none → in €",
        True,
    ),
    (
        "column_collation_changed",
        table(column(collation="de")),
        table(column(collation="sv")),
        "~ Column collation changed: PRICE: de → sv",
        False,
    ),
    (
        "primary_key_changed",
        table("A", "B", primary_key=("A",)),
        table("A", "B", primary_key=("A", "B")),
        "~ Primary key changed: (A) → (A, B)",
        False,
    ),
    (
        "unique_keys_changed",
        table("A", "B"),
        table("A", "B", unique_keys=(("A",), ("B", "A"))),
        "~ Unique keys changed: none → (A), (B, A)",
        False,
    ),
    (
        "foreign_keys_changed",
        table("CCY"),
        table("CCY", foreign_keys=(FOREIGN,)),
        "~ Foreign keys changed: none → (CCY) references REF.CURRENCIES (CODE)",
        True,
    ),
    ("table_comment_changed", ONE, replace(ONE, comment="daily"), "~ Table comment changed: none → daily", True),
    (
        "clustering_key_changed",
        replace(ONE, clustering_key="LINEAR(DAY)"),
        ONE,
        "~ Clustering key changed: LINEAR(DAY) → none",
        True,
    ),
]


@pytest.mark.parametrize(("kind", "before", "after", "line", "safe"), KINDS, ids=lambda value: str(value)[:40])
def test_each_kind_is_seen_told_and_classed(kind, before, after, line, safe):
    """One change is one line of one kind, safe or not."""
    assert [(c.kind, c.line, c.safe) for c in changes(before, after)] == [(kind, line, safe)]


def test_every_kind_has_an_example():
    """No kind is without a row above."""
    assert {kind for kind, *_ in KINDS} == set(ORDER)


def test_fault_2_an_added_column_does_not_crash_the_alert():
    """Printing the first added column must not fail: all that is printed comes from the change itself."""
    found = changes(ONE, table("PRICE", "RISK"))
    assert [c.line for c in found] == ["+ Column added: RISK (NUMBER(10,2))"]
    assert summary(found) == "1 column added"


def test_fault_3_nullability_position_and_primary_key_are_seen():
    """All three at once, each as its own change."""
    before = table(column("A", is_nullable=False), "B", primary_key=("A",))
    after = table("B", "A")
    assert [c.kind for c in changes(before, after)] == [
        "column_nullability_changed",
        "column_position_changed",
        "primary_key_changed",
    ]


def test_fault_4_a_type_change_is_told_and_not_swallowed():
    """With other changes beside it, of the same column and of others."""
    before = table("A", column("B", is_nullable=False))
    after = table("A", column("B", "VARCHAR(50)"), "C")
    assert lines(before, after) == [
        ("+ Column added: C (NUMBER(10,2))", True),
        ("~ Column type changed: B: NUMBER(10,2) → VARCHAR(50)", False),
        ("~ Column nullability changed: B: NOT NULL → NULL", True),
    ]


def test_fault_6_upper_and_lower_case_of_one_name_are_one_column_and_types_are_compared():
    """Snowflake's PRICE and a lower-case price are the same; keys follow; what else differs is still seen."""
    before = table("ID", "PRICE", primary_key=("ID",), unique_keys=(("PRICE",),))
    after = table("id", column("price", "NUMBER(12,2)"), primary_key=("id",), unique_keys=(("price",),))
    assert lines(before, after) == [
        ("~ Column renamed: ID → id", True),
        ("~ Column renamed: PRICE → price", True),
        ("~ Column type changed: price: NUMBER(10,2) → NUMBER(12,2)", True),
    ]


def test_a_name_of_mixed_case_is_another_column():
    """`Price` folds to itself; and where both spellings stand, each is itself."""
    assert [c.kind for c in changes(table("A", "PRICE"), table("Price", "A"))] == ["column_added", "column_removed"]
    assert [c.line for c in changes(table("A", "a"), table("a"))] == ["- Column removed: A (NUMBER(10,2))"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (table("A", "X", "B"), table("A", "B", "Y")),
        (table("X", "A"), table("Y", "Z", "A")),
        (table("X", "Z", "A"), table("Y", "A")),
        (table("X", "Z"), table("Y", "W")),
        (table(column("X", is_nullable=False)), table("Y")),
        (table(column("X", "VARCHAR")), table(column("Y", "GEOGRAPHY"))),
        (table("X", "A", "B"), table("B", "Y", "A")),
    ],
    ids=["elsewhere", "two came", "two went", "two of each", "nullability", "type", "others moved across"],
)
def test_an_ambiguous_rename_is_not_guessed(before, after):
    """It is told as what is certain: one went, one came."""
    kinds = {c.kind for c in changes(before, after)}
    assert "column_renamed" not in kinds
    assert {"column_added", "column_removed"} <= kinds


def test_a_rename_of_a_key_column_shows_in_the_key():
    """A guess hides nothing."""
    found = changes(table("A", "B", primary_key=("A",)), table("X", "B", primary_key=("X",)))
    assert [c.line for c in found] == [
        "~ Column renamed, as it seems: A → X",
        "~ Primary key changed: (A) → (X)",
    ]


def test_columns_that_only_made_room_have_not_moved():
    """One came before them, one went."""
    assert [c.kind for c in changes(table("A", "B", "C"), table("N", "M", "B", "C"))] == [
        "column_added",
        "column_added",
        "column_removed",
    ]


def test_a_line_is_one_line_and_odd_names_are_quoted():
    """Neither a log entry nor an alert can be forged by a name or a comment."""
    told = changes(ONE, table("PRICE", replace(column("A\n====")), column("B C", comment="x")))
    assert [c.line for c in told] == [
        '+ Column added: "A\\n====" (NUMBER(10,2))',
        '+ Column added: "B C" (NUMBER(10,2))',
    ]
    assert "\n" not in Change(kind="table_comment_changed", after="a\n\x1b[2Jb", safe=True).line


def test_summary_counts_in_a_fixed_order():
    """Whatever order the changes are in; singular and plural; a table has one primary key."""
    found = changes(
        table("A", "B", primary_key=("A",)), table(column("A", "NUMBER(12,2)"), "B", "C", "D", primary_key=("B",))
    )
    assert summary(reversed(found)) == "2 columns added, 1 type changed, primary key changed"
    assert summary(()) == "no changes"


NAMES = st.sampled_from(["A", "B", "C", "D", "E", "a", "b", "Mixed"])
COLUMNS = st.builds(
    lambda name, native, nullable, default: column(name, native, is_nullable=nullable, default_value=default),
    NAMES,
    st.sampled_from(sorted(TYPES)),
    st.booleans(),
    st.sampled_from([None, "0"]),
)
TABLES = st.builds(
    lambda columns, key: table(*columns, primary_key=tuple(c.name for c in columns[:key])),
    st.lists(COLUMNS, min_size=1, max_size=7, unique_by=lambda c: c.name),
    st.integers(0, 2),
)


@given(TABLES)
def test_nothing_changed_is_no_change(one):
    """And no guess of a rename either."""
    assert changes(one, one) == ()


@given(TABLES, TABLES)
def test_changes_lead_from_the_old_table_to_the_new(before, after):
    """Applied to the old table, they give the new one: none is missing and none is too much."""
    found = changes(before, after)
    names = {c.name: c.name for c in before.columns}  # new name → old name
    for c in found:
        if c.kind == "column_removed":
            del names[c.column]
        if c.kind == "column_renamed":
            names[c.after] = names.pop(c.before)
    names |= {c.column: None for c in found if c.kind == "column_added"}
    assert set(names) == set(after.schema.names)
    told = {(c.kind, c.column) for c in found}
    for name, old in names.items():
        if old is None:
            continue
        was, now = before.column(old), after.column(name)
        assert (("column_type_changed", name) in told) == (was.data_type != now.data_type)
        assert (("column_nullability_changed", name) in told) == (was.is_nullable != now.is_nullable)
        assert (("column_default_changed", name) in told) == (was.default_value != now.default_value)
    still = [n for n in after.schema.names if names[n] and ("column_position_changed", n) not in told]
    places = [before.schema.names.index(names[n]) for n in still]
    assert places == sorted(places)


@given(st.permutations("ABCDEF"))
def test_the_fewest_moves_are_told(order):
    """As many stand still as the longest run of columns in their old order, found here by trying all."""
    from itertools import combinations

    found = changes(table(*"ABCDEF"), table(*order))
    longest = next(n for n in range(6, 0, -1) if any(list(c) == sorted(c) for c in combinations(order, n)))
    assert len(found) == 6 - longest


@given(TABLES, TABLES)
def test_the_summary_never_lies_about_counts(before, after):
    """Each number is the count of its kind, and every kind that changed is named."""
    found = changes(before, after)
    told = dict(re.fullmatch(r"(?:(\d+) )?(.+)", part).groups()[::-1] for part in summary(found).split(", "))
    for kind in ORDER:
        count = sum(c.kind == kind for c in found)
        words = COUNTED.get(kind, (kind.replace("_", " "),) * 2)[count != 1]
        if count:
            assert told.pop(words) in (None, str(count))
    assert told in ({}, {"no changes": None})
