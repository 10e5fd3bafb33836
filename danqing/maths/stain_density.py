"""How dense stains are on a print of one tone, where any other colour is foreign to it: measured pixel by pixel.

A print in black and white, or sepia, holds one line of colours, whatever its paper has become: of densities d, both
d_B - d_G and d_R - d_G are straight lines over d_G. Water, tea and foxing leave that line towards brown. By how much, a
pixel's colour says; how much darker they made it, too, what changes together with that colour says.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from danqing.core.pictures.contract import Images

Floats = NDArray[np.floating]
DARKEST = 4 / 255
MEDIAN = 3  # px: side of the squares whose median takes noise off colours, and leaves the edges of stains
SOFT = 1.5  # px: standard deviation of the blur within which a stain's share rises
ROUNDS = 12  # of reweighting a line's fit
LIGHT = 0.3  # value in 0…1 below which noise grows in densities
NARROW = 0.03  # density: how far half of a picture's colours are from its line, at most, in a print of one tone
FINEST = 0.008  # density: no spread of colours is taken for less, 8 bits being what they are
SEEDS, WEAK = 5.0, 2.0  # spreads from which a place is stained, and to which it is around one
LEAST = 0.03  # density of a stain's blue over its green, from which it is one
OTHER = 0.01  # share of pixels of other colours than brown, from which a picture is no print of one tone
AROUND = 4.0  # px: standard deviation of a blur that leaves next to nothing of noise, and the colours of things
CALM = 0.0175  # density: how far what is not stained is from its line then, in a print of one tone
USUAL, LOWEST, HIGHEST = 1.3, 0.6, 2.2  # how much denser stains are in green, for each step away from the line
TRUST = 0.05  # of the usual ratio, beside what a picture tells
LARGE = 100  # px of a stain that is asked apart
DENSEST = 1.5  # density of a stain; what took more light is a thing
BRIGHTER = 0.02  # how much brighter than white places may become when a stain is undone
THINGS = 0.1  # share of what is said to be stained that may be denser, or brighter, for all that
BLUR = 3.0  # px: standard deviation of the blur within which a print's tone is told, beyond its noise
BANDS = 24  # of lightness, in each of which a print has one colour, however it was toned
FOREIGN = 0.05  # density: how far from that colour a place is foreign to a print
FEW = 0.03  # share of foreign places below which all of a print has one tone


class Stains(NamedTuple):
    """What lies on a picture.

    Attributes:
        density: (1, C, H, W), of what light goes through.
        sure: (1, 1, H, W), 1 where there is a stain.
    """

    density: Tensor
    sure: Tensor


def stains_on_one_tone(x: Images) -> Stains:
    """Measure stains on a picture (1, C, H, W); there are none where its colours are not one line, or stay on it.

    Source: danqing.
    """
    none = Stains(torch.zeros_like(x), torch.zeros_like(x[:, :1]))
    if x.shape[1] == 1:
        return none
    return _measured(densities(x[0].permute(1, 2, 0).cpu().numpy()), x) or none


def plausible(x: Images, stains: Stains) -> bool:
    """Whether what is said to lie on a picture (1, C, H, W) can: things that are brown, and toning, look alike.

    A stain lets light through; without it no place is brighter than white; and what is as light as a place in it is of
    another colour elsewhere, where the tone of a print is everywhere the same.

    Source: danqing.
    """
    stained = stains.sure[0, 0] > 0
    if not bool(stained.any()):
        return True
    denser = stains.density[0].amax(0)[stained] > DENSEST
    brighter = (x[0] * stains.density[0].exp()).amax(0)[stained] > 1 + BRIGHTER
    if max(float(each.float().mean()) for each in (denser, brighter)) > THINGS:
        return False
    return x.shape[1] == 1 or not _toned(x, stained.cpu().numpy())


def _toned(x: Images, stained: NDArray[np.bool_]) -> bool:
    """Whether a picture has one colour wherever it is as light, in what is said to be stained (H, W) as elsewhere."""
    foreign = _off_tone(x) > FOREIGN
    return all(not there.any() or foreign[there].mean() < FEW for there in (stained, ~stained))


def _off_tone(x: Images) -> Floats:
    """How far the colour of each place (H, W) is from what is usual where a picture is as light, as a density."""
    import cv2

    red, green, blue = densities(cv2.GaussianBlur(x[0].permute(1, 2, 0).cpu().numpy(), (0, 0), BLUR))
    casts = np.stack([(each - green).ravel() for each in (blue, red)], 1)
    off = np.zeros(green.size)
    for band in np.array_split(green.ravel().argsort(kind="stable"), BANDS):
        if len(band):
            off[band] = np.hypot(*(casts[band] - np.median(casts[band], 0)).T)
    return np.asarray(off.reshape(green.shape) / np.maximum(1, LIGHT * np.exp(green)))


def densities(pixels: Floats) -> Floats:
    """The densities (C, H, W) of a picture (H, W, C)."""
    return np.asarray(-np.log(np.clip(pixels, DARKEST, None)), np.float64).transpose(2, 0, 1)


def _measured(density: Floats, x: Images) -> Stains | None:
    import cv2

    red, green, blue = density
    more_blue, more_red = (_calm(each - green) for each in (blue, red))
    green = cv2.GaussianBlur(green, (0, 0), 0.5 * SOFT)
    of_blue, of_red = (_line(green, each) for each in (more_blue, more_red))
    bluer, redder = (
        _calm(each - slope * green - start) for each, (slope, start) in ((more_blue, of_blue), (more_red, of_red))
    )
    coarse = np.maximum(1, LIGHT * np.exp(green))
    spreads = [max(FINEST, 1.4826 * float(np.median(np.abs(each) / coarse))) for each in (bluer, redder)]
    if max(spreads) > NARROW:
        return None
    brown = (bluer - redder) / coarse
    spread = math.hypot(*spreads)
    off = np.hypot(bluer / spreads[0], redder / spreads[1]) > SEEDS * coarse
    other = off & ((bluer < 0.5 * LEAST) | (redder > bluer)) & (np.hypot(bluer, redder) > 2 * LEAST * coarse)
    if other.mean() > OTHER:
        return None
    sure = grown(brown > max(SEEDS * spread, LEAST), brown > WEAK * spread)
    if not sure.any() or _unrest(np.stack([bluer, redder], 2), sure) > CALM:
        return None
    share = np.clip(2 * cv2.GaussianBlur(sure.astype(np.float64), (0, 0), 2 * SOFT), 0, 1)
    bluer, redder = bluer.clip(0) * share, redder.clip(max=0) * share
    grey = _greyer(green, np.hypot(bluer, redder), sure)
    planes = [grey * (1 + of_red[0]) + redder, grey, grey * (1 + of_blue[0]) + bluer]
    made = torch.from_numpy(np.stack(planes).clip(0)).to(x)[None]
    return Stains(made, torch.from_numpy(sure).to(x)[None, None])


def _unrest(off: Floats, sure: NDArray[np.bool_]) -> float:
    """How far colours (H, W, 2) are from a line where nothing is stained, in the mean around a place: nine in ten."""
    import cv2

    clean = cv2.dilate(sure.astype(np.uint8), np.ones((9, 9))) == 0
    known = clean.astype(np.float64)
    means = cv2.GaussianBlur(off * known[..., None], (0, 0), AROUND) / (
        cv2.GaussianBlur(known, (0, 0), AROUND)[..., None] + 1e-6
    )
    return float(np.quantile(np.hypot(means[..., 0], means[..., 1])[clean], 0.9)) if clean.any() else math.inf


def _calm(values: Floats) -> Floats:
    import cv2

    calmer = cv2.medianBlur(values.astype(np.float32), MEDIAN)
    return np.asarray(cv2.GaussianBlur(calmer, (0, 0), 0.5 * SOFT), np.float64)


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


def grown(seeds: NDArray[np.bool_], weak: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Those weak places (H, W) that hang together with seeds of more than a few pixels."""
    import cv2

    _, numbers = cv2.connectedComponents((weak | seeds).astype(np.uint8))
    counts = np.bincount(numbers[seeds], minlength=int(numbers.max()) + 1)
    counts[0] = 0
    return np.asarray(counts[numbers] >= 4)


def _greyer(green: Floats, foreign: Floats, sure: NDArray[np.bool_]) -> Floats:
    """How much denser stains made green: as many times as their colour as each tells, or all of them together."""
    import cv2

    density = foreign
    green, foreign = (cv2.GaussianBlur(each, (0, 0), SOFT) for each in (green, foreign))
    usual = _ratio(green, foreign, sure, USUAL)
    ratios = np.full_like(green, usual)
    count, numbers, facts, _ = cv2.connectedComponentsWithStats(cv2.dilate(sure.astype(np.uint8), np.ones((5, 5))))
    for number in range(1, count):
        left, top, width, height, area = facts[number]
        if area >= LARGE:
            there = slice(top, top + height), slice(left, left + width)
            mine = numbers[there] == number
            ratios[there][mine] = _ratio(green[there], foreign[there], mine, usual)
    return np.asarray(cv2.GaussianBlur(ratios, (0, 0), 2 * SOFT) * density)


def _ratio(green: Floats, foreign: Floats, there: NDArray[np.bool_], usual: float) -> float:
    """By how much green grows denser where the foreign colour grows: what is pictured changes there by chance."""
    told = slopes = 0.0
    for axis in (0, 1):
        change, colour = np.diff(green, axis=axis), np.diff(foreign, axis=axis)
        mine = np.take(there, range(1, there.shape[axis]), axis)
        weights = colour * mine / np.square(0.02 + np.abs(change - usual * colour))  # edges of things tell little
        told += float((weights * change).sum())
        slopes += float((weights * colour).sum())
    prior = TRUST * slopes + 1e-9
    return float(np.clip((told + prior * usual) / (slopes + prior), LOWEST, HIGHEST))


__all__ = ["Stains", "densities", "grown", "plausible", "stains_on_one_tone"]
