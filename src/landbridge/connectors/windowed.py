"""Rows of one load replaced, and no others; every statement within the caller's transaction, every one counted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from landbridge.connectors.merging import Session, arriving, keyed
from landbridge.connectors.tagging import tag_of, untagged
from landbridge.contracts.values import Load, Published, Read, Write
from landbridge.errors import SchemaMismatch, TargetError
from landbridge.schema.columns import chosen, leaving
from landbridge.schema.ddl import literal
from landbridge.schema.fit import Pairing
from landbridge.schema.model import Relation, TableSchema
from landbridge.schema.names import qualify, quote

CAST = "cast it in the SQL, as in CAST(column AS type) AS column"


@dataclass(frozen=True)
class Windowed:
    """A target, its column that says which load brought a row, and how the database writes a text."""

    target: Relation
    standing: TableSchema
    literal: Callable[[str], str] = literal
    inserting: str = ""  # what stands behind the columns of INSERT

    @property
    def tag(self) -> str:
        """In quotes. Raises SchemaMismatch where the target has none."""
        return quote(tag_of(self.standing, self.target).name)

    def counting(self, *load_ids: str) -> str:
        """How many rows these loads have there."""
        return f"SELECT count(*) FROM {qualify(self.target)} WHERE {self._of(*load_ids)}"

    def put(
        self, session: Session, load: Load, values: Sequence[tuple[str, str]], source: str, landed: int | None
    ) -> Published:
        """Let the rows of `source` take the place of those that the load has; `values` are columns and what they get.

        `landed` None: nobody has counted them, and nothing in the database keeps rows back. Raises TargetError.
        """
        names = ", ".join([*(quote(column) for column, _ in values), self.tag])
        selected = ", ".join([*(value for _, value in values), self.literal(load.load_id)])
        deleted = session.do(f"DELETE FROM {qualify(self.target)} WHERE {self._of(load.load_id)}")
        inserted = session.do(
            f"INSERT INTO {qualify(self.target)} ({names}){self.inserting} SELECT {selected} FROM {source}"
        )
        held = session.ask(self.counting(load.load_id))
        wanted = inserted if landed is None else landed
        if not wanted == inserted == held:
            raise TargetError(
                f"{self.target}: of {wanted} rows {inserted} were inserted, and now there are {held} of this window",
                hint="a trigger or rule on the table adds or keeps rows",
            )
        return Published(inserted, "window", changed={"deleted": deleted, "inserted": inserted})

    def discard(self, session: Session, load_ids: Sequence[str]) -> int:
        """Delete the rows of these loads; how many they were. Raises TargetError where some stay."""
        if not load_ids:
            return 0
        deleted = session.do(f"DELETE FROM {qualify(self.target)} WHERE {self._of(*load_ids)}")
        if held := session.ask(self.counting(*load_ids)):
            raise TargetError(
                f"{self.target}: {held} rows that were to be deleted are still there",
                hint="a trigger or rule on the table keeps them",
            )
        return deleted

    def _of(self, *load_ids: str) -> str:
        return f"{self.tag} IN ({', '.join(map(self.literal, load_ids))})"


@dataclass(frozen=True)
class Pushed:
    """What is read by the database that it is written to: the columns that arrive, and the source's names of them."""

    schema: TableSchema
    names: dict[str, str]


def pushed(source: TableSchema, read: Read) -> Pushed:
    """What `read` takes of the columns of its source. Raises SchemaMismatch for masks, which no database puts on."""
    if masked := [pick.name for pick in read.columns.picks if pick.mask]:
        raise SchemaMismatch(
            f"column {', '.join(masked)} is masked, and rows that stay in their database are not",
            hint="leave it out, or hide it in the SQL",
        )
    taken = chosen(source, read.columns)
    left = leaving(taken, read.columns)
    names = {now.name: was.name for was, now in zip(taken.columns, left.columns, strict=True)}
    return Pushed(untagged(left), names)


def lossless(
    schema: TableSchema, standing: TableSchema, write: Write, loses: Callable[[Pairing], bool]
) -> tuple[Pairing, ...]:
    """The columns paired, for a database that converts by itself; `loses`: it would do so by rounding or cutting.

    Raises SchemaMismatch.
    """
    tag_of(standing, write.relation)
    keyed(write, schema)
    try:
        pairings = arriving(schema, standing, write, only_keys=False)
    except SchemaMismatch as error:
        raise SchemaMismatch(error.message, hint=f"{CAST}; or change the target") from error
    if lossy := [pairing for pairing in pairings if loses(pairing)]:
        raise SchemaMismatch("\n".join(map(_would_lose, lossy)), hint=CAST)
    return pairings


def _would_lose(pairing: Pairing) -> str:
    incoming, target = pairing.incoming, pairing.target
    return (
        f"column {target.name} is {target.native or target.type}: the database would cut or round what does not fit "
        f"of {incoming.native or incoming.type}, without a word"
    )
