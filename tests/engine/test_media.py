"""Parcels on media: packed onto one or many, collected in any order, whole or not at all."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from landbridge.config.project import load_project
from landbridge.engine.carrying.collect import Collected, collect
from landbridge.engine.carrying.pack import Packed, pack
from landbridge.engine.carrying.resend import find_exported, resend
from landbridge.engine.plan import plan_export
from landbridge.engine.walk import walk
from landbridge.engine.world import World
from landbridge.errors import NotTrusted, ParcelDamaged, ParcelMissing, UsageError, WorldError
from landbridge.ledger.parcels import list_parcels
from landbridge.stage.folders import NO_TIME
from landbridge.stage.volumes import taken
from tests.engine.conftest import OpenWorld
from tests.engine.projects import FUNDS, WAREHOUSE, in_duckdb, introduce, make_project, table
from tests.servers.s3 import S3Server

MIB = 1 << 20
SIZE = 3 * MIB
NOISE = (
    "CREATE TABLE noise AS SELECT i AS id, md5(i::VARCHAR) || md5((-i)::VARCHAR) AS text FROM range(120000) AS rows(i)"
)


@pytest.fixture(scope="module")
def exported(worker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`inside` has exported the table noise in several parts, and funds twice, obfuscated; `outside` trusts it."""
    folder = tmp_path_factory.mktemp("media")
    tables = [table("noise", target="mart"), table("funds", target="mart", more=", obfuscate_names: true")]
    inside = make_project(folder / "inside", WAREHOUSE, tables=tables, settings="parcels: {part_size: 1MiB}")
    introduce(inside, make_project(folder / "outside", tables=[]))
    in_duckdb(inside / "warehouse.duckdb", NOISE, FUNDS)
    world = World(load_project(inside, {}), lambda _event: None)
    world.pool = worker
    for name in ("noise", "funds", "funds"):
        walk(plan_export(world.project, world.project.table(name)), world)
    del world.pool
    world.close()
    return folder


@pytest.fixture
def sides(exported: Path, tmp_path: Path) -> Path:
    """Both projects, for this test alone."""
    for name in ("inside", "outside"):
        shutil.copytree(exported / name, tmp_path / name)
    with closing(sqlite3.connect(tmp_path / "inside" / "state" / "drive.db")) as drive, drive:
        drive.execute("UPDATE landbridge_parcels SET location = ?", [f"{tmp_path}/inside/exports"])
    return tmp_path


def packed(open_world: OpenWorld, sides: Path, *names: str, size: int | None = None) -> list[Packed]:
    world = open_world(sides / "inside")
    return list(pack(world, names, source=world.project.exports, place=str(sides / "medium"), volume_size=size))


def collected(open_world: OpenWorld, sides: Path, place: str = "medium") -> list[Collected]:
    world = open_world(sides / "outside")
    return list(collect(world, str(sides / place), world.project.imports))


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def volumes(sides: Path) -> list[str]:
    return [f"medium/{path.name}" for path in sorted((sides / "medium").iterdir())]


def test_the_newest_of_each_table_is_packed_byte_for_byte(open_world: OpenWorld, sides: Path) -> None:
    """Of the obfuscated ones too, which only the drive table can tell apart; and a second time nothing is written."""
    (one,) = packed(open_world, sides)
    exports, medium = content(sides / "inside" / "exports"), content(sides / "medium")
    left = {path.partition("/")[0] for path in exports.keys() - medium.keys()}
    assert medium == {path: data for path, data in exports.items() if path.partition("/")[0] not in left}
    assert len(left) == 1  # the folder of the older parcel of funds
    assert len({path.partition("/")[0] for path in medium}) == 3  # noise, the newer one, the export index
    assert one.copied == one.files == len(medium) - 3
    assert [again.copied for again in packed(open_world, sides)] == [0]


def test_one_parcel_can_be_named(open_world: OpenWorld, sides: Path) -> None:
    """And carries no export index, for nothing of it is obfuscated."""
    packed(open_world, sides, "noise/" + next((sides / "inside" / "exports" / "noise").iterdir()).name)
    assert [path.name for path in (sides / "medium").iterdir()] == ["noise"]


def test_volumes_are_never_too_large_and_tell_nothing(open_world: OpenWorld, sides: Path) -> None:
    """Counted in blocks; the files, folders and volume.json of obfuscated parcels bear no times."""
    assert len(packed(open_world, sides, size=SIZE)) > 2
    for name in volumes(sides):
        files = content(sides / name)
        assert sum(taken(len(data)) for data in files.values()) <= SIZE - MIB
        assert {len(path.split("/")) for path in files if path.endswith("/index")} == {2, 3}
        assert b"funds" not in b"".join(files.values())
        hidden = [path for path in (sides / name).rglob("*") if "noise" not in str(path)]
        assert {path.stat().st_mtime for path in (sides / name, *hidden)} == {NO_TIME}


def test_any_order_of_volumes_gives_the_same_imports(open_world: OpenWorld, sides: Path) -> None:
    """Nothing is complete before its last file, which volume lacks is told, and the bytes are those exported."""
    packed(open_world, sides)
    whole = content(sides / "medium")
    shutil.rmtree(sides / "medium")
    packed(open_world, sides, size=SIZE)
    names = volumes(sides)
    for order in (names, names[::-1], names[1::2] + names[::2]):
        seen = set()
        for name in order:
            assert content(sides / "outside" / "imports").items() <= whole.items()
            seen.add(int(name[-3:]))
            found = collected(open_world, sides, name)
            assert {number for one in found for number in one.missing.values()}.isdisjoint(seen)
            finished = {path.rpartition("/")[0] for path in content(sides / "outside" / "imports") if "index" in path}
            assert {one.folder for one in found if one.complete} == finished - {""}
        assert all(one.complete for one in found)
        assert content(sides / "outside" / "imports") == whole
        shutil.rmtree(sides / "outside" / "imports")
    assert all(one.complete for one in collected(open_world, sides))  # all volumes side by side


def test_volumes_in_an_object_store(
    open_world: OpenWorld, sides: Path, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bucket is as good a medium as a folder, in both directions; its room is not asked."""
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    bucket = f"s3://{s3.new_bucket()}"
    world, outside = open_world(sides / "inside"), open_world(sides / "outside")
    exports = world.project.exports
    count = len(list(pack(world, (), source=exports, place=f"{bucket}/burn", volume_size=SIZE)))
    assert [len(list(collect(outside, f"{bucket}/burn/volume-001", f"{bucket}/there")))] == [2]
    assert all(one.complete for one in collect(outside, f"{bucket}/burn", f"{bucket}/there"))
    assert [one.copied for one in pack(world, (), source=exports, place=f"{bucket}/there")] == [0]
    assert [one.copied for one in pack(world, (), source=exports, place=f"{bucket}/burn", volume_size=SIZE)] == [
        0
    ] * count


def test_without_volume_json_the_files_are_named(open_world: OpenWorld, sides: Path) -> None:
    """It is advice: deleted, or lying, nothing is taken that the index does not name."""
    packed(open_world, sides, size=SIZE)
    first = volumes(sides)[0]
    (sides / first / "volume.json").write_text('{"format": 7}')
    (sides / first / "noise" / "extra").write_text("planted")
    found = [one for one in collected(open_world, sides, first) if one.missing]
    assert found
    assert {number for one in found for number in one.missing.values()} == {None}
    assert not list((sides / "outside" / "imports").rglob("extra"))


def test_what_is_damaged_is_refused_and_named(open_world: OpenWorld, sides: Path) -> None:
    """On the medium: not taken, the others are. In the imports: replaced by the right one."""
    packed(open_world, sides)
    part = next((sides / "medium" / "noise").rglob("part-*"))
    good = part.read_bytes()
    part.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    found = {len(one.faults): one for one in collected(open_world, sides)}
    assert found[0].complete
    (fault,) = found[1].faults
    assert isinstance(fault, ParcelDamaged)
    assert part.name in fault.message
    there = sides / "outside" / "imports" / part.relative_to(sides / "medium")
    assert not there.exists()
    assert not (there.parent / "index").exists()
    there.write_bytes(b"x" * len(good))
    part.write_bytes(good)
    assert all(one.complete for one in collected(open_world, sides))
    assert there.read_bytes() == good


def test_what_is_sent_again_mends_the_medium(open_world: OpenWorld, sides: Path) -> None:
    """Volumes with a damaged part: the part beside them is enough, and takes room only for itself."""
    packed(open_world, sides, size=SIZE)
    part = max((sides / "medium").rglob("part-*"))
    part.write_bytes(b"x" + part.read_bytes()[1:])
    assert not all(one.complete for one in collected(open_world, sides))
    inside = open_world(sides / "inside")
    resend(inside, find_exported(inside, part.parent.name, [part.name]), str(sides / "medium"))
    assert all(one.complete for one in collected(open_world, sides))
    assert content(sides / "outside" / "imports" / "noise") == content(sides / "inside" / "exports" / "noise")


def test_what_is_sent_again_brings_the_export_index_of_all(open_world: OpenWorld, sides: Path) -> None:
    """One that lists less would make the importing side content with less."""
    packed(open_world, sides)
    told = (sides / "medium" / ".export_index.enc").read_bytes()
    inside = open_world(sides / "inside")
    hidden, _ = list_parcels(inside.ledger, "funds", "out")
    resend(inside, find_exported(inside, hidden.parcel_id, []), str(sides / "other"))
    assert (sides / "other" / ".export_index.enc").read_bytes() == told


def test_links_on_a_medium_lead_nowhere(open_world: OpenWorld, sides: Path) -> None:
    """Neither pack nor resend writes or deletes through one."""
    (sides / "home").mkdir()
    (sides / "home" / ".bashrc.0badf00d").write_text("keep")
    inside = open_world(sides / "inside")
    for row in list_parcels(inside.ledger, direction="out"):
        for place in {row.folder, row.folder.partition("/")[0]}:
            medium = sides / f"medium-{row.sequence}-{len(place)}"
            (medium / place).parent.mkdir(parents=True)
            (medium / place).symlink_to(sides / "home")
            with pytest.raises(WorldError, match="is a link"):
                list(pack(inside, [row.folder], source=row.location, place=str(medium)))
            with pytest.raises(WorldError, match="is a link"):
                resend(inside, find_exported(inside, row.parcel_id, []), str(medium))
    (sides / "volumes").mkdir()
    (sides / "volumes" / "volume-001").symlink_to(sides / "home")
    with pytest.raises(WorldError, match="is a link"):
        list(pack(inside, [], source=row.location, place=str(sides / "volumes"), volume_size=SIZE))
    assert content(sides / "home") == {".bashrc.0badf00d": b"keep"}


def test_times_are_forgotten_also_of_what_was_there(open_world: OpenWorld, sides: Path) -> None:
    """A medium that was filled by another program, or that a killed packing left, tells no times afterwards."""
    packed(open_world, sides)
    files = [path for path in (sides / "medium").rglob("*") if "noise" not in str(path)]
    for path in files:
        path.touch()
    hidden = next(path for path in files if path.name == "index")
    hidden.with_name(".index.0123abcd").write_bytes(b"half")
    packed(open_world, sides)
    assert {path.stat().st_mtime for path in (sides / "medium").rglob("*") if "noise" not in str(path)} == {NO_TIME}


def test_strangers_are_refused(open_world: OpenWorld, sides: Path) -> None:
    """A parcel by a signer that is not trusted, and one under another parcel's name; the third one is taken."""
    packed(open_world, sides)
    noise = next((sides / "medium" / "noise").iterdir())
    noise.rename(noise.with_name("0" * 32))
    (refused,) = [one for one in collected(open_world, sides) if not one.complete]
    assert isinstance(refused.faults[0], NotTrusted)
    (sides / "outside" / "keys" / "signers.txt").unlink()
    assert {type(fault) for one in collected(open_world, sides) for fault in one.faults} == {NotTrusted}
    assert not (sides / "outside" / "imports" / "noise").exists()


def test_a_finished_parcel_is_never_written_to(open_world: OpenWorld, sides: Path) -> None:
    """Another signed parcel under the same folder name does not replace it."""
    packed(open_world, sides)
    hidden = [path.parent.name for path in (sides / "inside" / "exports").glob("*/index")]
    (newer,) = (name for name in hidden if (sides / "medium" / name).exists())
    (older,) = (name for name in hidden if name != newer)
    collected(open_world, sides)
    before = content(sides / "outside" / "imports")
    shutil.rmtree(sides / "medium" / newer)
    shutil.copytree(sides / "inside" / "exports" / older, sides / "medium" / newer)
    (refused,) = [one for one in collected(open_world, sides) if not one.complete]
    assert "already" in refused.faults[0].message
    assert content(sides / "outside" / "imports") == before


def test_nothing_there_is_said(open_world: OpenWorld, sides: Path) -> None:
    """An empty medium, an empty export, a parcel that lacks a file, a table whose name no FAT takes."""
    (sides / "medium").mkdir()
    with pytest.raises(ParcelMissing, match="no parcel at"):
        collected(open_world, sides)
    parcel = next((sides / "inside" / "exports" / "noise").iterdir())
    (sides / "inside" / "exports" / "aux").mkdir()
    shutil.copytree(parcel, sides / "inside" / "exports" / "aux" / parcel.name)
    with pytest.raises(UsageError, match="FAT"):
        packed(open_world, sides)
    shutil.rmtree(sides / "inside" / "exports" / "aux")
    next(parcel.glob("part-*")).unlink()
    with pytest.raises(ParcelMissing, match="is missing"):
        packed(open_world, sides)
    assert content(sides / "medium") == {}


def test_leftovers_of_a_killed_packing_go_and_others_are_refused(open_world: OpenWorld, sides: Path) -> None:
    """What was half written would make the volume too large; what another packing left must not be mixed in."""
    packed(open_world, sides, size=SIZE)
    before = content(sides / "medium")
    part = next((sides / "medium" / "volume-001").rglob("part-*"))
    part.with_name(f".{part.name}.0123abcd").write_bytes(b"half")
    assert [one.copied for one in packed(open_world, sides, size=SIZE)] == [0] * len(volumes(sides))
    assert content(sides / "medium") == before
    with pytest.raises(UsageError, match="another packing"):
        packed(open_world, sides, size=100 * MIB)
    assert content(sides / "medium") == before


@pytest.mark.parametrize("verb", ["pack", "collect"])
def test_killed_at_any_file_it_goes_on(open_world: OpenWorld, sides: Path, verb: str) -> None:
    """SIGKILL while a file is written: nothing there is wrong, and a repetition makes all whole."""
    packed(open_world, sides)
    whole = content(sides / "medium")
    if verb == "pack":
        shutil.rmtree(sides / "medium")
    project, there = ("inside", "medium") if verb == "pack" else ("outside", "outside/imports")
    place = "--to" if verb == "pack" else "--from"
    for after in (1, 4, 9, 99):
        code = (
            "import os, signal, sys; from landbridge.stage import folders\n"
            f"left, sync = [{after}], os.fsync\n"
            "def dying(descriptor):\n"
            "    left[0] -= 1\n"
            "    if not left[0]: os.kill(os.getpid(), signal.SIGKILL)\n"
            "    sync(descriptor)\n"
            "os.fsync = dying\n"
            "from landbridge.cli.main import main; main()"
        )
        command = [sys.executable, "-c", code, "parcel", verb, place, sides / "medium", "--project", sides / project]
        done = subprocess.run(command, capture_output=True, check=False)
        found = {path: data for path, data in content(sides / there).items() if "/." not in path}
        assert found.items() <= whole.items()
        for path in found:
            if path.endswith("/index"):
                assert {p for p in whole if p.startswith(path.removesuffix("index"))} <= found.keys()
        if done.returncode != -signal.SIGKILL:
            break
    else:
        pytest.fail("it never came to an end")
    assert after > 1, "it was not killed once"
    assert done.returncode == 0, done.stderr
    assert content(sides / there) == whole


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[None]:
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", place], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a file system")
def test_no_room_is_said_before_the_first_byte(open_world: OpenWorld, sides: Path) -> None:
    """Both sides ask the disk; what is there already needs no room."""
    with small_disk(sides / "medium", "1m"):
        with pytest.raises(WorldError, match=r"needs [0-9,]+ bytes, [0-9,]+ are free"):
            packed(open_world, sides)
        assert content(sides / "medium") == {}
    packed(open_world, sides)
    imports = sides / "outside" / "imports"
    with small_disk(imports, "1m"), pytest.raises(WorldError, match="are free"):
        collected(open_world, sides)
    needed = sum(taken(len(data)) for data in content(sides / "medium").values())
    with small_disk(imports, str(needed * 4 // 3)):
        for _ in range(2):
            assert all(one.complete for one in collected(open_world, sides))
