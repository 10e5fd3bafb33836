"""A numbered sheet to choose from."""

from __future__ import annotations

from typing import Annotated

import torch
from PIL import Image, ImageDraw, ImageFont

from danqing.core.fields.label import Label
from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.learned.model import Painter
from danqing.core.learned.painting import paint_coded
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.core.pictures.sheet import contact_sheet
from danqing.core.progress import Job
from danqing.maths.latents import numbered_codes

READABLE = 56  # pixels: smaller pictures are shown larger, each pixel a square
STRIP, INK = 12, 0.35  # pixels below a picture for its number; how dark the number is


@operator
def browse(
    weights: Painter,
    seed: Seed = 0,
    count: Annotated[int, Range(1, 4096, "pictures")] = 48,
    columns: Annotated[int, Range(1, 64, "pictures")] = 8,
    label: Label | None = None,
    truncation: Annotated[float, Range(0, 1)] = 1.0,
) -> Job[Images]:
    """Paint a contact sheet with numbers, to choose pictures from.

    A number that pleases is what ``more_like`` and ``steer`` start from: ``--start SEED:NUMBER``, or with the class
    that was asked for, ``--start SEED:NUMBER:CLASS``.

    Args:
        weights: a trained generator: a run folder, a .safetensors file, or the name of a bundled one, such as emoji.
        seed: chooses the pictures.
        count: how many pictures.
        columns: pictures a row.
        label: the class to paint, by name or number; all: one after the other; left out: drawn by the seed.
        truncation: how far from the mean picture they may be; 1: as learnt.

    Returns:
        one sheet.

    Raises:
        ParameterError: for a label that the model does not know.

    Source: danqing.

    Examples:
        danqing browse runs/dcgan-1 --seed 7 --count 60 --columns 10 --out sheet.png
    """
    numbers = range(count)
    painted = yield from paint_coded(weights, numbered_codes(weights, seed, numbers, label, truncation))
    zoom = max(1, READABLE // painted.shape[3])
    shown = painted.repeat_interleave(zoom, 2).repeat_interleave(zoom, 3)
    strips = torch.stack([_written(str(number), shown.shape[3]) for number in numbers])
    return contact_sheet(torch.cat([shown, strips.expand(-1, shown.shape[1], -1, -1)], 2), columns, gap=4)


def _written(words: str, width: int) -> Images:
    """A number on a strip (1, STRIP, width)."""
    strip = Image.new("L", (width, STRIP), 255)
    ImageDraw.Draw(strip).text((width / 2, STRIP / 2), words, round(255 * INK), ImageFont.load_default(10), "mm")
    return torch.frombuffer(bytearray(strip.tobytes()), dtype=torch.uint8).view(1, STRIP, width) / 255
