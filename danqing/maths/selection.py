"""What is selected in a picture: boxes and points that lie in it, masks that fit, grown masks, pictures made to fit."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from danqing.core.errors import ParameterError
from danqing.core.fields.box import Rectangle
from danqing.core.fields.point import Place
from danqing.core.pictures.contract import Images, Mask
from danqing.maths.masks import marked_by

RIM = 0.1  # of the picture on each side, where the object in the middle is not


def box_in(x: Images, box: Rectangle | None, name: str = "box") -> Rectangle:
    """The box, if it lies in the pictures; for None the middle of them, a tenth from their border.

    Args:
        x: pictures (B, C, H, W) that it must lie in.
        box: what was asked for.
        name: the parameter it was given for.

    Raises:
        ParameterError: if it leaves the picture.
    """
    height, width = x.shape[-2:]
    if box is None:
        left, top = int(RIM * width), int(RIM * height)
        return Rectangle(left, top, width - 2 * left, height - 2 * top)
    if box.left + box.width > width or box.top + box.height > height:
        remedy = f"At most {max(width - box.left, 0)} wide and {max(height - box.top, 0)} high from there"
        what = f"{','.join(map(str, box))} leaves the picture of {width}×{height} px"
        raise ParameterError(what, where=name, remedy=remedy)
    return box


def point_in(x: Images, point: Place, name: str = "point") -> tuple[int, int]:
    """Row and column of a point, if it lies in the pictures (B, C, H, W).

    Raises:
        ParameterError: if it lies outside.
    """
    height, width = x.shape[-2:]
    column, row = point
    if not (column < width and row < height):
        what = f"{column},{row} lies outside the picture of {width}×{height} px"
        raise ParameterError(what, where=name, remedy=f"Column 0…{width - 1}, row 0…{height - 1}")
    return row, column


def fitting(mask: Mask, x: Images, name: str = "mask") -> Tensor:
    """Where a mask says "here", for each picture; (B, H, W), bool.

    Raises:
        ParameterError: if it has another size than the pictures, is not one, or one for each, or marks nothing without
            being empty.
    """
    if mask.shape[-2:] != x.shape[-2:]:
        what = f"its {mask.shape[3]}×{mask.shape[2]} px do not fit pictures of {x.shape[3]}×{x.shape[2]} px"
        raise ParameterError(what, where=name, remedy="Draw it on the picture itself, or resize it")
    if len(mask) not in (1, len(x)):
        raise ParameterError(f"{len(mask)} masks do not pair up with {len(x)} pictures", where=name)
    return marked_by(mask, name).expand(len(x), -1, -1)


def surrounding(marked: Tensor) -> Rectangle:
    """The smallest box around what is marked (H, W), bool; something must be."""
    rows, columns = marked.any(1).nonzero(), marked.any(0).nonzero()
    top, left = int(rows[0]), int(columns[0])
    return Rectangle(left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top)


def grown(marked: Tensor, margin: int) -> Tensor:
    """Let what is marked (B, H, W), bool, grow by ``margin`` pixels on all sides, in discs."""
    if not margin:
        return marked
    import cv2

    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * margin + 1, 2 * margin + 1))
    planes = [cv2.dilate(plane, disc) > 0 for plane in marked.cpu().numpy().astype(np.uint8)]
    return torch.from_numpy(np.stack(planes)).to(marked.device)


def covering(x: Images, height: int, width: int) -> Images:
    """Scale pictures until they cover a size, and cut what is over from both ends; (B, C, height, width)."""
    factor = max(height / x.shape[2], width / x.shape[3])
    size = [max(side, round(factor * old)) for side, old in zip((height, width), x.shape[2:], strict=True)]
    sized = functional.interpolate(x, size, mode="bilinear", antialias=True, align_corners=False).clamp(0, 1)
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    return sized[:, :, top : top + height, left : left + width]
