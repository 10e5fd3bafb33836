"""Which files of a folder are pictures, and why the others are not; needs no torch."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from danqing.core.errors import DataError
from danqing.core.pictures.name_encoding import as_bytes, decode_names
from danqing.core.pictures.names import READABLE, composed, several, shown, some

RAW = (".dng", ".nef", ".nrw", ".cr2", ".cr3", ".arw", ".orf", ".rw2", ".pef", ".srw", ".raf", ".3fr", ".iiq")
UNFINISHED = (".bak", ".tmp", ".part", ".partial", ".crdownload", ".download", "~")
FILE_MANAGERS = {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "@eadir", "$recycle.bin"}
HEAD = 64  # bytes that tell what a file is
MAGIC = re.compile(
    rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|RIFF.{4}WEBP|II[*+]\0|MM\0[*+]|GIF8[79]a|BM.{4}\0{4}"
    rb"|.{4}ftypavi[fs]|.{4}ftypmi[fa]1.{4}.{0,40}avif",
    re.DOTALL,
)


class Found(NamedTuple):
    """A picture: its path below the folder, with slashes, in Unicode's composed form; and the file itself."""

    name: str
    file: Path


class PassedOver(NamedTuple):
    """What was not taken for a picture, and why. The name of a folder that was passed over ends in a slash."""

    name: str
    reason: str


class Listing(NamedTuple):
    """What a folder holds: pictures, by folder and name; what was passed over; and notes for people."""

    found: list[Found]
    passed_over: list[PassedOver]
    notes: list[str]


def pictures_in(folder: str | Path) -> Listing:
    """Search a folder through and through for pictures.

    A picture has one of the suffixes ``READABLE``, upper or lower case, or another or none and begins as a picture
    does. Links are followed, but never round in a circle; one that leads nowhere counts as the file it is named like,
    and is found unreadable when it is read.

    Raises:
        DataError: if the folder cannot be searched.
    """
    listing = files_in(folder)
    taken, passed_over = [], list(listing.passed_over)
    for each in listing.found:
        reason = reason_to_pass(each.name, lambda each=each: head_of(each.file))  # type: ignore[misc]
        taken.append(each) if reason is None else passed_over.append(PassedOver(each.name, reason))
    return Listing(taken, passed_over, listing.notes)


def files_in(folder: str | Path) -> Listing:
    """List all files of a folder, pictures or not, except those whose name says that they are of no interest.

    Raises:
        DataError: if the folder cannot be searched.
    """
    passed_over: list[PassedOver] = []
    paths = list(_walk(str(folder), "", frozenset(), passed_over))
    foreign = [path for path in paths if not is_text(path)]
    decoded, encoding = decode_names(as_bytes(path) for path in foreign)
    names = {**dict(zip(paths, paths, strict=True)), **dict(zip(foreign, decoded, strict=True))}
    notes = [guessed(encoding)] if encoding else []
    return Listing([Found(composed(names[path]), Path(folder, path)) for path in paths], passed_over, notes)


def reason_to_pass(name: str, head: Callable[[], bytes]) -> str | None:
    """Why a file is passed over; None for a picture.

    Args:
        name: its path, with slashes.
        head: gives its first bytes, and is asked only where the name does not tell.
    """
    hidden = hidden_part(name)
    if hidden is not None:
        return hidden[1]
    lower = name.lower()
    if lower.endswith(READABLE):
        return None
    if lower.endswith(RAW):
        return "is a raw photograph, which danqing cannot develop; export it as TIFF or JPEG"
    if lower.endswith(UNFINISHED):
        return "is a backup or an unfinished copy"
    return _reason_in(head())


def hidden_part(name: str) -> tuple[str, str] | None:
    """The part of a path that is of no interest, and why, a folder with a slash at its end; None where all is."""
    parts = name.split("/")
    for at, part in enumerate(parts):
        reason = _reason_of_name(part)
        if reason is not None:
            return "/".join(parts[: at + 1]) + ("/" if at + 1 < len(parts) else ""), reason
    return None


def head_of(file: Path) -> bytes:
    """The first bytes of a file; none of what is no plain file or cannot be read."""
    try:
        if not stat.S_ISREG(file.stat().st_mode):  # a pipe would be waited for
            return b""
        with file.open("rb") as stream:
            return stream.read(HEAD)
    except (OSError, ValueError):
        return b""


def passed_over_note(passed_over: Sequence[PassedOver], where: object = "") -> str:
    """Say in one line what was passed over: how much, first names and reasons. Empty where nothing was."""
    if not passed_over:
        return ""
    first = ", ".join(f"{shown(name)} ({reason})" for name, reason in passed_over[:3])
    more = f" and {len(passed_over) - 3:,} more" if len(passed_over) > 3 else ""
    return f"{f'{where}: ' if where else ''}Passed over {several(len(passed_over), 'file')}: {first}{more}"


def is_text(path: str) -> bool:
    """Whether the bytes of a path are UTF-8, as today's systems write it; else the system smuggles them in."""
    return not any("\udc80" <= sign <= "\udcff" for sign in path)


def frames_note(names: Sequence[str], where: object = "") -> str:
    """Say in one line which files have several frames or pages. Empty where none has."""
    if not names:
        return ""
    count = several(len(names), "picture")
    return f"{f'{where}: ' if where else ''}Several frames or pages: {count}, of which the first is used: {some(names)}"


def guessed(encoding: str) -> str:
    """The note about names whose encoding was guessed."""
    return f"Names that do not say how they are encoded are read as {encoding}, the likeliest"


def _walk(root: str, below: str, above: frozenset[tuple[int, int]], passed_over: list[PassedOver]) -> Iterator[str]:
    """Paths of files below a folder, by name; what is hidden, goes round or cannot be searched is passed over."""
    here = os.path.join(root, below)
    try:
        facts = os.stat(here)
        with os.scandir(here) as entries:
            items = sorted(entries, key=lambda item: item.name)
    except OSError as error:
        if not below:
            raise DataError(f"cannot be searched ({error.strerror})", where=root) from error
        passed_over.append(PassedOver(below, f"cannot be searched ({error.strerror})"))
        return
    identity = (facts.st_dev, facts.st_ino)
    if identity in above:
        passed_over.append(PassedOver(below, "is a link back to a folder that it lies in"))
        return
    for item in items:
        folder = _is_folder(item)
        name = below + item.name + ("/" if folder else "")
        reason = _reason_of_name(item.name)
        if reason is not None:
            passed_over.append(PassedOver(name, reason))
        elif folder:
            yield from _walk(root, name, above | {identity}, passed_over)
        else:
            yield name


def _is_folder(item: os.DirEntry[str]) -> bool:
    try:
        return item.is_dir()
    except OSError:  # a link that goes round
        return False


def _reason_of_name(part: str) -> str | None:
    if part == "__MACOSX" or part.startswith("._"):
        return "is what macOS notes about other files"
    if part.startswith("."):
        return "is hidden"
    return "belongs to a file manager" if part.lower() in FILE_MANAGERS else None


def _reason_in(head: bytes) -> str | None:
    if MAGIC.match(head):
        return None
    if not head:
        return "is empty or cannot be read, and is not named like a picture"
    if head.startswith((b"PK\3\4", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!")):
        return "is an archive, which has to be given by itself"
    if head[4:8] == b"ftyp":
        brand = head[8:12].decode("ascii", "replace").strip()
        return f"is of the kind {brand}, as HEIC pictures and films are; export pictures as JPEG"
    plain = all(byte >= 32 or byte in b"\t\n\r\f" for byte in head)
    return "is text, not a picture" if plain else "is no picture that danqing reads"


__all__ = [
    "Found", "Listing", "PassedOver", "files_in", "frames_note", "guessed", "head_of", "hidden_part", "is_text",
    "passed_over_note", "pictures_in", "reason_to_pass",
]  # fmt: skip
