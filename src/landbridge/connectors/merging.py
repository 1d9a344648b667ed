"""The statements of a merge, carried out and counted; every one within the caller's transaction."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from landbridge.connectors.tagging import refuse_tag, tag_of, tagged, untagged
from landbridge.contracts.values import Landing, Load, Merge, Write
from landbridge.errors import TargetError
from landbridge.schema.fit import Pairing, pair
from landbridge.schema.merging import Merging, refuse_unknown, validity_of, with_history, without_history
from landbridge.schema.model import Relation, TableSchema
from landbridge.schema.names import fold, qualify

NEWEST = "qualify_order_by: a column that differs between them"


@dataclass(frozen=True)
class Session:
    """How a database is asked for one number, and told to do something to rows, which it counts."""

    ask: Callable[[str], int]
    do: Callable[[str], int]


def shaped(schema: TableSchema, write: Write) -> TableSchema:
    """What a target that is created for this write looks like. Raises SchemaMismatch for keys that do not arrive."""
    if write.mode == "window":
        keyed(write, schema)
        return tagged(schema)
    if write.merge is None:
        return schema
    refuse_unknown(schema, (*write.merge.keys, write.merge.newest_by, write.merge.deleted_by))
    return with_history(schema, write.merge.keys, write.merge.validity)


def arriving(schema: TableSchema, standing: TableSchema, write: Write, *, only_keys: bool) -> tuple[Pairing, ...]:
    """The columns that arrive, and those of the target that take them; raises as `pair` and `validity_of` do."""
    if write.mode == "window":
        refuse_tag(schema)
        tag_of(standing, write.relation)
        keyed(write, schema)
        return pair(schema, untagged(standing))
    rules = write.merge
    takes = without_history(standing, validity_of(standing, rules.validity if rules else None))
    if rules and not only_keys:
        refuse_unknown(schema, (*rules.keys, rules.newest_by, rules.deleted_by))
    if only_keys:
        takes = TableSchema(tuple(replace(column, nullable=True) for column in takes.columns))
    return pair(schema, takes)


def keyed(write: Write, schema: TableSchema) -> Merge | None:
    """How the rows of a window meet others, by the names under which columns arrive; None where it has no keys.

    Names that fold to one are one: a stage in between may have folded them. Raises SchemaMismatch for those that do
    not arrive.
    """
    if write.merge is None:
        return None
    arriving = {fold(name): name for name in schema.names}
    keys, newest_by = (
        tuple(name if name in schema.names else arriving.get(fold(name), name) for name in names)
        for names in (write.merge.keys, filter(None, [write.merge.newest_by]))
    )
    refuse_unknown(
        schema, (*keys, *newest_by), "merge_keys of target_system need their columns there, and that of query_field"
    )
    return replace(write.merge, keys=keys, newest_by=next(iter(newest_by), None))


def merging_of(landing: Landing, keys: Landing | None, target: Relation, standing: TableSchema) -> Merging:
    """What a load does to its target, in the words that all databases have in common."""
    write, load, rules = landing.write, landing.load, landing.write.merge
    merging = Merging(
        target=target,
        landing=landing.relation,
        pairings=arriving(landing.schema, standing, write, only_keys=False),
        as_of=load.as_of,
        only_new=write.mode == "incremental",
        all_keys=keys.relation if keys else None,
    )
    if rules is None:
        return merging
    return replace(
        merging,
        keys=rules.keys,
        newest_by=rules.newest_by,
        deleted_by=rules.deleted_by,
        validity=validity_of(standing, rules.validity),
        complete=rules.deletes == "by_keys" and keys is None and rules.validity is not None,
    )


def refuse_other_chain(target: Relation, load: Load, newest: str | None) -> None:
    """Raise TargetError where the target does not hold what these rows go on from."""
    if not load.first and newest not in load.follows:
        raise TargetError(
            f"{target} does not hold the rows that parcel {load.parcel_id} goes on from: it was emptied, made anew, "
            "or loaded by something else since",
            hint=f"landbridge export-data --table {load.pipeline_name} --full-reload, where it is read; in one hop: "
            f"landbridge run --table {load.pipeline_name} --full-reload",
        )


def settle(merging: Merging, session: Session, hint: str = NEWEST) -> int:
    """Leave one row of each key in the landing table; return how many older ones that cost.

    `hint`: how to have one that is the newest. Raises TargetError for keys that are NULL, and for rows of one key of
    which none is the newest.
    """
    if not merging.keys:
        return 0
    table, keys = merging.target, ", ".join(merging.keys)
    if nulls := session.ask(merging.nulls()):
        raise TargetError(
            f"{table}: {nulls} rows have no value in their key ({keys})", hint="merge_keys: columns that are never NULL"
        )
    if not (doubled := session.ask(merging.doubled())):
        return 0
    if merging.newest_by is None:
        raise TargetError(
            f"{table}: {doubled} keys ({keys}) stand in the parcel more than once",
            hint="qualify_order_by: the column whose highest value tells the newest row",
        )
    older = session.do(merging.drop_older())
    if tied := session.ask(merging.doubled()):
        raise TargetError(
            f"{table}: of {tied} keys ({keys}) several rows arrive with the same highest {merging.newest_by}",
            hint=hint,
        )
    return older


def merge(
    merging: Merging, session: Session, *, left: int, keyed: bool, watched: bool = False
) -> tuple[int, dict[str, int]]:
    """Carry out the merge; return the rows that the target has then, and what became of them.

    `left` is how many rows the load before left there, `keyed` whether the target's own primary key is that of the
    merge, `watched` whether something in the database may keep rows from it (triggers, rules). Raises TargetError
    where there are fewer rows, where the counts do not add up, and where rows are not as they should be.
    """
    counting = f"SELECT count(*) FROM {qualify(merging.target)}"
    landed = session.ask(f"SELECT count(*) FROM {qualify(merging.landing)}")
    older = settle(merging, session)
    if merging.keys and not keyed and (twice := session.ask(merging.doubled_there())):
        raise TargetError(
            f"{merging.target}: {twice} keys ({', '.join(merging.keys)}) that arrive stand there more than once",
            hint="delete all but one row of each, and make the columns its primary key",
        )
    if merging.validity and (later := session.ask(merging.later())):
        raise TargetError(
            f"{merging.target}: {later} versions began at the instant of these rows or later: they are older than it",
            hint="is the source's clock right? a history cannot go back",
        )
    before = session.ask(counting)
    if before < left:
        raise TargetError(
            f"{merging.target}: the load before left {left} rows, and now there are {before}: it was emptied, or made "
            "anew",
            hint=f"all rows once more: --full-reload where {merging.target.table} is read",
        )
    changed = Counter(older=older)
    for step in merging.steps():
        all_known = changed["updated"] == landed - older - changed["gone"]
        if step.counts != "inserted" or not all_known:
            changed[step.counts] += session.do(step.sql)
    after = session.ask(counting)
    if before + changed["inserted"] - changed["deleted"] != after:
        raise TargetError(
            f"{merging.target}: {before} rows, {changed['inserted']} inserted and {changed['deleted']} deleted, "
            f"and now there are {after}",
            hint="a trigger or rule on the table adds or drops rows",
        )
    if (not merging.keys and changed["inserted"] != landed) or (watched and any(map(session.ask, merging.undone()))):
        raise TargetError(
            f"{merging.target}: rows that were to be inserted, updated or deleted were not",
            hint="a trigger or rule on the table keeps them",
        )
    settled = landed - older - changed["gone"] - changed["inserted"]
    changed["unchanged"] = settled - changed["updated"]
    return after, {name: count for name, count in changed.items() if count}
