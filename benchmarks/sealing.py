"""Export of a DuckDB table sealed and obfuscated, against the same export as clear files: what secrecy costs."""

from pathlib import Path

import fin
import stand
from measure import Job, Side, compare

CLEAR = """
  - name: fin_clear
    encryption: false
    source: {connection: warehouse, schema: main, table: fin}
    target: {connection: postgres, schema: public, table: fin_clear}
"""
MOST_TIME, MOST_SIZE = 1.15, 1.12


def main() -> None:
    gap = stand.make_gap(warehouse=fin.warehouse(), environment=stand.NOWHERE)
    with (gap.inside / "config" / "tables.yaml").open("a") as tables:
        tables.write(CLEAR)

    def export(*words: str) -> list[str]:
        return [stand.LANDBRIDGE, "export-data", *words, "--project", str(gap.inside)]

    def size(*words: str) -> int:
        gap.remove_parcels()
        gap.landbridge("export-data", *words, project=gap.inside)
        return stand.folder_bytes(Path(gap.exports))

    clear, hidden = ("--table", "fin_clear"), ("--table", "fin", "--obfuscate")
    sizes = {"landbridge": size(*hidden), "clear": size(*clear)}
    growth = sizes["landbridge"] / sizes["clear"]
    compare(
        Job("sealing", fin.ROWS, sizes["landbridge"]),
        Side("landbridge", export(*hidden), gap.remove_parcels, None, gap.environment),
        Side("clear", export(*clear), gap.remove_parcels, None, gap.environment),
        bar=round(1 / MOST_TIME, 2),
        sizes=sizes,
        growth=f"{growth:.3f}, {'met' if growth <= MOST_SIZE else 'MISSED'}: at most {MOST_SIZE}",
    )


if __name__ == "__main__":
    main()
