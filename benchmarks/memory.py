"""Peak memory of export and import, summed over all processes, at 2,000,000 rows and (--full) at ten times that."""

import sys
from collections.abc import Callable, Sequence

import fin
import stand
from measure import MB, Job, report, run

TIMES = {fin.ROWS: 3, 10 * fin.ROWS: 1}  # a peak is the largest sample of all runs, and a long run has more samples
BAR_MB, BAR_GROWTH = 600, 0.1

Peaks = dict[int, float]


def main(*, full: bool) -> None:
    peaks: dict[str, Peaks] = {"export from DuckDB": {}, "export from PostgreSQL": {}, "import into PostgreSQL": {}}
    size = 0
    for rows in [fin.ROWS, 10 * fin.ROWS] if full else [fin.ROWS]:
        with stand.database() as database:
            gap = stand.make_gap(warehouse=fin.warehouse(rows), environment=database.environment)
            peaks["export from DuckDB"][rows] = _peak(gap, gap.export_command(), gap.remove_parcels, rows)
            parcel = gap.parcel()
            size = stand.folder_bytes(parcel)
            peaks["import into PostgreSQL"][rows] = _peak(gap, gap.import_command(parcel), database.empty, rows)
            assert database.checksum()[0] == rows
            database.execute("VACUUM ANALYZE fin", "CHECKPOINT")
            gap = stand.make_gap(warehouse=None, environment=database.environment)
            peaks["export from PostgreSQL"][rows] = _peak(gap, gap.export_command(), gap.remove_parcels, rows)
    for what, found in peaks.items():
        _report(what, found, size)


def _peak(gap: stand.Gap, command: Sequence[str], before: Callable[[], object], rows: int) -> float:
    peak = 0
    for _ in range(TIMES[rows]):
        before()
        peak = max(peak, run(command, gap.environment, watch=True)[1])
    return round(peak / MB, 1)


def _report(what: str, peaks: Peaks, size: int) -> None:
    small, large = min(peaks), max(peaks)
    growth = peaks[large] / peaks[small]
    met = peaks[large] <= BAR_MB and abs(growth - 1) <= BAR_GROWTH
    report(
        Job(f"memory: {what}", large, size),
        peak_pss_mb={str(rows): peak for rows, peak in peaks.items()},
        ratio=round(growth, 3) if large != small else None,
        bar=f"peak <= {BAR_MB} MB, ten times the rows within {BAR_GROWTH:.0%}",
        met=met if large != small else None,
    )


if __name__ == "__main__":
    main(full="--full" in sys.argv)
