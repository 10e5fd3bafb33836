"""Folders of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar

from danqing.core.fields.path import PathKind


class FolderKind(PathKind):
    """A folder of pictures; a page offers the sets that it knows."""

    noun: ClassVar[str] = "a folder"
    metavar: ClassVar[str] = "FOLDER"
    widget: ClassVar[str] = "folder"


Folder = Annotated[Path, FolderKind()]

__all__ = ["Folder", "FolderKind"]
