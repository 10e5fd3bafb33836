"""Colours into sRGB: by formula where a profile is a matrix or a curve, through LittleCMS where it works by tables.

Source: ICC.1:2022, F.2 (monochrome), F.3 (three components, matrix); IEC 61966-2-1 (sRGB); ITU-T H.273 (coded colours).
"""

from __future__ import annotations

import functools
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from danqing.core.pictures import icc_profile
from danqing.core.pictures.icc_profile import Convert, Floats

Space = Literal["GRAY", "RGB", "CMYK", "LAB"]
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
    tags = icc_profile.tags(icc)
    if found == "GRAY" and "kTRC" in tags:
        return _unless_idle(pixels, _grey(icc_profile.curve(tags["kTRC"]), icc[20:24]))
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
        xyz = _cubed(f) * np.array([0.9642, 1, 0.8249], np.float32)
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


def _cubed(f: Floats) -> Floats:
    """Light of what CIE 15:2004, 8.2.1, calls f: the way back from L*a*b*."""
    return np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)).astype(np.float32)


def _grey(curve: Convert, connection: bytes) -> Convert:
    """From grey by its curve, which gives light, or where a profile connects through L*a*b*, lightness."""
    if connection == b"Lab ":
        return lambda x: encoded(_cubed((np.float32(100) * curve(x) + np.float32(16)) / np.float32(116)))
    return lambda x: encoded(curve(x))


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
    curves = [icc_profile.curve(tags[f"{name}TRC"]) for name in "rgb"]
    columns = np.stack([icc_profile.xyz(tags[f"{name}XYZ"]) for name in "rgb"], axis=1)
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
