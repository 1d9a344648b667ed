"""A section that names a system, read: its kind, its table, and the connection that is meant or made by it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from landbridge.config.connections import with_files_below
from landbridge.config.document import Document
from landbridge.config.pipelines.systems import (
    KINDS,
    SAME,
    Elsewhere,
    Side,
    Stage,
    System,
    connection_in,
    has_options,
    model_of,
)
from landbridge.config.pipelines.values import PARCEL
from landbridge.config.problems import Problems
from landbridge.config.validation import keys_of, validate
from landbridge.connectors.registry import OPTIONS, ConnectionOptions
from landbridge.schema.model import Relation
from landbridge.schema.names import did_you_mean

ACCOUNT = "snowflake_connection"
PREFIX = "stage_"
UNKNOWN = "unknown"  # kind of a connection whose declaration is not at hand
Kinds = Mapping[str, str | None]


@dataclass(frozen=True, kw_only=True)
class Found:
    """One system; `connection` and `relation` are None for a parcel, and where no connector reaches it."""

    kind: str
    keys: System | None = None
    connection: str | None = None
    relation: Relation | None = None


@dataclass(kw_only=True)
class Sides:
    """Reads the systems of one pipeline into `made`: the connections that its sections make.

    `known` are the kinds of the connections of landbridge.yaml; None where there is no such file at hand.
    """

    document: Document
    folder: Path
    name: str
    known: Kinds | None
    problems: Problems
    made: dict[str, ConnectionOptions]

    def account(self) -> None:
        """The account of all Snowflake sections without options of their own."""
        if isinstance(section := self.document.get((ACCOUNT,)), dict):
            section.setdefault("type", "snowflake")
            self._method(ACCOUNT, section)
            if options := validate(OPTIONS["snowflake"], self.document, (ACCOUNT,), self.problems):
                self._make(ACCOUNT, cast("ConnectionOptions", options))

    def read(self, side: Side) -> Found | None:
        """The system of a section; None where there is none. Problems are added."""
        section = self.document.get((side,))
        if not isinstance(section, dict) or (form := self._form(side, section)) is None:
            return None
        inline = form in OPTIONS and has_options(section, form)
        if inline and form == "snowflake":
            self._method(side, section)
        model = model_of(side, form, inline=inline)
        for key in (section.keys() & keys_of(Elsewhere)) - {*keys_of(model)}:
            unread = "read by no connector; in `custom` of a phase it is there for your script"
            self.problems.add(self.document.place((side, key)), unread)
        keys = validate(model, self.document, (side,), self.problems)
        if form == "connection":
            name = section["connection"]
            kind = self._kind(side, name)
        else:
            name, kind = self._connection(side, form, section, valid=keys is not None), form
        if keys is None:
            return None
        if form == PARCEL or isinstance(keys, Elsewhere):
            return Found(kind=kind, keys=keys if isinstance(keys, System) else None)
        assert isinstance(keys, System), "models of connectors' sections are"  # noqa: S101
        opens_one = inline and form != "snowflake"
        return Found(kind=kind, keys=keys, connection=name, relation=self._relation(side, keys, opens_one=opens_one))

    def _form(self, side: Side, section: dict[str, object]) -> str | None:
        """`connection`, or the type in our words; None, with a problem added, where it is neither."""
        kind = section.get("type")
        kinds = [*KINDS, PARCEL] if side == "stage_system" else KINDS
        problem = None
        if "connection" in section and "type" in section:
            problem = (side, "connection"), "beside 'type'; keep one of them"
        elif "connection" not in section and "type" not in section:
            problem = (side, "connection"), f"missing; a name from landbridge.yaml, or 'type': {', '.join(kinds)}"
        elif isinstance(kind, str) and kind not in kinds:
            problem = (side, "type"), f"unknown type{did_you_mean(kind, kinds)}"
        elif "type" in section and not isinstance(kind, str):
            problem = (side, "type"), f"no text; one of {', '.join(kinds)}"
        if problem is not None:
            self.problems.add(self.document.place(problem[0]), problem[1])
            return None
        if kind is None:
            return "connection"
        section["type"] = form = SAME.get(str(kind), str(kind))
        return form

    def _kind(self, side: Side, name: object) -> str:
        if self.known is None or not isinstance(name, str):
            return UNKNOWN
        if name not in self.known:
            unknown = f"no connection is called {name!r}{did_you_mean(name, self.known)}"
            self.problems.add(self.document.place((side, "connection")), unknown)
        return self.known.get(name) or UNKNOWN

    def _connection(self, side: Side, kind: str, section: dict[str, object], *, valid: bool) -> str | None:
        """The name of the connection that a section with `type` has; it is made here where its options are."""
        if kind not in OPTIONS:
            return None
        if has_options(section, kind):
            if valid:
                options = OPTIONS[kind].model_validate(connection_in(section, kind))
                self._make(side, cast("ConnectionOptions", options))
            return f"{self.name}.{side}"
        if self.document.get((ACCOUNT,)) is None:
            why = f"missing; {side} is of type snowflake and has no options of its own"
            self.problems.add(self.document.place((ACCOUNT,)), why)
        return f"{self.name}.{ACCOUNT}"

    def _make(self, section: str, options: ConnectionOptions) -> None:
        name = f"{self.name}.{section}"
        if name in (self.known or ()):
            self.problems.add(self.document.place((section,)), f"a connection is called {name!r}; rename that one")
        self.made[name] = with_files_below(self.folder, options)

    def _method(self, at: str, section: dict[str, object]) -> None:
        """Who gives a password wants to log in by it."""
        if "password" in section and "auth_method" not in section:
            self.document.places[at, "auth_method"] = self.document.place((at, "password"))
            section["auth_method"] = "password"

    def _relation(self, side: Side, keys: System, *, opens_one: bool) -> Relation:
        """The names as they are written; the database of a connection that opens no other is an option of it."""
        database, schema = (self.document.get((side, key)) for key in ("database", "schema"))
        table = keys.table
        if isinstance(keys, Stage) and table is None:
            table = f"{PREFIX if keys.temp_table_prefix is None else keys.temp_table_prefix}{self.name}"
        assert table is not None, "needed by the model"  # noqa: S101
        return Relation(table, cast("str | None", schema), None if opens_one else cast("str | None", database))
