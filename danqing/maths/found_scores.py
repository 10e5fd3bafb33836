"""How well what was found in pictures agrees with what is there: boxes, masks and key points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from danqing.core.pictures.found import Found, Thing, run_lengths
from danqing.maths.boxes import overlaps
from danqing.maths.intervals import groups_of, jackknifed

GROUPS = 10  # of pictures, left out in turn for an interval
NEAR = 0.2  # of the longer side of a box: so far off may a point lie
SMALLEST = 1e-9  # px²: the area that a thing of none is taken to have
SIGMA = 0.05  # of OKS, for points of which nobody measured how exactly people place them


class Pair(NamedTuple):
    """One picture: what was found, and what is there."""

    found: Found
    there: Found


Score = Callable[[Sequence[Pair]], float]


def precision(pairs: Sequence[Pair], kind: str = "bbox", threshold: float | None = None) -> float:
    """COCO's average precision, mean over classes and over overlaps 0.5 … 0.95, or at one overlap; NaN without things.

    Args:
        pairs: all pictures.
        kind: "bbox" or "segm".
        threshold: the overlap, 0.5 or 0.75; None: the mean over ten.

    Source: T.-Y. Lin et al., "Microsoft COCO", 2014, as faster-coco-eval computes it.
    """
    from faster_coco_eval import COCO, COCOeval_faster

    classes = sorted({thing.label for pair in pairs for each in pair for thing in each.things})
    truth = {"images": [], "annotations": [], "categories": [{"id": at, "name": n} for at, n in enumerate(classes, 1)]}
    rows: list[dict[str, Any]] = []
    for at, pair in enumerate(pairs, 1):
        truth["images"].append({"id": at, "width": pair.there.width, "height": pair.there.height})
        for thing in pair.there.things:
            told = _told(thing, at, classes, kind)
            truth["annotations"].append({"id": len(truth["annotations"]) + 1, "iscrowd": 0, **told})
        rows += [{**_told(thing, at, classes, kind), "score": thing.score} for thing in pair.found.things]
    if not truth["annotations"]:
        return float("nan")
    if not rows:
        return 0.0
    known = COCO(truth)
    judge = COCOeval_faster(known, known.loadRes(rows), iouType=kind, print_function=lambda *_: None)
    judge.run()
    return float(judge.stats[{None: 0, 0.5: 1, 0.75: 2}[threshold]])


def intersection(pairs: Sequence[Pair]) -> float:
    """Mean over classes of the intersection over union of all pixels of a class; NaN where nothing is there."""
    shares = []
    for label in sorted({thing.label for pair in pairs for thing in pair.there.things}):
        both = either = 0
        for pair in pairs:
            ours, theirs = _plane(pair.found, label), _plane(pair.there, label)
            both, either = both + int((ours & theirs).sum()), either + int((ours | theirs).sum())
        shares.append(both / either if either else 0.0)
    return float(np.mean(shares)) if shares else float("nan")


def correct_points(pairs: Sequence[Pair]) -> float:
    """PCK: the share of points that were found within a fifth of the longer side of their thing's box.

    Source: Y. Yang, D. Ramanan, "Articulated human detection with flexible mixtures of parts", 2013.
    """
    hits = [gap <= NEAR * side for gap, side, _ in _gaps(pairs)]
    return float(np.mean(hits)) if hits else float("nan")


def similarity(pairs: Sequence[Pair]) -> float:
    """OKS: the mean over points of how near they were found, on the scale of their thing's area; 1 is exact.

    Source: COCO key point evaluation, 2016, with one width for all points.
    """
    near = [np.exp(-(gap**2) / (2 * max(area, SMALLEST) * (2 * SIGMA) ** 2)) for gap, _, area in _gaps(pairs)]
    return float(np.mean(near)) if near else float("nan")


def with_interval(score: Score, pairs: Sequence[Pair], seed: int = 0) -> dict[str, float]:
    """A score with its 95 % interval, from leaving out groups of pictures in turn."""
    value = score(pairs)
    count = min(GROUPS, len(pairs))
    if count < 3 or np.isnan(value):
        return {"value": value, "low": float("nan"), "high": float("nan")}
    group = groups_of(len(pairs), count, seed)
    without = [score([pair for at, pair in enumerate(pairs) if int(group[at]) != each]) for each in range(count)]
    low, high = jackknifed(value, torch.tensor([each for each in without if not np.isnan(each)]))
    return {"value": value, "low": max(low, 0.0), "high": min(high, 1.0)}


def _told(thing: Thing, image: int, classes: list[str], kind: str) -> dict[str, Any]:
    left, top, right, bottom = thing.box
    told: dict[str, Any] = {"image_id": image, "category_id": classes.index(thing.label) + 1}
    told |= {"bbox": [left, top, right - left, bottom - top], "area": (right - left) * (bottom - top)}
    if kind == "segm" and thing.mask is not None:
        told |= {"segmentation": run_lengths(thing.mask), "area": int(thing.mask.sum())}
    return told


def _plane(found: Found, label: str) -> Tensor:
    """The pixels (H, W), bool, of a class; of things without a mask, their boxes."""
    plane = torch.zeros(found.height, found.width, dtype=torch.bool)
    for thing in found.things:
        if thing.label == label and thing.mask is not None:
            plane |= thing.mask
        elif thing.label == label:
            left, top, right, bottom = map(round, thing.box)
            plane[top:bottom, left:right] = True
    return plane


def _gaps(pairs: Sequence[Pair]) -> list[tuple[float, float, float]]:
    """Of each point that is there: how far off it was found, the longer side of its thing's box, and that box's area.

    A thing goes with the found one of its class that its box overlaps most; where there is none, or it lacks the point,
    the gap is infinite.
    """
    gaps = []
    for pair in pairs:
        for thing in pair.there.things:
            rivals = [each for each in pair.found.things if each.label == thing.label and each.points]
            best = _nearest(thing, rivals)
            own = {spot.name: spot for spot in best.points} if best else {}
            width, height = thing.box[2] - thing.box[0], thing.box[3] - thing.box[1]
            for spot in thing.points:
                other = own.get(spot.name)
                gap = float("inf") if other is None else float(np.hypot(other.x - spot.x, other.y - spot.y))
                gaps.append((gap, max(width, height), width * height))
    return gaps


def _nearest(thing: Thing, rivals: list[Thing]) -> Thing | None:
    if not rivals:
        return None
    share = overlaps(torch.tensor([thing.box]), torch.tensor([each.box for each in rivals]))[0]
    return rivals[int(share.argmax())] if float(share.max()) > 0 else None


__all__ = ["Pair", "correct_points", "intersection", "precision", "similarity", "with_interval"]
