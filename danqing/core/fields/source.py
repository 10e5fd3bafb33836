"""Sets of pictures."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar

from danqing.core.fields.text import TextKind
from danqing.core.pictures.state import state_of


class SourceKind(TextKind):
    """A set of pictures: a folder, a zip, shards, or the name of a built-in set."""

    noun: ClassVar[str] = "a set of pictures"
    metavar: ClassVar[str] = "PICTURES"
    widget: ClassVar[str] = "dataset"
    leads: ClassVar[bool] = True
    opens: ClassVar[bool] = True

    def state(self, value: Any, without: Sequence[Path] = ()) -> str | None:
        if os.path.exists(value):
            return state_of(Path(value), without)
        return "" if re.fullmatch(r"[\w-]*", value) else None  # several shards, or an address


Source = Annotated[str, SourceKind()]

__all__ = ["Source", "SourceKind"]
