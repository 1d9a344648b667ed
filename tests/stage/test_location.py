"""Locations: the same few verbs on a folder, a file URL and an object store."""

import os
import socket
import sys
import tempfile
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from landbridge.errors import AccessDenied, ConfigError, ParcelDamaged, ParcelMissing, Unreachable, WorldError
from landbridge.stage.location import open_store


@pytest.fixture(params=["path", "file url", "memory"])
def store(request, tmp_path):
    place = tmp_path / "the disk+%41 ü"
    locations = {"path": str(place), "file url": place.as_uri(), "memory": "memory:///"}
    return open_store(locations[request.param])


def test_what_is_put_is_listed_and_read_back(store):
    """Files come back as they were, by the same paths, with their sizes; a second put replaces."""
    store.put("tä ble %20+x/a/part", b"12345")
    store.put("tä ble %20+x/a/part", b"1234")
    store.put("tä ble %20+x/b/index", b"")
    store.put("other/c", b"1")
    assert store.get("tä ble %20+x/a/part", most=1 << 30) == b"1234"
    assert store.files("tä ble %20+x") == {"tä ble %20+x/a/part": 4, "tä ble %20+x/b/index": 0}
    assert store.files("tä ble %20+x/a") == {"tä ble %20+x/a/part": 4}


def test_a_folder_listing_stops_at_the_folders_name(store):
    """`fin` does not hold what lies in `finance`; a folder that is not there holds nothing."""
    store.put("finance/a", b"1")
    assert store.files("fin") == {}


def test_missing_files_are_missing_not_unreachable(store):
    """A file that is not there is ParcelMissing and named with its location."""
    store.put("a/b", b"1")
    with pytest.raises(ParcelMissing, match="a/c"):
        store.get("a/c", most=1 << 30)


def test_folders_are_deleted_whole_and_again(store):
    """Everything below goes, what lies beside stays, and a second time is no error."""
    for path in ("a/b/1", "a/b/.2", "a/b/c/3", "a/d"):
        store.put(path, b"1")
    assert store.delete_folder("a/b") == 3
    assert store.delete_folder("a/b") == 0
    assert store.files("a") == {"a/d": 1}
    store.delete("a/d")
    assert store.files("a") == {}
    if store.root:
        assert not (store.root / "a/b").exists()


def test_a_folder_that_is_not_mounted_is_unreachable(tmp_path):
    """Reading from a local location that is not there says so; writing makes it."""
    store = open_store(str(tmp_path / "stick"))
    for ask in (store.reach, lambda: store.get("a", most=1 << 30), lambda: store.delete("a")):
        with pytest.raises(Unreachable, match="stick") as caught:
            ask()
        assert "mounted" in caught.value.hint
    store.put("a", b"1")
    store.reach()
    assert store.get("a", most=1 << 30) == b"1"


def test_refusals_of_the_file_system_keep_their_meaning():
    """Another user's folder is AccessDenied for every verb, for the super user's tests as for anybody's."""
    with tempfile.TemporaryDirectory() as folder:
        closed = Path(folder, "closed")
        closed.mkdir()
        Path(folder).chmod(0o755)
        closed.chmod(0)
        store = open_store(folder)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        try:
            for ask in (
                lambda: store.put("closed/x", b""),
                lambda: store.get("closed/x", most=1 << 30),
                lambda: store.files("closed"),
                open_store(f"{folder}/closed/deeper").reach,
            ):
                with pytest.raises(AccessDenied):
                    ask()
        finally:
            os.seteuid(user)
            closed.chmod(0o700)


def test_other_refusals_of_the_disk_are_the_worlds(tmp_path):
    """A name that the disk cannot hold, or a file where a folder should be, is no traceback and leaves nothing."""
    store = open_store(str(tmp_path))
    store.put("file", b"1")
    for path in ("x" * 300, "file/below"):
        with pytest.raises(WorldError):
            store.put(path, b"1")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("status", "to_get", "to_list"),
    [(403, AccessDenied, AccessDenied), (401, AccessDenied, AccessDenied), (404, ParcelMissing, Unreachable)],
)
def test_answers_of_an_object_store_keep_their_meaning(monkeypatch, status, to_get, to_list):
    """A refusal, a missing file and a missing bucket are told apart; the environment's AWS_* variables are used."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_error(status)

        def log_message(self, *_args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = Thread(target=server.serve_forever)
    thread.start()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        monkeypatch.setenv(name, "hunter2")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    try:
        store = open_store("s3://bucket/prefix")
        for ask, error in ((partial(store.get, most=1), to_get), (store.files, to_list)):
            with pytest.raises(error) as caught:
                ask("a")
            assert "hunter2" not in str(caught.value)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_an_object_store_that_does_not_answer_is_unreachable(monkeypatch):
    """The message is one line, and names the location as it was written."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        monkeypatch.setenv(name, "nothing")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    with pytest.raises(Unreachable) as caught:
        open_store("s3://bucket/prefix").get("a", most=1)
    assert caught.value.message.startswith("s3://bucket/prefix/a: ")
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("location", ["exports", "./exports", "", "gopher://x", "s3:/bucket"])
def test_what_is_no_location_is_an_error_of_the_configuration(location):
    """A relative path depends on who calls, and is refused like an unknown scheme."""
    with pytest.raises(ConfigError, match="location"):
        open_store(location)


def test_credentials_in_a_url_are_never_shown():
    """User and password of a URL are in no text of the store or of its errors."""
    with pytest.raises(ConfigError) as caught:
        open_store("gopher://user:hunter2@host/x?token=hunter2")
    store = open_store("s3://user:hunter2@bucket/x?token=hunter2")
    assert "hunter2" not in f"{caught.value} {caught.value.hint} {store!r} {store.describe('a')}"


def test_every_local_put_is_synced_before_it_is_renamed(tmp_path, monkeypatch):
    """File first, then its name, then its folder; a new folder is synced into its parent."""
    done = []
    fsync, replace = os.fsync, os.replace

    def record_fsync(descriptor):
        done.append(("fsync", Path(f"/proc/self/fd/{descriptor}").readlink()))
        fsync(descriptor)

    def record_replace(source, target):
        done.append(("replace", Path(target)))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", record_fsync)
    monkeypatch.setattr(os, "replace", record_replace)
    root = tmp_path / "disk"
    open_store(str(root)).put("fin/index", b"x")
    kinds = [(kind, path.parent if path.name.startswith(".index.") else path) for kind, path in done]
    assert kinds == [
        ("fsync", tmp_path),
        ("fsync", root),
        ("fsync", root / "fin"),  # the temporary file in it
        ("replace", root / "fin" / "index"),
        ("fsync", root / "fin"),
    ]
    assert done[2][1].name.startswith(".index.")


def test_what_is_planted_in_a_folder_is_no_file(tmp_path):
    """Links, pipes, sockets and devices are not listed and not read, nor waited for; odd names are passed over."""
    store = open_store(str(tmp_path / "medium"))
    store.put("a/file", b"1")
    folder = tmp_path / "medium" / "a"
    (tmp_path / "secret").write_bytes(b"secret")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "zero").symlink_to("/dev/zero")
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(folder / "socket"))
        (folder / os.fsdecode(b"\xff")).write_bytes(b"")
        assert store.files("") == {"a/file": 1}
        (folder / "folder").mkdir()
        for name in ("link", "zero", "pipe", "socket", "folder"):
            with pytest.raises(ParcelDamaged, match="is no file, but a link, a folder, a pipe or a device"):
                store.get(f"a/{name}", most=10)
    assert store.delete_folder("a") == 1
    assert (tmp_path / "secret").read_bytes() == b"secret"


def test_a_listing_has_an_end(tmp_path):
    """Folders in folders are not followed further than ours go, however deep they are, nor a link to everything."""
    store = open_store(str(tmp_path / "medium"))
    store.put("a/parcel/index", b"1")
    (tmp_path / "medium" / "a" / "all").symlink_to("/")
    deep = [tmp_path / "medium" / ("a/" * levels) for levels in range(2, sys.getrecursionlimit() + 100)]
    for folder in deep:
        folder.mkdir()
    assert store.files("a") == {"a/parcel/index": 1}
    for folder in reversed(deep):  # pytest could not remove it
        folder.rmdir()


def test_no_more_is_read_than_is_expected(store):
    """A file that has grown since it was signed is refused before it fills the memory."""
    store.put("a", b"12345")
    assert store.get("a", most=5) == b"12345"
    with pytest.raises(ParcelDamaged, match="more than 4 bytes"):
        store.get("a", most=4)


def test_folders_are_named(store):
    """One level, and folders only."""
    for path in ("b/c/1", "a/2", "3"):
        store.put(path, b"")
    assert store.folders() == ["a", "b"]
