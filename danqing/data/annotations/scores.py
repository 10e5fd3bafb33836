"""Scores of labels, or of what was found, against what is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from danqing.core.errors import DataError
from danqing.core.learned.finder import Needs
from danqing.core.pictures.found import Found
from danqing.core.progress import Job, Progress
from danqing.data.annotations.formats import read_labels
from danqing.maths.found_scores import Pair, Score, correct_points, intersection, precision, similarity, with_interval

MEANS = {
    "mAP": "average precision of boxes, mean over overlaps 0.5 to 0.95",
    "AP50": "average precision of boxes at an overlap of 0.5",
    "mAP masks": "average precision of masks, mean over overlaps 0.5 to 0.95",
    "mIoU": "intersection over union of pixels, mean over classes",
    "PCK": "share of points found within a fifth of the longer side of the box",
    "OKS": "nearness of points on the scale of the box",
}


def scores_of(found: Path, truth: Path, pictures: Path, seed: int = 0) -> Job[list[dict[str, Any]]]:
    """One row a score, with its interval; masks and points are scored where the truth has them.

    Raises:
        DataError: if nothing is there, or labels have faults.
    """
    ours, theirs = read_labels(found, pictures), read_labels(truth, pictures)
    for place, faults in ((found, ours.faults), (truth, theirs.faults)):
        if faults:
            first = f"{faults[0].name}: {faults[0].reason}"
            remedy = "danqing data check PICTURES --boxes names them all"
            raise DataError(f"{len(faults)} labels cannot be used: {first}", where=place, remedy=remedy)
    pairs = [Pair(ours.found.get(name, Found(*each[:2])), each) for name, each in theirs.found.items()]
    there = list(theirs.found.kept())
    if not there:
        raise DataError("labels nothing that could be found", where=truth)
    scores: dict[str, Score] = {"mAP": precision, "AP50": partial(precision, threshold=0.5)}
    if all(each.mask is not None for each in there):
        masked = all(each.mask is not None for name in theirs.found for each in ours.found.of(name))
        scores |= {"mAP masks": partial(precision, kind="segm")} if masked else {}
        scores |= {"mIoU": intersection}
    if any(each.thing.points for each in there):
        scores |= {"PCK": correct_points, "OKS": similarity}
    return (yield from rows_of(pairs, scores, seed))


def scores_for(needs: Needs) -> dict[str, Score]:
    """The scores that are taken of a model, by what of labels it learns from."""
    boxes: dict[str, Score] = {"mAP": precision, "AP50": partial(precision, threshold=0.5)}
    points: dict[str, Score] = {"PCK": correct_points, "OKS": similarity, **boxes}
    masks: dict[str, Score] = {"mIoU": intersection}
    return {"boxes": boxes, "masks": masks, "points": points}[needs]


def rows_of(pairs: Sequence[Pair], scores: Mapping[str, Score], seed: int) -> Job[list[dict[str, Any]]]:
    """One row a score, with its interval and what it means."""
    rows = []
    for at, (name, each) in enumerate(scores.items()):
        yield Progress(at, len(scores), name)
        rows.append({"score": name, **with_interval(each, pairs, seed), "pictures": len(pairs), "means": MEANS[name]})
    return rows
