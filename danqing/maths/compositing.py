"""Laying a cut-out on a picture so that it seems to have been there: size, light, haze, shadow, sharpness and grain.

Planes are NumPy's, float32: pictures (H, W, 3) in [0, 1]; cut-outs (H, W, 4), colours premultiplied by the opacity that
comes last.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import torch

from danqing.maths.colour import from_linear, luma, to_linear
from danqing.maths.edge_widths import FEWEST, edge_widths
from danqing.maths.noise import by_laplacians

Plane = np.ndarray[Any, np.dtype[Any]]
LEAST = 0.02  # opacity below which a colour is not known
DARKEST, BRIGHTEST = 0.55, 1.7  # how far light may dim or raise a thing
BENT = 0.3  # of the brightness of a thing that falls off from its lit to its far side, where light is all from one side
GRAIN = 0.06  # noise that is imitated, at most
SOFTEST = 2.5  # px of blur that are imitated, at most
FLAT, ASLANT = 0.22, 0.9  # height of a shadow on the ground, and how far it may lean, in heights of the thing
CALM = 0.04  # change of brightness from pixel to pixel, in a picture of 96 px, that sky has at most
RESTING = 0.06  # height of the dark line where a thing touches the ground, in widths


class Light(NamedTuple):
    """The light of a picture.

    Attributes:
        colour: (3,), of grey things in linear light; its brightness is 1.
        level: mean brightness in linear light.
        darkest: brightness, 0…1, that hardly anything is darker than: haze or a faded print.
        side: -1…1, how much more light there is on the right than on the left.
    """

    colour: Plane
    level: float
    darkest: float
    side: float


class Finish(NamedTuple):
    """How sharp and how grainy a picture is.

    Attributes:
        edges: width of its sharper edges in px; None where there are too few.
        noise: standard deviation of its noise.
    """

    edges: float | None
    noise: float


def light_of(picture: Plane) -> Light:
    """Look at the light of a picture."""
    linear = to_linear(torch.from_numpy(picture)).numpy()
    mean = linear.reshape(-1, 3).mean(0)
    level = float(_luma(mean[None, None])[0, 0])
    tone = _luma(picture)
    left, right = np.array_split(tone, 2, axis=1) if tone.shape[1] > 1 else (tone, tone)
    side = float((right.mean() - left.mean()) / max(tone.mean(), 0.05))
    return Light(mean / max(level, 1e-3), level, float(np.percentile(tone, 1)), max(-1.0, min(1.0, 2 * side)))


def sky_in(picture: Plane) -> Plane:
    """Where the sky is (H, W), bool: calm, blue or pale, and joined to the upper border by such places alone.

    Source: danqing; a guess that keeps things from standing on air, nothing more.
    """
    import cv2

    height, width = picture.shape[:2]
    size = max(1, min(width, 96)), max(1, min(height, 96))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    tone = np.pad(_luma(small), 1, mode="edge")
    slope = np.hypot(tone[1:-1, 2:] - tone[1:-1, :-2], tone[2:, 1:-1] - tone[:-2, 1:-1]) / 2
    blue = (small[..., 2] > small[..., 0] + 0.04) & (small[..., 2] >= small[..., 1] - 0.05)
    pale = (tone[1:-1, 1:-1] > 0.75) & (small[..., 2] >= small[..., 0] - 0.02)
    like = ((slope < CALM) & (blue | pale)).astype(np.uint8)
    for way, side in ((cv2.MORPH_OPEN, 3), (cv2.MORPH_CLOSE, 5)):
        like = cv2.morphologyEx(like, way, np.ones((side, side), np.uint8))
    _, regions = cv2.connectedComponents(np.pad(like, ((1, 0), (0, 0)), constant_values=1), connectivity=4)
    joined = (regions[1:] == regions[0, 0]).astype(np.uint8)
    return np.asarray(cv2.resize(joined, (width, height), interpolation=cv2.INTER_NEAREST), bool)


def turned(cutout: Plane, scale: float, degrees: float, mirrored: bool) -> tuple[Plane, Plane]:
    """A cut-out scaled and turned about its middle, cropped to what is seen.

    Returns:
        The cut-out, and the affine map (2, 3) that takes places in the old one to places in it, in pixels from border
        to border.
    """
    import cv2

    height, width = cutout.shape[:2]
    shrunk, steps = cutout, 1.0
    if scale < 1:  # by areas first, so that nothing glitters
        size = max(1, round(width * scale)), max(1, round(height * scale))
        shrunk = cv2.resize(cutout, size, interpolation=cv2.INTER_AREA)
        steps = scale
    across, down = shrunk.shape[1] / width, shrunk.shape[0] / height
    rest, angle = scale / steps, math.radians(degrees)
    sign = -1.0 if mirrored else 1.0
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]) @ np.diag([sign, 1.0])
    linear = rest * turn
    sides = np.abs(linear) @ (shrunk.shape[1], shrunk.shape[0])
    wide, tall = (math.ceil(float(side)) + 2 for side in sides)
    shift = np.array([wide / 2, tall / 2]) - linear @ (shrunk.shape[1] / 2, shrunk.shape[0] / 2)
    whole = np.hstack([linear, shift[:, None]])
    middle = whole.copy()  # OpenCV counts from the middle of the first pixel
    middle[:, 2] += linear @ (0.5, 0.5) - 0.5
    made = cv2.warpAffine(shrunk, middle, (wide, tall), flags=cv2.INTER_LINEAR, borderValue=(0, 0, 0, 0))
    rows, columns = (np.flatnonzero(made[..., 3].max(axis) > LEAST) for axis in (1, 0))
    if not len(rows):
        return made[:1, :1], whole
    place = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    whole[:, 2] -= columns[0], rows[0]
    return np.ascontiguousarray(made[place]), whole @ np.array([[across, 0, 0], [0, down, 0], [0, 0, 1]])


def in_light(cutout: Plane, light: Light, strength: float) -> Plane:
    """A cut-out as if the light of a picture fell on it.

    Its colours take on a share of the light's colour, its brightness goes part of the way to the picture's, what is
    turned away from the light becomes darker, and its darkest places no darker than the picture's haze lets them be.
    """
    opacity = cutout[..., 3:]
    colours = np.where(opacity > LEAST, cutout[..., :3] / np.maximum(opacity, LEAST), 0).clip(0, 1)
    linear = to_linear(torch.from_numpy(colours.astype(np.float32))).numpy()
    weight = max(float(opacity.sum()), 1e-6)
    own = float((_luma(linear) * opacity[..., 0]).sum()) / weight
    gain = (max(light.level, 0.01) / max(own, 0.01)) ** (0.4 * strength)
    gain = min(max(gain, DARKEST), BRIGHTEST)
    across = np.linspace(-1, 1, cutout.shape[1], dtype=np.float32)[None, :, None]
    shade = 1 + BENT * strength * light.side * across
    cast = np.maximum(light.colour, 0.05) ** (0.6 * strength)
    lit = from_linear(torch.from_numpy((linear * gain * shade * cast).clip(0, 1).astype(np.float32))).numpy()
    hazy = strength * light.darkest + lit * (1 - strength * light.darkest)
    return np.concatenate([hazy * opacity, opacity], 2).astype(np.float32)


def finish_of(picture: Plane) -> Finish:
    """Look at how sharp and how grainy a picture is."""
    return Finish(_sharpness(picture), _noise(picture))


def as_seen_in(cutout: Plane, finish: Finish, rng: np.random.Generator) -> Plane:
    """A cut-out as sharp, and as grainy, as a picture."""
    import cv2

    own = _sharpness(cutout[..., :3], cutout[..., 3] > 0.5)
    if finish.edges is not None and own is not None and finish.edges > own:
        width = min(math.sqrt(finish.edges**2 - own**2), SOFTEST)
        cutout = cv2.GaussianBlur(cutout, (0, 0), width, borderType=cv2.BORDER_CONSTANT)
    more = finish.noise**2 - _noise(cutout[..., :3], cutout[..., 3] > 0.98) ** 2
    grain = min(math.sqrt(max(more, 0.0)), GRAIN)
    opacity = cutout[..., 3:]
    noisy = cutout[..., :3] + grain * opacity * rng.standard_normal(cutout[..., :3].shape, np.float32)
    return np.concatenate([noisy.clip(0, opacity), opacity], 2).astype(np.float32)


def ground_shadow(opacity: Plane, size: tuple[int, int], corner: tuple[int, int], side: float) -> Plane:
    """The soft shadow (H, W), 0…1, of a thing that stands on the ground.

    Args:
        opacity: (h, w), of the thing.
        size: height and width of the picture.
        corner: row and column where the thing's first pixel lies.
        side: -1…1, which side more light comes from.
    """
    import cv2

    height, width = opacity.shape
    top, left = corner
    feet, lean = top + height, -ASLANT * side
    flat = np.array([[1, -lean, left + lean * height], [0, FLAT, feet - FLAT * height]])
    lying = cv2.warpAffine(opacity, flat, (size[1], size[0]), flags=cv2.INTER_LINEAR)
    soft = cv2.GaussianBlur(lying, (0, 0), max(0.8, 0.035 * height))
    below = opacity[-max(1, height // 12) :].max(0)
    touched = np.flatnonzero(below > 0.5)
    if not len(touched):
        return np.asarray(0.6 * soft)
    centre = (round(left + (touched[0] + touched[-1]) / 2), feet - 1)
    reach = max(1, round(0.55 * (touched[-1] - touched[0] + 1))), max(1, round(RESTING * width))
    line = cv2.ellipse(np.zeros(size, np.float32), centre, reach, 0, 0, 360, 1.0, -1)
    return np.asarray(np.maximum(0.6 * soft, cv2.GaussianBlur(line, (0, 0), max(0.8, 0.025 * height))))


def drop_shadow(opacity: Plane, size: tuple[int, int], corner: tuple[int, int], side: float) -> Plane:
    """The soft shadow (H, W), 0…1, of a thing that lies close before a wall; arguments as of :func:`ground_shadow`."""
    import cv2

    reach = 0.03 * max(opacity.shape)
    moved = np.array([[1, 0, corner[1] - side * reach], [0, 1, corner[0] + reach]])
    plane = cv2.warpAffine(opacity, moved, (size[1], size[0]), flags=cv2.INTER_LINEAR)
    return np.asarray(0.8 * cv2.GaussianBlur(plane, (0, 0), max(0.8, reach)))


def laid(picture: Plane, cutout: Plane, corner: tuple[int, int]) -> Plane:
    """A picture with a cut-out on it, at a row and a column; what lies outside is not seen."""
    top, left = corner
    inside, part = _shared(picture.shape[:2], cutout.shape[:2], top, left)
    made = picture.copy()
    made[inside] = picture[inside] * (1 - cutout[part][..., 3:]) + cutout[part][..., :3]
    return made


def opacity_in(size: tuple[int, int], opacity: Plane, corner: tuple[int, int]) -> Plane:
    """The opacity (h, w) of a thing in a whole picture (H, W) of this size."""
    made = np.zeros(size, np.float32)
    inside, part = _shared(size, opacity.shape, *corner)
    made[inside] = opacity[part]
    return made


def _shared(size: tuple[int, ...], own: tuple[int, ...], top: int, left: int) -> tuple[Any, Any]:
    """What of a thing is inside a picture: the place in the picture, and that in the thing."""
    rows = max(top, 0), min(top + own[0], size[0])
    columns = max(left, 0), min(left + own[1], size[1])
    inside = slice(rows[0], max(rows)), slice(columns[0], max(columns))
    part = slice(rows[0] - top, max(rows) - top), slice(columns[0] - left, max(columns) - left)
    return inside, part


def _sharpness(picture: Plane, seen: Plane | None = None) -> float | None:
    """Width in px of the sharper edges of a picture; None where there are too few."""
    widths = edge_widths(_luma(picture), seen)
    return float(np.percentile(widths, 25)) if len(widths) >= FEWEST else None


def _noise(picture: Plane, seen: Plane | None = None) -> float:
    """Standard deviation of the noise of a picture, from its calmer quarter; 0 where it cannot be told."""
    x = torch.from_numpy(picture).permute(2, 0, 1)[None]
    value = float(by_laplacians(x, None if seen is None else torch.from_numpy(seen)[None])[0])
    return value if math.isfinite(value) else 0.0


def _luma(picture: Plane) -> Plane:
    found = luma(torch.from_numpy(np.ascontiguousarray(picture, np.float32)).permute(2, 0, 1)[None])
    return found.reshape(picture.shape[:2]).numpy()


__all__ = [
    "Finish",
    "Light",
    "as_seen_in",
    "drop_shadow",
    "finish_of",
    "ground_shadow",
    "in_light",
    "laid",
    "light_of",
    "opacity_in",
    "sky_in",
    "turned",
]
