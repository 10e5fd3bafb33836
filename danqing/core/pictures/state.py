"""Whether what a place holds is what it held: a folder of pictures has no hash that a recipe could name."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from danqing.core.disk import sampled
from danqing.core.pictures.listing import files_in


def state_of(place: Path) -> str:
    """A digest of the names of all files in a folder and of what stands at many places in each; or of one file.

    Where it lies, and when it was put there, do not count.

    Raises:
        DataError: if the folder cannot be searched.
    """
    if not place.is_dir():
        return sampled(place)
    found = [(each.name, sampled(each.file)) for each in files_in(place).found]
    return hashlib.sha256(json.dumps(sorted(found)).encode("utf-8", "surrogateescape")).hexdigest()


__all__ = ["state_of"]
