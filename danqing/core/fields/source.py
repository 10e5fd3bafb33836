"""Sets of pictures."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from danqing.core.fields.text import TextKind
from danqing.core.pictures.state import state_of


@dataclass(frozen=True)
class SourceKind(TextKind):
    """A set of pictures: a folder, a zip, shards, or the name of a built-in set.

    Attributes:
        has_files: whether it must have files of its own, as a built-in set has none.
    """

    has_files: bool = False

    noun: ClassVar[str] = "a set of pictures"
    metavar: ClassVar[str] = "PICTURES"
    leads: ClassVar[bool] = True
    opens: ClassVar[bool] = True

    @property
    def widget(self) -> str:  # type: ignore[override]  # which sets a page offers depends on the one at hand
        """A control that offers sets, or only those of files."""
        return "folder" if self.has_files else "dataset"

    def state(self, value: Any, without: Sequence[Path] = ()) -> str | None:
        if os.path.exists(value):
            return state_of(Path(value), without)
        return "" if re.fullmatch(r"[\w-]*", value) else None  # several shards, or an address


Source = Annotated[str, SourceKind()]
Files = Annotated[str, SourceKind(has_files=True)]

__all__ = ["Files", "Source", "SourceKind"]
