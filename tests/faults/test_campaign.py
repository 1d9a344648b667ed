"""The campaign itself: what it could not try is not taken for tried."""

import os

import pytest

from tests.faults.campaign import judge
from tests.faults.disasters import full_disks
from tests.faults.launcher import function_at
from tests.faults.pipelines.points import POINTS_OF_PIPELINES
from tests.faults.points import POINTS, Point

ALL = POINTS | POINTS_OF_PIPELINES


def test_what_cannot_be_tried_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Full disks need root: for anybody else each trial is named as not run, with the reason."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    verdicts = [judge("f", trial) for trial in full_disks(None)]
    assert verdicts == ["not run"] * 4
    assert capsys.readouterr().out.count("only root can mount") == 4


@pytest.mark.parametrize(
    "point", [*POINTS.values(), *POINTS_OF_PIPELINES.values()], ids=[*POINTS, *POINTS_OF_PIPELINES]
)
def test_every_point_is_there(point: Point) -> None:
    """A function that has moved would be noticed by the campaign alone, after half an hour."""
    owner, last = function_at(point)
    assert callable(getattr(owner, last))
