"""Sets of pictures."""

from __future__ import annotations

from typing import Annotated, ClassVar

from danqing.core.fields.text import TextKind


class SourceKind(TextKind):
    """A set of pictures: a folder, a zip, shards, or the name of a built-in set."""

    noun: ClassVar[str] = "a set of pictures"
    metavar: ClassVar[str] = "PICTURES"
    widget: ClassVar[str] = "dataset"
    leads: ClassVar[bool] = True
    opens: ClassVar[bool] = True


Source = Annotated[str, SourceKind()]

__all__ = ["Source", "SourceKind"]
