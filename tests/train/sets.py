"""Small sets for families that cannot learn from the built-in digits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

COUNT, SIDE = 40, 16


def stripes(folder: Path, count: int = 10, side: int = 32) -> str:
    """A few pictures for what learns on from bundled weights."""
    folder.mkdir(exist_ok=True)
    for number in range(count):
        rows = np.random.default_rng(number).integers(0, 256, (side, 1)).repeat(side, 1)
        Image.fromarray(rows.astype(np.uint8)).save(folder / f"{number}.png")
    return str(folder)


def set_for(family: str, folder: Path) -> str:
    """The set that a family learns from in tests: pairs, two classes, or the built-in digits."""
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
