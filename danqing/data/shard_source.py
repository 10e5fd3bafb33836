"""Shards as a set of pictures, read in one go from first to last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial

from danqing.core.errors import DataError, ParameterError
from danqing.core.pictures.listing import PassedOver, guessed
from danqing.core.pictures.names import natural
from danqing.data import shards
from danqing.data.archives import has_grey_header, header_of, read_found
from danqing.data.identity import digest
from danqing.data.label_file import LabelFile, label_file_name
from danqing.data.labels import folder_labels, lacking, table_labels
from danqing.data.shards import Sample
from danqing.data.sides import placed, side_of
from danqing.data.source import Pairing, Record
from danqing.data.zips import TWICE


@dataclass
class Shards:
    """Shards of which some may be remote; of those, what they hold is known only after they have been read.

    Attributes:
        urls: the shards.
        split: which side is wanted; None: both.
        names: of members whose names say not how they are encoded.
        known: label and side of each picture by shard and name, of shards on this disk.
        often: how often each picture stands in its shard; the last time counts.
    """

    spec: str
    urls: list[str]
    split: str | None
    classes: list[str] = field(default_factory=list)
    count: int | None = None
    remarks: list[str] = field(default_factory=list)
    passed_over: list[PassedOver] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    known: dict[tuple[str, str], tuple[str | None, str]] = field(default_factory=dict)
    often: Counter[tuple[str, str]] = field(default_factory=Counter)

    @cached_property
    def fingerprint(self) -> str:
        return digest([shards.fingerprint(self.urls), self.split, self.classes, sorted(self.known.items())])

    def records(self) -> Iterator[Record]:
        seen: set[str] = set()
        for url, sample in self._samples():
            label, side = self.known.get((url, sample.name), (sample.label, side_of(sample.name)))
            if label is not None and not self.known and label not in seen:
                seen.add(label)
                self.classes = sorted(seen, key=natural)
            if self.split in (None, side):
                raw = sample.raw
                yield Record(sample.name, label, partial(read_found, raw), frames=partial(_frames, raw))

    def is_grey(self) -> bool:
        return all(has_grey_header(sample.raw) for sample in shards.samples(self.urls[0], names=self.names))

    def pairing(self) -> Pairing | None:
        return None

    def _samples(self) -> Iterator[tuple[str, Sample]]:
        left = self.often.copy()
        for url in self.urls:
            for sample in shards.samples(url, names=self.names):
                left[url, sample.name] -= 1
                if left[url, sample.name] <= 0:
                    yield url, sample


def open_shards(spec: str, urls: list[str], labels: LabelFile | None, split: str | None) -> Shards:
    """Look through the shards on this disk for names, labels and sides.

    Raises:
        DataError: if one is damaged, holds pairs, a label is missing or contradicts another, or nothing is a picture.
        ParameterError: if a label file is given for shards that are behind URLs.
    """
    if any(map(shards.is_remote, urls)):
        if labels is not None:
            raise ParameterError("cannot be used with shards behind URLs, whose names are not known", where="labels")
        return Shards(spec, urls, split)
    found = Shards(spec, urls, split)
    tables: dict[str, bytes] = {}
    for url in urls:
        survey = shards.survey(url)
        found.names |= survey.names
        tables |= survey.tables
        if survey.encoding:
            found.remarks.append(guessed(survey.encoding))
    dropped: shards.Dropped = {}
    listed = []
    for url in urls:
        for name, label, _ in shards.samples(url, names=found.names, passed_over=dropped, whole=False):
            if found.often[url, name]:
                dropped[PassedOver(name, TWICE)] = None
            found.often[url, name] += 1
            listed.append((url, name, label))
    used = _label(found, {(url, name): label for url, name, label in listed}, labels, tables)
    found.passed_over = [each for each in dropped if each.name != used]
    return found


def _label(
    found: Shards, given: dict[tuple[str, str], str | None], labels: LabelFile | None, tables: dict[str, bytes]
) -> str | None:
    """Note label and side of every picture; the name of the label file in the shards that was used."""
    names = [name for _, name in given]
    places = placed(names)
    if any(place.part for place in places):
        raise DataError("holds pairs, which are not read from shards", where=found.spec, remedy="Unpack them")
    used = None
    each: list[str | None] = list(given.values())
    if labels is None and not any(each) and (used := label_file_name([*names, *tables], found.spec)) is not None:
        labels = LabelFile(tables[used], f"{found.spec}/{used}", used[: used.rfind("/") + 1])
    if labels is not None:
        told = table_labels([name.removeprefix(labels.base) for name in names], labels.raw, labels.where)
    elif not any(each):
        told = folder_labels([place.name for place in places])
    else:
        told = None
    if told is not None:
        found.remarks += told.remarks
        each = list(told.each or each)
    sides = [place.side for place in places]
    found.classes = sorted({label for label in each if label is not None}, key=natural)
    found.remarks += lacking(sides, [label or "" for label in each] if found.classes else None)
    found.known = dict(zip(given, zip(each, sides, strict=True), strict=True))
    found.count = sum(found.split in (None, side) for side in sides)
    return used


def _frames(raw: bytes) -> int:
    header = header_of(raw)
    return 1 if header is None else header.frames
