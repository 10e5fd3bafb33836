"""The files of a zip, whoever wrote it and however it writes names."""

from __future__ import annotations

import os
import re
import stat
import struct
import threading
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from danqing.core.errors import DataError, PictureError
from danqing.core.pictures.listing import HEAD, PassedOver, guessed, head_of, hidden_part
from danqing.core.pictures.name_encoding import decode_names
from danqing.core.pictures.names import composed
from danqing.data.archives import Archive, Entry

BEGINNINGS = (b"PK\3\4", b"PK\5\6", b"PK\7\x08")  # of a file in it, of its end, of one in several pieces
LARGEST = 1 << 30  # bytes that one file inside a zip may unpack to
UTF8 = 0x800  # the flag that says so of a name
UNICODE_PATH = 0x7075  # the extra field in which Info-ZIP repeats a name in UTF-8
OUTSIDE = "has a name that points outside the archive"
TWICE = "is in the archive twice, and the later one counts"
FAILURES = (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError, ValueError, zlib.error)


def open_zip(path: Path) -> Archive:
    """List the files of a zip; with a function that reads one of them.

    Raises:
        DataError: if it is no zip, or is damaged.
    """
    if not zipfile.is_zipfile(path):
        if head_of(path).startswith(BEGINNINGS):
            raise DataError("is a damaged zip (it has no end mark)", where=path, remedy="Download or copy it again")
        hint = "A folder of pictures, a zip of one, or .tar shards can be used"
        raise DataError("is neither a folder nor a zip", where=path, remedy=hint)
    try:
        archive = zipfile.ZipFile(path)
    except FAILURES as error:
        raise DataError(f"is a damaged zip ({error})", where=path, remedy="Download or copy it again") from error
    members = archive.infolist()
    lock = threading.Lock()  # one file handle serves all threads

    def contents(entry: Entry, most: int) -> bytes:
        item = members[int(str(entry.at))]
        if item.file_size > LARGEST:
            raise PictureError(f"unpacks to {item.file_size:,} bytes", where=entry.name)
        try:
            with lock, archive.open(item) as stream:
                return stream.read(most)
        except FAILURES as error:
            raise PictureError(f"cannot be taken out of the zip ({error})", where=entry.name) from error

    def head(entry: Entry) -> bytes:
        try:
            return contents(entry, HEAD)
        except PictureError:
            return b""

    names, encoding = _names(members)
    entries, passed_over = _sorted_out(members, names)
    notes = [guessed(encoding)] if encoding else []
    return Archive(os.path.realpath(path), entries, passed_over, notes, lambda entry: contents(entry, -1), head)


def clean_path(name: str) -> str | None:
    """A name in an archive as a path with slashes, in composed form; None for one that points outside."""
    path = composed(name.replace("\\", "/"))
    parts = [part for part in path.split("/") if part not in ("", ".")]
    outside = path.startswith("/") or ".." in parts or re.match("[A-Za-z]:/", path)
    return None if outside else "/".join(parts)


def _sorted_out(members: list[zipfile.ZipInfo], names: list[str]) -> tuple[list[Entry], list[PassedOver]]:
    taken: dict[str, Entry] = {}
    passed_over: dict[PassedOver, None] = {}  # in order, a hidden folder once
    for at, (item, name) in enumerate(zip(members, names, strict=True)):
        path = clean_path(name)
        if path is None:
            passed_over[PassedOver(name, OUTSIDE)] = None
        elif name.endswith(("/", "\\")):
            continue
        elif stat.S_ISLNK(item.external_attr >> 16):
            passed_over[PassedOver(path, "is a link, which a zip cannot be trusted with")] = None
        elif hidden := hidden_part(path):
            passed_over[PassedOver(*hidden)] = None
        else:
            if path in taken:
                passed_over[PassedOver(path, TWICE)] = None
            taken[path] = Entry(path, item.file_size, item.CRC, 0, at)
    return list(taken.values()), list(passed_over)


def _names(members: list[zipfile.ZipInfo]) -> tuple[list[str], str]:
    """Names as they were meant, and the encoding that was guessed for those that do not say; empty for no guess."""
    known = {at: name for at, item in enumerate(members) if (name := _declared(item)) is not None}
    unknown = [at for at in range(len(members)) if at not in known]
    decoded, encoding = decode_names(members[at].orig_filename.encode("cp437") for at in unknown)
    known |= dict(zip(unknown, decoded, strict=True))
    return [known[at] for at in range(len(members))], encoding


def _declared(item: zipfile.ZipInfo) -> str | None:
    if item.flag_bits & UTF8:
        return item.orig_filename
    raw = item.orig_filename.encode("cp437")
    for kind, field in _extra_fields(item.extra):
        if kind == UNICODE_PATH and len(field) > 5 and struct.unpack("<I", field[1:5])[0] == zlib.crc32(raw):
            return field[5:].decode("utf-8", "replace")
    return None


def _extra_fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    while len(extra) >= 4:
        kind, length = struct.unpack("<HH", extra[:4])
        yield kind, extra[4 : 4 + length]
        extra = extra[4 + length :]
