"""Export from the emulated Snowflake: peak memory and processes, at 1,000,000 rows and at four times that."""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence

import account
import psutil
import stand
from measure import MB, SAMPLE_SECONDS, Job, report, run

TIMES = 3  # a peak is the largest sample of all runs
BAR_GROWTH = 0.1


def main() -> None:
    peaks, processes, size = {}, {}, 0
    few, many = account.ROWS, 4 * account.ROWS
    with account.emulated() as (server, environment):
        for rows in (few, many):
            account.empty()
            account.put_and_copy(rows)
            gap = account.make_gap(environment, source=account.IN_SNOWFLAKE, target=account.IN_POSTGRES)
            peaks[rows] = _peak(gap, server)
            gap.remove_parcels()
            processes[rows] = _most_processes(gap.export_command(), environment)
            size = stand.folder_bytes(gap.parcel())
            assert gap.checksum()[0] == rows
    growth = peaks[many] / peaks[few]
    report(
        Job("memory: export from Snowflake", many, size),
        peak_pss_mb={str(rows): peak for rows, peak in peaks.items()},
        processes={str(rows): most for rows, most in processes.items()},
        ratio=round(growth, 3),
        bar=f"four times the rows within {BAR_GROWTH:.0%}",
        met=abs(growth - 1) <= BAR_GROWTH,
    )


def _peak(gap: stand.Gap, server: account.SnowflakeServer) -> float:
    peak = 0
    for _ in range(TIMES):
        gap.remove_parcels()
        server.start_test()  # it forgets the chunks of results that were sent
        peak = max(peak, run(gap.export_command(), gap.environment, watch=True)[1])
    return round(peak / MB, 1)


def _most_processes(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """How many processes of the command there are at once, itself included."""
    most, quiet = 0, {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, env={**os.environ, **environment}, **quiet) as process:
        while process.poll() is None:
            most = max(most, 1 + len(psutil.Process(process.pid).children(recursive=True)))
            time.sleep(SAMPLE_SECONDS)
    assert process.returncode == 0
    return most


if __name__ == "__main__":
    main()
