"""Pictures as the exact bytes of files."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from PIL import Image

from danqing.core.artefacts.artefact import Artefact, Part, numbered_name, plain
from danqing.core.artefacts.pictures import Pictures, noise
from danqing.core.artefacts.saving import Saving
from danqing.core.disk import replacing
from danqing.core.errors import OutputError
from danqing.core.notes import note
from danqing.core.pictures.contract import Picture, to_uint8
from danqing.core.pictures.metadata import exif_for
from danqing.core.pictures.writing import format_of, settings
from danqing.core.recipe import Recipe


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


@dataclass(frozen=True)
class Files(Artefact):
    """What a function that returns ``list[File]`` makes."""

    items: list[File]

    noun: ClassVar[str] = "a file"
    suffixes: ClassVar[tuple[str, ...]] = Pictures.suffixes
    forgets: ClassVar[bool] = True
    place: ClassVar[str] = "Write the file here; the suffix chooses the format."

    @classmethod
    def means(cls, hint: Any) -> bool:
        return bool(hint == list[File])

    @classmethod
    def of(cls, value: Any) -> Artefact:
        return cls(value)

    @classmethod
    def suffix(cls, values: dict[str, Any], source: Path | None) -> str:
        return f".{values['format']}"

    @classmethod
    def check_place(cls, file: Path, saving: Saving, values: dict[str, Any]) -> None:
        made = values["format"]
        if format_of(file) != format_of(f"file.{made}"):
            what = f"is no name for a file of the format {made}"
            raise OutputError(what, where=file, remedy=f"End the name in .{made}")

    def parts(self, target: Path, saving: Saving, numbered: bool = False) -> list[Part]:
        if len(self.items) == 1 and not numbered:
            return [Part(self, target)]
        return [Part(Files([each]), numbered_name(target, at), at) for at, each in enumerate(self.items)]

    def write(self, file: Path, recipe: Recipe, saving: Saving, like: Picture | None = None) -> Artefact:
        whole = self._with_recipe(file, recipe, like)
        with replacing(file, force=saving.force) as temporary:
            temporary.write_bytes(whole.data)
        return Files([whole])

    def as_written(self, file: Path, recipe: Recipe, like: Picture | None = None) -> Artefact:
        return Files([self._with_recipe(file, recipe, like)])

    def _with_recipe(self, file: Path, recipe: Recipe, like: Picture | None) -> File:
        """The file with the recipe and the picture's EXIF, as far as there is room."""
        picture = self.items[0]
        kind = format_of(file)
        told, block = settings(kind, recipe), b"" if like is None else exif_for(like, kind, file)
        whole = picture.embedded({**told, "exif": block} if block else told)
        if block and whole.data == picture.data:
            note(f"{file}: there was no room for EXIF")
            whole = picture.embedded(told)
        if whole.data == picture.data:
            note(f"{file}: there was no room for the recipe, so it cannot be replayed")
        return whole

    @classmethod
    def read_recipe(cls, file: Path) -> Recipe | None:
        return Pictures.read_recipe(file)

    @classmethod
    def same(cls, one: Path, other: Path) -> bool:
        return one.read_bytes() == other.read_bytes() or Pictures.same(one, other)

    @classmethod
    def is_whole(cls, file: Path) -> bool:
        return Pictures.is_whole(file)

    @classmethod
    def draw(cls, rng: random.Random) -> Artefact:
        return cls([_png(Image.fromarray(to_uint8(noise(rng, 1))[0]), {})])

    def told(self) -> Any:
        rows = [plain(each.numbers) for each in self.items]
        return rows[0] if len(rows) == 1 else rows


def _png(image: Image.Image, told: dict[str, Any]) -> File:
    """A picture as the bytes of a PNG, what Pillow is ``told`` beside its pixels included."""
    stream = io.BytesIO()
    image.save(stream, "PNG", **told)
    return File(stream.getvalue(), "png", {"bytes": stream.tell()}, lambda more: _png(image, more))


__all__ = ["File", "Files"]
