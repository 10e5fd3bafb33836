"""JSON as it is written into files: letters as they are, and names that are no UTF-8 escaped; needs no torch."""

from __future__ import annotations

import json
import re
from typing import Any

STRAY = re.compile("[\ud800-\udfff]")  # what stands for a byte that is no UTF-8, and halves of pairs: no letters


def json_text(value: Any, **how: Any) -> str:
    """JSON text that any file can hold, and that is read back as it was.

    Args:
        value: of JSON values.
        how: what else ``json.dumps`` is told.
    """
    return STRAY.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False, **how))


__all__ = ["STRAY", "json_text"]
