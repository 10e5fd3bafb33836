"""Pictures, one a file or all on one sheet."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, get_args, get_origin

import torch
from torch import Tensor

from danqing.core.artefacts.artefact import Artefact, Part, kinds, numbered_name
from danqing.core.artefacts.saving import NEARLY_SQUARE, Saving
from danqing.core.errors import DanqingError
from danqing.core.pictures.contract import Images, Picture
from danqing.core.pictures.header import recipe_of
from danqing.core.pictures.reading import read
from danqing.core.pictures.sheet import contact_sheet, near_square
from danqing.core.pictures.writing import check_format, write
from danqing.core.recipe import Recipe

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".avif")  # with a recipe inside: no BMP
ANY_SIZE = 2**62


@dataclass(frozen=True)
class Pictures(Artefact):
    """Pictures (B, C, H, W): what a function that returns ``Images`` or ``Mask`` makes."""

    x: Images

    noun: ClassVar[str] = "a picture"
    suffixes: ClassVar[tuple[str, ...]] = SUFFIXES
    gathers: ClassVar[bool] = True
    lives: ClassVar[bool] = True
    options: ClassVar[tuple[str, ...]] = ("depth", "quality")
    place: ClassVar[str] = "Write the picture here; the suffix says the format."

    @classmethod
    def means(cls, hint: Any) -> bool:
        return hint is Tensor or (get_origin(hint) is Annotated and get_args(hint)[0] is Tensor)

    @classmethod
    def of(cls, value: Any) -> Artefact:
        return cls(value)

    @classmethod
    def suffix(cls, values: dict[str, Any], source: Path | None) -> str:
        kept = source is not None and source.suffix.lower() in SUFFIXES
        return source.suffix if source is not None and kept else SUFFIXES[0]

    @classmethod
    def check_place(cls, file: Path, saving: Saving, values: dict[str, Any]) -> None:
        check_format(file, saving.depth)

    def parts(self, target: Path, saving: Saving, numbered: bool = False) -> list[Part]:
        if saving.columns:
            count, _, height, width = self.x.shape
            columns = near_square(count, height, width) if saving.columns == NEARLY_SQUARE else saving.columns
            return [Part(Pictures(contact_sheet(self.x, columns)), target, "grid")]
        if len(self.x) == 1 and not numbered:
            return [Part(self, target)]
        return [Part(Pictures(each), numbered_name(target, at), at) for at, each in enumerate(self.x.split(1))]

    def write(self, file: Path, recipe: Recipe, saving: Saving, like: Picture | None = None) -> Artefact:
        picture = Picture(self.x) if like is None else replace(like, pixels=self.x)
        depth = saving.depth or (like.depth if like is not None else None)
        write(picture, file, depth=depth, quality=saving.quality, recipe=recipe, force=saving.force)
        return self

    @classmethod
    def read_recipe(cls, file: Path) -> Recipe | None:
        return recipe_of(file)

    @classmethod
    def same(cls, one: Path, other: Path) -> bool:
        first, second = read(one, limit=ANY_SIZE), read(other, limit=ANY_SIZE)
        if first.pixels.shape != second.pixels.shape or (first.alpha is None) != (second.alpha is None):
            return False
        same_alpha = first.alpha is None or second.alpha is None or first.alpha.equal(second.alpha)
        return first.pixels.equal(second.pixels) and same_alpha

    @classmethod
    def is_whole(cls, file: Path) -> bool:
        """Whether it can be read to its end; a TIFF may be cut behind its pixels, where its recipe was."""
        try:
            return read(file, limit=ANY_SIZE).recipe is not None
        except DanqingError:
            return False

    @classmethod
    def draw(cls, rng: random.Random) -> Artefact:
        return cls(noise(rng, 1))

    def shown(self) -> Images:
        return self.x

    def thumbnail(self) -> Images:
        return self.x[:1]


def recipe_in(file: Path) -> Recipe | None:
    """Read the recipe that a file of danqing carries, told by its suffix, else as a picture's; None if it has none.

    Raises:
        UserError: if the file cannot be read, or its recipe is damaged or too new.
    """
    kind = next((kind for kind in kinds() if file.suffix.lower() in kind.suffixes), Pictures)
    return kind.read_recipe(file)


def noise(rng: random.Random, count: int) -> Images:
    """Pictures (N, 3, 12, 17) of noise, for tests."""
    return torch.rand(count, 3, 12, 17, generator=torch.Generator().manual_seed(rng.getrandbits(32)))


__all__ = ["Pictures", "noise", "recipe_in"]
