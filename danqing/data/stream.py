"""Pictures straight from WebDataset shards, for sets that outgrow one disk: nothing is packed, samples are shuffled."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from danqing.core.errors import DataError, ParameterError
from danqing.core.learned.model import Samples
from danqing.core.notes import note, noted
from danqing.core.pictures.listing import passed_over_note
from danqing.core.pictures.names import natural, shown
from danqing.data import shards
from danqing.data.archives import has_grey_header, read_found
from danqing.data.fit import FITS, MARGIN, Fit, square
from danqing.data.identity import digest
from danqing.data.parallel import in_order
from danqing.data.shards import Sample
from danqing.data.store import CHANNELS, reason

BUFFER = 1000  # encoded pictures that wait to be drawn from


class Stream:
    """Endless batches from shards, the same for the same seed.

    Classes, and whether the pictures are grey, are taken from the first shard unless they are given.

    Attributes:
        size: the side of the pictures in pixels.
        channels: 1 or 3.
        classes: names of the classes; empty when unlabelled.
        skipped: the pictures left out so far, and why.
        passed_over: what in the first shard is no picture, and why.
    """

    def __init__(
        self,
        spec: str | Path,
        *,
        size: int,
        channels: Literal["auto", "grey", "colour", 1, 3] | None = "auto",
        fit: Fit = "crop",
        classes: Sequence[str] | None = None,
        skip_bad: bool = False,
    ) -> None:
        if fit not in FITS or size < 1 or (channels or "auto") not in CHANNELS:
            raise ParameterError(f"size {size!r}, fit {fit!r}, channels {channels!r} are no way to read pictures")
        if not shards.is_shards(str(spec)):
            raise DataError("is not a set of .tar shards", where=spec, remedy="Leave out --stream to pack it instead")
        if fit == "tiles":
            raise ParameterError("pictures that stream by are not cut into tiles", where="fit", remedy="Pack them")
        self.spec, self.urls = str(spec), shards.expand(str(spec))
        self.size, self.fit, self.skip_bad = size, fit, skip_bad
        self.skipped: dict[str, str] = {}
        self.passed_over: shards.Dropped = {}
        grey, found = _peek(self.urls[0], self.passed_over)
        if self.passed_over:
            note(passed_over_note(list(self.passed_over), self.urls[0]))
        self.channels = CHANNELS[channels or "auto"] or (1 if grey else 3)
        self.classes = list(found if classes is None else classes)
        self._number = {name: at for at, name in enumerate(self.classes)}

    def facts(self) -> dict[str, Any]:
        """What a model card says of its data, as JSON values."""
        sha256 = digest([shards.identity(self.urls), self.size, self.channels, self.classes])
        return {
            "source": self.spec, "shards": len(self.urls), "sha256": sha256, "fit": self.fit,
            "size": self.size, "channels": self.channels, "classes": self.classes, "skipped": len(self.skipped),
        }  # fmt: skip

    def batches(self, batch: int, seed: int, start: int = 0, rank: int = 0, world: int = 1) -> Iterator[Samples]:
        """Yield batches without end, from step ``start`` on.

        Each epoch goes through the shards in another order, and draws from a buffer of 1,000 samples. Every process
        reads all shards but decodes its share alone; the shares in turn are what one process with ``batch * world``
        would take. Going on from ``start`` passes over what comes before, without decoding it. In the place of a
        picture that is skipped stands another of the same batch, so that all others keep their places.

        Raises:
            DataError: if a shard or a picture cannot be read (pictures: unless ``skip_bad``), or a label is unknown.
        """
        samples = self._from(start * batch * world, seed)
        mine = (sample for at, sample in enumerate(samples) if at // batch % world == rank)
        with closing(in_order(self._decode, mine)) as decoded:
            while True:
                found = list(islice(decoded, batch))
                good = [row for row in found if row is not None]
                if not good:
                    raise DataError(f"none of {batch} pictures in a row can be read", where=self.spec)
                rows = [row or good[at % len(good)] for at, row in enumerate(found)]
                x = np.divide(np.stack([pixels for pixels, _ in rows]), np.float32(255), dtype=np.float32)
                y = torch.tensor([label for _, label in rows]) if self.classes else None
                yield Samples(torch.from_numpy(x).permute(0, 3, 1, 2), y)

    def _from(self, first: int, seed: int) -> Iterator[Sample]:
        """The samples from the ``first`` on; passing over whole epochs needs their length, which one epoch tells."""
        passed, epoch = 0, 0
        while True:
            before = passed
            for sample in self._epoch(seed, epoch):
                if passed >= first:
                    yield sample
                passed += 1
            length = passed - before
            if not length:
                raise DataError("holds no pictures", where=self.spec)
            epoch += 1
            skip = max(0, (first - passed) // length)
            epoch, passed = epoch + skip, passed + skip * length

    def _epoch(self, seed: int, epoch: int) -> Iterator[Sample]:
        rng = random.Random(f"{seed} {epoch}")
        urls = list(self.urls)
        rng.shuffle(urls)
        buffer: list[Sample] = []
        for url in urls:
            for sample in shards.samples(url):
                if len(buffer) < BUFFER:
                    buffer.append(sample)
                    continue
                at = rng.randrange(BUFFER)
                drawn, buffer[at] = buffer[at], sample
                yield drawn
        rng.shuffle(buffer)
        yield from buffer

    def _decode(self, sample: Sample) -> tuple[NDArray[np.uint8], int] | None:
        label = 0
        if self.classes:
            if sample.label not in self._number:
                what = (
                    f"the label {sample.label!r} of {shown(sample.name)} is not among its {len(self.classes)} classes"
                )
                raise DataError(what, where=self.spec, remedy="The classes are those of the first shard")
            label = self._number[sample.label]
        try:
            with noted([]):  # what there is to note of single pictures, the preflight sums up
                picture = read_found(sample.raw, MARGIN * self.size)
            return square(picture, self.size, self.channels, self.fit), label
        except Exception as error:  # a decoder may fail in any way on a damaged file
            if not self.skip_bad:
                what = f"{shown(sample.name)} cannot be used: {reason(error)}"
                raise DataError(what, where=self.spec, remedy="Give --skip-bad to go on without it") from error
            self.skipped[sample.name] = reason(error)
            return None


def _peek(url: str, passed_over: shards.Dropped) -> tuple[bool, list[str]]:
    """Whether all pictures of a shard are grey, and its labels in natural order."""
    grey, labels = True, set()
    for sample in shards.samples(url, passed_over=passed_over):
        grey = grey and has_grey_header(sample.raw)
        if sample.label is not None:
            labels.add(sample.label)
    return grey, sorted(labels, key=natural)
