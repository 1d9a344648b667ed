"""Clocks on walls: what one in a zone shows at an instant, and when it first shows a time.

Both are about a clock that never goes back: while an hour runs for the first time that will run twice, it stands
still at the beginning of that hour. So windows next to each other are next to each other on the clock as well, and a
time that is shown twice belongs to the window of its second pass.
"""

from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


def shown(instant: datetime, zone: str) -> datetime:
    """What the clock of `zone` shows at `instant`, without a zone; never less than at any instant before.

    Raises ValueError for an instant without a zone, KeyError for an unknown zone.
    """
    local = in_utc(instant).astimezone(ZoneInfo(zone))
    again = local.replace(fold=1)
    if local.fold or _offset(again) >= _offset(local):
        return local.replace(tzinfo=None, fold=0)
    turn = _turn(in_utc(instant), again.astimezone(UTC), ZoneInfo(zone))
    return turn.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)


def first_shown(time: datetime, zone: str) -> datetime:
    """The first instant, in UTC, at which the clock of `zone` shows `time` or later: `shown` the other way round.

    A time that the clock leaves out is first passed when it jumps. Raises as `shown` does; `time` has no zone.
    """
    if time.tzinfo is not None:
        raise ValueError(f"a clock shows no zone: {time.isoformat()}")
    local = time.replace(tzinfo=ZoneInfo(zone), fold=0)
    first, second = local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)
    if first > second:
        return _turn(second, first, ZoneInfo(zone))
    return first if shown(first, zone) == time else second


def in_utc(instant: datetime) -> datetime:
    """The instant in UTC. Raises ValueError if it has no zone."""
    if instant.tzinfo is None:
        raise ValueError(f"no instant without a time zone: {instant.isoformat()}")
    return instant.astimezone(UTC)


def _turn(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The instant between the two, the second included, at which clocks change; it is a whole second."""
    start, last = before.replace(microsecond=0), _offset(after.astimezone(zone))
    seconds = -((start - after) // timedelta(seconds=1))

    def changed(second: int) -> bool:
        return _offset((start + timedelta(seconds=second)).astimezone(zone)) == last

    return start + timedelta(seconds=bisect_left(range(seconds), x=True, key=changed))


def _offset(local: datetime) -> timedelta:
    return local.utcoffset() or timedelta()
