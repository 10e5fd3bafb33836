"""What a model finds in labelled pictures, against what is there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from danqing.core.errors import DataError, ParameterError
from danqing.core.learned.finder import SURE, UNSURE, Finder
from danqing.core.pictures.alpha import laid_on
from danqing.core.pictures.contract import Images
from danqing.core.pictures.found import Found
from danqing.core.pictures.marking import marked
from danqing.core.pictures.reading import read
from danqing.core.pictures.sheet import contact_sheet
from danqing.core.progress import Job, Progress
from danqing.data.annotations.places import Labelled, read_labelled
from danqing.data.annotations.scores import rows_of, scores_for
from danqing.data.sides import placed
from danqing.maths.found_scores import Pair

DRAWN, SIDE, COLUMNS = 12, 256, 4  # pictures of the sheet, their side in pixels, and how many stand in a row


def assessed(
    model: Finder, data: str | Path, labels: Path | None, split: str, seed: int = 0
) -> Job[tuple[list[dict[str, Any]], Images]]:
    """Look for things in labelled pictures at their own size, and compare.

    Args:
        model: what looks.
        data: a folder of pictures.
        labels: of things in them; None: found beside them.
        split: train, test or all.
        seed: fixes how pictures are divided for the intervals.

    Returns:
        One row a score, and a sheet (1, 3, H, W) of the first pictures with what was found drawn in.

    Raises:
        DataError: if there are no such pictures, or labels cannot be used.
        ParameterError: for labels of a class that the model does not know.
    """
    known = read_labelled(data, labels, model.needs, skip_bad=True)
    names = _side(known, split)
    if not names:
        raise DataError(f"holds no pictures of the side {split}", where=data, remedy="Give --split all")
    _check_classes(model, list(known.labels.found.bare(names)))
    pairs: list[Pair] = []
    drawn: list[Images] = []
    for at, name in enumerate(names):
        yield Progress(at, len(names), f"looking at {name}")
        picture = read(known.place / name)
        x = picture.pixels if picture.alpha is None else laid_on(picture.pixels, picture.alpha)
        (found,) = model.find(x, 0.0 if model.needs == "masks" else UNSURE)
        pairs.append(Pair(found, known.labels.found[name]))
        if len(drawn) < DRAWN:
            sure = found._replace(things=tuple(each for each in found.things if each.score >= SURE))
            drawn.append(_small(marked(x, sure)))
    rows = yield from rows_of(pairs, scores_for(model.needs), seed)
    return rows, contact_sheet(torch.cat(drawn), COLUMNS)


def _side(known: Labelled, split: str) -> list[str]:
    """The pictures of a side, as a training would part them."""
    names = sorted(known.labels.found)
    return [name for name, place in zip(names, placed(names), strict=True) if split in ("all", place.side)]


def _check_classes(model: Finder, there: list[Found]) -> None:
    """Raises ParameterError where labels are of a class that the model does not know."""
    strange = sorted({thing.label for found in there for thing in found.things} - set(model.names))
    if strange:
        remedy = f"It knows {', '.join(model.names)}"
        raise ParameterError(f"the model does not know {', '.join(strange)}", where="data", remedy=remedy)


def _small(picture: Images) -> Images:
    """A picture that fits a square of the sheet, centred on white."""
    height, width = picture.shape[-2:]
    scale = SIDE / max(height, width)
    size = max(1, round(height * scale)), max(1, round(width * scale))
    small = functional.interpolate(picture, size, mode="bilinear", antialias=scale < 1, align_corners=False)
    return functional.pad(small.clamp(0, 1), _margins(size), value=1.0)


def _margins(size: tuple[int, int]) -> list[int]:
    def around(side: int) -> Iterator[int]:
        yield from ((SIDE - side) // 2, SIDE - side - (SIDE - side) // 2)

    return [*around(size[1]), *around(size[0])]


__all__ = ["assessed"]
