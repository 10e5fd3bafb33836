"""The operator remove."""

from __future__ import annotations

from typing import Annotated

import torch

from danqing.core.fields.box import Box
from danqing.core.fields.boxes import Things
from danqing.core.fields.number import Range
from danqing.core.fields.only import Only
from danqing.core.fields.seed import Seed
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images, Mask
from danqing.core.progress import Job
from danqing.maths.cutout import object_in
from danqing.maths.found import chosen, pixels_of
from danqing.maths.inpainting import filled, something_is_known
from danqing.maths.selection import box_in, fitting, grown


@operator
def remove(
    x: Images,
    box: Box | None = None,
    mask: Mask | None = None,
    whole: bool = False,
    margin: Annotated[int, Range(0, 50, "px")] = 4,
    seed: Seed = 0,
    boxes: Things | None = None,
    only: Only = "",
) -> Job[Images]:
    """Take an object out of pictures and paint what may have been behind it.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        box: what the object lies in, as left,top,width,height in pixels; not given: the middle of the picture.
        mask: the object itself, 1 (white) means "here", of the size of the pictures; with a box, the part in the box.
        whole: paint over the whole box, instead of the object that stands out in it.
        margin: how far around the object is painted over as well: its soft edge, its shadow. It is left out where
            nothing would remain.
        seed: where the search for fitting patches starts.
        boxes: what was found in the pictures, as detect, find_faces or pose write it: taken out instead of what lies in
            one box.
        only: labels of those that are meant, with commas between; empty: all.

    Returns:
        A job with pictures of the same size; what is further away than the margin keeps its values exactly. If the mask
        marks nothing, pictures stay as they are.

    Raises:
        ParameterError: if the box is not of that form or leaves the picture, the mask has another size, or nothing
            would be left to paint from.

    Source: the object by C. Rother et al., "GrabCut", 2004; what is behind it by Y. Wexler et al., "Space-time
    completion of video", 2007, and C. Barnes et al., "PatchMatch", 2009, as ``danqing.maths.exemplar`` has them.

    Examples:
        danqing remove photo.png --box 340,10,130,290 --out without.png
        danqing remove photo.png --boxes found.json --only dog --out no-dog.png
    """
    holes = torch.zeros(len(x), *x.shape[2:], dtype=torch.bool, device=x.device)
    frame = box_in(x, box)
    rows, columns = frame.place
    if (found := chosen(x, boxes, only)) is not None:
        holes = torch.stack([pixels_of(picture, things, whole) for picture, things in zip(x, found, strict=True)])
    elif mask is not None:
        marked = fitting(mask, x)
        place = (rows, columns) if box is not None else (slice(None), slice(None))
        holes[:, *place] = marked[:, *place]
    elif whole:
        holes[:, rows, columns] = True
    else:
        holes = torch.stack([object_in(picture, frame) for picture in x])
    something_is_known(holes, "boxes" if boxes is not None else "box" if mask is None else "mask")
    wide = grown(holes, margin)
    remains = ~wide.flatten(1).all(1).view(-1, 1, 1)
    return (yield from filled(x, torch.where(remains, wide, holes), "exemplar", 3, seed))
