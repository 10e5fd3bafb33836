"""Colour profiles: turn a picture's own colours into sRGB, at 8 bits through LittleCMS, at 16 bits by formula."""

from __future__ import annotations

import functools
import io
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

# The colorants of sRGB adapted to D50, as columns: what its own profile holds (ICC.1:2022, IEC 61966-2-1).
SRGB_TO_XYZ = np.array(
    [[0.43606567, 0.38514709, 0.14306641], [0.22248840, 0.71687317, 0.06060791], [0.01391602, 0.09707642, 0.71409607]]
)
Floats = NDArray[np.float32]


def to_srgb(picture: Image.Image, icc: bytes) -> Image.Image:
    """Convert the colours of an 8-bit picture (L, RGB, CMYK) from its profile to sRGB; L stays L.

    Raises:
        ValueError: if the profile is broken or describes other channels than the picture has.
    """
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        space = profile.profile.xcolor_space.strip()
        if picture.mode == "L" and space == "RGB":  # a grey picture under the profile of its colour original
            return to_srgb(picture.convert("RGB"), icc).getchannel("G")
        if {"GRAY": "L"}.get(space, space) != picture.mode:
            raise ValueError(f"it is for {space} colours, the picture has {picture.mode}")
        transform = _transform(profile, picture.mode, "RGB")
        if space == "RGB" and _moves_nothing(transform):
            return picture
        out = transform.apply(picture)
        return out.getchannel("G") if picture.mode == "L" else out
    except (ImageCms.PyCMSError, OSError, TypeError) as error:
        raise ValueError(str(error)) from error


def lab_to_srgb(picture: Image.Image) -> Image.Image:
    """Convert an 8-bit L*a*b* picture to sRGB."""
    return _transform(ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")), "LAB", "RGB").apply(picture)


def deep_to_srgb(pixels: Floats, icc: bytes) -> Floats:
    """Convert 16-bit colours (H, W, C) in [0, 1] from their profile to sRGB; for matrix and grey profiles.

    Raises:
        ValueError: if the profile is broken, or works by a table.

    Source: ICC.1:2022, F.3 (three-component matrix-based profiles) and F.2 (monochrome); IEC 61966-2-1.
    """
    tags = _tags(icc)
    space = icc[16:20].decode("ascii", "replace").strip()
    if pixels.shape[-1] == 1 and space == "GRAY":
        return _encode(_curve(tags["kTRC"], pixels))
    if space != "RGB":
        raise ValueError(f"it is for {space} colours, the picture has {pixels.shape[-1]} channels")
    if not {"rXYZ", "gXYZ", "bXYZ", "rTRC", "gTRC", "bTRC"} <= tags.keys():
        raise ValueError("it has no matrix")
    colour = np.broadcast_to(pixels, (*pixels.shape[:2], 3))
    linear = np.stack([_curve(tags[f"{name}TRC"], colour[..., at]) for at, name in enumerate("rgb")], axis=-1)
    matrix = np.stack([_xyz(tags[f"{name}XYZ"]) for name in "rgb"], axis=1)
    out = _encode(linear @ (np.linalg.inv(SRGB_TO_XYZ) @ matrix).T.astype(np.float32))
    return out[..., 1:2] if pixels.shape[-1] == 1 else out


@functools.cache
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _transform(profile: Any, source: str, target: str) -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(
        profile,
        _srgb(),
        source,
        target,
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )


def _moves_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether a profile is sRGB by another name: then not even the rounding may touch the picture."""
    levels = np.arange(0, 256, 15, dtype=np.uint8)
    probe = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(len(levels), -1, 3)
    moved = np.asarray(transform.apply(Image.fromarray(probe))).astype(int) - probe
    return bool(np.abs(moved).max() <= 1)


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
    return np.array(struct.unpack(">3i", tag[8:20])) / 65536


def _curve(tag: bytes, x: Floats) -> Floats:
    """Apply a tone curve (curveType, parametricCurveType: ICC.1:2022, 10.6 and 10.18)."""
    if tag[:4] == b"curv":
        count = struct.unpack_from(">I", tag, 8)[0]
        values = np.frombuffer(tag, ">u2", count, 12).astype(np.float32)
        if count == 0:
            return x
        if count == 1:
            return x ** np.float32(values[0] / 256)
        return np.interp(x, np.linspace(0, 1, count), values / 65535).astype(np.float32)
    if tag[:4] != b"para":
        raise ValueError("its tone curve is of an unknown type")
    kind = struct.unpack_from(">H", tag, 8)[0]
    if kind > 4:
        raise ValueError("its tone curve is of an unknown type")
    g, *rest = np.array(struct.unpack_from(f">{(1, 3, 4, 5, 7)[kind]}i", tag, 12)) / 65536
    a, b, c, d, e, f = _seven(kind, rest)
    return np.where(x >= d, np.maximum(a * x + b, 0) ** g + e, c * x + f).astype(np.float32)


def _seven(kind: int, rest: list[float]) -> tuple[float, ...]:
    """Bring the five kinds of parametric curve to the longest: (ax + b)^g + e from d on, cx + f below."""
    if kind == 0:
        return 1, 0, 0, 0, 0, 0
    a, b = rest[:2]
    if kind < 3:
        constant = rest[2] if kind == 2 else 0.0
        return a, b, 0, -b / a, constant, constant
    c, d = rest[2:4]
    return a, b, c, d, *(rest[4:6] if kind == 4 else (0.0, 0.0))


def _encode(linear: Floats) -> Floats:
    linear = np.clip(linear, 0, 1)
    curved = 1.055 * linear ** np.float32(1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, 12.92 * linear, curved).astype(np.float32)
