"""Cut pieces of one grain out of photographs: ``python -m danqing.zoo.textures FOLDER``.

They are taken from what ``python -m danqing.zoo.photographs runs/photographs`` collected, of the photographs that
``textures.json`` names by kind (bark, forest, grass …); a kind is a folder. A piece is 128 px square and kept at half
of that; it is a texture if it has contrast and its four quarters are alike, in light and in grain. From no photograph
come more than ``MOST``, those whose quarters are most alike. What is cut out of photographs held out is held out, too.
FOLDER/manifest.json names every piece with its photograph, place, licence and hash.
"""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from danqing.core.errors import DataError
from danqing.zoo.command_line import main
from danqing.zoo.packages import MANIFEST, keep, write_manifest

PHOTOGRAPHS = Path("runs/photographs")
KINDS = Path(__file__).with_suffix(".json")
SIDE, KEPT = 128, 64  # px: of a piece, as it is cut out and as it is kept
STRIDE = 32  # px between pieces
CONTRAST = 0.05  # standard deviation of its luma that a texture has at least, of 1
APART = 0.75  # how far the quarters may be apart: see ``unlikeness``
MOST = 60  # pieces from one photograph


class Piece(NamedTuple):
    """A piece that may be kept."""

    apart: float
    left: int
    top: int


def collect(folder: Path, photographs: Path = PHOTOGRAPHS) -> dict[str, Any]:
    """Put all textures into ``folder`` and say how many there are, out of how many photographs.

    Raises:
        DataError: if the photographs are not there.
    """
    if not (photographs / MANIFEST).is_file():
        remedy = f"python -m danqing.zoo.photographs {photographs}"
        raise DataError("the photographs were not collected yet", where=str(photographs), remedy=remedy)
    rows: list[dict[str, Any]] = []
    for photograph in json.loads((photographs / MANIFEST).read_text("utf-8")):
        name = Path(photograph["file"])
        kind = kind_of(name.stem)
        if kind is None:
            continue
        picture = Image.open(photographs / name).convert("RGB")
        for piece in textures(picture):
            box = (piece.left, piece.top, piece.left + SIDE, piece.top + SIDE)
            small = picture.crop(box).resize((KEPT, KEPT), Image.Resampling.BOX)
            file = f"{name.parts[0]}/{kind}/{name.stem}-{piece.left}-{piece.top}.png"
            facts = {"from": photograph["file"], "licence": photograph["licence"]}
            rows.append(keep(small, folder, file, **facts))
    write_manifest(folder, rows)
    return {"textures": len(rows), "photographs": len({row["from"] for row in rows})}


def kind_of(photograph: str) -> str | None:
    """What a photograph of such a name is of, if it is of a texture that has a name."""
    return next((kind for kind, names in _kinds().items() if any(name in photograph for name in names)), None)


@functools.cache
def _kinds() -> dict[str, list[str]]:
    return dict(json.loads(KINDS.read_text("utf-8")))


def textures(picture: Image.Image) -> list[Piece]:
    """The pieces of a photograph that are textures, at most ``MOST``."""
    luma = np.asarray(picture.convert("L"), np.float32) / np.float32(255)
    return sorted(piece for piece in _pieces(luma) if piece.apart <= APART)[:MOST]


def _pieces(luma: NDArray[np.float32]) -> Iterator[Piece]:
    height, width = luma.shape
    for top, left in itertools.product(range(0, height - SIDE + 1, STRIDE), range(0, width - SIDE + 1, STRIDE)):
        window = luma[top : top + SIDE, left : left + SIDE]
        if float(window.std()) >= CONTRAST:
            yield Piece(unlikeness(window), left, top)


def unlikeness(window: NDArray[np.float32]) -> float:
    """How far the quarters of a square are apart; 0 if they are alike.

    The larger of two: the greatest difference of their means, in standard deviations of the whole, and the logarithm to
    base 2 of how many times as strong the grain of the strongest is as that of the faintest.
    """
    half = len(window) // 2
    quarters = [window[top : top + half, left : left + half] for top in (0, half) for left in (0, half)]
    means = [float(quarter.mean()) for quarter in quarters]
    grains = [1e-6 + sum(float(np.abs(np.diff(quarter, axis=axis)).mean()) for axis in (0, 1)) for quarter in quarters]
    light = (max(means) - min(means)) / (float(window.std()) + 1e-6)
    return max(light, float(np.log2(max(grains) / min(grains))))


if __name__ == "__main__":
    main(__doc__, lambda folder: [collect(folder)], "folder")
