# ruff: noqa: E501 - a table has one case on one line
"""The tamper matrix: whatever is done to a carried folder, the import refuses it with its own error, says exactly what
to carry again, and the target keeps its old rows.
"""

import os
import re
import shutil
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from landbridge.engine.carrying.resend import find_exported, resend
from landbridge.errors import (
    CannotOpen,
    NotSigned,
    NotTrusted,
    OutOfSequence,
    ParcelDamaged,
    ParcelError,
    ParcelMissing,
    ParcelRepeated,
    ParcelSwapped,
    UnknownVersion,
    WronglySigned,
)
from landbridge.sealing.age import new_identity, seal
from landbridge.sealing.note import new_signer
from landbridge.stage.index import IndexEntry
from landbridge.stage.reading import MADE_SO
from tests.engine import hostile_parquet
from tests.engine.projects import declare, table, variables
from tests.engine.tampering import NEW, OLD, Scene, copied, two_sides, world
from tests.stage.forging import Carried

TABLES = ["funds", "landbridge_loads"]
STRANGER, NAMESAKE = new_signer("stranger")[0], new_signer("inside")[0]
NOBODY, ELSEWHERE = new_identity()
BOTH, NAMED, HIDDEN, BARE = ("named", "hidden"), ("named",), ("hidden",), ("bare",)
ALL = (*BOTH, *BARE)


@dataclass(frozen=True)
class Case:
    """`again`: the files that the hint must name, none for the whole parcel; None where carrying again is no help.

    Words in braces are the names of files: {index}, {manifest}, {0}, {1} … for the parts.
    """

    what: str
    harm: Callable[[Scene], object]
    error: type[ParcelError]
    said: str
    again: tuple[str, ...] | None = None
    layouts: tuple[str, ...] = BOTH


def flip(path: Path, place: float = 0.5) -> None:
    data = bytearray(path.read_bytes())
    data[int(place * len(data))] ^= 1
    path.write_bytes(data)


def cut(path: Path, to: int = -1) -> None:
    path.write_bytes(path.read_bytes()[:to])


def swap(one: Path, other: Path) -> None:
    mine, theirs = one.read_bytes(), other.read_bytes()
    one.write_bytes(theirs)
    other.write_bytes(mine)


def edit(path: Path, change: Callable[[str], str]) -> None:
    path.write_text(change(path.read_text()), newline="")


def remade(**changes: Callable[..., Any]) -> Callable[[Scene], None]:
    """By the trusted signer himself."""
    return lambda s: s.parcel.remake(s.hand(), **changes)


def field(path: str, value: Any) -> Callable[[Scene], None]:
    """One dotted field of the manifest, by the trusted signer himself."""

    def change(document: dict[str, Any]) -> None:
        *outer, last = path.split(".")
        for key in outer:
            document = document[int(key) if key.isdigit() else key]
        document[last] = value

    return remade(manifest=change)


def resealed(s: Scene, *paths: Path, recipient: str) -> None:
    """What can be opened here, sealed for somebody else, and signed as it should be."""
    from landbridge.sealing.age import open_sealed

    for path in paths:
        path.write_bytes(seal(open_sealed(path.read_bytes(), [s.hand().identity]), [recipient]))


def replaced_by(s: Scene, other: Carried) -> None:
    """Another parcel in this one's folder."""
    shutil.rmtree(s.parcel.folder)
    shutil.move(other.folder, s.parcel.folder)


def linked(path: Path) -> None:
    kept = path.rename(path.with_name("kept"))
    path.symlink_to(kept)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def folder_of_that_name(path: Path) -> None:
    path.unlink()
    path.mkdir()


def in_the_way(name: str) -> Callable[[Scene], None]:
    """The trusted signer names a file that is none of a parcel."""
    return lambda s: s.parcel.resign(s.hand(), extra=[IndexEntry(name, 1, "0" * 64)])


def counted(document: dict[str, Any], rows: int) -> None:
    """The first part has this many rows, and all other numbers are right."""
    document["parts"][0]["rows"] = rows
    for before, part in zip(document["parts"], document["parts"][1:], strict=False):
        part["first_row"] = before["first_row"] + before["rows"]
    document["row_count"] = sum(part["rows"] for part in document["parts"])


def parts(s: Scene) -> list[Path]:
    return s.parcel.parts


# fmt: off
CASES = [
    # missing
    Case("index missing", lambda s: s.parcel.index.unlink(), ParcelMissing, "index", ("{index}",), (*NAMED, *BARE)),
    Case("index missing, as listed", lambda s: s.parcel.index.unlink(), ParcelMissing, "index is not there", (), HIDDEN),
    Case("manifest missing", lambda s: s.parcel.manifest.unlink(), ParcelMissing, "{manifest} is missing", ("{manifest}",), layouts=ALL),
    Case("a part missing", lambda s: parts(s)[1].unlink(), ParcelMissing, "{1} is missing", ("{1}",), layouts=ALL),
    Case("all parts missing", lambda s: [p.unlink() for p in parts(s)], ParcelMissing, "4 files", ("{0}", "{1}", "{2}", "{3}")),
    Case("folder empty", lambda s: [p.unlink() for p in s.parcel.folder.iterdir()], ParcelMissing, "no finished parcel", None, NAMED),
    Case("folder missing", lambda s: shutil.rmtree(s.parcel.folder), ParcelMissing, "no finished parcel", None, NAMED),
    Case("folder missing, as listed", lambda s: shutil.rmtree(s.parcel.folder), ParcelMissing, "was exported for", (), HIDDEN),
    # cut
    Case("a part cut", lambda s: cut(parts(s)[2]), ParcelDamaged, "{2} is cut: ", ("{2}",)),
    Case("a part empty", lambda s: cut(parts(s)[0], 0), ParcelDamaged, "{0} is cut: 0 of ", ("{0}",)),
    Case("manifest cut", lambda s: cut(s.parcel.manifest), ParcelDamaged, "{manifest} is cut", ("{manifest}",), layouts=ALL),
    Case("index cut in its text", lambda s: cut(s.parcel.index, 200), NotSigned, "index", ("{index}",)),
    Case("index cut in its signature", lambda s: cut(s.parcel.index, -9), NotSigned, "index", ("{index}",)),
    Case("index empty", lambda s: cut(s.parcel.index, 0), NotSigned, "index", ("{index}",)),
    # flipped
    Case("a bit at a part's begin", lambda s: flip(parts(s)[0], 0), ParcelDamaged, "{0} is not what was signed", ("{0}",)),
    Case("a bit in a part", lambda s: flip(parts(s)[3]), ParcelDamaged, "{3} is not what was signed", ("{3}",), layouts=ALL),
    Case("a bit at a part's end", lambda s: flip(parts(s)[1], 0.9999), ParcelDamaged, "{1} is not what was signed", ("{1}",)),
    Case("a bit in the manifest", lambda s: flip(s.parcel.manifest), ParcelDamaged, "{manifest} is not", ("{manifest}",)),
    Case("a bit in the index", lambda s: flip(s.parcel.index, 0.3), WronglySigned, "index", ("{index}",), layouts=ALL),
    Case("a bit in the signature", lambda s: edit(s.parcel.index, lambda t: t[:-20] + ("A" if t[-20] != "A" else "B") + t[-19:]), WronglySigned, "index", ("{index}",)),
    Case("another signer's name", lambda s: edit(s.parcel.index, lambda t: re.sub("— .", "— x", t)), NotTrusted, "signed by 'x"),
    # altered
    Case("a part too long", lambda s: parts(s)[0].write_bytes(parts(s)[0].read_bytes() + b"\0"), ParcelDamaged, "{0}", ("{0}",)),
    Case("other bytes in a part", lambda s: parts(s)[0].write_bytes(os.urandom(parts(s)[0].stat().st_size)), ParcelDamaged, "{0}", ("{0}",)),
    Case("a part sealed by somebody", lambda s: parts(s)[0].write_bytes(seal(b"rows", [s.hand().recipient])), ParcelDamaged, "{0}", ("{0}",)),
    Case("a manifest sealed by somebody", lambda s: s.parcel.manifest.write_bytes(seal(b"{}", [s.hand().recipient])), ParcelDamaged, "{manifest}", ("{manifest}",)),
    Case("a line of the index removed", lambda s: edit(s.parcel.index, lambda t: t.replace(t.splitlines()[3] + "\n", "")), WronglySigned, "index", ("{index}",)),
    Case("a line of the index added", lambda s: edit(s.parcel.index, lambda t: t.replace("\n\n", f"\n{'0' * 64} 1 x\n\n")), WronglySigned, "index", ("{index}",)),
    Case("the index with other line ends", lambda s: edit(s.parcel.index, lambda t: t.replace("\n", "\r\n")), NotSigned, "index", ("{index}",)),
    Case("the index with a byte order mark", lambda s: edit(s.parcel.index, lambda t: "\ufeff" + t), WronglySigned, "index", ("{index}",)),
    Case("the index with one more line end", lambda s: edit(s.parcel.index, lambda t: t + "\n"), NotSigned, "index", ("{index}",)),
    # several at once
    Case("missing, cut and flipped", lambda s: (parts(s)[0].unlink(), cut(parts(s)[1]), flip(parts(s)[2])), ParcelDamaged, "3 files", ("{0}", "{1}", "{2}"), layouts=ALL),
    Case("first and last flipped", lambda s: (flip(parts(s)[0]), flip(parts(s)[3])), ParcelDamaged, "2 files", ("{0}", "{3}")),
    Case("manifest and a part flipped", lambda s: (flip(s.parcel.manifest), flip(parts(s)[3])), ParcelDamaged, "2 files", ("{manifest}", "{3}")),
    Case("manifest missing, a part flipped", lambda s: (s.parcel.manifest.unlink(), flip(parts(s)[3])), ParcelDamaged, "2 files", ("{manifest}", "{3}")),
    # swapped
    Case("two parts", lambda s: swap(parts(s)[0], parts(s)[1]), ParcelSwapped, "{0} holds {1}", ("{0}", "{1}"), layouts=ALL),
    Case("a part and the manifest", lambda s: swap(parts(s)[0], s.parcel.manifest), ParcelSwapped, "{0} holds {manifest}", ("{0}", "{manifest}")),
    Case("a part of an older parcel", lambda s: swap(parts(s)[0], s.carry("older").parts[0]), ParcelSwapped, "{0} holds {older}/", ("{0}",)),
    Case("a part of another table", lambda s: swap(parts(s)[0], s.other.parts[0]), ParcelSwapped, "{0} holds {other}/", ("{0}",)),
    Case("a manifest of an older parcel", lambda s: swap(s.parcel.manifest, s.carry("older").manifest), ParcelSwapped, "{manifest} holds {older}/", ("{manifest}",)),
    Case("an index of an older parcel", lambda s: swap(s.parcel.index, s.carry("older").index), ParcelSwapped, "holds the index of ", (), NAMED),
    Case("an index of an older parcel, hidden", lambda s: swap(s.parcel.index, s.carry("older").index), ParcelSwapped, "holds the index of {older}", ("{index}",), HIDDEN),
    Case("an index of another table", lambda s: swap(s.parcel.index, s.other.index), ParcelSwapped, "holds the index of ", (), NAMED),
    Case("an index of another table, hidden", lambda s: swap(s.parcel.index, s.other.index), ParcelSwapped, "holds the index of {other}", ("{index}",), HIDDEN),
    Case("a part in another parcel's folder", lambda s: parts(s)[0].rename(s.other.folder / parts(s)[0].name), ParcelSwapped, "{0} is missing, and lies at {other}/{0}", ("{0}",)),
    Case("an older parcel in its folder", lambda s: replaced_by(s, s.carry("older")), ParcelSwapped, "under another parcel's name", (), NAMED),
    Case("another table's parcel in its folder", lambda s: replaced_by(s, s.other), ParcelSwapped, "a parcel of another table: 'prices'", (), NAMED),
    # foreign, unsigned, wrongly signed
    Case("signed by a stranger", lambda s: s.parcel.resign(s.hand(signer=STRANGER)), NotTrusted, "by no signer that is trusted", layouts=ALL),
    Case("signed by one of the same name", lambda s: s.parcel.resign(s.hand(signer=NAMESAKE)), NotTrusted, "by no signer that is trusted"),
    Case("made by a stranger", lambda s: s.parcel.remake(s.hand(signer=STRANGER)), NotTrusted, "by no signer that is trusted"),
    Case("a stranger's name for a trusted key", lambda s: edit(s.parcel.index, lambda t: re.sub("— \\S+ ", "— who ", t)), NotTrusted, "by no signer that is trusted"),
    Case("unsigned", lambda s: s.parcel.index.write_text(s.parcel.text), NotSigned, "no signature", ("{index}",), layouts=ALL),
    Case("an empty signature", lambda s: s.parcel.index.write_text(s.parcel.text + "\n— inside \n"), NotSigned, "no signature", ("{index}",)),
    Case("no text", lambda s: s.parcel.index.write_bytes(b"\xff\xfe" * 99), NotSigned, "not text", ("{index}",)),
    Case("a million signatures", lambda s: s.parcel.index.write_text(s.parcel.text + "\n" + "— a AAAA\n" * 10**6), NotSigned, "no signature", ("{index}",)),
    Case("an index without end", lambda s: (s.parcel.index.unlink(), s.parcel.index.touch(), os.truncate(s.parcel.index, 1 << 40)), ParcelDamaged, "index has more than", ("{index}",)),
    # wrong key
    Case("sealed for another site", lambda s: (resealed(s, s.parcel.manifest, *parts(s), recipient=ELSEWHERE), s.parcel.resign(s.hand())), CannotOpen, "sealed for other keys", layouts=ALL),
    Case("opened with another key", lambda s: (s.outside / "keys" / "identity.txt").write_text(NOBODY + "\n"), CannotOpen, "sealed for other keys"),
    Case("a part sealed for another site", lambda s: s.parcel.remake(s.hand(), sealed_for=ELSEWHERE), CannotOpen, "sealed for other keys"),
    # unknown version
    Case("index of version 2", lambda s: s.parcel.sign(s.parcel.text.replace("parcel/1", "parcel/2"), s.hand()), UnknownVersion, "landbridge-parcel/2", layouts=ALL),
    Case("manifest of version 2", field("format", "landbridge-parcel/2"), UnknownVersion, "landbridge-parcel/2", layouts=ALL),
    Case("a feature that is not known", field("requires", ["merge\x1b[31m"]), UnknownVersion, "merge\\x1b"),
    # path tricks, all signed by the trusted signer
    *(Case(f"the index names {name!r}", in_the_way(name), ParcelDamaged, "the index names files of other kinds", layouts=NAMED) for name in ("../../outside/keys/identity.txt", "/etc/passwd", "C:\\part-0.parquet.age", "part-0/../../x.parquet.age", "index", "part-\uff10.parquet.age", "PART-0.parquet.age", ".part-0.parquet.age")),
    Case("the index names a file twice", lambda s: s.parcel.resign(s.hand(), extra=[IndexEntry(parts(s)[0].name, 1, "0" * 64)]), ParcelDamaged, "names a file twice"),
    Case("the index names a huge file", lambda s: s.parcel.resign(s.hand(), extra=[IndexEntry("f" * 16 + ".enc" if s.parcel.obfuscated else "part-f.parquet.age", 10**17, "0" * 64)]), ParcelDamaged, "a file of 100000000000000000 bytes"),
    # links and the like
    Case("a part is a link", lambda s: linked(parts(s)[0]), ParcelDamaged, "{0} is no file, but a link", ("{0}",)),
    Case("a part is a link to a device", lambda s: (parts(s)[0].unlink(), parts(s)[0].symlink_to("/dev/zero")), ParcelDamaged, "{0} is no file, but a link", ("{0}",)),
    Case("a part is a pipe", lambda s: pipe(parts(s)[0]), ParcelDamaged, "{0} is no file, but", ("{0}",)),
    Case("a part is a folder", lambda s: folder_of_that_name(parts(s)[0]), ParcelDamaged, "{0} is no file, but", ("{0}",)),
    Case("the manifest is a link", lambda s: linked(s.parcel.manifest), ParcelDamaged, "{manifest} is no file, but a link", ("{manifest}",)),
    Case("the index is a link", lambda s: linked(s.parcel.index), ParcelMissing, "index", ("{index}",), NAMED),
    Case("the index is a link, hidden", lambda s: linked(s.parcel.index), ParcelDamaged, "index is no file, but a link", ("{index}",), BARE),
    Case("the folder is a link", lambda s: linked(s.parcel.folder), ParcelMissing, "no finished parcel of funds", None, NAMED),
    # absurd manifests, all signed by the trusted signer
    Case("rows that do not add up", field("row_count", 10**18), ParcelDamaged, "row_count is not the sum", layouts=NAMED),
    Case("rows that nobody has", remade(manifest=lambda m: (m["parts"][-1].update(rows=10**18), m.update(row_count=10**18 + 3))), ParcelDamaged, "the manifest says 1000000000000000000", layouts=NAMED),
    Case("rows beyond all numbers", field("row_count", 10**30), ParcelDamaged, "row_count", layouts=NAMED),
    Case("sizes that are not the index's", field("parts.0.sealed_bytes", 7), ParcelDamaged, "name different parts", layouts=NAMED),
    Case("sizes that are not the content's", field("parts.0.plain_bytes", 7), ParcelDamaged, "what was sealed is not what", layouts=NAMED),
    Case("another parcel's id", field("parcel_id", "0" * 32), ParcelSwapped, "different parcels", layouts=NAMED),
    Case("another table's name", field("pipeline_name", "prices\x1b[2J"), ParcelSwapped, "of another table: 'prices\\x1b[2J'", (), layouts=NAMED),
    Case("a sequence beyond all numbers", field("sequence", 10**30), ParcelDamaged, "sequence", layouts=NAMED),
    Case("the end of time", field("as_of", "9999-12-31T23:59:59.999999Z"), ParcelDamaged, "as_of", layouts=NAMED),
    Case("the beginning of time", field("as_of", "0001-01-01T00:00:00+14:00"), ParcelDamaged, "as_of", layouts=NAMED),
    Case("100,000 columns", field("schema.columns", [{"name": f"c{i}", "type": {"kind": "text"}} for i in range(100_000)]), ParcelDamaged, "100000 columns", layouts=NAMED),
    Case("100,000 wrong columns", field("schema.columns", [{}] * 100_000), ParcelDamaged, "schema.columns.0", layouts=NAMED),
    Case("400,000 empty parts", field("parts", [{}] * 400_000), ParcelDamaged, "larger than any", layouts=NAMED),
    Case("a column without a name", field("schema.columns.0.name", ""), ParcelDamaged, "name", layouts=NAMED),
    Case("a decimal of no digits", field("schema.columns.0.type", {"kind": "decimal", "precision": 0}), ParcelDamaged, "precision", layouts=NAMED),
    Case("deep JSON", remade(text=lambda _: b"[" * 10**5), ParcelDamaged, "recursion limit", layouts=NAMED),
    Case("no JSON", remade(text=lambda _: b"\xff\xfe"), ParcelDamaged, "invalid json", layouts=NAMED),
    # lying Parquet files, all signed by the trusted signer
    Case("no Parquet file", remade(part=hostile_parquet.junk), ParcelDamaged, "no readable Parquet file", layouts=NAMED),
    Case("fewer rows", remade(part=hostile_parquet.without_rows), ParcelDamaged, "it has 0 rows, the manifest says 1", layouts=NAMED),
    Case("another column", remade(part=hostile_parquet.with_another_column), ParcelDamaged, "its columns are not the manifest's", layouts=NAMED),
    Case("a nested column", remade(part=hostile_parquet.nested), ParcelDamaged, "its columns are not the manifest's", layouts=NAMED),
    Case("text that is none", remade(part=hostile_parquet.not_text), ParcelDamaged, "no readable Parquet file", layouts=NAMED),
    Case("more rows counted than there are", remade(part=hostile_parquet.boastful, manifest=lambda m: counted(m, 3)), ParcelDamaged, ": it ", layouts=NAMED),
    Case("a footer longer than the file", remade(part=hostile_parquet.long_footer), ParcelDamaged, "no readable Parquet file", layouts=NAMED),
    Case("pages of zeros", remade(part=hostile_parquet.cut_pages), ParcelDamaged, ": it ", layouts=NAMED),
]
# fmt: on


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, worker: Executor) -> dict[str, tuple[Path, dict[str, Path]]]:
    """Both layouts, made once."""
    folders = {layout: tmp_path_factory.mktemp(layout) for layout in ("named", "hidden")}
    return {layout: (folder, two_sides(folder, layout, worker)) for layout, folder in folders.items()}


@pytest.fixture
def scene(request: pytest.FixtureRequest, made: dict[str, tuple[Path, dict[str, Path]]], tmp_path: Path) -> Scene:
    folder, places = made["named" if request.param == "named" else "hidden"]
    return copied(folder, tmp_path, request.param, places)


def names(case: Case, s: Scene) -> dict[str, str]:
    """What the words in braces stand for, while everything still lies in its place."""
    folders = {
        name: str(getattr(s, name).folder.relative_to(s.folder)).partition("/")[2] for name in ("older", "other")
    }
    return {
        "index": "index",
        "manifest": s.parcel.manifest.name,
        **folders,
        **{str(number): path.name for number, path in enumerate(parts(s))},
    }


def told(text: str, known: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: known[match[1]], text)


def every(*whats: str) -> pytest.MarkDecorator:
    """The cases of these names, or all, each in its layouts."""
    chosen = [case for case in CASES if not whats or case.what in whats]
    params = [pytest.param(layout, case, id=f"{case.what}, {layout}") for case in chosen for layout in case.layouts]
    return pytest.mark.parametrize(("scene", "case"), params, indirect=["scene"])


@every()
def test_refused(scene: Scene, case: Case, worker: Executor) -> None:
    """Its own error, the very files to carry again, old rows at the target, and nothing left there."""
    known, ids = names(case, scene), (scene.parcel.parcel_id, scene.parcel.folder.name)
    case.harm(scene)
    with pytest.raises(ParcelError) as caught:
        scene.load(worker)
    error = caught.value
    assert type(error) is case.error, error
    assert told(case.said, known) in error.message
    assert scene.target() == (OLD, TABLES)
    if case.again is None:
        assert "--resend" not in (error.hint or "")
        assert (error.hint == MADE_SO) == isinstance(error, ParcelDamaged)
    else:
        parcel, files = command(error)
        assert parcel in ids
        assert sorted(files) == sorted(told(name, known) for name in case.again)


@every(
    "index missing",
    "folder missing, as listed",
    "missing, cut and flipped",
    "a bit in the index",
    "two parts",
    "an index of an older parcel",
    "an index of another table, hidden",
    "an older parcel in its folder",
    "a part in another parcel's folder",
    "a part is a link",
)
def test_the_hint_helps(scene: Scene, case: Case, worker: Executor) -> None:
    """What it says, typed on the other side, and the import once more: then the new rows are there."""
    case.harm(scene)
    with pytest.raises(ParcelError) as caught:
        scene.load(worker)
    parcel, files = command(caught.value)
    with world(scene.inside, worker) as here:
        resend(here, find_exported(here, parcel, files), str(scene.medium))
    scene.load(worker)
    assert scene.target() == (NEW, TABLES)


@pytest.mark.parametrize(
    "what", ["index missing", "a part cut", "first and last flipped", "two parts", "text that is none", "unsigned"]
)
@pytest.mark.parametrize("scene", NAMED, indirect=True)
def test_refused_for_postgres(scene: Scene, what: str, worker: Executor, pg_url: str) -> None:
    """The same where the target is a server: old rows, and no landing table."""
    (scene.outside / ".env").write_text(variables(pg_url))
    declare(scene.outside, table("funds"))
    older = scene.carry("older")
    scene.load(worker, older.parcel_id)
    shutil.rmtree(older.folder)
    (case,) = [case for case in CASES if case.what == what]
    case.harm(scene)
    with pytest.raises(case.error):
        scene.load(worker)
    with psycopg.connect(pg_url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        assert [name for (name,) in tables] == TABLES
        assert connection.execute("SELECT id, name FROM funds ORDER BY id").fetchall() == OLD


def command(error: ParcelError) -> tuple[str, list[str]]:
    """The parcel and the files of the command that the hint gives."""
    pattern = (
        r"(?:.*; (?:or )?)?on the exporting side: landbridge export-data --resend (\w+)((?: --part \S+)*) --to MEDIUM"
    )
    found = re.fullmatch(pattern, error.hint or "")
    assert found, error.hint
    return found[1], found[2].split()[1::2]


def no_index(s: Scene) -> None:
    s.parcel.index.unlink()


def no_part(s: Scene) -> None:
    parts(s)[0].unlink()


def flipped_index(s: Scene) -> None:
    flip(s.parcel.index, 0.3)


def flipped_part(s: Scene) -> None:
    flip(parts(s)[0])


@pytest.mark.parametrize(
    ("scene", "harm"),
    [
        (layout, harm)
        for layout in ALL
        for harm in (no_index, no_part, flipped_index, flipped_part)
        if (layout, harm) != ("bare", no_index)
    ],
    indirect=["scene"],
)
def test_an_older_one_beside_it_does_not_stand_in(
    scene: Scene, harm: Callable[[Scene], None], worker: Executor
) -> None:
    """Where the newest parcel is harmed, one in between that was never loaded is not taken for it.

    Without export index, a hidden folder without index could be anybody's: it is only told.
    """
    scene.carry("late")
    harm(scene)
    with pytest.raises(ParcelError):
        scene.load(worker)
    assert scene.target() == (OLD, TABLES)
    with duckdb.connect(str(scene.outside / "mart.duckdb"), read_only=True) as mart:
        assert mart.execute("SELECT count(*) FROM landbridge_loads").fetchall() == [(1,)]


@pytest.mark.parametrize("scene", [*HIDDEN, *BARE], indirect=True)
def test_named_by_its_folder_it_is_refused_for_what_it_is(scene: Scene, worker: Executor) -> None:
    """Not as one that is not there."""
    name = scene.parcel.folder.name
    no_part(scene)
    with pytest.raises(ParcelMissing, match=r"\.enc is missing"):
        scene.load(worker, name)
    no_index(scene)
    with pytest.raises(ParcelMissing, match="index is not there"):
        scene.load(worker, name)


@pytest.mark.parametrize("scene", [*NAMED, *BARE], indirect=True)
def test_repeated(scene: Scene, worker: Executor) -> None:
    """A parcel that was loaded before is refused as such, once newer rows have come; they stay."""
    scene.load(worker)
    shutil.rmtree(scene.parcel.folder)
    scene.carry("older")
    with pytest.raises(ParcelRepeated, match="is number 1, and was loaded before; number 3 was loaded since") as caught:
        scene.load(worker)
    assert caught.value.hint == f"--parcel {scene.older.parcel_id} loads its rows all the same"
    assert scene.target() == (NEW, TABLES)


@pytest.mark.parametrize("scene", [*NAMED, *BARE], indirect=True)
def test_out_of_sequence(scene: Scene, worker: Executor) -> None:
    """One that was never loaded comes late."""
    scene.load(worker)
    shutil.rmtree(scene.parcel.folder)
    scene.carry("late")
    with pytest.raises(OutOfSequence, match="is number 2; number 3 is loaded already"):
        scene.load(worker)
    assert scene.target() == (NEW, TABLES)


@pytest.mark.parametrize("scene", [*NAMED, *BARE], indirect=True)
def test_a_number_that_was_given_twice(scene: Scene, worker: Executor) -> None:
    """Two parcels of one number cannot both be the newest: the other side's drive table was set back."""
    scene.load(worker)
    shutil.rmtree(scene.parcel.folder)
    scene.carry("late").remake(scene.hand(), manifest=lambda document: document.update(sequence=3))
    with pytest.raises(OutOfSequence, match="is number 3, and so was another one") as caught:
        scene.load(worker)
    assert "drive table" in caught.value.hint
    assert scene.target() == (NEW, TABLES)


@pytest.mark.parametrize("scene", BOTH, indirect=True)
def test_what_lies_beside_a_parcel_does_no_harm(scene: Scene, worker: Executor) -> None:
    """Junk, links to everything, names in other cases and scripts, folders without end: looked past, none opened."""
    folder, medium = scene.parcel.folder, scene.medium
    for number in range(300):
        (folder / f"junk{number}").touch()
    for name in ("INDEX", "Index", "index ", "index.", "\uff49ndex", "i\u0307ndex", "\u202excedni", "manifest.json\n"):
        (folder / name).write_text("x")
    for path in (folder / "link", medium / ("0" * 16), medium / "everything", medium / "funds" / ("f" * 32)):
        path.parent.mkdir(exist_ok=True)
        path.symlink_to("/")
    os.mkfifo(folder / "pipe")
    (folder / os.fsdecode(b"\xff")).touch()
    (folder / "deep" / "er").mkdir(parents=True)
    scene.load(worker)
    assert scene.target() == (NEW, TABLES)
