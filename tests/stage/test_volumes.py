"""Which file goes on which volume, and what volume.json may say."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landbridge.errors import ParcelDamaged, UsageError
from landbridge.stage.index import IndexEntry
from landbridge.stage.location import open_store
from landbridge.stage.naming import EXPORT_INDEX, INDEX, hidden_name, is_portable, manifest_name, part_name
from landbridge.stage.volumes import ABOUT, BLOCK, about, distribute, read_about, taken, volume_name, volumes_at

ROOM = 1 << 20
SIZES = st.lists(st.integers(0, ROOM - 2 * BLOCK), max_size=30)


def entries(sizes: list[int]) -> list[IndexEntry]:
    return [IndexEntry(f"{number:016x}.enc", size, "0" * 64) for number, size in enumerate(sizes)]


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), SIZES, max_size=5))
def test_every_file_is_on_one_volume_and_none_is_too_full(sizes: dict[str, list[int]]) -> None:
    """Every file exactly once, in the given order; no volume is empty or takes more than there is room."""
    parcels = {folder: entries(each) for folder, each in sizes.items()}
    volumes = distribute(parcels, ROOM)
    assert [pair for files in volumes for pair in files] == [(f, e) for f, files in parcels.items() for e in files]
    assert all(0 < sum(taken(file.bytes) for _, file in files) <= ROOM for files in volumes)
    assert all(taken(file.bytes) >= file.bytes for files in volumes for _, file in files)


@given(SIZES.filter(len))
def test_no_volume_ends_before_it_must(sizes: list[int]) -> None:
    """The next file would not have fitted on."""
    volumes = distribute({"a": entries(sizes)}, ROOM)
    for full, after in pairwise(volumes):
        assert sum(taken(file.bytes) for _, file in [*full, after[0]]) > ROOM


def test_a_file_larger_than_a_volume_is_refused() -> None:
    """With the hint to make parts smaller."""
    with pytest.raises(UsageError, match="a volume has room for") as caught:
        distribute({"a": entries([1, ROOM])}, ROOM)
    assert "part_size" in str(caught.value.hint)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"format": "landbridge-volume/2", "volume": 1, "volumes": 1, "parcels": {}}',
        b'{"format": "landbridge-volume/1", "volume": 0, "volumes": 1, "parcels": {}}',
        b'{"format": "landbridge-volume/1", "volume": 1, "volumes": 1, "parcels": {"a": {"b": "1"}}}',
        b'{"format": "landbridge-volume/1", "volume": 1, "volumes": 1, "parcels": {"a": {"b": 1e99}}}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_what_is_no_volume_json_is_damaged(tmp_path, text: bytes) -> None:
    """It came with the medium: whatever it holds, it is one error of ours."""
    (tmp_path / ABOUT).write_bytes(text)
    with pytest.raises(ParcelDamaged, match=r"volume\.json"):
        read_about(open_store(str(tmp_path)))


def test_volumes_lie_side_by_side_or_are_the_place_itself(tmp_path) -> None:
    """A folder of a volume's name is one only with volume.json: a table may be called the same.

    The place itself is always looked at as well: what was sent again lies beside the volumes.
    """
    place = open_store(str(tmp_path))
    place.put("volume-001/aaa/index", b"")
    assert volumes_at(place) == [place]
    for number in (2, 10):
        place.put(f"{volume_name(number)}/{ABOUT}", about(number, 10, {}))
    found = [store.location.removeprefix(f"{tmp_path}") for store in volumes_at(place)]
    assert found == ["/volume-002", "/volume-010", ""]
    assert read_about(open_store(f"{tmp_path}/volume-002")).volumes == 10
    assert read_about(place) is None


def test_names_that_every_file_system_takes() -> None:
    """All names of ours, and of tables all but those that FAT, exFAT, NTFS or Joliet refuse."""
    ours = [INDEX, EXPORT_INDEX, ABOUT, volume_name(7), hidden_name(), "0" * 32]
    ours += [manifest_name(sealed=sealed) for sealed in (True, False)]
    ours += [part_name("3fa91c2e-0004", 99_999, sealed=sealed) for sealed in (True, False)]
    assert [name for name in ours if not is_portable(name)] == []
    assert all(map(is_portable, ["prices", "größe", "A b.c-d", "console", "com"]))
    refused = ["a:b", "a?", "a*", 'a"', "a<", "a|b", "a.", "a ", " a", "...", "con", "NUL", "com1", "LPT9.x"]
    assert [name for name in refused if is_portable(name)] == []
