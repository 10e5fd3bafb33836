"""The files of a folder or of a zip, listed and read alike; a zip is never extracted."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from danqing.core.errors import DanqingError, DataError
from danqing.core.notes import noted
from danqing.core.pictures import header as header_room
from danqing.core.pictures.contract import Picture
from danqing.core.pictures.header import opened
from danqing.core.pictures.listing import Found, PassedOver, files_in, head_of, reason_to_pass
from danqing.core.pictures.metadata import told
from danqing.core.pictures.reading import read

ANY_SIZE = 2**62  # pixels: what is too large is refused when it is read


class Entry(NamedTuple):
    """A file of a folder or an archive.

    Attributes:
        name: its path below the folder, with slashes, in Unicode's composed form.
        size: in bytes.
        stamp: its time of change, or in a zip its CRC.
        changed: when it was last put there, whatever its time of change says; 0 in a zip.
        at: where it lies: a path, or its number in the archive.
    """

    name: str
    size: int
    stamp: int
    changed: int
    at: Path | int


@dataclass(frozen=True)
class Archive:
    """A folder or zip that has been searched.

    Attributes:
        place: its resolved path.
        entries: its files, but for those whose names are of no interest.
        passed_over: those.
        notes: what is worth telling people.
        find: gives a file, or its contents.
        head: gives a file's first bytes.
    """

    place: str
    entries: list[Entry]
    passed_over: list[PassedOver]
    notes: list[str]
    find: Callable[[Entry], Path | bytes]
    head: Callable[[Entry], bytes]

    def pictures(self) -> tuple[list[Entry], list[PassedOver]]:
        """Those of the files that are pictures, and why the others are not."""
        taken, others = [], []
        for entry in self.entries:
            reason = reason_to_pass(entry.name, lambda entry=entry: self.head(entry))  # type: ignore[misc]
            taken.append(entry) if reason is None else others.append(PassedOver(entry.name, reason))
        return taken, others

    def contents(self, entry: Entry) -> bytes:
        """The bytes of a file."""
        found = self.find(entry)
        return found.read_bytes() if isinstance(found, Path) else found


def open_folder(path: Path) -> Archive:
    """List the files of a folder.

    Raises:
        DataError: if it cannot be searched.
    """
    listing = files_in(path)

    def file_of(entry: Entry) -> Path:
        if isinstance(entry.at, Path):
            return entry.at
        raise DataError("is not in this folder", where=entry.name)

    entries = [_entry(each) for each in listing.found]
    return Archive(
        os.path.realpath(path),
        entries,
        listing.passed_over,
        listing.notes,
        file_of,
        lambda entry: head_of(file_of(entry)),
    )


def read_found(found: Path | bytes, at_least: int | None = None) -> Picture:
    """Read a picture that lies in a file, or whose bytes were taken out of an archive.

    What would be said of each picture alone (more frames than one, a broken profile) is counted by the report instead.

    Args:
        found: the file or the bytes.
        at_least: see :func:`danqing.core.pictures.reading.read`.

    Raises:
        PictureError: naming why it cannot be read.
    """
    with noted([]):
        return read(found, at_least=at_least)


class Header(NamedTuple):
    """What a picture's first bytes tell: whether it is grey, its width and height, how many frames or pages it has."""

    grey: bool
    size: tuple[int, int]
    frames: int


def header_of(found: Path | bytes) -> Header | None:
    """Read a picture's header; None of what is no picture, which is for reading to report."""
    try:
        with opened(found, ANY_SIZE) as header:
            return Header(header.is_grey, _upright_size(header), header.frames)
    except DanqingError:
        return None


def _upright_size(header: header_room.Header) -> tuple[int, int]:
    size = header.width, header.height
    return size[::-1] if told(header).orientation > 4 else size  # EXIF orientations that swap the sides


def has_grey_header(found: Path | bytes) -> bool:
    """Whether a picture's header says that it is grey; yes for what is no picture, which counts for nothing."""
    header = header_of(found)
    return header is None or header.grey


def _entry(found: Found) -> Entry:
    try:
        facts = os.stat(found.file)
    except OSError:  # a link to nowhere: listed, and found unusable when read
        return Entry(found.name, 0, 0, 0, found.file)
    return Entry(found.name, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, found.file)
