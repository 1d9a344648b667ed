"""What the config accepts to lose, taken from arriving values (docs/types.md, "Losses")."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from landbridge.schema.fidelity import Holds, Loss, reach
from landbridge.schema.fit import Pairing

if TYPE_CHECKING:
    import pyarrow as pa


def without(losses: Collection[Loss], array: "pa.Array", pairing: Pairing, holds: Holds) -> "pa.Array":
    """`array` without what the pairing's target cannot hold; digits are cut last, for that changes its unit."""
    from pyarrow import compute

    bounds = reach(pairing, holds)
    if "out_of_range" in losses and bounds:
        array = _within(array, bounds)
    if "nul_bytes" in losses:
        array = compute.replace_substring(array, "\0", "")
    return _microseconds(array) if "nanoseconds" in losses else array


def _microseconds(clock: "pa.Array") -> "pa.Array":
    """The microsecond that has begun, also before 1970, where a cast takes the next one."""
    import pyarrow as pa
    from pyarrow import compute

    count = clock.view(pa.int64())
    toward_1970 = compute.divide(count, 1000)
    next_one = compute.less(count, compute.multiply(toward_1970, 1000))
    unit = pa.time64("us") if pa.types.is_time64(clock.type) else pa.timestamp("us", clock.type.tz)
    return compute.subtract(toward_1970, next_one.cast(pa.int64())).view(unit)


def _within(array: "pa.Array", bounds: tuple[int, int]) -> "pa.Array":
    """NULL for what is out of bounds."""
    import pyarrow as pa
    from pyarrow import compute

    count = array.view(pa.int32() if pa.types.is_date32(array.type) else pa.int64())
    first, last = (pa.scalar(end, pa.int64()) for end in bounds)
    inside = compute.and_(compute.greater_equal(count, first), compute.less_equal(count, last))
    return compute.if_else(inside, count, pa.scalar(None, count.type)).view(array.type)
