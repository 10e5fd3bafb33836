"""Make the sheet of docs/style.md: ``python docs/make_style_sheet.py``, from the repository's root.

A row a pair: the photograph, the picture whose style is wanted, and what neural_style, style_model and patch_style make
of them, at 100 %; in the lowest row the photograph keeps its colours. All pictures come with scikit-image and are free
to ship.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from skimage import data
from torch import Tensor

import danqing
from danqing.core.pictures.sheet import contact_sheet

IMAGES = Path(__file__).parent / "images"
SIDE = 224
PAIRS = (
    ("coffee", "immunohistochemistry", "painting"),
    ("astronaut", "retina", "painting"),
    ("chelsea", "immunohistochemistry", "photograph"),
)
WAYS = (danqing.neural_style, danqing.style_model, danqing.patch_style)


def picture(name: str) -> Tensor:
    """The middle of a picture, as far as it is square, made smaller."""
    x = torch.from_numpy(np.ascontiguousarray(getattr(data, name)())) / 255
    x = x[None, None].expand(1, 3, -1, -1) if x.ndim == 2 else x.permute(2, 0, 1)[None]
    side = min(x.shape[2:])
    top, left = (x.shape[2] - side) // 2, (x.shape[3] - side) // 2
    return danqing.resize(x[..., top : top + side, left : left + side].contiguous(), width=SIDE, height=SIDE)


def sheet() -> None:
    """Write the sheet."""
    rows = []
    for photo, other, colours in PAIRS:
        x, style = picture(photo), picture(other)
        rows += [x, style, *(operator(x, style=style, colours=colours) for operator in WAYS)]
    danqing.write(contact_sheet(torch.cat(rows), 2 + len(WAYS)), IMAGES / "style.jpg", quality=93, force=True)


if __name__ == "__main__":
    sheet()
