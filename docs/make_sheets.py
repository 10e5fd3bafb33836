"""Make the before/after sheets of docs/restoration.md: ``python docs/make_sheets.py``, from the repository's root.

Each row shows what is given, what danqing makes of it, and the photograph as it was, at 100 % (colours: all of it,
smaller). The photographs come with scikit-image; none of the nets has seen them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from skimage import data
from torch import Generator, Tensor

import danqing
from danqing.core.pictures.sheet import contact_sheet
from danqing.maths import degradation, masks
from danqing.maths.colour import brightness

IMAGES = Path(__file__).parent / "images"
SIDE = 256
PLACES = {"astronaut": (10, 140), "coffee": (90, 190), "chelsea": (20, 110)}
STAINED = (3, 5, 8)  # seeds
IN_COLOURS = {"astronaut": 2, "coffee": 13}  # seeds of photographs in colours
Spoil = Callable[[Tensor], Tensor]


def sheets() -> None:
    """Write all sheets."""
    one = torch.tensor
    _sheet("denoise", lambda x: degradation.gaussian_noise(x, one([25 / 255]), _rng()), danqing.denoise)
    _sheet("camera", lambda x: danqing.add_camera_noise(x), danqing.denoise)
    _sheet("dejpeg", lambda x: degradation.jpeg(x, one([10.0])), danqing.dejpeg)
    _sheet("deblur", lambda x: degradation.defocus(x, one([2.5])), danqing.deblur)
    _sheet("colourise", lambda x: brightness(x).expand_as(x), lambda x: danqing.colourise(x), whole=True)
    _sheet("enhance", lambda x: degradation.low_light(x, one([0.1]), one([1.1]), one([0.001]), _rng()), danqing.enhance)
    _sheet("upscale", lambda x: degradation.shrink(x, 2), lambda x: danqing.upscale(x, scale=2), nearest=2)
    strokes = masks.free_form(1, SIDE, SIDE, 0.2, _rng())
    _sheet(
        "inpaint", lambda x: x * (1 - strokes) + strokes, lambda x: danqing.inpaint(x, mask=strokes, method="learned")
    )
    _sheet("repair", lambda x: danqing.age(x, fading=0.8, scratches=6, stains=0), lambda x: danqing.repair(x).picture)
    _stains()
    _hints()
    _holes()


def _sheet(name: str, spoil: Spoil, mend: Spoil, nearest: int = 1, whole: bool = False) -> None:
    """A row a photograph: a part at 100 %, or all of it, as far as it is square, made smaller."""
    rows = []
    for photo, (top, left) in PLACES.items():
        clean = _whole(photo) if whole else _pixels(photo)[..., top : top + SIDE, left : left + SIDE].contiguous()
        given = spoil(clean)
        made = mend(given)
        shown = given.repeat_interleave(nearest, -1).repeat_interleave(nearest, -2)
        rows += [shown, made.expand_as(clean), clean]
    danqing.write(contact_sheet(torch.cat(rows), 3), IMAGES / f"{name}.jpg", quality=93, force=True)


def _stains() -> None:
    """Prints in black and white, folded and stained, and photographs in colours; repaired; and as they were."""
    rows = []
    for at, (photo, (top, left)) in enumerate(PLACES.items()):
        part = _pixels(photo)[..., top : top + SIDE, left : left + SIDE]
        clean = brightness(part).expand_as(part).contiguous()
        old = danqing.age(clean, fading=0.5, scratches=2, folds=1, stains=2, seed=STAINED[at])
        rows += [old, danqing.repair(old).picture, clean]
    for photo, seed in IN_COLOURS.items():
        top, left = PLACES[photo]
        clean = _pixels(photo)[..., top : top + SIDE, left : left + SIDE].contiguous()
        old = danqing.age(clean, fading=0, scratches=0, folds=0, stains=2, seed=seed)
        rows += [old, danqing.repair(old).picture, clean]
    danqing.write(contact_sheet(torch.cat(rows), 3), IMAGES / "stains.jpg", quality=93, force=True)


def _hints() -> None:
    """Grey, what is told at ten places, and what becomes of it; then the photograph."""
    rows, random = [], np.random.default_rng(0)
    for photo in PLACES:
        clean = _whole(photo)
        grey = brightness(clean)
        hints = grey.expand_as(clean).clone()
        for top, left in random.integers(0, SIDE - 8, (10, 2)):
            hints[..., top : top + 8, left : left + 8] = clean[..., top : top + 8, left : left + 8]
        rows += [hints, danqing.colourise(grey, hints=hints), clean]
    danqing.write(contact_sheet(torch.cat(rows), 3), IMAGES / "hints.jpg", quality=93, force=True)


def _holes() -> None:
    """Wide holes; filled by the net, with patches, and with patches whose rim the net paints again."""
    rows = []
    for photo, (top, left) in PLACES.items():
        clean = _pixels(photo)[..., top : top + SIDE, left : left + SIDE].contiguous()
        mask = torch.zeros(1, 1, SIDE, SIDE)
        mask[..., 150:200, 60:130] = 1
        patches = danqing.inpaint(clean * (1 - mask), mask=mask)
        rim = mask.clone()
        rim[..., 154:196, 64:126] = 0
        refined = danqing.inpaint(patches, mask=rim, method="learned")
        rows += [clean * (1 - mask), danqing.inpaint(clean, mask=mask, method="learned"), patches, refined]
    danqing.write(contact_sheet(torch.cat(rows), 4), IMAGES / "holes.jpg", quality=93, force=True)


def _pixels(photo: str) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(getattr(data, photo)())).permute(2, 0, 1)[None] / 255


def _whole(photo: str) -> Tensor:
    """All of a photograph, as far as it is square, made smaller."""
    pixels = _pixels(photo)
    side = min(pixels.shape[-2:])
    left = (pixels.shape[-1] - side) // 2
    return danqing.resize(pixels[..., :side, left : left + side].contiguous(), width=SIDE, height=SIDE)


def _rng() -> Generator:
    return Generator().manual_seed(0)


if __name__ == "__main__":
    sheets()
