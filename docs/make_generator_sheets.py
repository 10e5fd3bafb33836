"""Make the pictures of docs/generators.md: ``python docs/make_generator_sheets.py``, from the repository's root."""

from __future__ import annotations

from pathlib import Path

import danqing
from danqing.core.learned.model import Painter
from danqing.core.learned.weights import load
from danqing.core.pictures.sheet import contact_sheet

IMAGES = Path(__file__).parent / "images"
COLUMNS, ROWS = 9, 6  # three of each hand, one of each group: nothing is chosen


def sheets() -> None:
    """The first pictures of seed 0."""
    for name in ("characters", "emoji"):
        painted = danqing.generate(load(name, kind=Painter), count=ROWS * COLUMNS, label="all")
        danqing.write(contact_sheet(painted, COLUMNS, ROWS), IMAGES / f"{name}.png", force=True)


if __name__ == "__main__":
    sheets()
