"""Pictures of a folder or a zip, with their labels and partners."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import NamedTuple

from danqing.core.errors import DataError
from danqing.core.pictures.contract import Picture
from danqing.core.pictures.listing import PassedOver
from danqing.core.pictures.names import natural, several, some
from danqing.core.pictures.partners import partners
from danqing.data.archives import Archive, Entry, has_grey_header, header_of, read_found
from danqing.data.identity import digest, spread
from danqing.data.label_file import LabelFile, label_file_name
from danqing.data.labels import folder_labels, lacking, table_labels
from danqing.data.sides import PAIRED, Placed, placed
from danqing.data.source import Pairing, Record

SINGLE = (b"\xff\xd8\xff", b"BM")  # how formats begin that hold one picture: JPEG, BMP


class Item(NamedTuple):
    """A picture of a folder or zip, with its label and its partner."""

    entry: Entry
    label: str | None = None
    pair: Entry | None = None


@dataclass(frozen=True)
class Files:
    """A source whose pictures are known by name before any is read.

    ``items`` are those of one split, ``all_items`` those of both.
    """

    spec: str
    archive: Archive
    items: list[Item]
    all_items: list[Item]
    classes: list[str]
    remarks: list[str] = field(default_factory=list)
    passed_over: list[PassedOver] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.items)

    @cached_property
    def fingerprint(self) -> str:
        entries = [(item.entry[:4], item.label, item.pair and item.pair[:4]) for item in self.items]
        files = [entry.at for item in self.items for entry in (item.entry, item.pair) if entry is not None]
        contents = spread([file for file in files if isinstance(file, Path)])
        return digest([self.archive.place, entries, self.classes, contents])

    def records(self) -> Iterator[Record]:
        for entry, label, pair in self.items:
            read = partial(self._read, entry)
            yield Record(entry.name, label, read, pair and partial(self._read, pair), partial(self._frames, entry))

    def is_grey(self) -> bool:
        return all(has_grey_header(self.archive.find(item.entry)) for item in self.all_items)

    def pairing(self) -> Pairing | None:
        """Raises DataError where the partners are no multiple of the pictures in size."""
        pairs = [(item.entry, item.pair) for item in self.all_items if item.pair is not None]
        if not pairs:
            return None
        for one, other in pairs:
            first, second = (header_of(self.archive.find(entry)) for entry in (one, other))
            if first is not None and second is not None:
                scale = round(min(second.size) / min(first.size))
                if scale < 1:
                    raise DataError("is smaller than its partner in input", where=other.name)
                return Pairing(scale, all(has_grey_header(self.archive.find(pair)) for _, pair in pairs))
        return Pairing(1, False)

    def _read(self, entry: Entry, at_least: int | None) -> Picture:
        return read_found(self.archive.find(entry), at_least)

    def _frames(self, entry: Entry) -> int:
        if self.archive.head(entry).startswith(SINGLE):
            return 1
        header = header_of(self.archive.find(entry))
        return 1 if header is None else header.frames


def open_files(
    spec: str, archive: Archive, pictures: list[Entry], labels: LabelFile | None, split: str | None
) -> Files:
    """Find out the label, the side and the partner of each picture.

    Args:
        spec: what the user called the set.
        archive: the folder or zip.
        pictures: those of its files that are pictures.
        labels: the label file that was given.
        split: "train", "test", or None for both.

    Raises:
        DataError: if a label is missing or contradicts another, or a partner is missing.
    """
    places = placed([entry.name for entry in pictures])
    partner_of, remarks = _pair_up(places, spec)
    first = [at for at, place in enumerate(places) if place.part != PAIRED[1]]
    labels = labels or _label_file_in(archive, spec)
    if labels is None:
        found = folder_labels([places[at].name for at in first])
    else:
        found = table_labels([pictures[at].name.removeprefix(labels.base) for at in first], labels.raw, labels.where)
    sides = [places[at].side for at in first]
    pairs = [pictures[partner_of[at]] if at in partner_of else None for at in first]
    each: list[str | None] = [None] * len(first) if found.each is None else [*found.each]
    items = [Item(pictures[at], label, pair) for at, label, pair in zip(first, each, pairs, strict=True)]
    kept = [item for item, side in zip(items, sides, strict=True) if split in (None, side)]
    classes = sorted(set(found.each or ()), key=natural)
    remarks = [*archive.notes, *found.remarks, *lacking(sides, found.each), *remarks]
    return Files(spec, archive, kept, items, classes, remarks)


def unlabelled(files: Files) -> Files:
    """The same pictures, whose folders are no classes."""
    items, all_items = ([item._replace(label=None) for item in each] for each in (files.items, files.all_items))
    return replace(files, items=items, all_items=all_items, classes=[], remarks=list(files.archive.notes))


def _label_file_in(archive: Archive, spec: str) -> LabelFile | None:
    name = label_file_name((entry.name for entry in archive.entries), where=spec)
    if name is None:
        return None
    entry = next(entry for entry in archive.entries if entry.name == name)
    return LabelFile(archive.contents(entry), f"{spec}/{name}", name[: name.rfind("/") + 1])


def _pair_up(places: list[Placed], spec: str) -> tuple[dict[int, int], list[str]]:
    """The partner of each picture of a set of pairs, by their places in the list; and a remark on what is left over."""
    names = {place.key: at for at, place in enumerate(places) if place.part == PAIRED[0]}
    others = {place.key: at for at, place in enumerate(places) if place.part == PAIRED[1]}
    if not others:
        return {}, []
    found = partners(list(names), others, where=f"{spec}/{PAIRED[1]}")
    idle = [places[at].key for other, at in others.items() if other not in set(found.values())]
    remark = f"No picture in {PAIRED[0]} for {several(len(idle), 'picture')} in {PAIRED[1]}: {some(idle)}"
    return {names[name]: others[other] for name, other in found.items()}, [remark] if idle else []
