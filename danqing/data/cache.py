"""Where what was computed once is kept: packed pictures and preflight reports."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path


def cached(kind: str, spec: str | Path, key: Any) -> Path:
    """Give the place for something computed from a picture set, in $DANQING_CACHE, else where the system keeps caches.

    Args:
        kind: what is kept: "packs", "checks".
        spec: what the user called the set, for a name that people recognise.
        key: JSON values that decide the content.
    """
    named = os.environ.get("DANQING_CACHE")
    root = Path(named) if named else user_cache_path("danqing", appauthor=False)
    label = re.sub(r"[^\w.-]+", "_", Path(spec).name)[-40:]
    return root / kind / f"{label}-{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:16]}"
