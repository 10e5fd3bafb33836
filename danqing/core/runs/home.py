"""Where the files of a recipe are: where it says, or at home, beside the file that it was found in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from danqing.core.disk import hash_of
from danqing.core.progress import Job, Progress


class Home(NamedTuple):
    """Folders that files of a recipe may lie in.

    Attributes:
        lay: where what one of its steps made lay, as the recipe tells.
        lies: where the file lies that the recipe was found in.
    """

    lay: Path
    lies: Path

    def places(self, path: str) -> Iterator[Path]:
        """Where a file may lie: where the recipe says, or beside a picture; addresses are refused on reading."""
        yield self.lay / path
        yield from dict.fromkeys(folder / Path(path).name for folder in self)

    def renamed(self, path: str, sha256: str) -> Job[Path | None]:
        """The file at home that is what a recipe means, under whatever name; files of its kind are looked at."""
        alike = sorted(file for file in self.lies.iterdir() if file.suffix.lower() == Path(path).suffix.lower())
        for at, file in enumerate(alike):
            yield Progress(at, len(alike), file.name)
            with suppress(OSError):  # what cannot be read is none
                if file.is_file() and hash_of(file) == sha256:
                    return file
        return None


def first_of(files: Iterable[Path], sha256: str) -> Path | None:
    """The first of some files that has the content of a hash."""
    return next((file for file in files if hash_of(file) == sha256), None)


__all__ = ["Home", "first_of"]
