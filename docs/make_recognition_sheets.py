"""Make the sheets of docs/recognition.md: ``python docs/make_recognition_sheets.py``, from the repository's root.

The first shows what the ready-made nets find in photographs that come with scikit-image, and what is done with it; the
second two of the built-in digits and why the bundled classifier takes them for what they are.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from skimage import data
from torch import Tensor
from torch.nn import functional

import danqing
from danqing.core.pictures.contract import from_uint8
from danqing.core.pictures.sheet import contact_sheet
from danqing.data.digits import digits

IMAGES = Path(__file__).parent / "images"
SIDE, TIMES = 320, 8  # px of a photograph; how much a digit is enlarged
SHOWN = (5, 7)  # which of the digits held out


def photo(name: str) -> Tensor:
    """A photograph, made smaller."""
    x = torch.from_numpy(np.ascontiguousarray(getattr(data, name)())).permute(2, 0, 1)[None] / 255
    return danqing.resize(x, width=SIDE)


def square(x: Tensor) -> Tensor:
    """A picture on white."""
    lacking = SIDE - x.shape[2]
    return functional.pad(x, [0, 0, lacking // 2, lacking - lacking // 2], value=1.0)


def found() -> Tensor:
    """What is found, and what becomes of it."""
    cat, cup, person = map(photo, ("chelsea", "coffee", "astronaut"))
    seen = [danqing.detect(cat).picture, danqing.detect(cup, threshold=0.3).picture, danqing.pose(person).picture]
    faces, mask = danqing.find_faces(person), danqing.cutout(person)
    ground = danqing.background(person, mask=(mask > 0.5).float(), colour="#2f6f8f")
    blurred = danqing.blur(person, boxes=faces.found)
    return contact_sheet(torch.cat([*map(square, seen), faces.picture, ground, blurred]), 3)


def reasons() -> Tensor:
    """Digits, and three maps of why each is taken for what it is."""
    operators = danqing.grad_cam, danqing.integrated_gradients, danqing.occlusion
    rows: list[Tensor] = []
    for at in SHOWN:
        x = from_uint8(digits("test")[0][at : at + 1, :, :, None])
        rows += [x.expand(-1, 3, -1, -1), *(operator(x, weights="digits").picture for operator in operators)]
    return contact_sheet(torch.cat(rows).repeat_interleave(TIMES, 2).repeat_interleave(TIMES, 3), 4)


if __name__ == "__main__":
    danqing.write(found(), IMAGES / "found.jpg", quality=92, force=True)
    danqing.write(reasons(), IMAGES / "reasons.png", force=True)
