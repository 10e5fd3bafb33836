"""How long a side each format holds."""

from __future__ import annotations

from pathlib import Path

from danqing.core.errors import OutputError

LONGEST = {
    "PNG": 2**31 - 1, "JPEG": 65_500, "WEBP": 16_383, "TIFF": 2**32 - 1, "BMP": 2**31 - 1, "GIF": 65_535,
    "AVIF": 32_768, "MP4": 16_384,
}  # px, as far as other programs read it  # fmt: skip


def too_long(kind: str, width: int, height: int, file: str | Path) -> OutputError:
    """What is said of a picture with a side that a format cannot hold."""
    what = f"cannot hold {width} x {height} px: {kind} ends at {LONGEST[kind]:,} px a side"
    return OutputError(what, where=file, remedy="Make it smaller with resize, or use PNG or TIFF")


__all__ = ["LONGEST", "too_long"]
