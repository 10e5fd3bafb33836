"""Colours into sRGB: by formula where a profile is a matrix or a curve, through LittleCMS where it works by tables.

Source: ICC.1:2022, F.2 (monochrome), F.3 (three components, matrix); IEC 61966-2-1 (sRGB); ITU-T H.273 (coded colours).
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Space = Literal["GRAY", "RGB", "CMYK", "LAB"]
Convert = Callable[[Floats], Floats]
# The colorants of sRGB adapted to D50, as columns: what its own profile holds.
SRGB_TO_XYZ = np.array(
    [[0.43606567, 0.38514709, 0.14306641], [0.22248840, 0.71687317, 0.06060791], [0.01391602, 0.09707642, 0.71409607]]
)
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
# x and y of white, red, green, blue
SRGB = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
ADOBE = (0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
PRIMARIES = dict.fromkeys((1, 2), SRGB) | {
    5: (0.3127, 0.3290, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (0.3127, 0.3290, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),
    9: (0.3127, 0.3290, 0.708, 0.292, 0.17, 0.797, 0.131, 0.046),
    12: (0.3127, 0.3290, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
}
GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0}
LIKE_SRGB = (1, 2, 6, 13, 14, 15)  # transfer functions that are shown as sRGB is
BAND = 1 << 18  # pixels that are converted at once, so that memory stays small


def by_profile(pixels: Floats, icc: bytes, space: Space) -> Floats:
    """Convert colours (H, W, C) in [0, 1] from their profile to sRGB; grey stays grey, sRGB stays as it is.

    Raises:
        ValueError: if the profile is broken, or describes other channels than the picture has.
    """
    found = icc[16:20].decode("latin-1").strip()
    if found != space and not (found == "RGB" and space == "GRAY"):  # grey under the profile of its colour original
        raise ValueError(f"it is for {found} colours, the picture has {space}")
    tags = _tags(icc)
    if found == "GRAY" and "kTRC" in tags:
        grey = _curve(tags["kTRC"])
        light = _of_lightness if icc[20:24] == b"Lab " else _as_it_is
        return _unless_idle(pixels, lambda x: encoded(light(grey(x))))
    if {"rXYZ", "gXYZ", "bXYZ", "rTRC", "gTRC", "bTRC"} <= tags.keys() and "A2B0" not in tags:
        convert = _by_matrix(tags)
    else:
        convert = functools.partial(_by_littlecms, icc=icc, space=found)
    return _unless_idle(pixels, _on_grey(convert) if space == "GRAY" and found == "RGB" else convert)


def by_primaries(pixels: Floats, chromaticities: tuple[float, ...] = SRGB, gamma: float | None = None) -> Floats:
    """Convert colours (H, W, 1 or 3) told by the places of their primaries, and a gamma, to sRGB.

    Args:
        pixels: colours in [0, 1].
        chromaticities: x and y of white, red, green and blue.
        gamma: linear light is the value to this power; None: sRGB's own curve.
    """
    matrix = (np.linalg.inv(_to_xyz(SRGB)) @ _to_xyz(chromaticities)).T.astype(np.float32)

    def convert(x: Floats) -> Floats:
        linear: Floats = decoded(x) if gamma is None else x ** np.float32(gamma)
        return encoded(linear @ matrix if x.shape[-1] == 3 else linear)

    return _unless_idle(pixels, convert)


def by_code(pixels: Floats, primaries: int, transfer: int) -> Floats:
    """Convert colours told by code points (cICP chunk of PNG, nclx box of AVIF) to sRGB.

    Raises:
        ValueError: if they are of a kind that has no place in [0, 1], such as high dynamic range.
    """
    if transfer not in GAMMAS and transfer not in LIKE_SRGB:
        kind = {16: "PQ", 18: "HLG"}.get(transfer)
        raise ValueError(f"high dynamic range ({kind})" if kind else f"transfer function {transfer}")
    if primaries not in PRIMARIES:
        raise ValueError(f"colour primaries {primaries}")
    return by_primaries(pixels, PRIMARIES[primaries], GAMMAS.get(transfer))


def lab_to_srgb(lab: Floats) -> Floats:
    """Convert L*a*b* (0…100, and a, b around 0) under D50 to sRGB (CIE 15:2004, 8.2.1)."""

    def convert(x: Floats) -> Floats:
        fy = (x[..., :1] + 16) / 116
        f = np.concatenate([fy + x[..., 1:2] / 500, fy, fy - x[..., 2:] / 200], axis=-1)
        xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * np.array([0.9642, 1, 0.8249], np.float32)
        return encoded((xyz @ np.linalg.inv(SRGB_TO_XYZ).T).astype(np.float32))

    return _banded(lab, convert)


def ink_to_srgb(ink: Floats) -> Floats:
    """Convert cyan, magenta, yellow and black without a profile: each takes its share of the light."""
    return (1 - ink[..., :3]) * (1 - ink[..., 3:])


def encoded(linear: Floats) -> Floats:
    """Linear light to sRGB values (IEC 61966-2-1)."""
    linear = np.clip(linear, 0, 1)
    curved = np.float32(1.055) * linear ** np.float32(1 / 2.4) - np.float32(0.055)
    return np.where(linear <= 0.0031308, np.float32(12.92) * linear, curved)


def decoded(x: Floats) -> Floats:
    """SRGB values to linear light (IEC 61966-2-1)."""
    curved = ((x + np.float32(0.055)) / np.float32(1.055)) ** np.float32(2.4)
    return np.where(x <= 0.04045, x / np.float32(12.92), curved)


def _unless_idle(pixels: Floats, convert: Convert) -> Floats:
    """Convert, unless that is sRGB by another name: then not even the rounding may touch the picture."""
    levels: Floats = np.arange(0, 256, 15, dtype=np.float32) / np.float32(255)
    probe: Floats = np.stack(np.meshgrid(*[levels] * pixels.shape[-1]), axis=-1).reshape(
        len(levels), -1, pixels.shape[-1]
    )
    if pixels.shape[-1] != 4 and np.abs(convert(probe) - probe).max() <= 1 / 255:
        return pixels
    return _banded(pixels, convert)


def _as_it_is(x: Floats) -> Floats:
    return x


def _of_lightness(x: Floats) -> Floats:
    """Light of a lightness L* in 0…1 (CIE 15:2004, 8.2.1): what the curve of grey gives where a profile connects so."""
    f = (100 * x + 16) / 116
    return np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)).astype(np.float32)


def _on_grey(convert: Convert) -> Convert:
    """A conversion of colours, for grey that stays grey."""
    return lambda x: convert(np.broadcast_to(x, (*x.shape[:2], 3)))[..., 1:2]


def _banded(pixels: Floats, convert: Convert) -> Floats:
    rows = max(1, BAND // max(1, pixels.shape[1]))
    bands = [convert(pixels[top : top + rows]) for top in range(0, len(pixels), rows)]
    return np.concatenate(bands).astype(np.float32, copy=False)


def _to_xyz(chromaticities: tuple[float, ...]) -> NDArray[np.float64]:
    """The matrix from linear RGB to XYZ, its white adapted to that of sRGB (Bradford)."""
    white, *colours = (np.array([x / y, 1, (1 - x - y) / y]) for x, y in _pairs(chromaticities))
    columns = np.stack(colours, axis=1)
    matrix = columns * np.linalg.solve(columns, white)
    target = np.array([SRGB[0] / SRGB[1], 1, (1 - SRGB[0] - SRGB[1]) / SRGB[1]])
    adapted: NDArray[np.float64] = (
        np.linalg.inv(BRADFORD) @ np.diag((BRADFORD @ target) / (BRADFORD @ white)) @ BRADFORD @ matrix
    )
    return adapted


def _pairs(numbers: tuple[float, ...]) -> list[tuple[float, float]]:
    pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
    if any(y <= 0 for _, y in pairs):
        raise ValueError("its primaries are impossible")
    return pairs


def _by_matrix(tags: dict[str, bytes]) -> Convert:
    curves = [_curve(tags[f"{name}TRC"]) for name in "rgb"]
    columns = np.stack([_xyz(tags[f"{name}XYZ"]) for name in "rgb"], axis=1)
    matrix = (np.linalg.inv(SRGB_TO_XYZ) @ columns).T.astype(np.float32)

    def convert(x: Floats) -> Floats:
        return encoded(np.stack([curve(x[..., at]) for at, curve in enumerate(curves)], axis=-1) @ matrix)

    return convert


def _by_littlecms(x: Floats, icc: bytes, space: str) -> Floats:
    """Convert by tables, in 16 bits."""
    import imagecodecs

    words = np.ascontiguousarray(np.round(x * np.float32(65535)).astype(np.uint16))
    kinds = imagecodecs.CMS
    try:
        made = imagecodecs.cms_transform(
            words[..., 0] if words.shape[-1] == 1 else words,
            icc,
            imagecodecs.cms_profile("srgb"),
            colorspace=space.lower(),
            outcolorspace="rgb",
            intent=kinds.INTENT.RELATIVE_COLORIMETRIC,
            flags=kinds.FLAGS.BLACKPOINTCOMPENSATION,
        )
    except (imagecodecs.CmsError, TypeError) as error:
        raise ValueError(str(error)) from error
    colours: Floats = np.divide(made, np.float32(65535), dtype=np.float32)
    return colours[..., 1:2] if x.shape[-1] == 1 else colours


def _tags(icc: bytes) -> dict[str, bytes]:
    """Read the tag table of a profile (ICC.1:2022, 7.3)."""
    if len(icc) < 132 or icc[36:40] != b"acsp":
        raise ValueError("it is no ICC profile")
    count = struct.unpack_from(">I", icc, 128)[0]
    table = icc[132 : 132 + 12 * count]
    if count > 1000 or len(table) < 12 * count:
        raise ValueError("its table is damaged")
    return {
        name.decode("latin-1"): icc[offset : offset + size] for name, offset, size in struct.iter_unpack(">4sII", table)
    }


def _xyz(tag: bytes) -> NDArray[np.float64]:
    try:
        return np.array(struct.unpack(">3i", tag[8:20])) / 65536
    except struct.error as error:
        raise ValueError("its primaries are damaged") from error


def _curve(tag: bytes) -> Convert:
    """A tone curve (curveType, parametricCurveType: ICC.1:2022, 10.6 and 10.18)."""
    try:
        if tag[:4] == b"curv":
            count = struct.unpack_from(">I", tag, 8)[0]
            return _table(np.frombuffer(tag, ">u2", count, 12).astype(np.float32))
        kind = struct.unpack_from(">H", tag, 8)[0]
        if tag[:4] != b"para" or kind > 4:
            raise ValueError("its tone curve is of an unknown type")
        numbers = np.array(struct.unpack_from(f">{(1, 3, 4, 5, 7)[kind]}i", tag, 12)) / 65536
    except struct.error as error:
        raise ValueError("its tone curve is damaged") from error
    g, *rest = numbers.tolist()
    a, b, c, d, e, f = _seven(kind, rest)
    return lambda x: np.where(x >= d, np.maximum(a * x + b, 0) ** g + e, c * x + f).astype(np.float32)


def _table(values: Floats) -> Convert:
    if len(values) == 0:
        return lambda x: x
    if len(values) == 1:
        return lambda x: x ** np.float32(values[0] / 256)
    places = np.linspace(0, 1, len(values))
    return lambda x: np.interp(x, places, values / 65535).astype(np.float32)


def _seven(kind: int, rest: list[float]) -> tuple[float, ...]:
    """Bring the five kinds of parametric curve to the longest: (ax + b)^g + e from d on, cx + f below."""
    if kind == 0:
        return 1, 0, 0, 0, 0, 0
    a, b = rest[:2]
    if a == 0:
        raise ValueError("its tone curve is damaged")
    if kind < 3:
        constant = rest[2] if kind == 2 else 0.0
        return a, b, 0, -b / a, constant, constant
    c, d = rest[2:4]
    return a, b, c, d, *(rest[4:6] if kind == 4 else (0.0, 0.0))
