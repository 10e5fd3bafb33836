"""Finding what one labelled

Digits 0 to 3 scattered on photographs, with perfect boxes, masks and middles (`bench/scattered.py`): 400 pictures of
128 px to learn from, 64 to score on, with digits and photographs that nothing was learned from. Each family learns from
them with `danqing train FAMILY --backbone mobilenet` until it has seen so many pictures, and is scored by `danqing
assess`. The peer is fixed: the mean digits of the four classes in four sizes, laid everywhere by normalised
cross-correlation; its masks are what stands out in the box against the box's border, its points the middles of its
boxes. Intervals (95 %) are of the test pictures alone, not of another training. Processor seconds are of the whole
training, looks included.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from skimage.feature import match_template, peak_local_max

from bench.learning import beside, learned, table_of
from bench.scattered import CLASSES, SIDE, write_set
from danqing.core.pictures.found import Found, Spot, Thing
from danqing.data.annotations.places import read_labelled
from danqing.data.digits import digits
from danqing.maths.boxes import kept
from danqing.maths.found_scores import Pair

FOLDER = Path("runs/labelled")
LEARNED, HELD_OUT = 400, 64
PICTURES = {"detector": 12800, "segmenter": 6400, "keypoints": 12800}  # seen
SIZES = (24, 32, 42, 54)  # px of the peer's templates
ALIKE, AGAIN = 0.45, 0.3  # correlation from which on the peer finds a digit, overlap from which on two are one
INK = 40  # of 255, from the border's median, where the peer sees ink


def run() -> dict[str, Any]:
    """Make both sets, train each family unless it is there, and score it beside the peer."""
    torch.set_num_threads(1)
    for split, count, seed in (("train", LEARNED, 1), ("test", HELD_OUT, 2)):
        if not (FOLDER / "set" / split / "coco.json").exists():
            write_set(FOLDER / "set" / split, count, split, seed)
    peer = _peer()
    families = {}
    for family, count in PICTURES.items():
        model = learned(family, FOLDER / "set", FOLDER / family, count, SIDE)
        families[family] = beside(family, model, FOLDER / "set", peer, FOLDER / f"{family}.png", count)
    return {"learned": LEARNED, "held_out": HELD_OUT, "families": families}


def _peer() -> list[Pair]:
    """What templates find in the test pictures, beside what is there."""
    known = read_labelled(FOLDER / "set", None, "boxes")
    pictures, labels = digits("train")
    means = [pictures[labels == at].mean(0) for at in range(len(CLASSES))]
    names = sorted(name for name in known.labels.found if name.startswith("test"))
    return [Pair(_matched(known.place / name, means), known.labels.found[name]) for name in names]


def _matched(file: Path, means: list[NDArray[np.float64]]) -> Found:
    """The digits that templates find in one picture."""
    with Image.open(file) as image:
        pixels = np.asarray(image.convert("RGB")).astype(np.float32)
    rows = list(_hits(pixels.mean(2), means))
    if not rows:
        return Found(SIDE, SIDE)
    boxes, scores = torch.tensor([row[:4] for row in rows]), torch.tensor([row[4] for row in rows])
    things = []
    for at in kept(boxes, scores, AGAIN).tolist():
        left, top, right, bottom = (float(each) for each in rows[at][:4])
        spot = Spot("middle", (left + right) / 2, (top + bottom) / 2)
        mask = _ink(pixels, [int(each) for each in rows[at][:4]])
        things.append(
            Thing(CLASSES[int(rows[at][5])], (left, top, right, bottom), min(rows[at][4], 1.0), (spot,), mask)
        )
    return Found(SIDE, SIDE, tuple(things))


def _hits(grey: NDArray[np.float32], means: list[NDArray[np.float64]]) -> Iterator[tuple[float, ...]]:
    """Boxes, correlations and classes of all places where a template, bright or dark, fits."""
    for label, mean in enumerate(means):
        rows, columns = np.nonzero(mean > mean.max() / 4)
        ink = mean[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        for size in SIZES:
            scale = size / max(ink.shape)
            shape = max(3, round(ink.shape[1] * scale)), max(3, round(ink.shape[0] * scale))
            template = np.asarray(Image.fromarray(ink.astype(np.float32)).resize(shape, Image.Resampling.BILINEAR))
            fit = np.abs(match_template(grey, template))
            for top, left in peak_local_max(fit, min_distance=4, threshold_abs=ALIKE, num_peaks=20):
                yield left, top, left + shape[0], top + shape[1], float(fit[top, left]), label


def _ink(pixels: NDArray[np.float32], box: list[int]) -> torch.Tensor:
    """What stands out in a box against its border."""
    left, top, right, bottom = box
    part = pixels[top:bottom, left:right]
    border = np.concatenate([part[0], part[-1], part[:, 0], part[:, -1]])
    mask = torch.zeros(SIDE, SIDE, dtype=torch.bool)
    mask[top:bottom, left:right] = torch.from_numpy(np.abs(part - np.median(border, 0)).max(2) > INK)
    return mask


def table(result: dict[str, Any]) -> str:
    """A row a score."""
    return table_of(result["families"], "templates")


if __name__ == "__main__":
    print(json.dumps(run(), indent=1), file=sys.stdout)
