"""The preflight: read every picture of a set, and say what a training would stumble over."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Collection
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from danqing.core.disk import replacing
from danqing.core.errors import OutputError
from danqing.core.learned.families import family_named
from danqing.core.notes import note, noted
from danqing.core.pictures.names import several, shown
from danqing.core.progress import Job, Progress
from danqing.data.advice import advice
from danqing.data.cache import cached
from danqing.data.fit import check_scale, opaque
from danqing.data.journal import told
from danqing.data.likeness import SIDE, Look, alike, look_at
from danqing.data.parallel import in_order
from danqing.data.report import Report, Unusable
from danqing.data.source import Record, Source
from danqing.data.sources import is_built_in, open_source
from danqing.data.store import LOOK, reason

FORMAT = 3  # of a report; part of the name under which it is kept


class Seen(NamedTuple):
    """What is remembered of one readable picture."""

    name: str
    label: str | None
    size: tuple[int, int]  # width, height
    mode: str
    digest: bytes
    look: Look
    frames: int
    notes: list[str]
    paired: bool


def check(
    spec: str | Path,
    *,
    labels: str | Path | None = None,
    family: str | None = None,
    again: bool = False,
    only: Collection[str] | None = None,
) -> Job[Report]:
    """Read every picture, on all cores, and report what is unusable, uneven, doubled or too little.

    A set that has not changed since (in names, sizes and times of its files) is not read again, unless asked for.

    Args:
        spec: what :func:`danqing.data.sources.open_source` understands.
        labels: a label file.
        family: the model family that is to learn from them, for advice that fits it.
        again: read even if nothing has changed.
        only: names of the pictures that are taken; None: all.

    Raises:
        ParameterError: if there is no such family.
        DataError: if there are no pictures at all, or the labels cannot be used.
    """
    kind = None if family is None else family_named(family)
    source = open_source(spec, labels, only=only)
    place = cached("checks", spec, [FORMAT, source.fingerprint])
    file = place.with_name(f"{place.name}.json")
    report = None if again else _remembered(file)
    if report is None:
        report = yield from _read_all(source)
        _remember(report, file)
    report = replace(report, source=str(spec))
    return replace(report, warnings=[*report.warnings, *advice(report, kind)])


def _remembered(file: Path) -> Report | None:
    try:
        return Report.from_json(json.loads(file.read_text()))
    except (OSError, ValueError, KeyError, TypeError):  # never kept, not to be read, or damaged: told anew
        return None


def _remember(report: Report, file: Path) -> None:
    try:
        with told(file.parent), replacing(file) as temporary:
            temporary.write_text(json.dumps(report.to_json()))
    except OutputError as error:
        note(f"The report cannot be kept for the next time ({error})")


def _read_all(source: Source) -> Job[Report]:
    seen: list[Seen] = []
    unusable: list[Unusable] = []
    last = 0.0
    with closing(in_order(_look, source.records(), 0 if is_built_in(source.spec) else None)) as results:
        for done, found in enumerate(results, 1):
            seen.append(found) if isinstance(found, Seen) else unusable.append(found)
            if time.monotonic() - last > LOOK:
                last = time.monotonic()
                bad = f", {len(unusable):,} unusable" if unusable else ""
                yield Progress(done, source.count or done + 1, f"{done:,} pictures read{bad}")
    yield Progress(len(seen), max(1, len(seen)), "comparing")
    return _report(source, seen, unusable)


def _look(record: Record) -> Seen | Unusable:
    notes: list[str] = []
    try:
        with noted(notes):
            picture = record.read(None)
            if record.read_pair is not None:
                check_scale(picture, record.read_pair(None))
    except Exception as error:  # a decoder may fail in any way on a damaged file
        return Unusable(record.name, reason(error))
    channels, height, width = picture.pixels.shape[1:]
    pixels = opaque(picture, channels)
    digest = hashlib.sha256(repr(pixels.shape).encode() + pixels.data).digest()
    image = Image.fromarray(pixels[..., 0] if channels == 1 else pixels).convert("L")
    small = np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX))
    mode = "grey" if channels == 1 else "colour"
    mode += (" with alpha" if picture.alpha is not None else "") + (", 16 bits" if picture.depth == 16 else "")
    paired = record.read_pair is not None
    return Seen(
        record.name, record.label, (width, height), mode, digest, look_at(small), record.frames(), notes, paired
    )


def _report(source: Source, seen: list[Seen], unusable: list[Unusable]) -> Report:
    same: dict[bytes, list[Seen]] = {}
    for item in seen:
        same.setdefault(item.digest, []).append(item)
    first = [group[0] for group in same.values()]
    labels = Counter(item.label for item in seen if item.label is not None)
    return Report(
        source=source.spec,
        usable=len(seen),
        unusable=unusable,
        sizes=_counted(f"{item.size[0]} x {item.size[1]}" for item in seen),
        modes=_counted(item.mode for item in seen),
        classes={name: labels[name] for name in source.classes},
        duplicates=[[item.name for item in group] for group in same.values() if len(group) > 1],
        near_duplicates=[[first[at].name for at in group] for group in alike([item.look for item in first])],
        warnings=[*source.remarks, *_remarks_of(seen)],
        passed_over=list(source.passed_over),
        animations=[item.name for item in seen if item.frames > 1],
        pairs=sum(item.paired for item in seen),
    )


def _remarks_of(seen: list[Seen]) -> list[str]:
    """What was noted of pictures while they were read, those of several frames apart, which are counted."""
    noted_of = {item.name: item.notes for item in seen if item.notes and item.frames == 1}
    if not noted_of:
        return []
    first = "; ".join(f"{shown(name)}: {', '.join(notes)}" for name, notes in list(noted_of.items())[:3])
    return [f"Of {several(len(noted_of), 'picture')} was noted: {first}" + (" …" if len(noted_of) > 3 else "")]


def _counted(values: Any) -> dict[str, int]:
    return dict(Counter(values).most_common())
