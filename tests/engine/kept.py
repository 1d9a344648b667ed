"""What many tests begin with: made once, and put back for each as it was."""

import shutil
from pathlib import Path

import psycopg
from psycopg import sql

ALONE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {text}"


class Kept:
    """A folder, and its target if that is a database of PostgreSQL, as they are while this is made.

    They are put back under the names they had, because projects and drive tables name them in full. Who is connected to
    the database is so no more.
    """

    def __init__(self, folder: Path, url: str | None = None) -> None:
        self.folder, self.url = folder, url
        self._copy = shutil.copytree(folder, folder.with_name(f"{folder.name} as it was"), symlinks=True)
        if url:
            self._on_server(ALONE, "CREATE DATABASE {copy} TEMPLATE {name}")

    def put_back(self) -> None:
        shutil.rmtree(self.folder)
        shutil.copytree(self._copy, self.folder, symlinks=True)
        if self.url:
            self._on_server("DROP DATABASE IF EXISTS {name} WITH (FORCE)", "CREATE DATABASE {name} TEMPLATE {copy}")

    def _on_server(self, *statements: str) -> None:
        server, _, name = str(self.url).rpartition("/")
        names = {"name": sql.Identifier(name), "copy": sql.Identifier(f"{name}_kept"), "text": sql.Literal(name)}
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            for statement in statements:
                connection.execute(sql.SQL(statement).format(**names))
