"""How long a side each format holds."""

from __future__ import annotations

from pathlib import Path

from danqing.core.errors import OutputError

LONGEST = {"JPEG": 65_500, "WEBP": 16_383, "GIF": 65_535, "AVIF": 32_768, "MP4": 16_384}  # px, as others can read it
ROOMY = "PNG or TIFF"


def check_sides(kind: str, width: int, height: int, file: str | Path) -> None:
    """Refuse a picture that is too wide or too high for a format.

    Raises:
        OutputError: if it is.
    """
    longest = LONGEST.get(kind)
    if longest is not None and max(width, height) > longest:
        what = f"cannot hold {width} x {height} px: {kind} ends at {longest:,} px a side"
        remedy = f"Make it smaller with resize, or use {ROOMY}" if kind != "MP4" else "Make the frames smaller"
        raise OutputError(what, where=file, remedy=remedy)


__all__ = ["check_sides"]
