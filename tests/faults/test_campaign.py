"""The campaign itself: what it could not try is not taken for tried."""

import os

import pytest

from tests.faults.campaign import judge
from tests.faults.disasters import full_disks


def test_what_cannot_be_tried_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Full disks need root: for anybody else each trial is named as not run, with the reason."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    verdicts = [judge("f", trial) for trial in full_disks(None)]
    assert verdicts == ["not run"] * 4
    assert capsys.readouterr().out.count("only root can mount") == 4
