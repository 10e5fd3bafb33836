"""What a recogniser, or what finds things, misses when a part of the picture is hidden."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import torch
from torch import Tensor

from danqing.core.artefacts.figures import Figures
from danqing.core.errors import ParameterError
from danqing.core.fields.box import Box
from danqing.core.fields.label import Label
from danqing.core.fields.number import Range
from danqing.core.fields.point import Point
from danqing.core.learned.model import Viewer
from danqing.core.operators.operator import operator
from danqing.core.pictures.alpha import laid_on
from danqing.core.pictures.contract import Images, Mask
from danqing.core.progress import Job, Progress, shared
from danqing.maths.heat import heated, to_unit
from danqing.maths.opacity import opacity_of
from danqing.nets.reasons import Aim, aimed, at_once, with_aim

CHUNK = 16  # hidden places tried at once, at most
SHARE = 6  # by default, a square is this part of the shorter side


@operator
def occlusion(
    x: Images,
    weights: Viewer,
    label: Label | None = None,
    point: Point | None = None,
    box: Box | None = None,
    side: Annotated[int, Range(1, 4096, "px")] | None = None,
    alpha: Mask | None = None,
) -> Job[Figures]:
    """Show what a recogniser needs to see, by hiding one part of the picture after the other.

    A square of the picture's mean colour is moved over it by half its side; a pixel is credited with the mean fall of
    the score while it is hidden. It needs no look inside the model. Orange: hiding it speaks against the class.

    Args:
        x: pictures of any size; a classifier sees the middle square.
        weights: a trained classifier, detector, segmenter or keypoints: a run folder, a .safetensors file, or digits.
        label: the class to explain, by name or number, or the name of a point; by default the likeliest, or the surest.
        point: of what finds things, a pixel: the thing, the mask's pixel or the point there is explained.
        box: of what finds things, a box: the thing whose own box is nearest to it is explained, or the pixels in it.
        side: of the square that hides; by default a sixth of the shorter side.
        alpha: opacity (B, 1, H, W), by default the pictures' own; where they are transparent, white shows through.

    Returns:
        for each picture ``label``, its ``probability``, the ``box`` explained, the largest ``fall`` of its score,
        ``left`` and ``top`` of the square that makes it, and its ``side``; and the map over the picture.

    Raises:
        ParameterError: for a class that the model does not know, a place outside the picture, or a square larger
            than it.

    Source: Zeiler & Fergus 2014, arXiv:1311.2901, section 4.2.

    Examples:
        danqing occlusion photo.png --weights digits --side 6 --out why.png
        danqing occlusion photo.png --weights runs/detector-001 --box 40,30,60,50 --out why-not.png
    """
    shown = laid_on(x, opacity_of(x, alpha))
    if side is not None and side > min(x.shape[2:]):
        raise ParameterError(f"{side} px is larger than the picture, {x.shape[3]}×{x.shape[2]}", where="side")
    wide = side or max(1, min(x.shape[2:]) // SHARE)
    rows, drawn = [], []
    for at, picture in enumerate(shown.split(1)):
        aim = aimed(weights, picture, label, point, box)
        corners, falls = yield from shared(_falls(weights, picture, aim, wide), at, 1, "", len(shown))
        worst = int(falls.argmax())
        top, left = corners[worst]
        rows.append({**aim.told, "fall": float(falls[worst]), "left": left, "top": top, "side": wide})
        drawn.append(with_aim(heated(picture, to_unit(_spread(falls, corners, wide, picture))), aim))
    return Figures(rows, torch.cat(drawn))


def _falls(model: Viewer, x: Images, aim: Aim, side: int) -> Job[tuple[list[tuple[int, int]], Tensor]]:
    """The top left corners of the squares, and the fall of the score while each is hidden."""
    corners = [(top, left) for top in _starts(x.shape[2], side) for left in _starts(x.shape[3], side)]
    mean, found = x.mean((2, 3))[0, :, None, None], []
    with torch.no_grad():
        score = aim.score(model, x)
    count = at_once(x, CHUNK)
    for start in range(0, len(corners), count):
        part = corners[start : start + count]
        hidden = x.repeat(len(part), 1, 1, 1)
        for each, (top, left) in zip(hidden, part, strict=True):
            each[:, top : top + side, left : left + side] = mean
        with torch.no_grad():
            found.append(score - aim.score(model, hidden))
        yield Progress(start + len(part), len(corners), "hiding")
    return corners, torch.cat(found)


def _starts(length: int, side: int) -> Iterator[int]:
    """Where squares begin along an axis: half a side apart, the last at the end."""
    step = max(1, side // 2)
    yield from range(0, length - side, step)
    yield length - side


def _spread(falls: Tensor, corners: list[tuple[int, int]], side: int, x: Images) -> Tensor:
    """The mean fall (1, 1, H, W) of all squares that cover a pixel."""
    total = x.new_zeros(1, 1, *x.shape[2:])
    count = torch.zeros_like(total)
    for fall, (top, left) in zip(falls, corners, strict=True):
        total[..., top : top + side, left : left + side] += fall
        count[..., top : top + side, left : left + side] += 1
    return total / count
