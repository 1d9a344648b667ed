"""A short run of `make fuzz` over every layer, and proof that it finds what is there to be found."""

from pathlib import Path
from unittest.mock import Mock

import pytest

from landbridge.errors import ParcelDamaged
from landbridge.stage import reading
from tests.fuzz.fuzz import harmed
from tests.fuzz.layers import LAYERS, ROWS, make_seed, read_all


@pytest.mark.parametrize(("layer", "kind"), [(layer, kind) for layer, (_, kinds) in LAYERS.items() for kind in kinds])
def test_every_harm_is_a_refusal_or_none(layer: str, kind: str, tmp_path: Path) -> None:
    """Nothing but a LandbridgeError in words for a terminal, and never other rows than were sealed."""
    harmed(layer, make_seed(tmp_path / "seed", kind), tmp_path / "harmed", 1, 40)


@pytest.mark.parametrize("kind", ["named", "hidden", "clear"])
def test_an_unharmed_parcel_is_read(kind: str, tmp_path: Path) -> None:
    """Else every harm would be refused, and nothing proved."""
    rows = read_all(make_seed(tmp_path / "seed", kind))
    assert rows is not None
    assert rows.equals(ROWS)


@pytest.mark.parametrize(
    ("fault", "found"), [(KeyError("column"), KeyError), (ParcelDamaged("\x1b[2J"), AssertionError)]
)
def test_a_fault_of_ours_is_found(
    fault: Exception, found: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that lets the words of a library through, and one that says what a terminal would obey."""
    monkeypatch.setattr(reading, "_rows", Mock(side_effect=fault))
    with pytest.raises(found):
        harmed("part", make_seed(tmp_path / "seed", "named"), tmp_path / "harmed", 1, 40)
