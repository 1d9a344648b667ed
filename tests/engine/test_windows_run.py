"""Pipelines from source to target: windows, their load ids, what happens twice and what fails."""

from pathlib import Path

import pytest

from landbridge.config.project import load_project
from landbridge.engine.events import Event, GapsFound, Notice, SchemaChanged
from landbridge.engine.plan import window_load_id
from landbridge.engine.windowed.agenda import agenda, asked_for
from landbridge.engine.windowed.recount import Differs, recount
from landbridge.engine.windowed.running import run_due, run_windows
from landbridge.engine.world import World
from landbridge.errors import AuditError, LeaseHeld, SchemaMismatch, SourceError, UsageError, ValueDoesNotFit
from landbridge.ledger import coverage, gaps, runs
from landbridge.ledger.runs import Run
from landbridge.windows import Window
from tests.engine.conftest import OpenWorld
from tests.engine.pipelines import (
    FIRST,
    HOUR,
    PARCEL,
    TABLE,
    ask,
    declare,
    hour,
    hours,
    run,
    shop,
    source,
    succeeded,
    target,
)

TAGS = "SELECT landbridge_load_id, count(*)::int FROM mart.orders GROUP BY 1"
MART = (
    "CREATE SCHEMA mart; CREATE TABLE mart.orders (id INTEGER {}, state TEXT, amount NUMERIC(12, 4),"
    " placed_at TIMESTAMPTZ, landbridge_load_id TEXT)"
)
STAGES = pytest.mark.parametrize("stage", [PARCEL, TABLE], ids=["parcel", "landing table"])


@STAGES
def test_all_that_is_due_arrives_window_by_window(
    tmp_path: Path, pg_url: str, open_world: OpenWorld, stage: dict[str, str]
) -> None:
    """Each hour is a run of its own, in order; the target holds the source's rows, each with its window's load id."""
    world = open_world(shop(tmp_path, pg_url, stage_system=stage))
    done = succeeded(run(world))
    assert [each.window for each in done] == hours(0, 4)
    assert target(pg_url) == source(pg_url)
    assert dict(ask(pg_url, TAGS)) == {window_load_id("orders", window): 6 for window in hours(0, 4)}
    for each in done:
        audit = each.phases["audit"].details
        assert [audit[f"{place}_count"] for place in ("source", "stage", "target")] == [6, 6, 6]
        assert (each.pipeline_status, each.load_id) == ("SUCCESS", window_load_id("orders", each.window))
    assert coverage.covered(world.ledger, "orders") == [Window(FIRST, FIRST + 4 * HOUR)]
    assert run(world) == []


@STAGES
def test_fault_3_a_window_that_is_loaded_again_touches_no_other(
    tmp_path: Path, pg_url: str, open_world: OpenWorld, stage: dict[str, str]
) -> None:
    """Of one day, one hour is run again after its rows changed: it is replaced, the other hours keep theirs."""
    world = open_world(shop(tmp_path, pg_url, stage_system=stage))
    succeeded(run(world))
    ask(pg_url, "DELETE FROM orders WHERE id = 6; UPDATE orders SET state = 'late' WHERE id IN (7, 20)")
    (again,) = succeeded(run_windows(world, world.project.pipeline("orders"), [hour(1)]))
    assert (again.window, again.pipeline_id) == (hour(1), "orders_20260101_01h_run5")
    expected = [row for row in source(pg_url) if row[0] != 20]
    assert [row for row in target(pg_url) if row[0] != 20] == expected
    assert [row[1] for row in target(pg_url) if row[0] == 20] == ["new"]


def test_nothing_due_opens_no_connection(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """Neither source nor target is asked anything, and no row is written."""
    project = shop(tmp_path, pg_url)
    succeeded(run(open_world(project)))
    (project / ".env").write_text("POSTGRES_HOST=127.0.0.1\nPOSTGRES_PORT=1\nPOSTGRES_DATABASE=x\nPOSTGRES_USER=x\n")
    world = open_world(project)
    assert run(world) == []
    assert len(runs.list_runs(world.ledger)) == 4


def test_fault_10_catches_up_after_an_outage(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """One command runs all windows that were missed, oldest first; `limit` stops it earlier."""
    project = shop(tmp_path, pg_url, query_window={"acceptable_data_fetch_end_time": "2026-01-01T01:00:00Z"})
    succeeded(run(open_world(project)))
    declare(project)
    assert [each.window for each in succeeded(run(open_world(project), limit=2))] == hours(1, 3)
    assert [each.window for each in succeeded(run(open_world(project)))] == hours(3, 4)
    assert target(pg_url) == source(pg_url)


def test_parallel_windows(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """Several at once give the same rows and the same books; ids of runs differ; one that fails stops no other."""
    project = shop(tmp_path, pg_url)
    ask(pg_url, "CREATE TABLE gate (id INTEGER)")
    declare(
        project,
        source_system={
            "source_query": "SELECT *, CASE WHEN id = 7 THEN 1 / (SELECT count(*)::int FROM gate) END AS trap"
            " FROM {table}"
        },
    )
    world = open_world(project)
    results = run(world, parallel=4)
    assert sorted(result.window for result in results if result.error and result.window) == [hour(1)]
    assert len({each.pipeline_id for each in runs.list_runs(world.ledger)}) == 4
    assert coverage.covered(world.ledger, "orders") == [hour(0), Window(hour(2).start, hour(3).end)]
    ask(pg_url, "INSERT INTO gate VALUES (1)")
    assert [each.window for each in succeeded(run(open_world(project), parallel=4))] == [hour(1)]
    assert target(pg_url) == source(pg_url)


def test_in_order_a_failure_stops_what_comes_after(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """The window that failed is the first that the next command runs; nothing of later ones was loaded before it."""
    project = shop(tmp_path, pg_url)
    ask(pg_url, MART.format("CHECK (id NOT BETWEEN 12 AND 17)"))
    results = run(open_world(project))
    assert [bool(result.error) for result in results] == [False, False, True]
    ask(pg_url, "ALTER TABLE mart.orders DROP CONSTRAINT orders_id_check")
    assert [each.window for each in succeeded(run(open_world(project)))] == hours(2, 4)
    assert target(pg_url) == source(pg_url)


def test_fault_2_a_failure_says_nothing_of_another_window(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """Resume goes by window: an hour that failed is resumed by itself alone, the next hour skips nothing."""
    project = shop(tmp_path, pg_url, query_window={"acceptable_data_fetch_end_time": "2026-01-01T02:00:00Z"})
    ask(pg_url, MART.format("CHECK (id <> 3)"))
    (failed,) = run(open_world(project))
    assert failed.error is not None
    ask(pg_url, "ALTER TABLE mart.orders DROP CONSTRAINT orders_id_check")
    first, second = succeeded(run(open_world(project)))
    assert first.resumed_from == failed.error.pipeline_id
    assert first.phases["source_to_stage_transfer"].skip_reason == f"completed by {failed.error.pipeline_id}"
    assert first.phases["audit"].details["stage_count"] == 6  # fault 4: taken afresh, also where a phase was skipped
    assert (second.resumed_from, second.phases["source_to_stage_transfer"].status) == (None, "COMPLETED")
    assert target(pg_url) == source(pg_url, "2026-01-01 02:00+00")


def test_fault_1_a_retry_goes_on_where_the_attempt_before_it_failed(
    tmp_path: Path, pg_url: str, open_world: OpenWorld
) -> None:
    """The stage of the failed attempt is loaded, and the source is not read again: what changed since is not seen."""
    one_hour = {"acceptable_data_fetch_end_time": "2026-01-01T01:00:00Z"}
    project = shop(tmp_path, pg_url, stage_system=TABLE, query_window=one_hour)
    ask(pg_url, MART.format("CHECK (id <> 3)"))
    (failed,) = run(open_world(project))
    assert isinstance(failed.error, ValueDoesNotFit)
    ask(pg_url, "ALTER TABLE mart.orders DROP CONSTRAINT orders_id_check")
    ask(pg_url, "UPDATE orders SET state = 'changed' WHERE id = 1")
    (done,) = succeeded(run(open_world(project)))
    statuses = [done.phases[name].status for name in ("source_to_stage_transfer", "stage_to_target_transfer", "audit")]
    assert statuses == ["SKIPPED", "COMPLETED", "COMPLETED"]
    assert (done.pipeline_retry_number, done.resumed_from) == (1, failed.error.pipeline_id)
    assert [row[1] for row in target(pg_url)] == [None, "", "new", None, "", "new"]


def test_fault_4_rows_that_are_missing_or_too_many_fail_the_audit(
    tmp_path: Path, pg_url: str, open_world: OpenWorld
) -> None:
    """Counts are taken afresh from all three places: a trigger that swallows rows, rows from elsewhere, are seen."""
    project = shop(tmp_path, pg_url, stage_system=TABLE)
    ask(
        pg_url,
        "CREATE SCHEMA stage; CREATE TABLE stage.orders_stage (id INTEGER, state TEXT, amount NUMERIC(12, 4),"
        " placed_at TIMESTAMPTZ, landbridge_load_id TEXT)",
        "CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " INSERT INTO orders VALUES (100, 'late', 1, '2026-01-01 00:30+00') ON CONFLICT DO NOTHING;"
        " RETURN NULL; END $$",
        "CREATE TRIGGER late AFTER INSERT ON stage.orders_stage FOR EACH STATEMENT EXECUTE FUNCTION late()",
    )
    (failed,) = run(open_world(project))
    assert isinstance(failed.error, AuditError)
    assert failed.error.message.endswith("source to stage: 7 rows, then 6: 14.29 % lost, 0.0 % are tolerated")
    ask(pg_url, "DROP TRIGGER late ON stage.orders_stage")
    first, *_ = succeeded(run(open_world(project)))
    assert first.phases["source_to_stage_transfer"].status == "COMPLETED", "after a failed audit all is read again"
    assert target(pg_url) == source(pg_url)


def test_an_empty_window_passes_where_all_three_were_asked(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """0, 0, 0 is no accident: source, stage and target were counted now."""
    project = shop(tmp_path, pg_url, query_window={"acceptable_data_fetch_end_time": "2026-01-01T05:00:00Z"})
    last = succeeded(run(open_world(project)))[-1]
    audit = last.phases["audit"].details
    assert [audit[f"{place}_count"] for place in ("source", "stage", "target")] == [0, 0, 0]


def test_holes_that_nobody_will_fill_are_told_once_and_filled_when_asked(
    tmp_path: Path, pg_url: str, open_world: OpenWorld
) -> None:
    """Beyond the look-back each hour is recorded once, however often the pipeline runs, and closed by a run."""
    events: list[Event] = []
    project = shop(tmp_path, pg_url, query_window={"x_days_back": "1d"})
    world = open_world(project, events.append)
    assert run(world) == []
    assert [event for event in events if isinstance(event, GapsFound)] == [GapsFound("orders", tuple(hours(0, 4)))]
    assert run(open_world(project, events.append)) == []
    assert len([event for event in events if isinstance(event, GapsFound)]) == 1
    recorded = gaps.recorded(world.ledger, "orders")
    assert [row.pipeline_id for row in recorded][:1] == ["orders_gap_20260101_000000_to_010000"]
    assert {row.pipeline_status for row in recorded} == {"GAP_DETECTED"}
    pipeline = world.project.pipeline("orders")
    found = agenda(pipeline, world.ledger, recorded[0].created_at)
    succeeded(run_windows(world, pipeline, list(found.gaps())))
    assert list(agenda(pipeline, world.ledger, recorded[0].created_at).gaps()) == []
    assert target(pg_url) == source(pg_url)


def test_catchup_false_leaves_all_but_the_newest(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """As schedulers mean it: one window is run, those before it are gaps."""
    project = shop(tmp_path, pg_url, dag_schedule={"catchup": False})
    world = open_world(project)
    assert [each.window for each in succeeded(run(world))] == [hour(3)]
    assert [row.window for row in gaps.recorded(world.ledger, "orders")] == hours(0, 3)
    assert run(open_world(project)) == [], "the newest is loaded: older ones are not run instead of it"


def test_another_granularity_begins_where_the_old_one_ended(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """Windows that were begun keep their bounds; what is left is cut anew: no hole, no overlap."""
    project = shop(tmp_path, pg_url)
    succeeded(run(open_world(project), limit=1))
    declare(project, query_window={"granularity": "2h"})
    done = succeeded(run(open_world(project)))
    assert [each.window for each in done] == [hour(1), Window(hour(2).start, hour(3).end)]
    assert target(pg_url) == source(pg_url)


def test_a_span_that_cuts_a_window_is_refused(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """Half of a window cannot be loaded by itself, for its rows carry the load id of the whole."""
    project = shop(tmp_path, pg_url)
    world = open_world(project)
    succeeded(run(world))
    half = Window(FIRST + HOUR / 2, FIRST + 2 * HOUR)
    with pytest.raises(UsageError, match="cuts through window") as refused:
        asked_for(world.project.pipeline("orders"), half, world.ledger, FIRST + 10 * HOUR)
    assert refused.value.hint == "--from 2026-01-01T00:00:00+00:00 --to 2026-01-01T02:00:00+00:00"


def test_rows_without_a_time_are_told(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """They belong to no window, nor do those beyond all of them; silence would be a loss."""
    events: list[Event] = []
    project = shop(tmp_path, pg_url)
    ask(
        pg_url,
        "INSERT INTO orders VALUES (100, 'lost', 1, NULL), (101, '', 1, 'infinity'), (102, '', 1, '20000-1-1')",
    )
    first, *_ = succeeded(run(open_world(project, events.append)))
    assert first.phases["pre_validation"].details["rows_without_window"] == 3
    told = [event.text for event in events if isinstance(event, Notice)]
    years = "or one in none of the years that windows have"
    assert told == [f"3 rows of the source have no placed_at, {years}: they belong to no window"]


def test_windows_that_are_told_by_another_clock_are_told(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """Rows change their window by it: what would come twice or never is said, with what loads it again."""
    events: list[Event] = []
    project = shop(tmp_path, pg_url, source_system={"query_field_timezone": "UTC"})
    ask(pg_url, "ALTER TABLE orders ALTER placed_at TYPE TIMESTAMP USING placed_at AT TIME ZONE 'UTC'")
    succeeded(run(open_world(project), limit=2))
    declare(project, source_system={"query_field_timezone": "Europe/Berlin"})
    succeeded(run(open_world(project, events.append)))
    (changed,) = [event for event in events if isinstance(event, SchemaChanged)]
    (text,) = changed.changes
    assert text.startswith(
        "windows are told by placed_at, its clock in Europe/Berlin (were by placed_at, its clock in UTC): rows between "
        "those would come twice or never; load again what is loaded: landbridge backfill orders "
    )
    assert text.endswith(" --from 2026-01-01T00:00:00+00:00 --to 2026-01-01T02:00:00+00:00")


def test_a_drive_table_that_is_lost_doubles_nothing(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """On the same grid windows replace what is there; on another the run is refused, and told what to delete."""
    project = shop(tmp_path, pg_url)
    succeeded(run(open_world(project)))
    (project / "state" / "drive.db").unlink()
    succeeded(run(open_world(project)))
    assert target(pg_url) == source(pg_url)
    (project / "state" / "drive.db").unlink()
    declare(project, query_window={"granularity": "2h"})
    (refused,) = run(open_world(project))
    assert "mart.orders has 24 rows of orders that this drive table did not load" in str(refused.error)
    assert refused.error is not None
    ask(pg_url, str(refused.error.hint).partition("those rows: ")[2])
    assert len(succeeded(run(open_world(project)))) == 2
    assert target(pg_url) == source(pg_url)


def test_windows_that_failed_after_they_were_loaded_are_no_strangers(
    tmp_path: Path, pg_url: str, open_world: OpenWorld
) -> None:
    """Where none has succeeded yet, the next window still may run."""
    failing = {"target_cleaning": {"enabled": True, "sql": "DELETE FROM mart.missing"}}
    world = open_world(shop(tmp_path, pg_url, phases=failing))
    for number in range(2):
        (failed,) = run_windows(world, world.project.pipeline("orders"), [hour(number)])
        assert "mart.missing" in str(failed.error)
    assert ask(pg_url, "SELECT count(*) FROM mart.orders") == [(12,)]


def test_a_pipeline_by_a_new_name_is_told_of_its_old_rows(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """Its load ids are others: what it loaded by its old name comes once more."""
    events: list[Event] = []
    project = shop(tmp_path, pg_url)
    succeeded(run(open_world(project)))
    declare(project, pipeline_metadata={"pipeline_name": "sales"})
    world = open_world(project, events.append)
    list(run_due(world, world.project.pipeline("sales"), limit=1))
    told = [event.text for event in events if isinstance(event, Notice)]
    assert told == [
        (
            "mart.orders has 24 rows of pipelines that this project does not have: is sales one of them by a new name, "
            "its rows come twice"
        )
    ]


def test_a_source_that_changed_is_told(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """Columns are compared with those of the last window that was loaded; the target that lacks one stops the run."""
    events: list[Event] = []
    project = shop(tmp_path, pg_url)
    succeeded(run(open_world(project), limit=1))
    ask(pg_url, "ALTER TABLE orders ADD COLUMN note TEXT")
    (failed,) = run(open_world(project, events.append))
    assert isinstance(failed.error, SchemaMismatch)
    assert [event for event in events if isinstance(event, SchemaChanged)] == [
        SchemaChanged("orders", ("column note is new (text)",))
    ]


def test_checks_that_check(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """A source table or field that is not there, a target without a place for the load id, stop before a row moves."""
    project = shop(tmp_path, pg_url, source_system={"query_field": "placed"})
    (failed,) = run(open_world(project))
    assert isinstance(failed.error, SourceError)
    assert "has no column 'placed'; did you mean 'placed_at'?" in failed.error.message
    declare(project, source_system={"table": "order"})
    (failed,) = run(open_world(project))
    assert isinstance(failed.error, SourceError)
    declare(project)
    ask(pg_url, "CREATE SCHEMA mart; CREATE TABLE mart.orders (id INTEGER)")
    (failed,) = run(open_world(project))
    assert isinstance(failed.error, SchemaMismatch)
    assert failed.error.hint == 'ALTER TABLE "mart"."orders" ADD COLUMN landbridge_load_id text'
    assert ask(pg_url, "SELECT count(*) FROM mart.orders") == [(0,)]


def test_fault_14_two_runs_of_one_pipeline_do_not_overlap(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """Who comes second is told who works."""
    project = shop(tmp_path, pg_url)
    world = open_world(project)
    with world.alone_with("orders"), pytest.raises(LeaseHeld, match="works on it"):
        run(open_world(project))


@pytest.mark.parametrize("kind", ["TIMESTAMP", "DATE"])
def test_fields_without_a_zone(tmp_path: Path, pg_url: str, open_world: OpenWorld, kind: str) -> None:
    """Bounds are what the clock of the declared zone shows; days are those of the pipeline's zone."""
    zone = {"query_field_timezone": "Europe/Berlin"} if kind == "TIMESTAMP" else {}
    window = {"granularity": "1d", "timezone": "Europe/Berlin"}
    window |= {"acceptable_data_fetch_start_time": "2026-03-28", "acceptable_data_fetch_end_time": "2026-03-31"}
    project = shop(tmp_path, pg_url, query_window=window, source_system=zone)
    ask(
        pg_url,
        "DROP TABLE orders",
        f"CREATE TABLE orders (id INTEGER, state TEXT, amount NUMERIC(12, 4), placed_at {kind})",
        f"INSERT INTO orders SELECT i, '', 0, ('2026-03-27 23:00'::timestamp + i * interval '30 min')::{kind}"
        " FROM generate_series(0, 200) AS g(i)",
    )
    done = succeeded(run(open_world(project)))
    assert [each.query_window_duration for each in done] == ["24h", "23h", "24h"], "clocks go forward on the 29th"
    inside = "FROM orders WHERE placed_at >= '2026-03-28' AND placed_at < '2026-03-31'"
    assert ask(pg_url, "SELECT id FROM mart.orders ORDER BY id") == ask(pg_url, f"SELECT id {inside} ORDER BY id")
    counts = [(each.phases["audit"].details["target_count"],) for each in done]
    assert counts == ask(pg_url, f"SELECT count(*) {inside} GROUP BY placed_at::date ORDER BY placed_at::date")


def test_every_run_can_be_found_by_its_window(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """Windows below an hour have ids of their own."""
    project = shop(tmp_path, pg_url, query_window={"granularity": "20m"})
    done = succeeded(run(open_world(project)))
    assert len({each.pipeline_id for each in done}) == 12
    assert load_project(project, {}).pipeline("orders").step == "20m"


def test_rows_that_come_late_are_found_and_loaded(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """A recount tells the windows that are not as their audit found them, at the source or at the target; no others."""
    world = open_world(shop(tmp_path, pg_url))
    pipeline, day = world.project.pipeline("orders"), Window(FIRST, FIRST + 4 * HOUR)
    succeeded(run(world))
    assert list(recount(world, pipeline, day)) == []
    ask(pg_url, "INSERT INTO orders VALUES (100, 'late', 1, '2026-01-01 01:59+00')")
    ask(pg_url, "DELETE FROM mart.orders WHERE id = 23")
    found = list(recount(world, pipeline, day))
    assert found == [Differs(hour(1), (6, 7), (6, 6)), Differs(hour(3), (6, 6), (6, 5))]
    succeeded(run_windows(world, pipeline, [one.window for one in found], fresh=True))
    assert list(recount(world, pipeline, day)) == []
    assert target(pg_url) == source(pg_url)


def dies(world: World) -> Run:
    """The row that an attempt at the third hour leaves whose process ends in its transfer."""
    row = runs.start_run(
        world.ledger,
        pipeline_name="orders",
        job_kind="run",
        window=hour(2),
        plan_hash="x",
        fence=0,
        resumed_from=None,
        host="elsewhere",
        version="0",
    )
    return runs.phase_began(world.ledger, row, "source_to_stage_transfer")


def test_fault_6_a_run_whose_process_died_is_closed(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """Whatever window it was at: the next command of the pipeline closes its row, says so, and runs the window."""
    events: list[Event] = []
    world = open_world(shop(tmp_path, pg_url), events.append)
    dead = dies(world)
    assert [each.window for each in succeeded(run(world))] == hours(0, 4)
    closed = runs.get_run(world.ledger, dead.pipeline_id)
    assert (closed.pipeline_status, closed.phase_failed) == ("FAILED", "source_to_stage_transfer")
    assert closed.phases["source_to_stage_transfer"].error_class == "crash"
    told = [event.text for event in events if isinstance(event, Notice)]
    assert told == [f"closed {dead.pipeline_id}: its process ended without a word in source_to_stage_transfer"]
    idle = dies(world)
    assert run(open_world(tmp_path)) == [], "nothing is due"
    assert runs.get_run(world.ledger, idle.pipeline_id).pipeline_status == "FAILED"


def test_fault_11_a_row_that_ended_is_never_worked_on_again(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """Each attempt is a row of its own, numbered, and names the one that it takes up; that one stays as it was."""
    project = shop(tmp_path, pg_url, query_window={"acceptable_data_fetch_end_time": "2026-01-01T01:00:00Z"})
    ask(pg_url, MART.format("CHECK (id <> 3)"))
    for _ in range(3):
        run(world := open_world(project))
    rows = runs.list_runs(world.ledger)
    assert [(row.pipeline_retry_number, row.pipeline_status) for row in rows] == [(n, "FAILED") for n in (2, 1, 0)]
    assert [row.resumed_from for row in rows] == [rows[1].pipeline_id, rows[2].pipeline_id, None]
    assert {row.phase_failed for row in rows} == {"stage_to_target_transfer"}


def test_fault_9_a_first_run_has_a_window(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """Nothing says where to begin: the newest hour that has settled is run, and the next ones follow it."""
    now = {"acceptable_data_fetch_start_time": None, "acceptable_data_fetch_end_time": None}
    world = open_world(shop(tmp_path, pg_url, query_window=now))
    (first,) = succeeded(run(world))
    assert first.window.duration == HOUR
    assert first.window.start.minute == 0
    found = agenda(world.project.pipeline("orders"), world.ledger, first.window.end + 3 * HOUR + HOUR / 4)
    starts = [first.window.end + n * HOUR for n in range(3)]
    assert list(found.due()) == [Window(start, start + HOUR) for start in starts]


def test_a_longer_look_back_reaches_before_the_first_window(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """Whoever sets it after the first run gets the days before it, as one who had set it before."""
    open_ends = {"acceptable_data_fetch_start_time": None, "acceptable_data_fetch_end_time": None}
    project = shop(tmp_path, pg_url, query_window=open_ends)
    (first,) = succeeded(run(open_world(project)))
    declare(project, query_window={**open_ends, "x_days_back": "1d"})
    world = open_world(project)
    found = list(agenda(world.project.pipeline("orders"), world.ledger, first.window.end + HOUR / 2).due())
    assert [window.end for window in found][-1] == first.window.start
    assert found[0].start == first.window.end - 24 * HOUR


def test_an_older_day_that_is_loaded_makes_nothing_due(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """Where nothing says where a pipeline begins, it began with its first run; what lies between is a gap."""
    open_ends = {"acceptable_data_fetch_start_time": None, "acceptable_data_fetch_end_time": None}
    world = open_world(shop(tmp_path, pg_url, query_window=open_ends))
    pipeline = world.project.pipeline("orders")
    (first,) = succeeded(run(world))
    succeeded(run_windows(world, pipeline, [hour(0)]))
    found = agenda(pipeline, world.ledger, first.window.end + HOUR / 2)
    assert list(found.due()) == []
    assert found.passed == (Window(hour(0).end, first.window.start),)


def test_windows_that_were_cut_before_the_lease_are_looked_at_again(
    tmp_path: Path, pg_url: str, open_world: OpenWorld
) -> None:
    """Another process ran the hour as two halves meanwhile: the hour as a whole would bring their rows twice."""
    project = shop(tmp_path, pg_url, query_window={"granularity": "30m"})
    succeeded(run(open_world(project), limit=2))
    world = open_world(project)
    with pytest.raises(UsageError, match="was cut in another way meanwhile"):
        list(run_windows(world, world.project.pipeline("orders"), [hour(0)]))
    assert ask(pg_url, "SELECT count(*) FROM mart.orders") == [(6,)]


def test_no_window_begins_before_the_acceptable_start(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """Not by a backfill either."""
    world = open_world(shop(tmp_path, pg_url))
    day = Window(FIRST - HOUR, FIRST + HOUR)
    with pytest.raises(UsageError, match="no window begins before 2026-01-01T00:00:00"):
        asked_for(world.project.pipeline("orders"), day, world.ledger, FIRST + 10 * HOUR)
