"""Rows of a window that take the place of all others with their key; all within the caller's transaction."""

from collections.abc import Callable, Sequence

from landbridge.connectors.merging import Session, keyed, settle
from landbridge.connectors.windowed import Windowed
from landbridge.contracts.values import Load, Published, Write
from landbridge.errors import TargetError
from landbridge.schema.fit import Pairing
from landbridge.schema.merging import Merging
from landbridge.schema.model import Relation, TableSchema
from landbridge.schema.names import qualify, quote
from landbridge.schema.superseding import Superseding

ONE = "one row of each key, by source_query or the sql of stage_to_target_transfer; or more columns in merge_keys"


def as_it_stands(pairing: Pairing, alias: str) -> str:
    """A landed value that needs no cast."""
    return f"{alias}.{quote(pairing.target.name)}"


def supersede(  # noqa: PLR0913, PLR0917  the load, and what it is done with
    windows: Windowed,
    write: Write,
    load: Load,
    landing: Relation,
    pairings: Sequence[Pairing],
    session: Session,
    value: Callable[[Pairing, str], str] = as_it_stands,
) -> Published:
    """Let the rows in `landing`, which loses some of them, take the place of those that the load has, and of all others
    with their keys, but for those that are newer.

    Nobody else may write the target meanwhile. Raises TargetError for keys that are NULL, for rows of one key of which
    none is the newest, and where the target would not hold exactly what is wanted.
    """
    rules = keyed(write, TableSchema(tuple(pairing.incoming for pairing in pairings)))
    assert rules is not None, "asked of a write with keys only"  # noqa: S101
    merging = Merging(windows.target, landing, pairings, keys=rules.keys, newest_by=rules.newest_by, value=value)
    steps = Superseding(merging, windows.tag, windows.literal(load.load_id))
    landed = session.ask(steps.landed())
    settle(merging, session, ONE)
    session.do(steps.leave_out())
    left = session.ask(steps.landed())
    taken_over = session.do(steps.take_over())
    if kept := session.ask(steps.not_taken_over()):
        raise TargetError(
            f"{windows.target}: {kept} rows that were to be deleted are still there",
            hint="a trigger or rule on the table keeps them",
        )
    values = [(pairing.target.name, value(pairing, "l")) for pairing in pairings]
    done = windows.put(session, load, values, f"{qualify(landing)} AS l", left)
    deleted = done.changed["deleted"] + taken_over
    return Published(done.rows, "window", changed={**done.changed, "deleted": deleted, "older": landed - left})
