"""The drive table's copy in an account: made by its published DDL, filled by MERGE."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import BigInteger, Column, Date, Integer

from landbridge.connectors.snowflake.session import Session, fetch, unbound
from landbridge.errors import TargetError
from landbridge.ledger.publication import ddl
from landbridge.ledger.tables import Document, Instant, drive
from landbridge.schema.model import Relation
from landbridge.schema.names import qualify

TABLE = drive.name.upper()  # as Snowflake names what is written without quotes


class SnowflakeRuns:
    """See RunsCopy; `relation` has all three levels."""

    def __init__(self, session: Session, relation: Relation) -> None:
        self.relation = relation
        self._session = session
        self._name = qualify(relation)

    def create(self) -> None:
        """See RunsCopy."""
        statement = re.sub(r"(?<=NOT EXISTS )\w+", lambda _: self._name, ddl(), count=1)
        with self._session.cursor(TargetError, str(self.relation)) as cursor:
            cursor.execute(statement)

    def known(self, since: datetime, until: datetime) -> Mapping[str, datetime]:
        """See RunsCopy."""
        between = "created_at BETWEEN %s::TIMESTAMP_TZ AND %s::TIMESTAMP_TZ"
        return self._changed(between, since.isoformat(), until.isoformat())

    def running(self) -> Mapping[str, datetime]:
        """See RunsCopy."""
        return self._changed("pipeline_status = %s", "RUNNING")

    def merge(self, rows: Sequence[str]) -> None:
        """See RunsCopy: one statement, each row a bound value."""
        with self._session.cursor(TargetError, str(self.relation)) as cursor:
            cursor.execute(_merge(unbound(self._name), len(rows)), list(rows))

    def _changed(self, which: str, *values: str) -> Mapping[str, datetime]:
        query = f"SELECT pipeline_id, updated_at FROM {unbound(self._name)} WHERE {which}"
        with self._session.cursor(TargetError, str(self.relation)) as cursor:
            return {row["pipeline_id"]: row["updated_at"] for row in fetch(cursor, query, values)}


def _merge(table: str, rows: int) -> str:
    """For so many rows, each a JSON object. PARSE_JSON stands in a SELECT: in VALUES, Snowflake refuses it."""
    names = [column.name for column in drive.columns]
    given = ", ".join(_cell(column) for column in drive.columns)
    news = ", ".join(f"{name} = s.{name}" for name in names if name != "pipeline_id")
    texts = ", ".join(["(%s)"] * rows)
    return (
        f"MERGE INTO {table} t USING (SELECT {given} FROM (SELECT PARSE_JSON(column1) AS value FROM VALUES {texts})) s "
        f"ON t.pipeline_id = s.pipeline_id WHEN MATCHED THEN UPDATE SET {news} "
        f"WHEN NOT MATCHED THEN INSERT ({', '.join(names)}) VALUES ({', '.join(f's.{name}' for name in names)})"
    )


def _cell(column: "Column[object]") -> str:
    """A column of a row that is a JSON object; text goes to a time by way of VARCHAR, for a VARIANT has no times."""
    name = column.name
    match column.type:
        case Document():
            cast = "" if name.endswith("_phase") else "::ARRAY"
        case Instant():
            cast = "::VARCHAR::TIMESTAMP_TZ"
        case Date():
            cast = "::VARCHAR::DATE"
        case Integer() | BigInteger():
            cast = "::INTEGER"
        case _:
            cast = "::VARCHAR"
    return f"value:{name}{cast} AS {name}"
