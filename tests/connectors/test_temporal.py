"""Month ends and as-of functions on real databases, against the rule and against a model that tries every month."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Protocol

import duckdb
import pytest

from landbridge.connectors.registry import Connector
from landbridge.errors import SchemaMismatch, TargetError
from landbridge.schema.model import Relation
from landbridge.schema.temporal import Temporal, temporal_statements
from tests.conformance.system import NUMBERS, numbers, publish
from tests.connectors.conftest import PostgresSystem
from tests.connectors.test_duckdb import DuckDBSystem

WANTED = Temporal(("_ID",), ("_TIMESTAMPFROM", "_TIMESTAMPTO"), month_ends=True, as_of=True)
OPEN = datetime(9999, 12, 31, tzinfo=UTC)
TICK = timedelta(microseconds=1)
Version = tuple[int, int, datetime | None, datetime | None]  # id, number, from, to


class System(Protocol):
    connector: Connector

    def relation(self, table: str) -> Relation: ...
    def execute(self, sql: str) -> list[tuple]: ...


@pytest.fixture(params=["postgres", "duckdb"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def system(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[System]:
    if kind == "postgres":
        yield request.getfixturevalue("pg")
    else:
        with duckdb.connect(tmp_path / "it.duckdb") as connection:
            connection.execute('CREATE SCHEMA "Test"')
        yield DuckDBSystem(tmp_path)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def make(system: System, kind: str, versions: Iterable[Version], clock: str = "timestamptz") -> None:
    """The table `t`, and all that is made of it."""
    system.execute(f"CREATE TABLE t (_id bigint, n int, _timestampfrom {clock}, _timestampto {clock})")
    rows = [f"({i}, {n}, {_value(first, clock)}, {_value(last, clock)})" for i, n, first, last in versions]
    system.execute(f"INSERT INTO t VALUES {', '.join(rows)}")
    remake(system, kind)


def _value(instant: datetime | None, clock: str) -> str:
    if instant is None:
        return "NULL"
    zone = "+00" if clock == "timestamptz" else ""
    return f"{clock} '{instant:%Y-%m-%d %H:%M:%S.%f}{zone}'"


def remake(system: System, kind: str, wanted: Temporal = WANTED) -> None:
    place = system.relation("t")
    standing = system.connector.describe([place])[place]
    assert standing is not None
    system.connector.execute(temporal_statements(kind, place, standing, wanted))


def grid(system: System, key: int = 1) -> list[tuple[str, int]]:
    found = system.execute(f"SELECT monthenddate, n FROM t_month_ends WHERE _id = {key} ORDER BY monthenddate")
    return [(str(day), n) for day, n in found]


def held(system: System, kind: str, ids: Sequence[int] | None, instant: datetime) -> list[tuple[int, int]]:
    listed = f"ARRAY[{', '.join(map(str, ids))}]" if ids is not None else "NULL"
    cast = "::bigint[]" if kind == "postgres" else ""
    text = f"{instant:%Y-%m-%d %H:%M:%S.%f}+00"
    return sorted(system.execute(f"SELECT _id, n FROM t_as_of({listed}{cast}, timestamptz '{text}')"))


def ends(first: str, last: date | None = None) -> list[str]:
    """Last days of the months from that of `first`, to the last that has ended."""
    last = last or datetime.now(UTC).date()
    starts = [date(year, month, 1) for year in range(int(first[:4]), last.year + 1) for month in range(1, 13)]
    return [str(s - timedelta(days=1)) for s in starts if s <= last and str(s - timedelta(days=1)) >= first]


CASES = {
    "begins and ends within a month": (
        [("2024-03-05", "2024-03-20"), ("2024-03-20", "2024-05-01T00:00:00.000001")],
        [("2024-03-31", 1), ("2024-04-30", 1)],
    ),
    "ends exactly at midnight after the last day": ([("2024-01-10", "2024-02-01")], [("2024-01-31", 0)]),
    "ends a tick before that midnight": ([("2024-01-10", "2024-01-31T23:59:59.999999")], []),
    "begins exactly at that midnight": ([("2024-02-01", "2024-03-01")], [("2024-02-29", 0)]),
    "begins a tick before that midnight": (
        [("2024-01-31T23:59:59.999999", "2024-03-01")],
        [("2024-01-31", 0), ("2024-02-29", 0)],
    ),
    "changes within the last day": (
        [("2024-01-10", "2024-01-31T09:00:00"), ("2024-01-31T09:00:00", "2024-02-03")],
        [("2024-01-31", 1)],
    ),
    "comes back after a gap": (
        [("2023-11-15", "2024-01-15"), ("2024-03-02", "2024-05-31T12:00:00")],
        [("2023-11-30", 0), ("2023-12-31", 0), ("2024-03-31", 1), ("2024-04-30", 1)],
    ),
    "overlaps: the newest beginning wins": (
        [("2024-01-10", "2024-04-10"), ("2024-02-10", "2024-03-10")],
        [("2024-01-31", 0), ("2024-02-29", 1), ("2024-03-31", 0)],
    ),
    "begins twice at once: the later end wins": (
        [("2024-01-10", "2024-03-10"), ("2024-01-10", "2024-02-10")],
        [("2024-01-31", 0), ("2024-02-29", 0)],
    ),
    "ends before it begins": ([("2024-03-10", "2024-01-10")], []),
    "has no beginning": ([(None, "2024-03-10")], []),
}


@pytest.mark.parametrize("name", CASES)
def test_month_ends_follow_the_rule(name: str, system: System, kind: str) -> None:
    """That is: from < end of the month <= to, where a month ends at 00:00 UTC of the day after its last."""
    versions, expected = CASES[name]
    make(system, kind, [(1, n, first and at(first), at(last)) for n, (first, last) in enumerate(versions)])
    assert grid(system) == expected


@pytest.mark.parametrize("last", [OPEN, None])
def test_an_open_end_reaches_the_last_month_that_has_ended(last: datetime | None, system: System, kind: str) -> None:
    """Whether it is the year 9999 or NULL; months to come are not told."""
    make(system, kind, [(1, 7, at("2025-01-31T23:00:00"), last)])
    assert grid(system) == [(day, 7) for day in ends("2025-01-31")]


def test_infinity_is_an_open_end_and_no_beginning(system: System, kind: str) -> None:
    """Nothing of ours writes it, and a series from it would never end."""
    make(system, kind, [(1, 1, at("2025-01-01"), None), (2, 2, at("2025-01-01"), None), (3, 3, at("2025-01-01"), None)])
    system.execute("UPDATE t SET _timestampfrom = '-infinity' WHERE _id = 1")
    system.execute("UPDATE t SET _timestampto = 'infinity' WHERE _id = 2")
    system.execute("UPDATE t SET _timestampto = '-infinity' WHERE _id = 3")
    assert grid(system, 1) == grid(system, 3) == []
    assert grid(system, 2) == [(day, 2) for day in ends("2025-01-31")]


def test_as_of_tells_what_held(system: System, kind: str) -> None:
    """That is: from <= instant < to, of the ids that are asked for, or of all; nothing in a gap."""
    make(
        system,
        kind,
        [
            (1, 10, at("2024-01-01"), at("2024-02-01")),
            (1, 11, at("2024-02-01"), at("2024-03-01")),
            (1, 12, at("2024-04-01"), None),
            (2, 20, at("2024-01-15"), OPEN),
        ],
    )
    assert held(system, kind, [1, 2], at("2024-01-01") - TICK) == []
    assert held(system, kind, [1, 2], at("2024-01-01")) == [(1, 10)]
    assert held(system, kind, None, at("2024-02-01") - TICK) == [(1, 10), (2, 20)]
    assert held(system, kind, [1], at("2024-02-01")) == [(1, 11)]
    assert held(system, kind, None, at("2024-03-01")) == [(2, 20)]
    assert held(system, kind, [1, 3], at("2030-01-01")) == [(1, 12)]
    assert held(system, kind, [], at("2030-01-01")) == []


POOL = [
    at("2022-10-31T23:59:59.999999"),
    at("2022-11-01"),
    at("2022-11-01T00:00:00.000001"),
    *(at(f"2022-{month:02}-{day:02}") for month in (11, 12) for day in (1, 15, 30)),
    at("2022-12-31T18:30:00"),
    *(at(f"2023-{month:02}-01") for month in range(1, 6)),
    at("2023-02-28"),
    at("2023-02-28T23:59:59.999999"),
]


def random_versions(seed: int, *, days: bool) -> list[Version]:
    """Versions of 150 keys, in any relation to each other; no two of a key begin and end alike."""
    random = Random(seed)  # noqa: S311 - the same each time
    pool = sorted({one.replace(hour=0, minute=0, second=0, microsecond=0) if days else one for one in POOL})
    found: list[Version] = []
    for key in range(150):
        pairs = {(random.choice(pool), random.choice([*pool, OPEN, None])) for _ in range(random.randrange(1, 6))}
        found += [(key, n, first, last) for n, (first, last) in enumerate(sorted(pairs, key=str))]
    return found


def newest(versions: Iterable[Version]) -> Version:
    return max(versions, key=lambda v: (v[2] or OPEN, v[3] or datetime.max.replace(tzinfo=UTC)))


def by_key(versions: Iterable[Version]) -> dict[int, list[Version]]:
    found: dict[int, list[Version]] = {}
    for version in versions:
        found.setdefault(version[0], []).append(version)
    return found


def model_grid(versions: Iterable[Version]) -> set[tuple[int, int, date]]:
    """Every month, every key, every version."""
    found = set()
    for day in map(date.fromisoformat, ends("2022-01-31")):
        end = at(str(day)) + timedelta(days=1)
        for key, own in by_key(versions).items():
            if there := [v for v in own if v[2] and v[2] < end and (v[3] is None or end <= v[3])]:
                found.add((key, newest(there)[1], day))
    return found


def model_held(versions: Iterable[Version], instant: datetime) -> set[tuple[int, int]]:
    return {
        (key, newest(there)[1])
        for key, own in by_key(versions).items()
        if (there := [v for v in own if v[2] and v[2] <= instant and (v[3] is None or instant < v[3])])
    }


@pytest.mark.parametrize("clock", ["timestamptz", "timestamp", "date"])
def test_as_the_model_says(clock: str, system: System, kind: str) -> None:
    """Of 150 keys with random versions, on every kind of clock; one row for each key and month end."""
    versions = random_versions(sum(map(ord, clock)), days=clock == "date")
    make(system, kind, versions, clock)
    rows = system.execute("SELECT _id, n, monthenddate FROM t_month_ends")
    assert len(rows) == len({(key, day) for key, _, day in rows})
    assert set(rows) == model_grid(versions)
    edges = [edge for first, second in pairwise(POOL) for edge in (first - TICK, first, first + (second - first) / 2)]
    for instant in edges:
        assert set(held(system, kind, None, instant)) == model_held(versions, instant)


def test_a_month_end_is_what_held_a_tick_before_midnight(system: System, kind: str) -> None:
    """The two rules agree."""
    make(system, kind, random_versions(3, days=False))
    for day in ends("2022-10-31", date(2023, 7, 1)):
        of_grid = system.execute(f"SELECT _id, n FROM t_month_ends WHERE monthenddate = date '{day}'")
        assert sorted(of_grid) == held(system, kind, None, at(day) + timedelta(days=1) - TICK)


def test_keys_of_several_columns_and_names_that_need_quotes(system: System, kind: str) -> None:
    """One array for each column of the key; a column called like a parameter takes nothing from it."""
    system.execute(
        'CREATE TABLE t (ids text, "it\'s ""x\\{}" int, "instant" text,'
        " _timestampfrom timestamp, _timestampto timestamp)"
    )
    system.execute(
        "INSERT INTO t VALUES ('a', 1, 'one', '2024-01-10', '2024-02-10'), ('a', 2, 'two', '2024-01-10', NULL),"
        " ('b', 1, 'three', '2024-01-10', NULL)"
    )
    keys = ("ids", "it's \"x\\{}")
    remake(system, kind, Temporal(keys, WANTED.validity, month_ends=True, as_of=True))
    given = "ARRAY['a', 'c'], NULL, timestamptz '2024-01-20 00:00:00+00'"
    assert sorted(system.execute(f'SELECT "instant" FROM t_as_of({given})')) == [("one",), ("two",)]
    assert system.execute("SELECT count(*) FROM t_month_ends WHERE monthenddate = '2024-01-31'") == [(3,)]


def test_they_are_made_anew(system: System, kind: str) -> None:
    """After a column more and another type of the key: the same names, and no second function beside the first."""
    make(system, kind, [(1, 5, at("2024-01-10"), at("2024-02-10"))])
    system.execute("ALTER TABLE t ADD COLUMN more text DEFAULT 'x'")
    system.execute("ALTER TABLE t ALTER _id TYPE text")
    remake(system, kind)
    assert system.execute("SELECT _id, more FROM t_month_ends") == [("1", "x")]
    assert system.execute("SELECT more FROM t_as_of(ARRAY['1'], timestamptz '2024-01-20 00:00:00+00')") == [("x",)]
    assert system.execute("SELECT more FROM t_as_of(NULL, timestamptz '2024-01-20 00:00:00+00')") == [("x",)]


def test_nothing_that_stands_in_the_way_is_lost(system: System, kind: str) -> None:
    """A table that has the view's name, and in PostgreSQL a view upon ours, stay; all is as before."""
    make(system, kind, [(1, 5, at("2024-01-10"), at("2024-02-10"))])
    system.execute("DROP VIEW t_month_ends")
    system.execute("CREATE TABLE t_month_ends AS SELECT 1 AS mine")
    with pytest.raises(TargetError):
        remake(system, kind)
    assert system.execute("SELECT mine FROM t_month_ends") == [(1,)]
    assert held(system, kind, None, at("2024-01-20")) == [(1, 5)]


def test_a_view_upon_ours_is_never_dropped(pg: PostgresSystem) -> None:
    """The statements are refused, all of them."""
    make(pg, "postgres", [(1, 5, at("2024-01-10"), at("2024-02-10"))])
    pg.execute("CREATE VIEW theirs AS SELECT n FROM t_month_ends")
    with pytest.raises(TargetError, match="depend on it"):
        remake(pg, "postgres")
    assert pg.execute("SELECT * FROM theirs") == [(5,)]


def test_a_table_with_them_is_still_swapped_and_changed(pg: PostgresSystem) -> None:
    """Neither the function nor the view on it depends on the table."""
    publish(pg, "t", NUMBERS, [numbers(0, 3, "x")])
    pg.execute("ALTER TABLE t ADD COLUMN b timestamptz DEFAULT '2024-01-10 00:00:00+00', ADD COLUMN e timestamptz")
    remake(pg, "postgres", Temporal(("id",), ("b", "e"), month_ends=True, as_of=True))
    assert publish(pg, "t", NUMBERS, [numbers(0, 5, "y")]).how == "swap"
    assert pg.execute("SELECT count(*) FROM t_month_ends WHERE monthenddate = '2024-01-31'") == [(5,)]
    assert pg.execute("SELECT count(*) FROM t_as_of(ARRAY[1, 2], '2024-02-01 00:00:00+00')") == [(2,)]
    pg.execute("ALTER TABLE t DROP COLUMN note")


def test_an_index_on_the_keys_is_used(pg: PostgresSystem) -> None:
    """PostgreSQL looks into both functions, as if their text stood in the query."""
    make(pg, "postgres", [(1, 5, at("2024-01-10"), at("2024-02-10"))])
    pg.execute("CREATE INDEX by_key ON t (_id)")
    pg.execute("INSERT INTO t SELECT i, 0, '2024-01-10', '2024-02-10' FROM generate_series(2, 20000) AS i")
    pg.execute("ANALYZE t")
    for asked in ("t_as_of(ARRAY[7, 8], '2024-01-20 00:00:00+00')", "t_month_ends WHERE _id = 7"):
        plan = "\n".join(line for (line,) in pg.execute(f"EXPLAIN SELECT n FROM {asked}"))
        assert "by_key" in plan


def test_what_cannot_be_is_refused(system: System, kind: str) -> None:
    """Columns that are not there or say no time, and a column called as the month's end."""
    system.execute("CREATE TABLE t (id int, b text, e timestamp, monthenddate date)")
    for keys, validity, said in (
        (("key",), ("e", "e"), "has no column 'key'"),
        (("id",), ("b", "e"), "column b is text, and says no time of validity"),
        (("id",), ("e", "e"), "has a column monthenddate of its own"),
    ):
        with pytest.raises(SchemaMismatch, match=said):
            remake(system, kind, Temporal(keys, validity, month_ends=True))
