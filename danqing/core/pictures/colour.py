"""Which of a file's statements about its colours counts, and what they become in sRGB.

Source: PNG specification, third edition, 4.3 (cICP before iCCP before sRGB before gAMA and cHRM); DCF 2.0 (Adobe RGB by
EXIF); ISO/IEC 23000-22 and 14496-12 (the colr box of AVIF).
"""

from __future__ import annotations

import struct

import numpy as np

from danqing.core.errors import PictureError
from danqing.core.notes import note
from danqing.core.pictures import avif, exif, png, profiles
from danqing.core.pictures.header import Header
from danqing.core.pictures.icc_profile import Floats
from danqing.core.pictures.profiles import Space

SCALE = 100_000  # of the whole numbers in gAMA and cHRM
USUAL = 1 / 2.2  # gAMA of a picture that is shown as it is
NEAR = 0.05  # as libpng sees it: what differs by less is not worth a conversion
UNCALIBRATED = 65535


def to_srgb(pixels: Floats, space: Space, header: Header) -> Floats:
    """Convert colours (H, W, C) to sRGB by what their file says of them; grey stays grey.

    Raises:
        PictureError: if they have no place in [0, 1].
    """
    refusal: ValueError | None = None
    for way in (_by_code, _by_profile) if header.kind == "PNG" else (_by_profile, _by_code):
        try:
            if (made := way(pixels, space, header)) is not None:
                return made
        except ValueError as error:
            refusal = error
    if refusal is not None:
        raise PictureError(f"holds colours of an unusual kind: {refusal}", where=header.file,
                           remedy="Save it in sRGB, with 8 or 16 bits a channel") from refusal  # fmt: skip
    if space == "LAB":
        return profiles.lab_to_srgb(pixels)
    if space == "CMYK":
        return profiles.ink_to_srgb(pixels)
    if header.kind == "PNG" and b"sRGB" not in header.facts and header.icc is None:
        pixels = _by_gamma(pixels, header)
    if header.icc is None and space == "RGB" and header.exif and _is_adobe(header.exif):
        return profiles.by_primaries(pixels, profiles.ADOBE, 563 / 256)
    return pixels


def _by_profile(pixels: Floats, space: Space, header: Header) -> Floats | None:
    if header.icc is None or space == "LAB":  # which means the same everywhere
        return None
    try:
        return profiles.by_profile(pixels, header.icc, space)
    except ValueError as error:
        note(f"{header.file}: its colour profile is ignored ({error})")
        return None


def _by_code(pixels: Floats, space: Space, header: Header) -> Floats | None:
    """Convert by the cICP chunk of a PNG or the nclx box of an AVIF, whose decoder has undone its matrix and range."""
    if space not in ("RGB", "GRAY"):
        return None
    if header.kind == "AVIF":
        told = avif.code(header.stream)
        return None if told is None else profiles.by_code(pixels, *told)
    code = header.facts.get(b"cICP", b"")
    if len(code) != 4:
        return None
    primaries, transfer, matrix, is_full = code
    if matrix:
        raise ValueError(f"matrix coefficients {matrix}")
    return profiles.by_code(pixels if is_full else _widened(pixels, header), primaries, transfer)


def _widened(pixels: Floats, header: Header) -> Floats:
    """Bring the narrow range of studios, in 8 bits 16 to 235, to [0, 1] (ITU-T H.273, 8.3)."""
    bits = png.bits(header.stream)
    if bits < 8:
        raise ValueError(f"a narrow range in {bits} bits")
    step = 2 ** (bits - 8) / (2**bits - 1)
    wide: Floats = np.clip((pixels - np.float32(16 * step)) / np.float32(219 * step), 0, 1)
    return wide


def _by_gamma(pixels: Floats, header: Header) -> Floats:
    """Convert by the gAMA and cHRM chunks of a PNG."""
    gamma, places = header.facts.get(b"gAMA", b""), header.facts.get(b"cHRM", b"")
    told = struct.unpack(">I", gamma)[0] / SCALE if len(gamma) == 4 else 0.0
    power = None if told == 0 or abs(told / USUAL - 1) < NEAR else 1 / told
    chromaticities = profiles.SRGB
    if len(places) == 32:
        chromaticities = tuple(each / SCALE for each in struct.unpack(">8I", places))
    try:
        return profiles.by_primaries(pixels, chromaticities, power)
    except (ValueError, ArithmeticError) as error:
        note(f"{header.file}: what it says of its primaries is ignored ({error})")
        return profiles.by_primaries(pixels, gamma=power)


def _is_adobe(block: bytes) -> bool:
    """Whether a camera says by its EXIF that the colours are those of Adobe RGB (1998)."""
    found = exif.parse(block)
    rule = found.tags.get(exif.INTEROP, {}).get(1, exif.Value(0, b"")).data
    space = found.number(exif.COLOUR_SPACE, exif.CAMERA)
    return space == 2 or (space == UNCALIBRATED and rule.startswith(b"R03"))
