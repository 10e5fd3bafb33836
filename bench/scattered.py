"""Digits scattered on photographs, with perfect labels: boxes, masks and middles, written as a COCO file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage import data

from danqing.data.digits import digits

LEARNED = (
    "astronaut", "coffee", "rocket", "retina", "immunohistochemistry", "hubble_deep_field", "camera", "coins", "grass",
)  # fmt: skip
HELD_OUT = ("chelsea", "colorwheel", "clock", "brick", "moon")  # photographs that nothing is learned on
SIDE = 128
MOST = 4  # digits that are tried to be placed in a picture; one picture in ten has none
SMALL, LARGE = 28, 64  # px: shorter and longer side of a digit's paper
INK = 0.5  # opacity from which on a pixel belongs to a digit
CLASSES = ("0", "1", "2", "3")  # the first four, which minutes suffice to tell apart


def photographs(names: tuple[str, ...]) -> list[NDArray[np.uint8]]:
    """Those that scikit-image comes with."""
    found = (np.atleast_3d(getattr(data, name)()) for name in names)
    return [each if each.shape[2] == 3 else each.repeat(3, 2) for each in found]


def scene(
    ground: NDArray[np.uint8], pictures: NDArray[np.uint8], labels: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], list[dict[str, Any]]]:
    """A piece of a photograph with digits in colours of their own, and what is where."""
    top, left = (int(rng.integers(0, edge - SIDE + 1)) for edge in ground.shape[:2])
    canvas = ground[top : top + SIDE, left : left + SIDE].astype(np.float32)
    taken = np.zeros((SIDE, SIDE), bool)
    things = []
    for _ in range(0 if rng.random() < 0.1 else int(rng.integers(1, MOST + 1))):
        at, side = int(rng.integers(len(labels))), int(rng.integers(SMALL, LARGE + 1))
        ink = np.asarray(Image.fromarray(pictures[at]).resize((side, side), Image.Resampling.BICUBIC)) / 255.0
        y, x = (int(each) for each in rng.integers(0, SIDE - side + 1, 2))
        if taken[y : y + side, x : x + side].any():
            continue
        taken[y : y + side, x : x + side] = True
        colour = _colour(canvas[y : y + side, x : x + side], rng)
        part = canvas[y : y + side, x : x + side]
        part[:] = part * (1 - ink[..., None]) + colour * ink[..., None]
        things.append(_told(ink > INK, int(labels[at]), x, y))
    noisy = canvas + rng.normal(0, 4, canvas.shape)
    return noisy.clip(0, 255).astype(np.uint8), things


def write_set(folder: Path, count: int, split: str, seed: int) -> Path:
    """Write pictures and their COCO file; training and test digits, and photographs, are never shared."""
    rng = np.random.default_rng(seed)
    pictures, labels = digits(split)
    pictures, labels = pictures[labels < len(CLASSES)], labels[labels < len(CLASSES)]
    grounds = photographs(LEARNED if split == "train" else HELD_OUT)
    folder.mkdir(parents=True, exist_ok=True)
    images, annotations = [], []
    for at in range(count):
        pixels, things = scene(grounds[at % len(grounds)], pictures, labels, rng)
        name = f"{split}-{at:04}.png"
        Image.fromarray(pixels).save(folder / name)
        images.append({"id": at + 1, "file_name": name, "width": SIDE, "height": SIDE})
        for each in things:
            annotations.append({"id": len(annotations) + 1, "image_id": at + 1, "iscrowd": 0, **each})
    categories = [{"id": at + 1, "name": name, "keypoints": ["middle"]} for at, name in enumerate(CLASSES)]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "coco.json").write_text(json.dumps(content))
    return folder


def _colour(part: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """A colour that stands out against what lies under it."""
    mean = part.mean((0, 1))
    while True:
        colour = rng.integers(0, 256, 3).astype(np.float32)
        if np.abs(colour - mean).max() > 90:
            return colour


def _told(mask: NDArray[np.bool_], label: int, x: int, y: int) -> dict[str, Any]:
    rows, columns = np.nonzero(mask)
    box = [x + int(columns.min()), y + int(rows.min()), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1]
    whole = np.zeros((SIDE, SIDE), bool)
    whole[y : y + mask.shape[0], x : x + mask.shape[1]] = mask
    flat = whole.T.reshape(-1)
    ends = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff(np.concatenate([[0], ends, [flat.size]])).tolist()
    middle = [x + float(columns.mean()) + 0.5, y + float(rows.mean()) + 0.5, 2]
    runs = {"size": [SIDE, SIDE], "counts": [0, *counts] if flat[0] else counts}
    return {"category_id": label + 1, "bbox": box, "area": int(mask.sum()), "segmentation": runs,
            "keypoints": middle, "num_keypoints": 1}  # fmt: skip


__all__ = ["CLASSES", "SIDE", "scene", "write_set"]
