"""Catalog: what tables a database has, and the words to change them."""

from collections.abc import Sequence
from typing import Protocol

from landbridge.contracts.values import Check, Read
from landbridge.schema.metadata import Extracted
from landbridge.schema.model import Relation, TableSchema


class Catalog(Protocol):
    """Obligations: `describe` reads one consistent state; `create` never touches a table that exists."""

    def describe(self, relations: Sequence[Relation]) -> dict[Relation, TableSchema | None]:
        """Each relation's schema, None for one that does not exist. One query per schema, not per table."""
        ...

    def metadata(self, reads: Sequence[Read]) -> list[Extracted | None]:
        """All that the database says of each table, None for one that does not exist. One query per schema.

        Of what is read through a query only names and types are told, and no row is fetched.
        """
        ...

    def ddl(self, relation: Relation, schema: TableSchema) -> str:
        """The statement that `create` executes: pure text."""
        ...

    def create(self, relation: Relation, schema: TableSchema) -> bool:
        """Create the table, and its schema, if it is missing; return whether it was."""
        ...

    def execute(self, statements: Sequence[str]) -> None:
        """Execute statements that change tables: all of them or none. Raises TargetError, AccessDenied, Unreachable."""
        ...

    def run_sql(self, statements: Sequence[str]) -> list[int]:
        """Execute statements that change rows, in one transaction: all of them or none; the rows that each changed.

        Each text is one statement, and none ends the transaction. Raises as `execute` does.
        """
        ...

    def check(self, reads: Sequence[Relation], writes: Sequence[Relation]) -> list[Check]:
        """What `doctor` prints: reachability, login, TLS, clock skew, the grants that these tables need.

        Never raises for what is wrong on the other side: that is an answer.
        """
        ...
