"""Fidelity: which column loses what where, and how that is said."""

import pytest

from landbridge.connectors.duckdb.connector import DuckDB
from landbridge.connectors.postgres.connector import Postgres
from landbridge.schema.fidelity import Holds, as_created, grade, losses, possible, reach
from landbridge.schema.fit import Pairing, fit
from landbridge.schema.model import Column, TableSchema, Type
from landbridge.schema.traits import Traits

POSTGRES, DUCKDB = Postgres.holds, DuckDB.holds
NS, US = Type("timestamp", 9), Type("timestamp", 6)
FIRST_NS, LAST_NS = 2 - 2**63, 2**63 - 2  # that DuckDB does not take for infinity


def pairing(incoming: Type, target: Type, *, nullable: bool = True) -> Pairing:
    return Pairing(Column("C", incoming), Column("c", target, nullable), fit(incoming, target))


@pytest.mark.parametrize(
    ("incoming", "target", "holds", "traits", "lost"),
    [
        (NS, US, POSTGRES, Traits("C", nanoseconds=True, earliest=1, latest=1), ("nanoseconds",)),
        (NS, US, DUCKDB, Traits("C", nanoseconds=True, earliest=1, latest=1), ("nanoseconds",)),
        (NS, NS, DUCKDB, Traits("C", nanoseconds=True, earliest=1, latest=1), ()),
        (NS, US, POSTGRES, Traits("C", earliest=-(2**63), latest=2**63 - 1), ()),
        (Type("time", 9), Type("time", 6), POSTGRES, Traits("C", nanoseconds=True), ("nanoseconds",)),
        (Type("text"), Type("text"), POSTGRES, Traits("C", nul_bytes=True), ("nul_bytes",)),
        (Type("char", length=3), Type("text"), POSTGRES, Traits("C", nul_bytes=True), ("nul_bytes",)),
        (Type("text"), Type("text"), DUCKDB, Traits("C", nul_bytes=True), ()),
        (Type("date"), Type("date"), POSTGRES, Traits("C", earliest=-2_440_588, latest=2_145_042_905), ()),
        (Type("date"), Type("date"), POSTGRES, Traits("C", earliest=-2_440_589, latest=0), ("out_of_range",)),
        (Type("date"), Type("date"), POSTGRES, Traits("C", earliest=0, latest=2_145_042_906), ("out_of_range",)),
        (Type("date"), Type("date"), DUCKDB, Traits("C", earliest=-2_440_589, latest=2_145_042_906), ()),
        (US, NS, DUCKDB, Traits("C", earliest=-(-FIRST_NS // 1000), latest=LAST_NS // 1000), ()),
        (US, NS, DUCKDB, Traits("C", earliest=FIRST_NS // 1000, latest=0), ("out_of_range",)),
        (US, NS, DUCKDB, Traits("C", earliest=0, latest=LAST_NS // 1000 + 1), ("out_of_range",)),
        (US, US, POSTGRES, Traits("C", earliest=-210_866_803_200_000_001, latest=0), ("out_of_range",)),
        (US, US, POSTGRES, None, ()),
    ],
)
def test_what_a_column_loses(
    incoming: Type, target: Type, holds: Holds, traits: Traits | None, lost: tuple[str, ...]
) -> None:
    """At the last value that fits nothing, at the next one the loss by its name."""
    assert losses(pairing(incoming, target), traits, holds) == lost


def test_the_reach_is_in_the_incoming_unit() -> None:
    """Digits that will be cut do not take the last microsecond out of range."""
    narrow = Holds(digits=6, nul_bytes=True, bounds={"timestamp": (-5, 5)})
    assert reach(pairing(NS, US), narrow) == (-5000, 5999)
    assert reach(pairing(US, NS), Holds(9, nul_bytes=True, bounds={"timestamp": (-5500, 5500)})) == (-5, 5)
    assert reach(pairing(Type("text"), Type("text")), narrow) is None


def test_a_created_target_has_the_clocks_of_its_database() -> None:
    """Nine digits become PostgreSQL's six, so that their loss is seen before the table is there."""
    incoming = TableSchema((Column("T", NS, nullable=False, native="TIMESTAMP_NS"), Column("u", Type("time", 3))))
    made = as_created(incoming, POSTGRES)
    assert made.columns == (Column("t", US, nullable=False), Column("u", Type("time", 3)))
    assert as_created(incoming, DUCKDB).columns[0].type == NS


@pytest.mark.parametrize(
    ("one", "traits", "accepted", "said"),
    [
        (pairing(NS, US), None, (), "checked: nanoseconds"),
        (pairing(NS, US), None, ("nanoseconds",), "checked, accepted: nanoseconds"),
        (pairing(NS, US), Traits("C", nanoseconds=True), (), "lossy: nanoseconds"),
        (pairing(NS, US), Traits("C", nanoseconds=True), ("nanoseconds",), "lossy, accepted: nanoseconds"),
        (pairing(NS, US), Traits("C"), ("nanoseconds",), "checked"),
        (pairing(Type("text"), Type("text")), None, (), "exact"),
        (pairing(Type("text"), Type("text")), Traits("C", nul_bytes=True), ("nanoseconds",), "lossy: nul_bytes"),
        (pairing(Type("text"), Type("text", length=3)), None, (), "checked"),
        (pairing(Type("int64"), Type("int32")), None, (), "checked"),
        (
            pairing(Type("date"), Type("date")),
            Traits("C", earliest=-(2**31), latest=0),
            ("out_of_range",),
            "lossy, accepted: out_of_range",
        ),
        (
            pairing(Type("date"), Type("date"), nullable=False),
            Traits("C", earliest=-(2**31), latest=0),
            ("out_of_range",),
            "lossy: out_of_range",
        ),
    ],
)
def test_grades(one: Pairing, traits: Traits | None, accepted: tuple, said: str) -> None:
    """Known losses, possible ones, accepted ones; NULL is not accepted where the target's column cannot be it."""
    assert grade(one, None if traits is None else {"C": traits}, POSTGRES, {"C": accepted}) == said


def test_only_what_its_types_allow_is_possible() -> None:
    """A number loses nothing that has a name, whatever its traits say."""
    assert possible(pairing(Type("int64"), Type("int64")), POSTGRES) == ()
