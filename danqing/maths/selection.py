"""What is selected in a picture: boxes and points as text, masks that fit, objects told from their surroundings."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from danqing.core.errors import ParameterError
from danqing.core.images import Images, Mask, to_uint8

Plane = np.ndarray[Any, np.dtype[Any]]
RIM = 0.1  # of the picture on each side, where the object in the middle is not
AROUND = 0.5  # of a box's sides, that is looked at around it to learn what does not belong to the object
FINEST = 400_000  # pixels that an object is cut out from; larger pictures are reduced, the edge is refined after
TURNS = 5  # of learning colours and cutting
LEAST = 0.005  # of a box; an object smaller than that is none
BACK, FRONT, MAYBE_BACK, MAYBE_FRONT = range(4)  # as OpenCV counts


class Box(NamedTuple):
    """A rectangle in pixels."""

    left: int
    top: int
    width: int
    height: int

    @property
    def place(self) -> tuple[slice, slice]:
        """Its rows and columns."""
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)


def box_in(x: Images, text: str | None, name: str = "box") -> Box:
    """Read a box of the form ``left,top,width,height``; None is the middle of the picture, a tenth from its border.

    Args:
        x: pictures (B, C, H, W) that it must lie in.
        text: what was typed.
        name: the parameter it was typed for.

    Raises:
        ParameterError: if it is no box, or leaves the picture.
    """
    height, width = x.shape[-2:]
    if text is None:
        left, top = int(RIM * width), int(RIM * height)
        return Box(left, top, width - 2 * left, height - 2 * top)
    box = Box(*_whole_numbers(text, 4, "left,top,width,height", "40,30,200,150", name))
    if min(box) < 0 or box.width < 1 or box.height < 1:
        what = f"{text!r} is no box: left and top start at 0, width and height at 1"
        raise ParameterError(what, where=name)
    if box.left + box.width > width or box.top + box.height > height:
        remedy = f"At most {max(width - box.left, 0)} wide and {max(height - box.top, 0)} high from there"
        raise ParameterError(f"{text!r} leaves the picture of {width}×{height} px", where=name, remedy=remedy)
    return box


def point_in(x: Images, text: str, name: str = "point") -> tuple[int, int]:
    """Read a point of the form ``column,row``; row and column.

    Raises:
        ParameterError: if it is none, or lies outside the pictures (B, C, H, W).
    """
    height, width = x.shape[-2:]
    column, row = _whole_numbers(text, 2, "column,row", "120,80", name)
    if not (0 <= column < width and 0 <= row < height):
        remedy = f"Column 0…{width - 1}, row 0…{height - 1}"
        raise ParameterError(f"{text!r} lies outside the picture of {width}×{height} px", where=name, remedy=remedy)
    return row, column


def _whole_numbers(text: str, count: int, form: str, example: str, name: str) -> list[int]:
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != count:
        what = f"{text!r} is not of the form {form}, whole numbers of pixels"
        raise ParameterError(what, where=name, remedy=f"For example {example}")
    return numbers


def fitting(mask: Mask, x: Images, name: str = "mask") -> Tensor:
    """Where a mask says "here" (above one half), for each picture; (B, H, W), bool.

    Raises:
        ParameterError: if it has another size than the pictures, or is not one, or one for each.
    """
    if mask.shape[-2:] != x.shape[-2:]:
        what = f"its {mask.shape[3]}×{mask.shape[2]} px do not fit pictures of {x.shape[3]}×{x.shape[2]} px"
        raise ParameterError(what, where=name, remedy="Draw it on the picture itself, or resize it")
    if len(mask) not in (1, len(x)):
        raise ParameterError(f"{len(mask)} masks do not pair up with {len(x)} pictures", where=name)
    return (mask[:, 0] > 0.5).expand(len(x), -1, -1)


def object_in(picture: Tensor, box: Box, inside: Tensor | None = None, outside: Tensor | None = None) -> Tensor:
    """Tell an object from what is around it by its colours and edges.

    Args:
        picture: (C, H, W), values in [0, 1].
        box: what the object lies in.
        inside: (H, W), bool, strokes on the object.
        outside: (H, W), bool, strokes on what does not belong to it.

    Returns:
        (H, W), bool; the whole box where nothing stands out in it.

    Source: C. Rother, V. Kolmogorov, A. Blake, "GrabCut: interactive foreground extraction using iterated graph cuts",
    2004, as OpenCV has it; the edge found in a reduced picture refined as by K. He et al., "Guided image filtering",
    2010.
    """
    window = _around(box, *picture.shape[1:])
    hints = np.full(picture.shape[1:], BACK, np.uint8)
    hints[box.place] = MAYBE_FRONT
    for strokes, hint in ((inside, FRONT), (outside, BACK)):
        if strokes is not None:
            hints[strokes.cpu().numpy()] = hint
    found = np.zeros(picture.shape[1:], bool)
    seen = to_uint8(picture[None].expand(-1, 3, -1, -1))[0]
    found[window] = _cut_out(seen[window], hints[window])
    if np.count_nonzero(found[box.place]) < LEAST * box.width * box.height:
        found[box.place] = hints[box.place] != BACK
    return torch.from_numpy(found).to(picture.device)


def _around(box: Box, height: int, width: int) -> tuple[slice, slice]:
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
    return np.asarray(((found > 0.5) & (hints != BACK)) | (hints == FRONT))


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
