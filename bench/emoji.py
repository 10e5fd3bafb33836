"""Finding emoji

Emoji of four groups (Noto, by `python -m danqing.zoo.emoji runs/emoji`) that `danqing data compose --where anywhere`
laid on photographs: 400 pictures of 128 px to learn from, 64 to score on, whose emoji and photographs are others. So a
group must be known by what its emoji have in common. The peer is fixed: four mean emoji of each group (k-means on those
that were learned from) in four sizes, laid everywhere by normalised cross-correlation of all three colours; its masks
are what differs in the box from the box's border. Intervals (95 %) are of the test pictures alone, not of another
training. Processor seconds are of the whole training, looks included.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.cluster.vq import kmeans2
from skimage.feature import match_template, peak_local_max

from bench.learning import beside, learned, table_of
from bench.scattered import HELD_OUT as OTHERS
from bench.scattered import LEARNED as GROUNDS
from bench.scattered import photographs
from danqing.core.operators.task import task_named
from danqing.core.pictures.found import Found, Thing
from danqing.core.progress import finish
from danqing.data.annotations.places import read_labelled
from danqing.maths.boxes import kept
from danqing.maths.found_scores import Pair
from danqing.zoo.emoji import collect

COLLECTED, FOLDER = Path("runs/emoji"), Path("runs/emoji-found")
GROUPS = ("flags", "food-drink", "smileys-emotion", "travel-places")
SIDE, LEARNED, HELD_OUT = 128, 400, 64
PICTURES = {"detector": 6400, "segmenter": 3200}  # seen
MEANS = 4  # emoji of a group that the peer knows
SIZES = (30, 38, 48, 60)  # px of them
ALIKE, AGAIN = 0.4, 0.3  # correlation from which on the peer finds one, overlap from which on two are one
INK = 40  # of 255, from the border's median, where the peer sees an emoji


def run() -> dict[str, Any]:
    """Make both sets, train each family unless it is there, and score it beside the peer."""
    torch.set_num_threads(1)
    if not COLLECTED.exists():
        collect(COLLECTED)
    for split, count, grounds in (("train", LEARNED, GROUNDS), ("test", HELD_OUT, OTHERS)):
        if not (FOLDER / "set" / split).exists():
            _compose(split, count, grounds)
    peer, families = _peer(), {}
    for family, count in PICTURES.items():
        model = learned(family, FOLDER / "set", FOLDER / family, count, SIDE)
        families[family] = beside(family, model, FOLDER / "set", peer, FOLDER / f"{family}.png", count)
    return {"learned": LEARNED, "held_out": HELD_OUT, "groups": GROUPS, "families": families}


def table(result: dict[str, Any]) -> str:
    """A row a score."""
    return table_of(result["families"], "mean emoji")


def _compose(split: str, count: int, grounds: tuple[str, ...]) -> None:
    """A set of one side, as a folder with its COCO file."""
    behind, cutouts, made = (FOLDER / f"{name}-{split}" for name in ("grounds", "cutouts", "made"))
    behind.mkdir(parents=True, exist_ok=True)
    for name, pixels in zip(grounds, photographs(grounds), strict=True):
        Image.fromarray(pixels).save(behind / f"{name}.png")
    for group in GROUPS:
        shutil.copytree(COLLECTED / split / group, cutouts / group, dirs_exist_ok=True)
    seed = 1 if split == "train" else 2
    sizes: dict[str, Any] = {"smallest": 0.22, "largest": 0.5, "fewest": 0, "most": 4}
    where: dict[str, Any] = {"width": SIDE, "height": SIDE, "where": "anywhere", "out": made, "force": True}
    values = {"cutouts": cutouts, "backgrounds": behind, "count": count, "seed": seed, "skip_bad": True}
    finish(task_named("data compose").job(**values, **sizes, **where))
    (FOLDER / "set").mkdir(exist_ok=True)
    (made / "pictures").rename(FOLDER / "set" / split)
    shutil.copyfile(made / "labels.json", FOLDER / "set" / split / "coco.json")


def _peer() -> list[Pair]:
    """What mean emoji find in the test pictures, beside what is there."""
    known = read_labelled(FOLDER / "set", None, "boxes")
    templates = list(_templates())
    names = sorted(name for name in known.labels.found if name.startswith("test"))
    return [Pair(_matched(known.place / name, templates), known.labels.found[name]) for name in names]


def _templates() -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Mean emoji of each group, in each size."""
    for group in GROUPS:
        files = sorted((FOLDER / "cutouts-train" / group).glob("*.png"))
        small = np.stack([np.asarray(Image.open(file).convert("RGB").resize((16, 16))) for file in files])
        _, which = kmeans2(small.reshape(len(files), -1).astype(float), MEANS, minit="++", rng=0)
        large = np.stack([np.asarray(Image.open(file).convert("RGB")) for file in files]).astype(np.float32)
        for at in sorted(set(which.tolist())):
            mean = large[which == at].mean(0)
            rows, columns = np.nonzero((mean < 235).any(2))
            mean = mean[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
            for size in SIZES:
                scale = size / max(mean.shape)
                shape = max(3, round(mean.shape[1] * scale)), max(3, round(mean.shape[0] * scale))
                yield group, np.asarray(Image.fromarray(mean.astype(np.uint8)).resize(shape), np.float32)


def _matched(file: Path, templates: list[tuple[str, NDArray[np.float32]]]) -> Found:
    """The emoji that mean ones find in one picture."""
    with Image.open(file) as image:
        pixels = np.asarray(image.convert("RGB")).astype(np.float32)
    rows: list[tuple[float, ...]] = []
    for number, (_, template) in enumerate(templates):
        fit = match_template(pixels, template)[..., 0]
        for top, left in peak_local_max(fit, min_distance=4, threshold_abs=ALIKE, num_peaks=20):
            rows.append((left, top, left + template.shape[1], top + template.shape[0], float(fit[top, left]), number))
    if not rows:
        return Found(SIDE, SIDE)
    boxes, scores = torch.tensor([row[:4] for row in rows]), torch.tensor([row[4] for row in rows])
    return Found(SIDE, SIDE, tuple(_thing(rows[at], templates, pixels) for at in kept(boxes, scores, AGAIN).tolist()))


def _thing(
    row: tuple[float, ...], templates: list[tuple[str, NDArray[np.float32]]], pixels: NDArray[np.float32]
) -> Thing:
    left, top, right, bottom = (int(each) for each in row[:4])
    part = pixels[top:bottom, left:right]
    border = np.concatenate([part[0], part[-1], part[:, 0], part[:, -1]])
    mask = torch.zeros(SIDE, SIDE, dtype=torch.bool)
    mask[top:bottom, left:right] = torch.from_numpy(np.abs(part - np.median(border, 0)).max(2) > INK)
    return Thing(templates[int(row[5])][0], (left, top, right, bottom), min(row[4], 1.0), (), mask)
