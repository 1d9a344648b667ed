"""Answers that are made here, as queries that fakesnow runs."""

from collections.abc import Mapping, Sequence

from sqlglot import exp

TYPES = {str: "VARCHAR", int: "BIGINT"}


def rows(columns: Mapping[str, type], values: Sequence[tuple]) -> exp.Expr:
    """A query that yields these rows, under exactly these names."""
    names = [exp.to_identifier(x, quoted=True) for x in columns]
    if not values:
        empty = [exp.cast(exp.null(), TYPES[x]).as_(name) for name, x in zip(names, columns.values(), strict=True)]
        return exp.select(*empty).where("1 = 0")
    chosen = [exp.cast(exp.column(name), TYPES[x]).as_(name) for name, x in zip(names, columns.values(), strict=True)]
    return exp.select(*chosen).from_(exp.values(list(values), alias="t", columns=names))


def succeeded() -> exp.Expr:
    """What Snowflake answers to a statement that yields nothing."""
    return rows({"status": str}, [("Statement executed successfully.",)])
