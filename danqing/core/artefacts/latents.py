"""Points found in a model's latent space, in a file of their own, with pictures that show them beside."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import torch

from danqing.core.artefacts.artefact import Artefact, Part, plain
from danqing.core.artefacts.pictures import Pictures, noise
from danqing.core.artefacts.saving import Saving, Take
from danqing.core.learned.kept import Kept, Latents
from danqing.core.pictures.contract import Images, Picture
from danqing.core.pictures.names import fitting
from danqing.core.recipe import Recipe

SHEET = "sheet"  # the picture beside


@dataclass(frozen=True)
class FoundLatents(Artefact):
    """Points of a latent space.

    Attributes:
        kept: what goes into the file.
        sheet: a picture (1, C, H, W) that shows it, written beside; None: there is nothing to see.
        numbers: JSON values, one dictionary each.
        lines: the same for people.
        ending: of the name of the picture beside: each kind's own, since what goes with a model often has one stem.
    """

    kept: Kept
    sheet: Images | None
    numbers: list[dict[str, Any]]
    lines: list[str]

    holds: ClassVar[type[Kept]] = Latents
    noun: ClassVar[str] = "latents"
    suffixes: ClassVar[tuple[str, ...]] = (".latents",)
    ending: ClassVar[str] = "-projection.png"
    place: ClassVar[str] = "Write the latents here; a sheet that shows them goes beside."
    forgets: ClassVar[bool] = True

    @classmethod
    def beside(cls, target: Path) -> list[tuple[Take, Path]]:
        return [(SHEET, target.with_name(fitting(target.stem, cls.ending)))]

    def parts(self, target: Path, saving: Saving, numbered: bool = False) -> list[Part]:
        if self.sheet is None:
            return [Part(self, target)]
        return [Part(self, target), *(Part(Pictures(self.sheet), file, take) for take, file in self.beside(target))]

    def write(self, file: Path, recipe: Recipe, saving: Saving, like: Picture | None = None) -> Artefact:
        self.kept.write(file, recipe, saving.force)
        return self

    @classmethod
    def read_recipe(cls, file: Path) -> Recipe | None:
        return cls.holds.recipe_in(file)

    @classmethod
    def same(cls, one: Path, other: Path) -> bool:
        if one.suffix.lower() not in cls.suffixes:  # its sheet
            return Pictures.same(one, other)
        return cls.holds.read(one).same(cls.holds.read(other))

    @classmethod
    def draw(cls, rng: random.Random) -> Self:
        made = torch.randn(3, 1, 4, generator=torch.Generator().manual_seed(rng.getrandbits(32)))
        return cls(cls.holds(made, "0" * 64, "vae"), noise(rng, 1), [{"n": 3}], ["three"])

    def told(self) -> Any:
        rows = [plain(row) for row in self.numbers]
        return rows[0] if len(rows) == 1 else rows

    def words(self) -> list[str]:
        return self.lines

    def thumbnail(self) -> Images | None:
        return self.sheet


__all__ = ["FoundLatents"]
