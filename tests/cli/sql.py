"""`sql FILE.duckdb QUERY` or `sql postgres QUERY`: what transcripts ask databases with."""

import os
import sys


def main(where: str, query: str) -> None:
    if where == "postgres":
        import psycopg

        with psycopg.connect(os.environ["PG_URL"]) as connection:
            cursor = connection.execute(query)
            rows = cursor.fetchall() if cursor.description else []
    else:
        import duckdb

        with duckdb.connect(where) as connection:
            rows = connection.execute(query).fetchall()
    for row in rows:
        sys.stdout.write(" | ".join(map(str, row)) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
