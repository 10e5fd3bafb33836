"""Make the pictures of docs/generators.md: ``python docs/make_generator_sheets.py``, from the repository's root."""

from __future__ import annotations

from pathlib import Path

import torch

import danqing
from danqing.core.learned.model import Painter
from danqing.core.learned.painting import Translator
from danqing.core.learned.weights import load
from danqing.core.pictures.sheet import contact_sheet

IMAGES = Path(__file__).parent / "images"
PAIRS = Path("runs/ming-to-kai/test")
COLUMNS, ROWS = 9, 6  # three of each hand, one of each group: nothing is chosen
SHEETS = {"calligraphy": COLUMNS, "characters": COLUMNS, "emoji": COLUMNS, "textures": 7}


def sheets() -> None:
    """The first pictures of seed 0."""
    for name, columns in SHEETS.items():
        painted = danqing.generate(load(name, kind=Painter), count=ROWS * columns, label="all")
        danqing.write(contact_sheet(painted, columns, ROWS), IMAGES / f"{name}.png", force=True)
    digits = danqing.generate(load("handwritten-digits", kind=Painter), count=60, label="all")
    danqing.write(contact_sheet(digits, 10, 6), IMAGES / "handwritten-digits.png", force=True)
    danqing.write(hands(), IMAGES / "print-to-kai.png", force=True)


def hands() -> torch.Tensor:
    """Characters that were held out: in print, as ``print-to-kai`` writes them, and as the font has them."""
    names = sorted((PAIRS / "input").iterdir())[:: len(list((PAIRS / "input").iterdir())) // COLUMNS][:COLUMNS]
    printed, wanted = (torch.cat([_small(PAIRS / part / each.name) for each in names]) for part in ("input", "target"))
    written = danqing.translate(printed, weights=load("print-to-kai", kind=Translator))
    return contact_sheet(torch.cat([printed, written, wanted]), COLUMNS, 3)


def _small(file: Path) -> torch.Tensor:
    return danqing.resize(danqing.read(file).pixels[:, :1], width=64, height=64)


if __name__ == "__main__":
    sheets()
