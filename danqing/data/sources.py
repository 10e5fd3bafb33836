"""Where pictures come from: a folder, a zip, the built-in digits, or WebDataset shards, and their division in two."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, Protocol

from danqing.core.disk import hash_of
from danqing.core.errors import DataError, ParameterError, PictureError
from danqing.core.pictures.contract import Picture, from_uint8
from danqing.core.pictures.header import opened
from danqing.data import archives, shards
from danqing.data.archives import Entry, Find, read_found
from danqing.data.digits import FILE, digits
from danqing.data.labels import FOUND, folder_labels, natural, several, some, table_labels

BUILT_IN = ("digits",)
SIDES = {
    "train": "train", "training": "train",
    "test": "test", "testing": "test", "val": "test", "valid": "test", "validation": "test",
}  # fmt: skip
ANY_SIZE = 2**62  # pixels: what is too large is refused when it is read
HELD_OUT = 0.1  # of a set that does not say itself what is held out


class Record(NamedTuple):
    """One picture that has not been read yet.

    ``read(at_least)`` reads it, a JPEG perhaps shrunk (see :mod:`danqing.core.pictures.reading`), raises DanqingError
    where it cannot be read.
    """

    name: str
    label: str | None
    read: Callable[[int | None], Picture]


class Source(Protocol):
    """A set of pictures in a fixed order.

    Attributes:
        spec: what the user called it.
        classes: names of the classes in their order; empty when unlabelled. Of shards, known after all have been read.
        count: number of pictures; None where only reading tells.
        fingerprint: changes when the set changes, as far as names, sizes and times tell.
        remarks: what is worth telling people.
    """

    @property
    def spec(self) -> str: ...
    @property
    def classes(self) -> list[str]: ...
    @property
    def count(self) -> int | None: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def remarks(self) -> list[str]: ...
    def records(self) -> Iterator[Record]:
        """Go through the pictures of this split."""
        ...

    def is_grey(self) -> bool:
        """Whether all pictures, those of the other split too, are grey, as far as their headers tell."""
        ...


@dataclass(frozen=True)
class Listing:
    """A source whose pictures are known by name before any is read."""

    spec: str
    entries: list[Entry]
    labels: list[str] | None
    classes: list[str]
    fetch: Callable[[Entry, int | None], Picture]
    is_grey: Callable[[], bool]
    remarks: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.entries)

    @property
    def fingerprint(self) -> str:
        return _digest([self.entries, self.labels, self.classes])

    def records(self) -> Iterator[Record]:
        for at, entry in enumerate(self.entries):
            label = None if self.labels is None else self.labels[at]
            yield Record(entry.name, label, partial(self.fetch, entry))


@dataclass
class Shards:
    """WebDataset shards, read in one go from first to last."""

    spec: str
    urls: list[str]
    split: str | None
    classes: list[str] = field(default_factory=list)
    count: int | None = None
    remarks: list[str] = field(default_factory=list)

    @property
    def fingerprint(self) -> str:
        return shards.fingerprint(self.urls)

    def records(self) -> Iterator[Record]:
        seen: set[str] = set()
        for url in self.urls:
            for sample in shards.samples(url):
                if sample.label is not None and sample.label not in seen:
                    seen.add(sample.label)
                    self.classes = sorted(seen, key=natural)
                if self.split in (None, side_of(sample.name)):
                    yield Record(sample.name, sample.label, partial(read_found, sample.raw))

    def is_grey(self) -> bool:
        return all(has_grey_header(sample.raw) for sample in shards.samples(self.urls[0]))


def is_built_in(spec: str | Path) -> bool:
    """Whether this is the name of a picture set that comes with danqing; a folder of that name goes first."""
    return str(spec) in BUILT_IN and not Path(spec).exists()


def open_source(spec: str | Path, labels: str | Path | None = None, split: str | None = None) -> Source:
    """Find the pictures that ``spec`` means; none is decoded yet.

    A folder is searched through and through, hidden files left out. Its pictures are labelled by a label file (given,
    or lying in it as labels.csv, labels.json or dataset.json), else by class folders, where every picture lies in one.
    The classes are in natural order. Training and test pictures are told apart by folders train and test (or val), else
    by a hash of each picture's name, 9 : 1, so that a picture stays on its side when others come or go.

    Args:
        spec: a folder, a zip of one, ``digits``, or WebDataset shards (paths, globs, ``{000..009}`` ranges, URLs).
        labels: a CSV (columns file,label) or JSON file of labels.
        split: "train", "test", or None (or "all") for both.

    Raises:
        DataError: if there are no pictures, or a label is missing.
        ParameterError: if ``split`` is not one of these.
    """
    if split not in (None, "all", "train", "test"):
        raise ParameterError(f"{split!r} is not one of all, train, test", where="split")
    split, spec = None if split == "all" else split, str(spec)
    if is_built_in(spec):
        return _open_digits(spec, split)
    if shards.is_shards(spec):
        return Shards(spec, shards.expand(spec), split)
    path = Path(spec)
    if not path.exists():
        raise DataError("no such folder, zip or built-in set", where=spec, remedy=f"Built in: {', '.join(BUILT_IN)}")
    entries, find = archives.open_archive(path)
    entries.sort(key=lambda entry: natural(entry.name))
    pictures = [entry for entry in entries if archives.is_picture(entry.name)]
    if not pictures:
        if tars := [str(path / entry.name) for entry in entries if shards.is_shards(entry.name)]:
            return Shards(spec, tars, split)
        what = f"holds {several(len(entries), 'file')}, but no pictures" if entries else "is empty"
        raise DataError(what, where=spec, remedy="Pictures end in " + ", ".join(archives.SUFFIXES))
    return _listing(spec, pictures, _label_file(path, entries, labels, find), find, split)


def has_grey_header(found: Path | bytes) -> bool:
    """Whether a picture's header says that it is grey; yes for what is no picture, which counts for nothing."""
    try:
        with opened(found, ANY_SIZE) as header:
            return header.is_grey
    except PictureError:  # which is for reading to report
        return True


def side_of(name: str) -> str:
    """The side, "train" or "test", on which a picture falls by its name alone."""
    digest = hashlib.sha256(b"danqing split 1\0" + name.encode("utf-8", "surrogateescape")).digest()
    return "test" if int.from_bytes(digest[:8], "big") < HELD_OUT * 2**64 else "train"


def _listing(
    spec: str,
    pictures: list[Entry],
    table: tuple[bytes, str] | None,
    find: Find,
    split: str | None,
) -> Listing:
    names = [entry.name for entry in pictures]
    sides, below = _sides(names)
    labels, remarks = table_labels(names, *table) if table else (folder_labels(below), [])
    classes = sorted(set(labels or ()), key=natural)
    kept = [at for at, side in enumerate(sides) if split in (None, side)]
    chosen = None if labels is None else [labels[at] for at in kept]

    def fetch(entry: Entry, at_least: int | None) -> Picture:
        return read_found(find(entry.name), at_least)

    def is_grey() -> bool:
        return all(has_grey_header(find(name)) for name in names)

    kept_pictures = [pictures[at] for at in kept]
    return Listing(spec, kept_pictures, chosen, classes, fetch, is_grey, remarks)


def _sides(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """The side of each picture, and its name below the folder that says the side."""
    tops = [SIDES.get(PurePosixPath(name).parts[0].casefold()) if "/" in name else None for name in names]
    if set(tops) == {"train", "test"}:
        return [str(top) for top in tops], [name.partition("/")[2] for name in names]
    sides = [side_of(name) for name in names]
    if "train" not in sides:  # of a handful, chance may hold out all
        sides = ["train"] * len(names)
    return sides, list(names)


def _label_file(path: Path, entries: list[Entry], labels: str | Path | None, find: Find) -> tuple[bytes, str] | None:
    if labels is not None:
        try:
            return Path(labels).read_bytes(), str(labels)
        except OSError as error:
            raise DataError(f"cannot be read ({error.strerror})", where=labels) from error
    names = {entry.name for entry in entries}
    found = [name for name in FOUND if name in names]
    if len(found) > 1:
        raise DataError(f"holds several label files: {some(found)}", where=path, remedy="Say which with --labels")
    if not found:
        return None
    raw = find(found[0])
    return raw.read_bytes() if isinstance(raw, Path) else raw, str(path / found[0])


def _open_digits(spec: str, split: str | None) -> Listing:
    pictures, labels = digits(split)
    stamp = int(hash_of(FILE)[:12], 16)
    entries = [Entry(f"{split or 'all'}/{at:05d}-{label}", pictures[0].size, stamp) for at, label in enumerate(labels)]

    def fetch(entry: Entry, at_least: int | None) -> Picture:
        at = int(entry.name.rpartition("/")[2].partition("-")[0])
        return Picture(from_uint8(pictures[at][None, :, :, None]))

    classes = [str(digit) for digit in range(10)]
    return Listing(spec, entries, [str(label) for label in labels], classes, fetch, lambda: True)


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
