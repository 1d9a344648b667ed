"""`sql FILE.duckdb QUERY`, `sql postgres QUERY` or `sql snowflake QUERY`: what transcripts ask databases with."""

import os
import sys
from pathlib import Path


def main(where: str, query: str) -> None:
    if where == "postgres":
        import psycopg

        with psycopg.connect(os.environ["PG_URL"]) as connection:
            cursor = connection.execute(query)
            rows = cursor.fetchall() if cursor.description else []
    elif where == "snowflake":
        rows = in_account(query)
    else:
        import duckdb

        with duckdb.connect(where) as connection:
            rows = connection.execute(query).fetchall()
    for row in rows:
        sys.stdout.write(" | ".join(map(str, row)) + "\n")


def in_account(query: str) -> list[tuple]:
    """The rows that the account of `inside/.env` answers with."""
    import snowflake.connector

    lines = Path("inside/.env").read_text().splitlines()
    given = {name.removeprefix("SNOWFLAKE_").lower(): value for name, value in (line.split("=", 1) for line in lines)}
    del given["auth_method"]  # the password is enough
    quiet = {"port": int(given["port"]), "enable_server_session_keep_alive_auto_detection": False}
    with snowflake.connector.connect(**(given | quiet)) as connection:
        return connection.cursor().execute(query).fetchall()


if __name__ == "__main__":
    main(*sys.argv[1:])
