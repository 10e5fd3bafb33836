"""Where what was computed once is kept: packed pictures and preflight reports."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from danqing.core.disk import cache_folder


def cached(kind: str, spec: str | Path, key: Any) -> Path:
    """Give the place for something computed from a picture set, in $DANQING_CACHE, else where the system keeps caches.

    Args:
        kind: what is kept: "packs", "checks".
        spec: what the user called the set, for a name that people recognise.
        key: JSON values that decide the content.
    """
    label = re.sub(r"[^\w.-]+", "_", Path(spec).name)[-40:]
    return cache_folder() / kind / f"{label}-{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:16]}"
