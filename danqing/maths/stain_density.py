"""How dense stains are on a print of one tone, where any other colour is foreign to it: measured pixel by pixel.

A print in black and white, or sepia, holds one line of colours, whatever its paper has become: of densities d, d_B - d_G
and d_R - d_G are straight lines over d_G. Water, tea and foxing leave that line towards brown. By how much, a pixel's
colour says; how much darker they made it, too, what changes together with that colour says.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from danqing.core.pictures.contract import Images

Floats = NDArray[np.floating]
DARKEST = 4 / 255
SOFT = 1.0  # px: standard deviation of the blur that takes noise off colours
ROUNDS = 12  # of reweighting a line's fit
NARROW = 0.03  # density: how far half of a picture's colours are from its line, at most, in a print of one tone
FINEST = 0.008  # density: no spread of colours is taken for less, 8 bits being what they are
SEEDS, WEAK = 5.0, 2.0  # spreads from which a place is stained, and to which it is around one
LEAST = 0.03  # density of a stain's blue over its green, from which it is one
OTHER = 0.01  # share of pixels of other colours than brown, from which a picture is no print of one tone
USUAL, LOWEST, HIGHEST = 1.5, 0.8, 2.6  # how much denser green is, for each step of blue over green
TRUST = 0.05  # of that usual ratio, as a share of what tells in a picture of 64 edges


class Stains(NamedTuple):
    """What lies on a picture.

    Attributes:
        density: (1, 3, H, W), of what light goes through.
        sure: (1, 1, H, W), 1 where there is a stain.
    """

    density: Tensor
    sure: Tensor


def stains_on_one_tone(x: Images) -> Stains | None:
    """Measure stains on a picture (1, 3, H, W); None where its colours are not one line, or nothing has left it.

    Source: danqing.
    """
    import cv2

    seen = x[0].permute(1, 2, 0).double().cpu().clamp(min=DARKEST).numpy()
    density = cv2.GaussianBlur(-np.log(seen), (0, 0), SOFT)
    red, green, blue = (density[..., at] for at in range(3))
    of_blue, of_red = (_line(green, each - green) for each in (blue, red))
    bluer, redder = (each - green - (slope * green + start) for each, (slope, start) in ((blue, of_blue), (red, of_red)))
    spreads = [max(FINEST, 1.4826 * float(np.median(np.abs(each)))) for each in (bluer, redder)]
    if max(spreads) > NARROW:
        return None
    brown = bluer - redder
    spread = float(np.hypot(*spreads))
    off = np.hypot(bluer / spreads[0], redder / spreads[1]) > SEEDS
    other = off & ((bluer < 0.5 * LEAST) | (redder > bluer)) & (np.hypot(bluer, redder) > 2 * LEAST)
    if other.mean() > OTHER:
        return None
    sure = _grown(brown > max(SEEDS * spread, LEAST), brown > WEAK * spread)
    if not sure.any():
        return None
    edge = cv2.GaussianBlur(sure.astype(np.float64), (0, 0), 2 * SOFT)
    foreign = np.clip(bluer, 0, None) * np.clip(2 * edge, 0, 1)
    ratio = _darkened(green, foreign, sure)
    tint = float((redder[sure] * bluer[sure]).sum() / np.square(bluer[sure]).sum())
    grey = ratio * foreign
    planes = [
        grey * (1 + of_red[0]) + np.clip(tint, -1, 0.3) * foreign,
        grey,
        grey * (1 + of_blue[0]) + foreign,
    ]
    made = torch.from_numpy(np.stack(planes).clip(0)).to(x)[None]
    return Stains(made, torch.from_numpy(sure).to(x)[None, None])


def _line(over: Floats, values: Floats) -> tuple[float, float]:
    """The slope and the start of the line that most values lie near to, whatever the others are."""
    over, values = over.ravel()[::3], values.ravel()[::3]
    weights = np.ones_like(over)
    slope = start = 0.0
    for _ in range(ROUNDS):
        total = weights.sum()
        middle, mean = (weights * over).sum() / total, (weights * values).sum() / total
        away = over - middle
        slope = float((weights * away * (values - mean)).sum() / max(1e-9, (weights * away * away).sum()))
        start = float(mean - slope * middle)
        left = np.abs(values - slope * over - start)
        weights = 1 / np.square(1 + left / max(FINEST, float(np.median(left))))
    return slope, start


def _grown(seeds: NDArray[np.bool_], weak: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Those weak places that hang together with seeds of more than a few pixels."""
    import cv2

    _, numbers = cv2.connectedComponents((weak | seeds).astype(np.uint8))
    counts = np.bincount(numbers[seeds], minlength=int(numbers.max()) + 1)
    counts[0] = 0
    return np.asarray(counts[numbers] >= 4)


def _darkened(green: Floats, foreign: Floats, sure: NDArray[np.bool_]) -> float:
    """By how much green grows denser where the foreign colour grows: what is pictured changes there by chance."""
    told = slopes = 0.0
    for axis in (0, 1):
        change, colour = np.diff(green, axis=axis), np.diff(foreign, axis=axis)
        there = np.take(sure, range(1, sure.shape[axis]), axis)
        weights = colour * there / np.square(0.02 + np.abs(change - USUAL * colour))  # edges of things tell little
        told += float((weights * change).sum())
        slopes += float((weights * colour).sum())
    prior = TRUST * slopes + 1e-9
    return float(np.clip((told + prior * USUAL) / (slopes + prior), LOWEST, HIGHEST))


__all__ = ["Stains", "stains_on_one_tone"]
