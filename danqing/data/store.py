"""The packed store: every picture of a set decoded once, fitted, and laid down in one memory-mapped file."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from danqing.core.disk import replacing
from danqing.core.errors import DanqingError, DataError, ParameterError
from danqing.core.learned.model import Samples
from danqing.core.notes import note, noted
from danqing.core.pictures.listing import PassedOver, frames_note, passed_over_note
from danqing.core.pictures.names import several, shown
from danqing.core.progress import Job, Progress
from danqing.data.cache import cached
from danqing.data.contents import STORE, contents_of, lengths, read_contents
from danqing.data.fit import FITS, MARGIN, Fit, check_scale, squares
from danqing.data.journal import PICTURES, Journal, told
from danqing.data.order import shares
from danqing.data.parallel import in_order
from danqing.data.source import Record, Source
from danqing.data.sources import is_built_in, open_source
from danqing.data.things import Things

FORMAT = 2  # of the store; part of the name under which it is cached
CHANNELS: dict[str | int, int | None] = {"auto": None, "grey": 1, "colour": 3, 1: 1, 3: 3}
LOOK = 0.1  # s between two signs of life


@dataclass(frozen=True)
class Store:
    """Pictures ready to be learned from.

    Attributes:
        pictures: bytes (N, C, H, W), memory-mapped when packed, each picture's channels lying together.
        pairs: what each picture should become, bytes (N, C', k H, k W), or None.
        labels: class numbers (N,), or None.
        classes: names of the classes; empty when unlabelled.
        names: where each picture came from, below its folder; several may come from one.
        skipped: name and reason of each picture that could not be used.
        about: what else is known: source, split, fit, sha256.
        things: what is in the pictures, where that is labelled.
    """

    pictures: NDArray[np.uint8]
    labels: NDArray[np.int64] | None = None
    classes: Sequence[str] = ()
    names: Sequence[str] = ()
    skipped: Sequence[tuple[str, str]] = ()
    about: dict[str, Any] = field(default_factory=dict)
    pairs: NDArray[np.uint8] | None = None
    things: Things | None = None

    def __len__(self) -> int:
        return len(self.pictures)

    @property
    def size(self) -> int:
        """The side of the pictures in pixels."""
        return int(self.pictures.shape[2])

    @property
    def channels(self) -> int:
        """1 or 3."""
        return int(self.pictures.shape[1])

    def facts(self) -> dict[str, Any]:
        """What a model card says of its data, as JSON values; of each class, how many pictures or things there are."""
        told = self.things.classes if self.things is not None else [] if self.labels is None else [self.labels]
        counts = Counter(at for each in told for at in each.tolist())
        classes = {name: counts[at] for at, name in enumerate(self.classes)}
        here = {"count": len(self), "size": self.size, "channels": self.channels, "classes": classes}
        pair = {} if self.pairs is None else {"pair": {"size": self.pairs.shape[2], "channels": self.pairs.shape[1]}}
        return {**self.about, **here, **pair, "skipped": len(self.skipped)}

    def take(self, indices: Sequence[int] | NDArray[np.int64] | Tensor) -> Samples:
        """Give these pictures, float32 in [0, 1], in channels-last memory order, with what belongs to them."""
        at = np.asarray(indices, np.int64)
        y = None if self.labels is None else torch.from_numpy(self.labels[at])
        samples = Samples(_taken(self.pictures, at), y, None if self.pairs is None else _taken(self.pairs, at))
        return samples if self.things is None else self.things.beside(samples, at)

    def batches(self, batch: int, seed: int, start: int = 0, rank: int = 0, world: int = 1) -> Iterator[Samples]:
        """Yield batches without end, from step ``start`` on; see :func:`danqing.data.order.shares`.

        Raises:
            DataError: if the store is empty.
        """
        if not len(self):
            raise DataError("holds no pictures", where=self.about.get("source", ""))
        return map(self.take, shares(len(self), batch, seed, start, rank, world))


def _taken(pictures: NDArray[np.uint8], at: NDArray[np.int64]) -> Tensor:
    rows = np.asarray(pictures).transpose(0, 2, 3, 1)[at]  # (B, H, W, C), as they lie in the file
    return torch.from_numpy(np.divide(rows, np.float32(255), dtype=np.float32)).permute(0, 3, 1, 2)


def pack(
    spec: str | Path,
    *,
    size: int,
    channels: Literal["auto", "grey", "colour", 1, 3] | None = "auto",
    fit: Fit = "crop",
    labels: str | Path | None = None,
    split: str | None = None,
    skip_bad: bool = False,
    only: Collection[str] | None = None,
) -> Job[Store]:
    """Decode every picture once into a store, or find the store that was packed before.

    Stores lie in the folder $DANQING_CACHE, else where the system keeps caches. An interrupted packing goes on where it
    stopped, and several processes may ask for one store at once: one packs it, the others wait.

    Args:
        spec: what :func:`danqing.data.sources.open_source` understands.
        size: the side of the square pictures in pixels.
        channels: "grey" (1), "colour" (3), or "auto": grey if all pictures are.
        fit: how pictures become square; see :func:`danqing.data.fit.squares`.
        labels: a label file.
        split: "train", "test", or None for both.
        skip_bad: leave out what cannot be read, listing it in ``Store.skipped``, instead of refusing.
        only: names of the pictures that are taken; None: all.

    Raises:
        DataError: if pictures cannot be used, naming them, or if there are none.
        OutputError: if the store cannot be written.
    """
    if fit not in FITS or size < 1 or (channels or "auto") not in CHANNELS:
        raise ParameterError(f"size {size!r}, fit {fit!r}, channels {channels!r} are no way to pack pictures")
    source = open_source(spec, labels, split, only)
    wanted = CHANNELS[channels or "auto"]
    folder = cached("packs", spec, [FORMAT, source.fingerprint, size, wanted, fit, split])
    known = read_contents(folder) or (yield from _pack_alone(folder, source, size, wanted, fit))
    for words in (*source.remarks, passed_over_note(source.passed_over, spec), frames_note(known["animations"], spec)):
        if words:
            note(words)
    store = _open(folder, known, {"source": str(spec), "split": split or "all", "fit": fit})
    if store.skipped and not skip_bad:
        raise _refusal(store, str(spec))
    if not len(store) and store.skipped:
        raise DataError(f"none of its {several(len(store.skipped), 'picture')} can be read", where=spec)
    if store.skipped:
        note(passed_over_note([PassedOver(*each) for each in store.skipped], spec))
    return store


def _pack_alone(folder: Path, source: Source, size: int, channels: int | None, fit: Fit) -> Job[dict[str, Any]]:
    """Pack while holding the folder's lock; the lock falls when its holder dies."""
    from filelock import FileLock, Timeout

    with told(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / "lock", thread_local=False)
        while True:
            try:
                lock.acquire(timeout=0)
                break
            except Timeout:
                yield Progress(0, 1, "another process is packing these pictures")
                time.sleep(LOOK)
    try:
        return read_contents(folder) or (yield from _pack(folder, source, size, channels, fit))
    finally:
        lock.release()


def _pack(folder: Path, source: Source, size: int, channels: int | None, fit: Fit) -> Job[dict[str, Any]]:
    with Journal(folder) as journal:
        if journal.channels is None:
            pairing = source.pairing()
            pair = pairing and (pairing.scale, channels or (1 if pairing.grey else 3))
            journal.start(channels or (1 if source.is_grey() else 3), pair)
        done, last = journal.consumed, 0.0
        fitted = partial(_fitted, size=size, channels=journal.channels or 3, fit=fit, pair=journal.pair)
        with closing(
            in_order(fitted, islice(source.records(), done, None), 0 if is_built_in(source.spec) else None)
        ) as results:
            for name, label, found, frames in results:
                journal.add(name, label, found, frames)
                done += 1
                if time.monotonic() - last > LOOK:
                    last = time.monotonic()
                    yield Progress(done, source.count or done + 1, f"{done:,} pictures packed")
        journal.flush()
        known = contents_of(journal, source, size)
        with told(folder), replacing(folder / STORE) as temporary:
            temporary.write_text(json.dumps(known))
        return known


def _fitted(
    record: Record, size: int, channels: int, fit: Fit, pair: tuple[int, int] | None
) -> tuple[str, str | None, NDArray[np.uint8] | str, int]:
    """A picture's name, label, squares as rows of bytes, each followed by its partner, or why not; and its frames."""
    try:
        with noted([]):  # what there is to note of single pictures, the preflight sums up
            at_least = None if fit == "tiles" or record.read_pair else MARGIN * size
            picture = record.read(at_least)
            rows = squares(picture, size, channels, fit).reshape(-1, size * size * channels)
            if record.read_pair is not None and pair is not None:
                partner, (scale, deep) = record.read_pair(None), pair
                check_scale(picture, partner, scale)
                second = squares(partner, size, deep, fit, scale=scale)
                rows = np.concatenate([rows, second.reshape(len(rows), -1)], 1)
        return record.name, record.label, rows, record.frames()
    except Exception as error:  # a decoder may fail in any way on a damaged file
        return record.name, record.label, reason(error), 1


def reason(error: Exception) -> str:
    """Why a picture cannot be used, in words."""
    return error.what if isinstance(error, DanqingError) else f"{type(error).__name__}: {error}"


def _open(folder: Path, known: dict[str, Any], about: dict[str, Any]) -> Store:
    count, height, width, channels = known["shape"]
    first, second = lengths(known)
    file = folder / PICTURES
    shape = (count, first + second)
    rows = np.memmap(file, np.uint8, "r", shape=shape) if count else np.empty(shape, np.uint8)
    scale, deep = known["pair"] or (0, 0)
    pairs = rows[:, first:].reshape(count, scale * height, scale * width, deep) if second else None
    return Store(
        rows[:, :first].reshape(count, height, width, channels).transpose(0, 3, 1, 2),
        None if known["labels"] is None else np.array(known["labels"], np.int64),
        known["classes"],
        known["names"],
        [(name, why) for name, why in known["skipped"]],
        {**about, "sha256": known["sha256"]},
        None if pairs is None else pairs.transpose(0, 3, 1, 2),
    )


def _refusal(store: Store, spec: str) -> DataError:
    bad = store.skipped
    first = ", ".join(f"{shown(name)} ({why})" for name, why in bad[:5]) + (" …" if len(bad) > 5 else "")
    return DataError(
        f"{len(bad):,} of its {several(len(bad) + len(store), 'file')} cannot be used: {first}",
        where=spec,
        remedy="Mend or remove them, or give --skip-bad to go on without them",
    )
