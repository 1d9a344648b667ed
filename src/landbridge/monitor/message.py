"""What goes out: one alert as it is, or several that waited in one message."""

from collections.abc import Sequence
from typing import cast

from landbridge.config.alerts import SEVERITIES, Severity
from landbridge.ledger.alerts import AlertRow

BETWEEN = "\n\n" + "-" * 40 + "\n\n"


def message(rows: Sequence[AlertRow]) -> tuple[str, str, Severity]:
    """Subject, text, and the worst severity."""
    severity = max((cast("Severity", row.severity) for row in rows), key=SEVERITIES.index)
    if len(rows) == 1:
        return rows[0].subject, _text(rows[0]), severity
    names = list(dict.fromkeys(row.pipeline_name for row in rows))
    subject = f"[ALERT] {len(rows)} alerts that waited: {', '.join(names[:5])}{' …' if len(names) > 5 else ''}"
    overview = "\n".join(f"{row.first_at:%Y-%m-%d %H:%M} UTC  {row.subject}" for row in rows)
    texts = BETWEEN.join(f"{row.subject}\n\n{_text(row)}" for row in rows)
    return subject, f"{overview}{BETWEEN}{texts}", severity


def _text(row: AlertRow) -> str:
    """With the number of times that the same happened and nobody was told."""
    if not row.suppressed:
        return row.text
    since = row.last_sent_at or row.first_at
    times = f"{row.suppressed} more time{'' if row.suppressed == 1 else 's'}"
    return f"{row.text}\n\nThe same happened {times} since {since:%Y-%m-%d %H:%M} UTC."
