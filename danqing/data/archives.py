"""The files of a folder or of a zip, listed and read alike; a zip is never extracted."""

from __future__ import annotations

import os
import stat
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from danqing.core.errors import DataError, PictureError
from danqing.core.pictures.contract import Picture
from danqing.core.pictures.reading import read

SUFFIXES = (".png", ".jpg", ".jpeg", ".jfif", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".avif")
LARGEST = 1 << 30  # bytes that one file inside a zip may unpack to


class Entry(NamedTuple):
    """A file: its path below the folder, with slashes; its size in bytes; its time of change, or in a zip its CRC."""

    name: str
    size: int
    stamp: int


Find = Callable[[str], Path | bytes]  # a file by name: where it lies, or its contents
Archive = tuple[list[Entry], Find]


def is_picture(name: str) -> bool:
    """Whether a file's name says that it is a picture."""
    return name.lower().endswith(SUFFIXES)


def open_archive(path: Path) -> Archive:
    """List the files of a folder or a zip; with a function that finds one of them by name for reading.

    Raises:
        DataError: if it is neither, or is damaged.
    """
    if path.is_dir():
        try:
            entries = list(_walk(str(path), "", set()))
        except OSError as error:
            raise DataError(f"cannot be searched ({error.strerror})", where=error.filename or path) from error
        return entries, lambda name: path / name
    if not zipfile.is_zipfile(path):
        hint = "A folder of pictures, a zip of one, or .tar shards can be used"
        raise DataError("is neither a folder nor a zip", where=path, remedy=hint)
    return _open_zip(path)


def read_found(found: Path | bytes, at_least: int | None = None) -> Picture:
    """Read a picture that lies in a file, or whose bytes were taken out of an archive.

    Args:
        found: the file or the bytes.
        at_least: see :func:`danqing.core.pictures.reading.read`.

    Raises:
        PictureError: naming why it cannot be read.
    """
    if isinstance(found, Path):
        return read(found, at_least=at_least)
    handle, name = tempfile.mkstemp(prefix="danqing-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(found)
        return read(name, at_least=at_least)
    finally:
        os.unlink(name)


def _walk(root: str, below: str, above: set[tuple[int, int]]) -> Iterator[Entry]:
    """Files under a folder; links to folders are followed, but never round in a circle."""
    here = os.stat(os.path.join(root, below))
    identity = (here.st_dev, here.st_ino)
    if identity in above:
        return
    with os.scandir(os.path.join(root, below)) as found:
        for item in found:
            name = below + item.name
            if item.name.startswith("."):
                continue
            if item.is_dir():
                yield from _walk(root, name + "/", above | {identity})
            else:
                yield _entry(item, name)


def _entry(item: os.DirEntry[str], name: str) -> Entry:
    try:
        facts = item.stat()
    except OSError:  # a link to nowhere: listed, and found unusable when read
        return Entry(name, 0, 0)
    return Entry(name, facts.st_size, facts.st_mtime_ns)


def _open_zip(path: Path) -> Archive:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError(f"is a damaged zip ({error})", where=path) from error
    members = {item.filename: item for item in archive.infolist() if not item.is_dir() and _is_plain(item)}
    lock = threading.Lock()  # one file handle serves all threads

    def find(name: str) -> bytes:
        if members[name].file_size > LARGEST:
            raise PictureError(f"unpacks to {members[name].file_size:,} bytes", where=name)
        try:
            with lock:
                return archive.read(name)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError, ValueError) as error:
            raise PictureError(f"cannot be taken out of the zip ({error})", where=name) from error

    return [Entry(item.filename, item.file_size, item.CRC) for item in members.values()], find


def _is_plain(item: zipfile.ZipInfo) -> bool:
    """Whether a member is an ordinary file with an ordinary name: nothing hidden, no link, nothing outside the zip."""
    parts = PurePosixPath(item.filename).parts
    link = stat.S_ISLNK(item.external_attr >> 16)
    return not link and not item.filename.startswith("/") and not any(p[0] == "." or p == "__MACOSX" for p in parts)
