"""Objects cut out of pictures: told from what is around them, or by a colour; their soft edges, and colours there."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from danqing.core.fields.box import Rectangle
from danqing.core.pictures.contract import to_uint8
from danqing.maths.colour import to_oklab
from danqing.maths.membrane import membrane
from danqing.maths.selection import surrounding

Plane = np.ndarray[Any, np.dtype[Any]]
AROUND = 0.5  # of a box's sides, that is looked at around it to learn what does not belong to the object
FINEST = 120_000  # pixels that an object is cut out from; larger pictures are reduced, the edge is refined after
TURNS = 5  # of learning colours and cutting
LEAST = 0.005  # of a box; an object smaller than that is none
STRAY = 0.002  # of an object; specks and holes smaller than that are mistakes
SURE = 0.02  # of mixture, below which there is none
BACK, FRONT, MAYBE_BACK, MAYBE_FRONT = range(4)  # as OpenCV counts


def object_in(
    picture: Tensor, box: Rectangle | None, inside: Tensor | None = None, outside: Tensor | None = None
) -> Tensor:
    """Tell an object from what is around it by its colours and edges.

    Args:
        picture: (C, H, W), values in [0, 1].
        box: what the object lies in; None: not known, but there are strokes on it.
        inside: (H, W), bool, strokes on the object.
        outside: (H, W), bool, strokes on what does not belong to it.

    Returns:
        (H, W), bool; the whole box where nothing stands out in it.

    Source: C. Rother, V. Kolmogorov, A. Blake, "GrabCut: interactive foreground extraction using iterated graph cuts",
    2004, as OpenCV has it; the edge found in a reduced picture refined as by K. He et al., "Guided image filtering",
    2010.
    """
    height, width = picture.shape[1:]
    hints = np.full((height, width), MAYBE_BACK if box is None else BACK, np.uint8)
    window = (slice(0, height), slice(0, width)) if box is None else _around(box, height, width)
    box = surrounding(inside) if box is None and inside is not None else box or Rectangle(0, 0, width, height)
    hints[box.place] = MAYBE_FRONT
    for strokes, hint in ((inside, FRONT), (outside, BACK)):
        if strokes is not None:
            hints[strokes.cpu().numpy()] = hint
    found = np.zeros((height, width), bool)
    seen = to_uint8(picture[None].expand(-1, 3, -1, -1))[0]
    found[window] = _cut_out(seen[window], hints[window])
    if np.count_nonzero(found[box.place]) < LEAST * box.width * box.height:
        found[box.place] = hints[box.place] != BACK
    return torch.from_numpy(found).to(picture.device)


def _around(box: Rectangle, height: int, width: int) -> tuple[slice, slice]:
    """The box and what is around it: far away there may be anything."""
    down, right = (max(16, int(AROUND * side)) for side in (box.height, box.width))
    rows = slice(max(box.top - down, 0), min(box.top + box.height + down, height))
    return rows, slice(max(box.left - right, 0), min(box.left + box.width + right, width))


def _cut_out(seen: Plane, hints: Plane) -> Plane:
    """The object (H, W), bool, in a picture (H, W, 3) of bytes."""
    import cv2

    factor = min(1.0, (FINEST / hints.size) ** 0.5)
    size = tuple(max(1, round(factor * side)) for side in hints.shape[::-1])
    small, marks = cv2.resize(seen, size, interpolation=cv2.INTER_AREA), cv2.resize(hints, size, None, 0, 0, 0)
    if not {BACK, MAYBE_BACK} & set(marks.flat) or not {FRONT, MAYBE_FRONT} & set(marks.flat):
        return np.asarray((hints == FRONT) | (hints == MAYBE_FRONT))
    cv2.setRNGSeed(0)  # the colours are first sorted at random
    models = np.zeros((1, 65)), np.zeros((1, 65))
    marks, *_ = cv2.grabCut(np.ascontiguousarray(small), marks, None, *models, TURNS, cv2.GC_INIT_WITH_MASK)
    found = ((marks == FRONT) | (marks == MAYBE_FRONT)).astype(np.float32)
    if factor < 1:
        found = cv2.resize(found, hints.shape[::-1])
        found = guided(found, seen.astype(np.float32) / 255, max(2, round(2 / factor)))
    return np.asarray((_tidied(found > 0.5) & (hints != BACK)) | (hints == FRONT))


def _tidied(found: Plane) -> Plane:
    """An object (H, W), bool, without stray specks and holes."""
    import cv2

    least = STRAY * np.count_nonzero(found)
    for sign in (True, False):
        _, labels, boxes, _ = cv2.connectedComponentsWithStats((found == sign).astype(np.uint8), connectivity=4)
        found = np.where((boxes[:, cv2.CC_STAT_AREA] < least)[labels] & (labels > 0), not sign, found)
    return found


def guided(plane: Plane, guide: Plane, radius: int, tolerance: float = 1e-4) -> Plane:
    """Make a plane follow the edges of a picture: nearby, it becomes a linear function of its colours.

    Args:
        plane: (H, W), float32.
        guide: (H, W, 3), float32, values in [0, 1].
        radius: how far "nearby" reaches, in pixels.
        tolerance: variance of colours that counts as none.

    Returns:
        (H, W), float32; may leave the range of the plane a little.

    Source: K. He, J. Sun, X. Tang, "Guided image filtering", 2010, eq. 14–16.
    """
    import cv2

    def mean(each: Plane) -> Plane:
        side = 2 * radius + 1
        return np.asarray(cv2.blur(each, (side, side), borderType=cv2.BORDER_REFLECT))

    wide, level = guide.astype(np.float64), plane.astype(np.float64)
    colour, shade = mean(wide), mean(level)
    upper = [(i, j) for i in range(3) for j in range(i, 3)]
    spread = np.empty((*plane.shape, 3, 3))
    for i, j in upper:
        spread[..., i, j] = spread[..., j, i] = mean(wide[..., i] * wide[..., j]) - colour[..., i] * colour[..., j]
    spread += tolerance * np.eye(3)
    joint = mean(wide * level[..., None]) - colour * shade[..., None]
    slope = np.linalg.solve(spread, joint[..., None])[..., 0]
    rest = shade - (slope * colour).sum(2)
    return np.asarray(((mean(slope) * wide).sum(2) + mean(rest)).astype(np.float32))


def like_colour(
    picture: Tensor, colour: tuple[float, float, float] | None, seed: tuple[int, int] | None, tolerance: float
) -> Tensor:
    """Find what has a colour.

    Args:
        picture: (C, H, W), values in [0, 1].
        colour: RGB in [0, 1]; None: that of the seed.
        seed: row and column that what is found must be connected with; None: all of the colour.
        tolerance: distance in OKLab.

    Returns:
        (H, W), bool.

    Source: danqing; OKLab by B. Ottosson, 2020.
    """
    rgb = picture.expand(3, -1, -1).movedim(0, -1)
    wanted = torch.tensor(colour).to(rgb) if colour is not None else rgb[seed or (0, 0)]
    like = (to_oklab(rgb) - to_oklab(wanted[None])[0]).square().sum(-1).sqrt() <= tolerance + 1e-6
    if seed is None or not bool(like[seed]):
        return like & (seed is None)
    import cv2

    _, labels = cv2.connectedComponents(like.cpu().numpy().astype(np.uint8), connectivity=4)
    return torch.from_numpy(labels == labels[seed]).to(like.device)


def matte(picture: Tensor, kept: Tensor, softness: int) -> Tensor:
    """How opaque an object is along its edge.

    Args:
        picture: (C, H, W), values in [0, 1].
        kept: (H, W), bool, the object cut hard.
        softness: how far from the edge its opacity may be between 0 and 1, in pixels.

    Returns:
        (H, W), in [0, 1].

    Source: K. He, J. Sun, X. Tang, "Guided image filtering", 2010, section 4.
    """
    hard = kept.cpu().numpy().astype(np.float32)
    if softness:
        import cv2

        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * softness + 1, 2 * softness + 1))
        belt = cv2.dilate(hard, disc) > cv2.erode(hard, disc)
        guide = picture.expand(3, -1, -1).permute(1, 2, 0).cpu().numpy()
        hard = np.where(belt, guided(hard, guide, softness).clip(0, 1), hard)
    return torch.from_numpy(hard).to(picture)


def unmixed(picture: Tensor, alpha: Tensor) -> Tensor:
    """Take the old background out of the colours along an object's edge.

    Args:
        picture: (C, H, W), values in [0, 1]: ``alpha`` of the object's colours and the rest of the background's.
        alpha: (H, W), how opaque the object is.

    Returns:
        The object's colours (C, H, W), in [0, 1]: spread from where it is opaque, corrected so that the mixture is that
        of the picture.

    Source: the correction of T. Germer et al., "Fast multi-level foreground estimation", 2020, eq. 4, without the
    smoothing, from membranes.
    """
    share, mixed = alpha.cpu().numpy()[..., None], picture.permute(1, 2, 0).cpu().numpy()
    front, back = share[..., 0] >= 1 - SURE, share[..., 0] <= SURE
    if front.all() or not front.any() or not back.any():
        return picture
    belt = ~front & ~back
    if not belt.any():
        return picture
    rows, columns = surrounding(torch.from_numpy(belt)).place
    place = slice(max(rows.start - 2, 0), rows.stop + 2), slice(max(columns.start - 2, 0), columns.stop + 2)
    ours, theirs = (
        membrane(mixed[place], ~each[place]) if each[place].any() else mixed[place] for each in (front, back)
    )
    part = share[place]
    error = mixed[place] - part * ours - (1 - part) * theirs
    ours = ours + error * part / (part**2 + (1 - part) ** 2)
    found = mixed.copy()
    found[place] = np.where(front[place][..., None], mixed[place], ours.clip(0, 1))
    return torch.from_numpy(found).permute(2, 0, 1).to(picture)
