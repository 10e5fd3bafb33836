"""Whether what a place holds is what it held: a folder of pictures has no hash that a recipe could name."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

from danqing.core.disk import sampled
from danqing.core.pictures.listing import files_in


def state_of(place: Path, without: Sequence[Path] = ()) -> str:
    """A digest of the names of all files in a folder and of what stands at many places in each; or of one file.

    Where it lies, and when it was put there, do not count.

    Args:
        place: the folder or file.
        without: files in it that do not count.

    Raises:
        DataError: if the folder cannot be searched.
    """
    if not place.is_dir():
        return sampled(place)
    apart = set(map(os.path.realpath, without))
    files = (each for each in files_in(place).found if os.path.realpath(each.file) not in apart)
    found = [(each.name, sampled(each.file)) for each in files]
    return hashlib.sha256(json.dumps(sorted(found)).encode("utf-8", "surrogateescape")).hexdigest()


__all__ = ["state_of"]
