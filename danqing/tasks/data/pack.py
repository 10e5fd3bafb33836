"""The task data pack."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from danqing.core.artefacts.figures import Figures
from danqing.core.fields.number import Range
from danqing.core.fields.source import Source
from danqing.core.learned.model import Model
from danqing.core.operators.task import task
from danqing.core.progress import Job
from danqing.data.store import pack as pack_store
from danqing.training.config import NATURAL_SIZE


@task
def pack(
    pictures: Source,
    labels: Path | None = None,
    size: Annotated[int, Range(8, 1024, "px")] | None = None,
    channels: Literal["auto", "grey", "colour"] = "auto",
    fit: Literal["crop", "pad", "stretch", "tiles"] | None = None,
    skip_bad: bool = False,
    split: Literal["train", "test", "all"] | None = None,
) -> Job[Figures]:
    """Decode every picture once into the store that training reads from.

    Training does it, too, and finds what was packed here. An interrupted packing goes on where it stopped.

    Args:
        pictures: a folder, a folder of class folders, a zip of either, WebDataset shards, or digits (built in).
        labels: a CSV or JSON file of labels, when the folders do not say them.
        size: side of the pictures in pixels; by default 28 for the built-in digits, else 64.
        channels: grey or colour; auto takes what the pictures are.
        fit: how pictures become square: crop the middle, pad, stretch or cut into tiles; by default crop.
        skip_bad: go on without the pictures that cannot be read.
        split: the pictures to learn from, those to test on, or all; by default both, apart.

    Returns:
        What each store holds.

    Examples:
        danqing data pack PHOTOS --size 64
    """
    facts = []
    for each in ("train", "test") if split is None else (split,):
        store = yield from pack_store(
            pictures,
            size=size or NATURAL_SIZE.get(pictures, Model.picture_size),
            channels=channels,
            fit=fit or Model.fit,
            labels=labels,
            split=None if each == "all" else each,
            skip_bad=skip_bad,
        )
        facts.append(store.facts())
    return Figures(facts, listed=True)
