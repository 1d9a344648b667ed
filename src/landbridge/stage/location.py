"""Where parcels lie: a local folder, or an object store by URL.

Object stores are obstore's, and read their usual environment variables (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, …).
"""

import errno
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from landbridge.errors import AccessDenied, ConfigError, ParcelDamaged, ParcelMissing, Unreachable, WorldError
from landbridge.stage import folders

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_REFUSED = r"os error 13\)|status code: 40[13] "  # where obstore's own PermissionDeniedError is not raised


@dataclass(frozen=True)
class Store:
    """Files by path, `/` between the levels, relative to the location. Opened by `open_store`.

    Every method raises Unreachable or AccessDenied where the location does not answer or refuses,
    WorldError where the disk does (no space left …).
    """

    location: str  # without credentials
    root: Path | None  # the local folder; it need not exist before the first put
    remote: "ObjectStore | None" = field(repr=False, compare=False)

    @property
    def is_local(self) -> bool:
        return self.root is not None

    def describe(self, path: str = "") -> str:
        """The location, or a path in it, for people."""
        return f"{self.location.rstrip('/')}/{path}" if path else self.location

    def is_there(self) -> bool:
        """False for a local folder that is missing; object stores are taken to be there."""
        return self.root is None or self.root.is_dir()

    def free_bytes(self) -> int | None:
        """Free space of the disk that the location is on, or will be; None for object stores: they do not tell."""
        if self.root is None:
            return None
        with _border(self.location):
            return shutil.disk_usage(next(path for path in (self.root, *self.root.parents) if path.exists())).free

    def reach(self) -> None:
        """Raises Unreachable where the local folder is missing: an empty place and a missing disk are not the same."""
        with _border(self.location):
            there = self.root is None or self.root.is_dir()
        if not there:
            raise Unreachable(f"no folder at {self.location}", hint="is the disk or share mounted?")

    def put(self, path: str, data: bytes, *, timeless: bool = False) -> None:
        """Store `data` whole or not at all; durable on return.

        `timeless`: in a local folder, the file and the folder around it show folders.NO_TIME as their time of change.
        """
        with _border(self.describe(path)):
            if self.root is not None:
                folders.write(self.root / path, data, timeless=timeless, below=self.root)
            else:
                self._objects().put(path, data)

    def forget_times(self, path: str) -> None:
        """As `put` with `timeless`, for a file that is there already. Object stores keep times of their own."""
        if self.root is not None:
            with _border(self.describe(path)):
                folders.forget_time(self.root / path)
                folders.forget_time((self.root / path).parent)

    def get(self, path: str, *, most: int) -> bytes:
        """The whole content. Raises ParcelMissing where there is no such file.

        Raises ParcelDamaged for more than `most` bytes, and for what is no file: nothing of it is read.
        """
        with _border(self.describe(path)):
            if self.root is not None:
                self.reach()
                return folders.read(self.root / path, most)
            found = self._objects().get(path)
            if found.meta["size"] > most:
                raise ParcelDamaged(f"{self.describe(path)} has more than {most} bytes")
            return bytes(found.bytes())

    def files(self, folder: str) -> dict[str, int]:
        """Paths below `folder`, each with its size in bytes; empty where there is no such folder.

        Nothing of ours lies more than four levels deep, and in a local folder nothing deeper is told. Links, pipes
        and devices are no files, and links are not followed.
        """
        with _border(self.describe(folder)):
            if self.root is not None:
                return dict(folders.walk(self.root, folder))
            return {entry["path"]: entry["size"] for entry in self._objects().list(folder).collect()}

    def folders(self) -> list[str]:
        """Names of the folders at the location itself."""
        with _border(self.describe()):
            if self.root is not None:
                return folders.names(self.root)
            return sorted(self._objects().list_with_delimiter()["common_prefixes"])

    def delete(self, path: str) -> None:
        """Delete one file, durably. Raises ParcelMissing where there is no such file (object stores may not)."""
        with _border(self.describe(path)):
            if self.root is None:
                self._objects().delete(path)
                return
            self.reach()
            folders.refuse_links((self.root / path).parent, self.root)
            folders.delete(self.root / path)

    def delete_folder(self, folder: str) -> int:
        """Delete all below `folder`, and the folder; return how many files there were."""
        found = list(self.files(folder))
        with _border(self.describe(folder)):
            if self.root is None:
                self._objects().delete(found)
            elif (self.root / folder).is_dir():
                folders.refuse_links(self.root / folder, self.root)
                shutil.rmtree(self.root / folder)
        return len(found)

    def _objects(self) -> "ObjectStore":
        if self.remote is None:
            raise ValueError("a local folder is no object store")
        return self.remote


def open_store(location: str) -> Store:
    """Open an absolute path or a URL (file, s3, gs, az, memory). Nothing is contacted before the first use.

    Raises ConfigError for what is neither.
    """
    from obstore.exceptions import BaseError
    from obstore.store import from_url

    if "://" not in location:
        if not Path(location).is_absolute():
            raise ConfigError(f"location {location} is neither an absolute path nor a URL")
        return Store(location, Path(location), None)
    url = urlsplit(location)
    if url.scheme == "file":
        path = unquote(url.path)
        return Store(path, Path(path), None)
    shown = f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}"
    try:
        return Store(shown, None, from_url(location))
    except (BaseError, ValueError) as error:
        raise ConfigError(
            f"location {shown} cannot be opened", hint="use an absolute path or s3://, gs://, az://"
        ) from error


@contextmanager
def _border(where: str) -> Iterator[None]:
    """Translate what obstore and the file system raise; a message is one line and holds no signed URL."""
    from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

    try:
        yield
    except FileNotFoundError as error:
        raise ParcelMissing(f"{where} is not there") from error
    except (PermissionError, PermissionDeniedError, UnauthenticatedError) as error:
        raise AccessDenied(f"{where}: permission denied", hint="check credentials and permissions") from error
    except OSError as error:
        hint = {errno.ENOSPC: "df -h", errno.EROFS: "mount it for writing"}.get(error.errno or 0, "ls -ld, and df -h")
        raise WorldError(f"{where}: {(error.strerror or str(error)).lower()}", hint=hint) from error
    except BaseError as error:
        said = re.sub(r"\?\S+", "?…", str(error).partition("\n")[0])
        kind = AccessDenied if re.search(_REFUSED, said) else Unreachable
        raise kind(f"{where}: {said}", hint="landbridge doctor") from error
