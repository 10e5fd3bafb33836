"""No path of the server stands in an answer: what lies in its folders is told by name alone."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from danqing.core.menu import PACKAGE

TEXTS = frozenset({".json", ".jsonl", ".html", ".txt", ".csv", ".md"})


class Scrub:
    """Takes the folders of a server out of what is told.

    Args:
        folders: whatever lies below them is told by the name of the file alone.
        sets: folders of pictures that people know: each is told by its name, what lies below by its name there.
    """

    def __init__(self, folders: Iterable[Path], sets: Iterable[Path] = ()) -> None:
        known = list(sets)
        self._names = {str(each): folder.name for folder in known for each in (folder, folder.resolve())}
        everywhere = [*folders, *known, PACKAGE, Path(tempfile.gettempdir()), Path.home(), Path.cwd()]
        self._place = re.compile(rf"(?:{_either(everywhere)})(?:/[^\s'\",;:()]*/|/|(?![\w.-]))")
        self._set = re.compile(rf"(?:{_either(known)})/") if known else None

    def text(self, text: str) -> str:
        """A text without places."""
        text = text if self._set is None else self._set.sub("", text)
        return self._place.sub(lambda found: self._names.get(found[0].rstrip("/"), ""), text)

    def contents(self, file: Path) -> bytes | None:
        """What stands in a file of text, without places; None: it is no text, and is told as it is."""
        if file.suffix.lower() not in TEXTS:
            return None
        return self.text(file.read_text("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")

    def __call__(self, value: Any) -> Any:
        """JSON values without places."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self(each) for each in value]
        return value


def _either(folders: Iterable[Path]) -> str:
    """A pattern of folders, however they are spelt."""
    spelt = {str(each) for folder in folders for each in (folder, folder.resolve()) if len(str(each)) > 1}
    return "|".join(re.escape(each) for each in sorted(spelt, key=len, reverse=True))


__all__ = ["Scrub"]
