"""The audit's arithmetic: loss, duplicates, tolerances that differ by time."""

from datetime import UTC, datetime, time
from typing import Any

import pytest

from landbridge.config.pipelines import TimedTolerances, Tolerances
from landbridge.engine.windowed.audit import Step


def step(before: int | None, after: int | None, tolerance: float = 0.0, duplicates: float = 0.0) -> Step:
    return Step("source_to_stage", before, after, tolerance, duplicates)


@pytest.mark.parametrize(
    ("given", "loss", "passes"),
    [
        ((10_000, 9_800, 2.0), 2.0, True),  # seed 002, section 2.11
        ((9_800, 9_795, 1.0), 0.05, True),
        ((10_000, 8_000, 2.0), 20.0, False),
        ((10_000, 9_799, 2.0), 2.01, False),
        ((1_000_000, 999_999, 0.0), 0.0, False),  # rounds to nothing, and is a row all the same
        ((0, 0, 0.0), 0.0, True),
    ],
)
def test_loss(given: Any, loss: float, *, passes: bool) -> None:
    """In percent of what there was before, to two digits; what is compared is not rounded."""
    one = step(*given)
    assert one.loss_percent == loss
    assert (one.broken() is None) == passes


@pytest.mark.parametrize(
    ("given", "passes"),
    [
        ((100, 101, 50.0, 0.0), False),
        ((100, 101, 0.0, 1.0), True),
        ((100, 102, 0.0, 1.0), False),
        ((0, 1, 100.0, 100.0), False),  # rows out of nothing
    ],
)
def test_fault_4_duplicates_have_a_tolerance_of_their_own(given: Any, *, passes: bool) -> None:
    """Rows too many never pass as the opposite of a loss, and rows out of nothing never pass."""
    assert (step(*given).broken() is None) == passes


def test_what_nobody_counted_fails() -> None:
    """A missing count is not nothing."""
    assert step(None, 0).broken() == (
        "nobody counted the source: a script that does the transfer has to return source_count"
    )
    assert str(step(0, None).broken()).startswith("nobody counted the stage")


def test_tolerances_by_time() -> None:
    """The first that fits counts; a night belongs to the day on which it began."""
    night = TimedTolerances(
        weekdays=frozenset({5, 6}),
        start=time(22),
        end=time(6),
        source_to_stage=9.0,
        stage_to_target=1.0,
        duplicates=0.5,
    )
    allowed = Tolerances(source_to_stage=2.0, by_time=(night,))
    saturday = datetime(2026, 1, 3, tzinfo=UTC)
    found = [allowed.at(saturday.replace(day=day, hour=hour)).source_to_stage for day, hour in MOMENTS]
    assert found == [2.0, 9.0, 9.0, 9.0, 9.0, 2.0, 2.0]


MOMENTS = [(3, 21), (3, 22), (4, 5), (4, 23), (5, 5), (5, 6), (5, 23)]
