"""Which parts of a parcel one worker appends together."""

from landbridge.engine.phases.stage_to_target_transfer import shares
from landbridge.stage.manifest import PartEntry


def sizes(*plain: int, size: int, at_once: int) -> list[list[int]]:
    """The bytes of each part of each share."""
    parts = [PartEntry(n, f"{n}", 1, n, b, "0" * 64, b, "0" * 64) for n, b in enumerate(plain)]
    return [[entry.plain_bytes for entry in share] for share in shares(parts, size, at_once)]


def test_no_size_is_each_part_by_itself() -> None:
    """As targets have it to which rows are sent as they come."""
    assert sizes(5, 5, 1, size=0, at_once=2) == [[5], [5], [1]]


def test_all_workers_get_the_same() -> None:
    """However few parts there are, and though the last one is small: nobody waits long for another."""
    assert sizes(5, 5, 5, 5, 5, 5, 5, 5, 1, size=100, at_once=2) == [[5, 5, 5, 5], [5, 5, 5, 5, 1]]
    assert sizes(5, size=100, at_once=2) == [[5]]
    assert sizes(size=100, at_once=2) == []


def test_a_share_is_not_much_larger_than_its_size() -> None:
    """A worker holds it in memory; a part is not cut."""
    assert sizes(*[5] * 12, size=11, at_once=2) == [[5, 5]] * 6
    assert sizes(50, 1, 1, size=10, at_once=2) == [[50], [1, 1]]
