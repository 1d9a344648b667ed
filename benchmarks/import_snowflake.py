"""Import of a sealed parcel into the emulated Snowflake, against bare PUT and COPY of Parquet files with its rows."""

import sys

import account
import fin
import stand
from measure import Job, Side, compare

BAR = 0.77  # 1 / 1.3


def main() -> None:
    with account.emulated() as (_, environment):
        gap = account.make_gap(environment, source=account.IN_DUCKDB, target=account.IN_SNOWFLAKE)
        parcel = gap.export()
        fin.parquet(account.ROWS)
        ours = Side("landbridge", gap.import_command(parcel), account.empty, account.sums, environment)
        for way, bar in (("put_and_copy", BAR), ("put_copy_and_publish", None)):
            words = [sys.executable, account.__file__, way, str(account.ROWS)]
            other = Side(way, words, account.empty, account.sums, environment)
            compare(Job(f"import_snowflake: {way}", account.ROWS, stand.folder_bytes(parcel)), ours, other, bar=bar)


if __name__ == "__main__":
    main()
