"""Small sets for families that cannot learn from the built-in digits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from danqing.core.pictures.contract import to_uint8
from danqing.core.pictures.found import Found, Thing
from danqing.data.annotations import coco
from danqing.data.annotations.label_set import LabelSet
from danqing.data.annotations.packed import Packed
from danqing.maths.labelled import things_of
from tests.models.things import NAMES, POINTS, batch_of

COUNT, SIDE = 40, 16
LABELLED = ("detector", "segmenter", "keypoints")


def stripes(folder: Path, count: int = 10, side: int = 32) -> str:
    """A few pictures for what learns on from bundled weights."""
    folder.mkdir(exist_ok=True)
    for number in range(count):
        rows = np.random.default_rng(number).integers(0, 256, (side, 1)).repeat(side, 1)
        Image.fromarray(rows.astype(np.uint8)).save(folder / f"{number}.png")
    return str(folder)


def set_for(family: str, folder: Path) -> str:
    """The set that a family learns from in tests: labels of things, pairs, two classes, or the built-in digits."""
    if family in LABELLED:
        return _labelled(folder)
    names = {"pix2pix": ("input", "target"), "cyclegan": ("stripes", "waves")}.get(family)
    if names is None:
        return "digits"
    for at, name in enumerate(names):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(COUNT):
            rows = np.random.default_rng(number).integers(0, 256, (SIDE, 1)).repeat(SIDE, 1)
            pixels = rows.T if at else rows
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"{number}.png")
    return str(folder)


def _labelled(folder: Path) -> str:
    """Discs and squares with boxes, masks and points, in a COCO file."""
    folder.mkdir(parents=True, exist_ok=True)
    batch = batch_of(COUNT, seed=0, side=32)
    truth, planes = things_of(batch, NAMES, POINTS), things_of(batch, NAMES, masks=True)
    found: dict[str, Found] = {}
    for at, pixels in enumerate(to_uint8(batch.x)):
        found[f"{at}.png"] = truth[at]._replace(things=tuple(_with_mask(each, planes[at]) for each in truth[at].things))
        Image.fromarray(pixels).save(folder / f"{at}.png")
    if not (folder / "coco.json").exists():
        coco.write(LabelSet(Packed(found), list(NAMES), []), folder / "coco.json")
    return str(folder)


def _with_mask(thing: Thing, planes: Found) -> Thing:
    """A thing with the pixels of its class."""
    return thing._replace(mask=next(each.mask for each in planes.things if each.label == thing.label))
