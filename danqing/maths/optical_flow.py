"""Where things went from one frame of a film to the next, frames seen through that, and how much they flicker."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from danqing.core.pictures.contract import Images, Mask
from danqing.maths.colour import brightness

LEAST = 16  # px: shorter sides are filled up to it for the search
LOST = 1.5  # px that a place may miss itself by on the way there and back, before its flow is not trusted
UNLIKE = 0.08  # of brightness that a place may differ by from where it came from


class Motion(NamedTuple):
    """Where each pixel of a frame was in the one before: steps (1, 2, H, W) in pixels, right and down; and where that
    can be trusted (1, 1, H, W).
    """

    back: Tensor
    trust: Mask


def motion(before: Images, now: Images) -> Motion:
    """Find how a frame (1, C, H, W) moved from the one before.

    A step is trusted where going there and back ends near, and where the same is seen.

    Source: T. Kroeger et al., "Fast optical flow using dense inverse search", 2016, as OpenCV has it; there and back:
    N. Sundaram et al., "Dense point trajectories by GPU-accelerated large displacement optical flow", 2010, eq. 5.
    """
    back, forth = _flow(now, before), _flow(before, now)
    there = warped(forth, back)
    missed = (back + there).square().sum(1, keepdim=True)
    near = missed < LOST**2 + 0.01 * (back.square() + there.square()).sum(1, keepdim=True)
    alike = (brightness(warped(before, back)) - brightness(now)).abs() < UNLIKE
    inside = warped(torch.ones_like(now[:, :1]), back, "zeros") > 0.99
    return Motion(back, (near & alike & inside).to(now))


def warped(x: Tensor, back: Tensor, outside: str = "border") -> Tensor:
    """See maps (1, C, H, W) where their pixels went to."""
    height, width = x.shape[2:]
    rows, columns = torch.arange(height).to(back), torch.arange(width).to(back)
    across = (2 * (columns[None] + back[0, 0]) + 1) / width - 1
    down = (2 * (rows[:, None] + back[0, 1]) + 1) / height - 1
    grid = torch.stack([across, down], -1)[None]
    return functional.grid_sample(x, grid.to(x), "bilinear", outside, align_corners=False)


def flicker(before: Images, now: Images, moved: Motion) -> float:
    """How much a frame differs from the one before, seen where its things went, in steps of 255; only where trusted."""
    count = moved.trust.sum().clamp(min=1)
    return float(255 * ((now - warped(before, moved.back)).abs().mean(1, keepdim=True) * moved.trust).sum() / count)


def _flow(first: Images, second: Images) -> Tensor:
    """Where each pixel of the first is in the second, as steps (1, 2, H, W)."""
    import cv2

    height, width = first.shape[2:]
    frames = []
    for each in (first, second):
        plane = (brightness(each)[0, 0].cpu().numpy() * 255).round().astype(np.uint8)
        frames.append(np.pad(plane, ((0, max(0, LEAST - height)), (0, max(0, LEAST - width))), "edge"))
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    found = search.calc(frames[0], frames[1], None)  # type: ignore[call-overload]  # None: no flow to begin with
    return torch.from_numpy(np.ascontiguousarray(found[:height, :width].transpose(2, 0, 1)))[None].to(first)


__all__ = ["Motion", "flicker", "motion", "warped"]
