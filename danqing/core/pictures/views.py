"""Further pictures in a JPEG: the other eye's, a depth map, a gain map (CIPA DC-007, "Multi-Picture Format")."""

from __future__ import annotations

import struct
from typing import Any

THUMBNAIL = "Large Thumbnail"  # how Pillow's words for a preview begin


def further_views(picture: Any) -> int:
    """How many pictures a JPEG holds behind its first; previews do not count, and an index that is broken tells none.

    Args:
        picture: Pillow's, opened.
    """
    try:
        entries = (picture._getmp() or {}).get(0xB002, [])
    except (SyntaxError, ValueError, KeyError, IndexError, TypeError, AttributeError, OSError, struct.error):
        return 0
    return sum(not str(each["Attribute"]["MPType"]).startswith(THUMBNAIL) for each in entries[1:])


__all__ = ["further_views"]
