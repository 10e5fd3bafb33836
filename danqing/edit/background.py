"""The operator background."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from danqing.core.errors import ParameterError
from danqing.core.fields.box import Box
from danqing.core.fields.boxes import Things
from danqing.core.fields.colour import Colour
from danqing.core.fields.number import Range
from danqing.core.fields.only import Only
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images, Mask
from danqing.core.progress import Job, Progress
from danqing.maths.colour import brightness, pixel
from danqing.maths.cutout import matte, object_in, unmixed
from danqing.maths.found import chosen, lacking, pixels_of
from danqing.maths.selection import box_in, covering, fitting

WHITE = (1.0, 1.0, 1.0)


@operator
def background(
    x: Images,
    backdrop: Images | None = None,
    colour: Colour = WHITE,
    box: Box | None = None,
    mask: Mask | None = None,
    softness: Annotated[int, Range(0, 50, "px")] = 4,
    boxes: Things | None = None,
    only: Only = "",
) -> Job[Images]:
    """Keep the object of pictures and put something else behind it.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        backdrop: the picture to be seen behind, one for all or one for each; it is scaled to fill, and what is over is
            cut from both ends.
        colour: the colour to be seen behind, where no backdrop is given.
        box: what the object lies in, as left,top,width,height in pixels; not given: the middle of the picture.
        mask: the object itself, 1 (white) means "here", of the size of the pictures, instead of a box.
        softness: how far from the edge hair and fur are looked for; 0 cuts hard.
        boxes: what was found in the pictures, as detect, find_faces or pose write it: kept instead of what lies in one
            box.
        only: labels of those that are meant, with commas between; empty: all.

    Returns:
        A job with pictures of the same size; the object keeps its values but along its edge. Grey pictures become
        coloured if what is put behind them is.

    Raises:
        ParameterError: if the box is not of that form or leaves the picture, the mask has another size or is empty, or
            the backdrops are several but not as many as pictures.

    Source: the object by C. Rother et al., "GrabCut", 2004; its edge by K. He et al., "Guided image filtering", 2010,
    section 4 (feathering); the colours along it freed from the old background, danqing.

    Examples:
        danqing background photo.png --box 0,0,400,512 --colour 3070b0 --out blue.png
        danqing background photo.png --boxes found.json --only person --out white.png
    """
    behind = _behind(x, backdrop, colour)
    if (found := chosen(x, boxes, only)) is not None:
        kept = torch.stack([pixels_of(picture, things) for picture, things in zip(x, found, strict=True)])
        if not bool(kept.flatten(1).any(1).all()):
            what = lacking(boxes or (), only) if not any(found) else ""
            raise ParameterError(what or "marks nothing: no object would be left", where="boxes")
    elif mask is None:
        frame = box_in(x, box)
        kept = torch.zeros(len(x), *x.shape[2:], dtype=torch.bool, device=x.device)
        for at, picture in enumerate(x):
            yield Progress(at + 0.1, 2 * len(x), "finding the object")
            kept[at] = object_in(picture, frame)
    else:
        kept = fitting(mask, x)
        if not bool(kept.flatten(1).any(1).all()):
            raise ParameterError("marks nothing: no object would be left", where="mask", remedy="White means: keep")
    out = torch.empty(len(x), behind.shape[1], *x.shape[2:], dtype=x.dtype, device=x.device)
    planes = zip(x, kept, behind.expand(len(x), -1, -1, -1), out, strict=True)
    for at, (picture, own, back, target) in enumerate(planes):
        yield Progress(len(x) + at + 0.1, 2 * len(x), "freeing its edge")
        alpha = matte(picture, own, softness)
        target.copy_(torch.where(alpha < 1, torch.lerp(back, unmixed(picture, alpha), alpha), picture))
    return out.clamp_(0, 1)


def _behind(x: Images, backdrop: Images | None, colour: tuple[float, float, float]) -> Tensor:
    """What is seen behind, (1 or B, C', H, W); it has colours if there are any in it, or in front of it."""
    if backdrop is None:
        coloured = x.shape[1] == 3 or len(set(colour)) > 1
        plain = pixel(colour, x.expand(-1, 3, -1, -1) if coloured else x)
        return plain.expand(-1, -1, *x.shape[2:])
    if len(backdrop) not in (1, len(x)):
        raise ParameterError(f"{len(backdrop)} backdrops do not pair up with {len(x)} pictures", where="backdrop")
    behind = covering(backdrop.to(x), x.shape[2], x.shape[3])
    if x.shape[1] == 1 and bool((behind - brightness(behind)).abs().max() < 1e-4):
        return behind[:, :1]
    return behind.expand(-1, 3, -1, -1)
