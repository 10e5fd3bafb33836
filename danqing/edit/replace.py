"""The operator replace."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from torch import Tensor
from torch.nn import functional

from danqing.core.errors import ParameterError
from danqing.core.fields.box import Box, Rectangle
from danqing.core.fields.boxes import Things
from danqing.core.fields.number import Range
from danqing.core.fields.only import Only
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images, Mask
from danqing.core.progress import Job, Progress, shared
from danqing.maths.colour import from_oklab, to_oklab
from danqing.maths.found import chosen, rectangle
from danqing.maths.inpainting import filled
from danqing.maths.membrane import membrane
from danqing.maths.opacity import opacity_of
from danqing.maths.selection import box_in, fitting, grown, surrounding

MARGIN = 4  # px around the old object that are painted over with it
EDGE = 2  # px inside the new object whose old values give it its light
NEAR = 16  # px around the selection, whose colours the new object is matched with


@operator
def replace(
    x: Images,
    replacement: Images,
    box: Box | None = None,
    mask: Mask | None = None,
    replacement_alpha: Mask | None = None,
    method: Literal["poisson", "paste"] = "poisson",
    scale: Annotated[float, Range(0.05, 20)] = 1.0,
    strength: Annotated[float, Range(0, 1)] = 0.0,
    boxes: Things | None = None,
    only: Only = "",
) -> Job[Images]:
    """Put an object from another picture into pictures, in the place of what was there.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        replacement: the picture with the new object, one for all or one for each.
        box: where it goes, as left,top,width,height in pixels; not given: where the old object was, or the middle.
        mask: the old object, 1 (white) means "here", of the size of the pictures; it is painted over first, where the
            new one does not cover it.
        replacement_alpha: which part of the replacement is the object, of its size; soft edges stay soft. Not given:
            its own transparency, or all of it.
        method: poisson keeps the contrasts of the new object and takes its light and colour from around it, so that no
            edge is seen; paste keeps its colours.
        scale: size of the object; at 1 it just fits into the box, its proportions kept, in the middle.
        strength: how far its colours are first matched with those around the place.
        boxes: what was found in the pictures, as detect, find_faces or pose write it: the new object is put into each
            of these boxes.
        only: labels of those that are meant, with commas between; empty: all.

    Returns:
        A job with pictures of the same size; away from the old and the new object values stay exactly.

    Raises:
        ParameterError: if the box is not of that form or leaves the picture, a mask has another size, the object is
            empty, or replacements are several but not as many as pictures.

    Source: P. Pérez, M. Gangnet, A. Blake, "Poisson image editing", 2003, section 3, importing gradients; colours as by
    E. Reinhard et al., "Color transfer between images", 2001, in OKLab.

    Examples:
        danqing replace photo.png cat.png --box 300,20,180,160 --out with-cat.png
        danqing replace photo.png mask.png --boxes faces.json --out masked.png
    """
    if len(replacement) not in (1, len(x)):
        what = f"{len(replacement)} replacements do not pair up with {len(x)} pictures"
        raise ParameterError(what, where="replacement")
    opacity = opacity_of(replacement, replacement_alpha, "replacement_alpha")
    alpha = torch.ones_like(replacement[:, :1]) if opacity is None else opacity
    colours = max(x.shape[1], replacement.shape[1])
    old = torch.zeros(len(x), *x.shape[2:], dtype=torch.bool, device=x.device) if mask is None else fitting(mask, x)
    out, lit = x.expand(-1, colours, -1, -1).clone(), replacement.expand(len(x), colours, -1, -1).to(x)
    places = chosen(x, boxes, only)
    for at, picture in enumerate(out):
        shape = (alpha if len(alpha) == 1 else alpha[at : at + 1])[0, 0].to(x)
        if places is not None:
            frames = [rectangle(thing, x.shape[3], x.shape[2]) for thing in places[at]]
        else:
            frames = [surrounding(old[at]) if box is None and bool(old[at].any()) else box_in(x, box)]
        for number, frame in enumerate(frames):
            yield Progress(at + (number + 0.1) / len(frames), len(x), "placing the object")
            thing, cover = _placed(lit[at], shape, frame, scale, x.shape[2], x.shape[3])
            hole = grown(old[at][None], MARGIN)
            if number == 0 and bool((hole & grown((cover < 1)[None], EDGE)).any()):
                work = filled(picture[None], hole, "exemplar", 3, 0)
                picture.copy_((yield from shared(work, at + 0.1, 0.7 / len(frames), total=len(x)))[0])
            if strength:
                thing = torch.lerp(thing, _matched(thing, picture, cover), strength)
            picture.copy_(_put(picture, thing, cover, method))
    return out.clamp_(0, 1)


def _placed(
    thing: Tensor, shape: Tensor, box: Rectangle, scale: float, height: int, width: int
) -> tuple[Tensor, Tensor]:
    """The object at its place in an empty picture (C, H, W), and how it covers it (H, W); what lies outside is cut."""
    if not bool((shape > 0.5).any()):
        remedy = "White means: the object"
        raise ParameterError("marks nothing of the replacement", where="replacement_alpha", remedy=remedy)
    own = surrounding(shape > 0.5).place
    cut = torch.cat(
        [thing[:, *own] * shape[own], shape[own][None]]
    )  # weighted, so that no colour from outside seeps in
    factor = scale * min(box.height / cut.shape[1], box.width / cut.shape[2])
    size = [max(1, round(factor * side)) for side in cut.shape[1:]]
    sized = functional.interpolate(cut[None], size, mode="bilinear", antialias=True, align_corners=False)[0]
    top = box.top + (box.height - size[0]) // 2
    left = box.left + (box.width - size[1]) // 2
    out = thing.new_zeros(len(sized), height, width)
    rows, columns = slice(max(top, 0), max(top + size[0], 0)), slice(max(left, 0), max(left + size[1], 0))
    target = out[:, rows, columns]
    up, back = max(-top, 0), max(-left, 0)
    target.copy_(sized[:, up : up + target.shape[1], back : back + target.shape[2]])
    cover = out[-1].clamp(0, 1)
    return (out[:-1] / cover.clamp(min=1e-3)).clamp(0, 1), torch.where(cover > 0.999, 1.0, cover)


def _matched(thing: Tensor, picture: Tensor, cover: Tensor) -> Tensor:
    """The object (C, H, W) with mean and spread of the colours around its place."""
    own, place = cover > 0.5, grown((cover > 0)[None], NEAR)[0] & (cover == 0)
    if not bool(own.any()) or not bool(place.any()):
        return thing
    here, there = (to_oklab(each.expand(3, -1, -1).movedim(0, -1)) for each in (thing, picture))
    ours, theirs = here[own], there[place]
    spread = (theirs.std(0, correction=0) / ours.std(0, correction=0).clamp(min=1e-3)).clamp(0.5, 2)
    return from_oklab((here - ours.mean(0)) * spread + theirs.mean(0)).movedim(-1, 0)[: len(thing)]


def _put(picture: Tensor, thing: Tensor, cover: Tensor, method: str) -> Tensor:
    """The object over the picture; with poisson, lit as the picture is along its edge."""
    solid = cover > 0.5
    if method == "poisson" and bool(solid.any()) and not bool(solid.all()):
        place = surrounding(solid).place
        edge = (grown(~solid[None], 1)[0] & solid)[place].cpu().numpy()
        gap = (picture - thing)[:, *place].permute(1, 2, 0).cpu().numpy()
        light = torch.from_numpy(membrane(gap, ~edge)).permute(2, 0, 1)
        lit = thing.clone()
        lit[:, *place] += light.to(thing)
        thing = lit.clamp(0, 1)
    return torch.where(cover > 0, torch.lerp(picture, thing, cover), picture)
