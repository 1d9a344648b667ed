"""The folder `metadata` of a project: what tables look like, what they looked like before, the log of changes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from landbridge.errors import ConfigError, WorldError
from landbridge.schema.metadata import Extracted, metadata_from_json, metadata_to_json
from landbridge.stage import folders

INITIAL = "initial extraction"
_END = "=" * 80


@dataclass(frozen=True)
class Entry:
    """One entry of a table's log; `lines` are its changes and the archived files."""

    table: str
    time: datetime
    summary: str
    lines: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        head = f"{self.time:%Y-%m-%dT%H:%M:%SZ}  {self.summary}"
        return "\n".join([head, *(f"  {line}" for line in self.lines), _END]) + "\n"


@dataclass(frozen=True)
class MetadataFolder:
    """Files are written whole or not at all, archives never twice, the log only grows."""

    root: Path  # of the project

    def schema_file(self, table: str) -> Path:
        return self.root / "metadata" / "schemas" / f"{table}_metadata.json"

    def ddl_file(self, table: str) -> Path:
        return self.root / "metadata" / "ddl" / f"{table}_create.sql"

    def log_file(self, table: str) -> Path:
        return self.root / "metadata" / "changes" / f"{table}_changes.log"

    def load(self, table: str) -> Extracted | None:
        """What was written last; None where nothing was. Raises ConfigError where it cannot be read."""
        text = _text(self.schema_file(table))
        return metadata_from_json(text, where=str(self.schema_file(table))) if text is not None else None

    def ddl_is_of(self, table: str, inputs: str) -> bool:
        """Whether the DDL was made from just these inputs, as its last line says."""
        return (_text(self.ddl_file(table)) or "").endswith(f"-- inputs: {inputs}\n")

    def save(self, table: str, extracted: Extracted, ddl: str) -> bool:
        """Write what differs from what is there; return whether anything did. Raises WorldError."""
        wanted = {self.schema_file(table): metadata_to_json(extracted), self.ddl_file(table): ddl}
        different = {path: text for path, text in wanted.items() if _text(path) != text}
        for path, text in different.items():
            _write(path, text)
        return bool(different)

    def archive(self, table: str, day: datetime) -> tuple[Path, ...]:
        """Copy both files beside themselves under that day's name; the same content is not copied again."""
        for number in count(1):
            stamp = f"{day:%Y%m%d}" + (f"_{number}" if number > 1 else "")
            pairs = [
                (path, path.with_name(f"{table}_{stamp}_{path.name.rpartition('_')[2]}"))
                for path in (self.schema_file(table), self.ddl_file(table))
                if path.exists()
            ]
            if all(_text(archived) in (None, _text(path)) for path, archived in pairs):
                for path, archived in pairs:
                    _write(archived, _text(path) or "")
                return tuple(archived.relative_to(self.root) for _, archived in pairs)
        raise AssertionError("count has no end")

    def note(self, entry: Entry) -> None:
        """Append to the table's log, unless its last entry says the same: then whoever wrote it was killed since."""
        path = self.log_file(entry.table)
        before = _text(path) or ""
        entries = list(_entries(entry.table, before))
        if entries and (entries[-1].summary, entries[-1].lines) == (entry.summary, entry.lines):
            return
        _write(path, before + entry.text)

    def history(self, tables: Sequence[str]) -> Iterator[Entry]:
        """All entries of these tables' logs, each table's oldest first. Raises ConfigError for a log that is none."""
        for table in tables:
            yield from _entries(table, _text(self.log_file(table)) or "")


def _entries(table: str, text: str) -> Iterator[Entry]:
    *blocks, rest = text.split(_END + "\n")
    for number, block in enumerate([*blocks, *([rest] if rest else [])], 1):
        head, *lines = block.rstrip("\n").split("\n")
        time, _, summary = head.partition("  ")
        at = _instant(time)
        if at is None or block is rest:
            raise ConfigError(
                f"the log of {table}'s changes cannot be read: entry {number} has no {'end' if at else 'time'}",
                hint=f"look at metadata/changes/{table}_changes.log; it was changed by hand",
            )
        yield Entry(table, at, summary, tuple(line.removeprefix("  ") for line in lines))


def _instant(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def _text(path: Path) -> str | None:
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is no text in UTF-8", hint="look at it; it was changed by hand") from error
    except OSError as error:
        raise WorldError(f"{path}: {(error.strerror or str(error)).lower()}", hint=f"ls -l {path}") from error


def _write(path: Path, text: str) -> None:
    try:
        folders.write(path, text.encode(), timeless=False)
    except OSError as error:
        raise WorldError(f"{path}: {(error.strerror or str(error)).lower()}", hint=f"df -h {path.parent}") from error
