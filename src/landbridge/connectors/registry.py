"""Which connectors there are: the one line that a new one adds is a line here."""

from typing import Protocol

from pydantic import BaseModel

from landbridge.connectors.duckdb.options import DuckDBOptions
from landbridge.connectors.postgres.connector import PostgresOptions
from landbridge.connectors.snowflake.options import SnowflakeOptions
from landbridge.contracts.catalog import Catalog
from landbridge.contracts.source import Source
from landbridge.contracts.target import Target

OPTIONS: dict[str, type[BaseModel]] = {
    "duckdb": DuckDBOptions,
    "postgres": PostgresOptions,
    "snowflake": SnowflakeOptions,
}

ConnectionOptions = DuckDBOptions | PostgresOptions | SnowflakeOptions


class Connector(Source, Target, Catalog, Protocol):
    """A database that is read, written and described."""


def get_ready(kind: str) -> None:
    """Import, in a worker, what a connector of this kind will need and the pool's server does not have."""
    if kind == "snowflake":
        from landbridge.connectors.snowflake.driver import import_driver

        import_driver()


def open_connector(name: str, options: ConnectionOptions) -> Connector:
    """The connector behind a connection; nothing is reached yet."""
    match options:
        case DuckDBOptions():
            from landbridge.connectors.duckdb.connector import DuckDB

            return DuckDB(name, options)
        case PostgresOptions():
            from landbridge.connectors.postgres.connector import Postgres

            return Postgres(name, options)
        case SnowflakeOptions():
            from landbridge.connectors.snowflake.connector import Snowflake

            return Snowflake(name, options)
