"""Make the sheets of docs/style.md: ``python docs/make_style_sheet.py [SHEET …]``, from the repository's root.

``ways``: a row a pair: the photograph, the picture whose style is wanted, and what neural_style, style_model and
patch_style make of them, at 100 %; in the lowest row the photograph keeps its colours. All pictures come with
scikit-image and are free to ship.

``gogh``: a row a photograph: it, and what neural_style, style_model, patch_style and a cyclegan make of it. The first
three are given a painting of runs/paintings, which is not free to ship: with it before them, they are in
runs/style-gogh.jpg. The cyclegan is runs/zoo-photo-to-gogh.

``mixing``: what ``mix_styles`` paints with the bundled ``calligraphy``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from skimage import data
from torch import Tensor

import danqing
from danqing.core.learned.model import Painter
from danqing.core.learned.painting import Translator
from danqing.core.learned.weights import load
from danqing.core.pictures.sheet import contact_sheet

IMAGES = Path(__file__).parent / "images"
SIDE = 224
PAIRS = (
    ("coffee", "immunohistochemistry", "painting"),
    ("astronaut", "retina", "painting"),
    ("chelsea", "immunohistochemistry", "photograph"),
)
WAYS = (danqing.neural_style, danqing.style_model, danqing.patch_style)
RUNS = Path("runs")
PHOTOGRAPHS = ("coffee", "astronaut", "chelsea")
PAINTING = RUNS / "paintings/train/vincent-van-gogh-village-street-in-auvers-1890.png"


def picture(name: str) -> Tensor:
    """The middle of a picture, as far as it is square, made smaller."""
    x = torch.from_numpy(np.ascontiguousarray(getattr(data, name)())) / 255
    x = x[None, None].expand(1, 3, -1, -1) if x.ndim == 2 else x.permute(2, 0, 1)[None]
    return danqing.resize(_square(x), width=SIDE, height=SIDE)


def _square(x: Tensor) -> Tensor:
    side = min(x.shape[2:])
    top, left = (x.shape[2] - side) // 2, (x.shape[3] - side) // 2
    return x[..., top : top + side, left : left + side].contiguous()


def ways() -> None:
    """The sheet of all pairs."""
    rows = []
    for photo, other, colours in PAIRS:
        x, style = picture(photo), picture(other)
        rows += [x, style, *(operator(x, style=style, colours=colours) for operator in WAYS)]
    danqing.write(contact_sheet(torch.cat(rows), 2 + len(WAYS)), IMAGES / "style.jpg", quality=93, force=True)


def gogh() -> None:
    """The sheet of one painter, with his painting and without it."""
    style, weights = danqing.read(PAINTING).pixels, load(RUNS / "zoo-photo-to-gogh", kind=Translator)
    shown = danqing.resize(_square(style), width=SIDE, height=SIDE)
    bare, whole = [], []
    for photo in PHOTOGRAPHS:
        x = picture(photo)
        row = [*(operator(x, style=style) for operator in WAYS), danqing.translate(x, weights=weights)]
        bare += [x, *row]
        whole += [x, shown, *row]
    danqing.write(contact_sheet(torch.cat(bare), 5), IMAGES / "style-gogh.jpg", quality=93, force=True)
    danqing.write(contact_sheet(torch.cat(whole), 6), RUNS / "style-gogh.jpg", quality=93, force=True)


def mixing() -> None:
    """The sheet of mixed styles: outlines down the side, manners along the top."""
    mixed = danqing.mix_styles(load("calligraphy", kind=Painter), seed=3, manner=8, rows=4, columns=9, level=3)
    danqing.write(mixed, IMAGES / "style-mixing.png", force=True)


SHEETS = {"ways": ways, "gogh": gogh, "mixing": mixing}

if __name__ == "__main__":
    for name in sys.argv[1:] or SHEETS:
        SHEETS[name]()
