"""The operator select."""

from __future__ import annotations

from typing import Annotated

import torch

from danqing.core.fields.box import Box
from danqing.core.fields.boxes import Things
from danqing.core.fields.colour import Colour
from danqing.core.fields.number import Range
from danqing.core.fields.only import Only
from danqing.core.fields.point import Point
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images, Mask
from danqing.core.progress import Job, Progress
from danqing.maths.cutout import like_colour, object_in
from danqing.maths.found import chosen, pixels_of
from danqing.maths.selection import box_in, fitting, point_in


@operator
def select(
    x: Images,
    box: Box | None = None,
    mask: Mask | None = None,
    outside: Mask | None = None,
    colour: Colour | None = None,
    point: Point | None = None,
    tolerance: Annotated[float, Range(0, 1)] = 0.1,
    boxes: Things | None = None,
    only: Only = "",
) -> Job[Mask]:
    """Mark an object in pictures, or all of one colour, as a mask for other operators.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        box: what the object lies in, as left,top,width,height in pixels; not given: the middle of the picture, or, with
            strokes or a colour, all of it.
        mask: strokes on the object, of the size of the pictures.
        outside: strokes on what does not belong to it.
        colour: mark what has this colour, instead of an object.
        point: mark what has the colour of this point and is connected with it, as column,row in pixels; with a colour,
            what has that colour and is connected with the point.
        tolerance: how different from the colour a pixel may be, in OKLab: 0.02 is just visible, 0.1 is from orange to
            red, 0.2 from orange to grey.
        boxes: what was found in the pictures, as detect, find_faces or pose write it: their masks are marked, or what
            stands out in each box, instead of a box, a colour or a point.
        only: labels of those that are meant, with commas between; empty: all.

    Returns:
        A job with a mask (B, 1, H, W) of ones and zeros. If nothing stands out in the box, all of the box is marked; if
        nothing has the colour, nothing is.

    Raises:
        ParameterError: if the box or the point is not of that form or leaves the picture, or a mask has another size.

    Source: C. Rother et al., "GrabCut", 2004, as ``danqing.maths.cutout`` has it; colours in OKLab, B. Ottosson, 2020.

    Examples:
        danqing select photo.png --box 220,0,120,200 --out head.png
        danqing select photo.png --boxes found.json --only cat --out cat.png
        danqing select photo.png --point 100,400 --tolerance 0.08 --out suit.png
    """
    seed = point_in(x, point) if point is not None else None
    frame = box_in(x, box)
    inside, beyond = (None if m is None else fitting(m, x, n) for n, m in (("mask", mask), ("outside", outside)))
    things = chosen(x, boxes, only)
    found = torch.zeros(len(x), *x.shape[2:], dtype=torch.bool, device=x.device)
    everywhere = slice(None), slice(None)
    for at, picture in enumerate(x):
        yield Progress(at + 0.1, len(x), "looking for what is meant")
        strokes, others = (None if marks is None or not marks[at].any() else marks[at] for marks in (inside, beyond))
        if things is not None:
            found[at] = pixels_of(picture, things[at])
        elif colour is None and seed is None:
            found[at] = object_in(picture, None if box is None and strokes is not None else frame, strokes, others)
            continue  # strokes are in it
        else:
            place = everywhere if box is None else frame.place
            found[at][place] = like_colour(picture, colour, seed, tolerance)[place]
        if strokes is not None:
            found[at] |= strokes
        if others is not None:
            found[at] &= ~others
    return found[:, None].to(x)
