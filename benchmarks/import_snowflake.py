"""Import of a sealed parcel into the emulated Snowflake, against bare PUT and COPY of Parquet files with its rows."""

import sys

import account
import fin
import stand
from measure import Job, Side, compare

BAR = 0.77  # 1 / 1.3


def main() -> None:
    with account.emulated() as environment:
        gap = account.make_gap(environment, source=account.IN_DUCKDB, target=account.IN_SNOWFLAKE)
        parcel = gap.export()
        fin.parquet(account.ROWS)
        bare = [sys.executable, account.__file__, str(account.ROWS)]
        compare(
            Job("import_snowflake", account.ROWS, stand.folder_bytes(parcel)),
            Side("landbridge", gap.import_command(parcel), account.empty, account.sums, environment),
            Side("PUT + COPY", bare, account.empty, account.sums, environment),
            bar=BAR,
        )


if __name__ == "__main__":
    main()
