"""The project: landbridge.yaml, config/tables.yaml, projects/, .env and the environment, as one frozen value."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from landbridge.config.alerts import Alerts, read_alerts
from landbridge.config.connections import add_defaults, is_secret, read_connections
from landbridge.config.credentials import put_in
from landbridge.config.document import Document, read_document
from landbridge.config.environment import Environment, read_environment
from landbridge.config.fields import Duration, Level, Location
from landbridge.config.pipelines.reading import read_pipelines
from landbridge.config.pipelines.values import Pipeline
from landbridge.config.problems import Keys, Place, Problems
from landbridge.config.tables import Defaults, Strict, Table, read_tables
from landbridge.config.validation import validate
from landbridge.connectors.registry import ConnectionOptions
from landbridge.errors import UsageError
from landbridge.schema.names import did_you_mean

FILE = "landbridge.yaml"
MIB = 2**20
SIZES = {"": 1, "K": 1000, "KI": 2**10, "M": 1000**2, "MI": MIB, "G": 1000**3, "GI": 2**30}
LEAST_KEY = 32  # characters: as hex digits they are 128 bits
LEVELS = {"gzip": 9, "brotli": 11}  # most that compression_level may be; else 22
Declared = TypeVar("Declared", Table, Pipeline)
VARIABLES: dict[Keys, str] = {
    ("exports",): "EXPORT_BASE_DIR",
    ("imports",): "IMPORT_BASE_DIR",
    ("parcels", "compression_type"): "COMPRESSION_TYPE",
    ("parcels", "compression_level"): "COMPRESSION_LEVEL",
    ("defaults", "obfuscate_names"): "OBFUSCATE_NAMES",
    ("masking_key",): "MASKING_KEY",
}


def _size(value: object) -> object:
    return read_size(value) if isinstance(value, str) else value


def read_size(text: str) -> int:
    """Bytes, from text like `16MB`, `1 GiB` or `4.7GB`. Raises ValueError."""
    found = re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]{1,3}(?= ?[KMG]))?) ?(?:([KMG]I?)?B)?", text.upper())
    if found is None:
        raise ValueError("must be bytes as a whole number, or like 16MB, 64MiB")
    return int(Fraction(found[1]) * SIZES[found[2] or ""])


def _part_size(size: int) -> int:
    if not MIB <= size <= 256 * MIB:
        raise ValueError("must be from 1MiB to 256MiB")
    return size


def _database_url(url: SecretStr) -> SecretStr:
    if re.match(
        r"sqlite(\+pysqlite)?:///(?!:memory:)[^?]|(postgres|postgresql|postgresql\+psycopg)://.", url.get_secret_value()
    ):
        return url
    raise ValueError("must be sqlite:///path/to/file.db or postgresql://user:password@host:port/database")


def _masking_key(key: SecretStr) -> SecretStr:
    if len(key.get_secret_value()) < LEAST_KEY:
        raise ValueError(f"must have at least {LEAST_KEY} characters; `openssl rand -hex 32` prints one")
    return key


class ParcelSettings(Strict):
    """How parcels are written; `part_size` in bytes of Parquet."""

    compression_type: Literal["zstd", "snappy", "gzip", "brotli"] = "zstd"
    compression_level: int = Field(default=3, ge=1, le=22)
    part_size: Annotated[int, BeforeValidator(_size), AfterValidator(_part_size)] = 8 * MIB
    require_escrow: bool = False

    @model_validator(mode="after")
    def _level_of_its_type(self) -> Self:
        most = LEVELS.get(self.compression_type, 22)
        if self.compression_level > most:
            context = {"most": most, "kind": self.compression_type, "at": "compression_level"}
            raise PydanticCustomError("level", "must be at most {most} for {kind}", context)
        return self


class _Settings(Strict):
    connections: Level | None = None
    drive_table: Annotated[SecretStr, AfterValidator(_database_url)] = SecretStr("sqlite:///state/drive.db")
    exports: Location = "exports"
    imports: Location = "imports"
    imports_keep: Duration | None = None
    receipts: Location = "receipts"
    stage: Location = "stage"
    keys: Location = "keys"
    processes: int | None = Field(default=None, ge=1)
    masking_key: Annotated[SecretStr, AfterValidator(_masking_key)] | None = None
    parcels: Level | None = None
    defaults: Level | None = None
    alerts: Level | None = None


@dataclass(frozen=True, kw_only=True)
class Project:
    """All that a command knows of its project; paths are absolute, secrets are hidden from repr."""

    folder: Path
    connections: Mapping[str, ConnectionOptions]
    tables: tuple[Table, ...]
    pipelines: tuple[Pipeline, ...] = ()
    drive_table: str = field(repr=False)  # SQLAlchemy URL
    exports: str  # folder or object-store URL; so the next three
    imports: str
    receipts: str
    stage: str
    keys: Path
    parcels: ParcelSettings
    imports_keep: timedelta | None = None  # None: carried parcels stay
    processes: int | None = None  # None: as many as the engine finds sensible
    masking_key: SecretStr | None = None
    alerts: Alerts = field(default_factory=Alerts)

    def table(self, name: str) -> Table:
        """Raises UsageError for a name that tables.yaml does not have."""
        return _named(name, self.tables, "table")

    def pipeline(self, name: str) -> Pipeline:
        """Raises UsageError for a name that no file of projects/ has."""
        return _named(name, self.pipelines, "pipeline")


def _named(name: str, declared: Sequence[Declared], what: str) -> Declared:
    for each in declared:
        if each.name == name:
            return each
    known = did_you_mean(name, [each.name for each in declared]).removeprefix("; ")
    raise UsageError(f"no {what} is called {name!r}", hint=known)


def find_project(start: Path) -> Path:
    """The nearest folder with landbridge.yaml, from `start` upwards. Raises UsageError if there is none."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder
    raise UsageError(f"no {FILE} in {start} or above it", hint="landbridge init")


def load_project(folder: Path, environ: Mapping[str, str] | None = None, *, with_scripts: bool = False) -> Project:
    """Read the project in `folder`; `environ`, by default the process's, wins over its .env.

    `with_scripts`: a script that a pipeline names and that is not there is a problem, too.

    Raises ConfigError with every problem that there is, one a line. May start the user's `cmd:` programs.
    """
    folder = folder.resolve()
    problems = Problems()
    environment = read_environment(folder, os.environ if environ is None else environ, problems)
    found = read_document(folder, FILE, problems)
    document = found or Document(FILE)
    document.drop_free_keys()  # they ask for nothing
    put_in(document, folder, environment, is_secret, problems)
    _add_defaults(document, environment, problems)
    # where one of these has problems, its defaults stand in until all problems are raised
    settings = validate(_Settings, document, (), problems) or _Settings()
    parcels = validate(ParcelSettings, document, ("parcels",), problems) or ParcelSettings()
    defaults = validate(Defaults, document, ("defaults",), problems) or Defaults()
    alerts = read_alerts(document, problems)
    connections = read_connections(document, folder, problems)
    declared = document.get(("connections",))
    known = declared if found and isinstance(declared, dict) else None
    tables = read_tables(folder, defaults, known, problems)
    kinds = None if known is None else {name: _kind(document, name) for name in known}
    declared_here = read_pipelines(folder, environment, kinds, tables, problems, with_scripts=with_scripts)
    if document.get(("masking_key",)) is None:
        _ask_for_masking_key([table for table in tables if table.read.connection in (known or ())], problems)
    problems.raise_if_any()
    return Project(
        folder=folder,
        connections={**connections, **declared_here.connections},
        tables=tables,
        pipelines=declared_here.pipelines,
        drive_table=_below(folder, settings.drive_table.get_secret_value()),
        exports=_absolute(folder, settings.exports),
        imports=_absolute(folder, settings.imports),
        receipts=_absolute(folder, settings.receipts),
        stage=_absolute(folder, settings.stage),
        keys=folder / settings.keys,
        parcels=parcels,
        imports_keep=settings.imports_keep,
        processes=settings.processes,
        masking_key=settings.masking_key,
        alerts=alerts,
    )


def declared_kinds(folder: Path, environ: Mapping[str, str] | None = None) -> dict[str, str | None] | None:
    """The connections of landbridge.yaml and the environment, with their types; None where that file cannot be read.

    Nothing is validated, and no program is started.
    """
    nobody_asks = Problems()
    document = read_document(folder, FILE, nobody_asks)
    if document is None:
        return None
    environment = read_environment(folder, os.environ if environ is None else environ, nobody_asks)
    _add_defaults(document, environment, nobody_asks)
    declared = document.get(("connections",))
    return {name: _kind(document, name) for name in declared} if isinstance(declared, dict) else None


def _kind(document: Document, connection: str) -> str | None:
    kind = document.get(("connections", connection, "type"))
    return kind if isinstance(kind, str) else None


def _ask_for_masking_key(read_here: Iterable[Table], problems: Problems) -> None:
    for table in read_here:
        if hashed := [pick.name for pick in table.read.columns.picks if pick.mask == "hash"]:
            why = f"missing, here or as MASKING_KEY; {table.name} hashes column {hashed[0]}"
            problems.add(Place(FILE, None, "masking_key"), f"{why}. `openssl rand -hex 32` prints a key")


def _add_defaults(document: Document, environment: Environment, problems: Problems) -> None:
    """Let the environment give what landbridge.yaml does not."""
    if not isinstance(document.data, dict | None):
        problems.add(document.place(()), "must be a mapping of keys to values")
    if not isinstance(document.data, dict):
        document.data = {}
    for section in ("parcels", "defaults", "connections"):
        if document.get((section,)) is None:
            document.set((section,), {})
    for keys, variable in VARIABLES.items():
        environment.fill(document, keys, variable)
    add_defaults(document, environment)


def _absolute(folder: Path, location: str) -> str:
    return location if "://" in location else str(folder / location)


def _below(folder: Path, url: str) -> str:
    """The URL of the drive table, a relative SQLite file taken as below `folder`."""
    scheme, _, path = url.partition(":///")
    return f"{scheme}:///{folder / path}" if scheme.startswith("sqlite") else url
