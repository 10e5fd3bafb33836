"""Scores as people read them: in files less is better, so that what should be more stands there negated."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

NEGATED = re.compile(r"-([A-Za-z]\w*?)(_low|_high)?")
OTHER_END = {"_low": "_high", "_high": "_low"}
WORDS = {"psnr": "PSNR, dB", "psnr_before": "PSNR before, dB"}  # of names that are none as they stand


def as_read(figures: Mapping[Any, Any]) -> dict[Any, Any]:
    """The same figures by the names and with the signs that people know; all but scores as they are."""
    return dict(_turned(name, value) for name, value in figures.items())


def _turned(name: Any, value: Any) -> tuple[Any, Any]:
    match = NEGATED.fullmatch(name) if isinstance(name, str) and isinstance(value, float) else None
    if match is None:
        return (WORDS.get(name, name) if isinstance(value, float) else name), value
    stem, end = match.groups()
    return WORDS.get(stem, stem) + OTHER_END.get(end, ""), -value


__all__ = ["as_read"]
