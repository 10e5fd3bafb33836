"""A picture as the exact bytes of a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class File(NamedTuple):
    """A picture as the exact bytes of a file; an operator returns a list of them, one a picture.

    Its form has a choice ``format``, whose values are suffixes without the dot: it names the file, and a file's name
    chooses it.

    Attributes:
        data: the file, without a recipe.
        format: the choice that was made.
        numbers: JSON values about this file.
        embedded: given what Pillow's ``save`` needs to embed a recipe, the same picture in a file that holds it; itself
            where there is no room.
    """

    data: bytes
    format: str
    numbers: dict[str, Any]
    embedded: Callable[[dict[str, Any]], File]
