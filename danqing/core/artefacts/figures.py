"""What an analysis finds: numbers, and a picture to look at."""

from __future__ import annotations

from typing import Any, NamedTuple

from danqing.core.pictures.contract import Images


class Figures(NamedTuple):
    """What an analysis returns: one dictionary of JSON values a picture, and a picture or plot to look at.

    ``picture`` is (B, C, H', W') or None where there is nothing to see.
    """

    numbers: list[dict[str, Any]]
    picture: Images | None = None
