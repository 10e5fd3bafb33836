"""What a training leaves: a weights file with its card, in the folder of its run."""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any, ClassVar

from danqing.core.artefacts.artefact import Artefact, plain
from danqing.core.artefacts.saving import Saving
from danqing.core.disk import replacing
from danqing.core.learned.card import bundled
from danqing.core.learned.weights import load_tensors
from danqing.core.pictures.contract import Images, Picture
from danqing.core.pictures.reading import read
from danqing.core.recipe import Recipe

TOLD = ("steps", "pictures_seen", "seconds", "alarms")  # what a person wants to know of a run that has ended


@dataclass(frozen=True)
class Trained(Artefact):
    """A trained model.

    Attributes:
        folder: of the run.
        model: the weights file; its card, not a recipe, says how it was made.
        summary: figures of the end.
    """

    folder: Path
    model: Path
    summary: dict[str, Any]

    noun: ClassVar[str] = "weights"
    suffixes: ClassVar[tuple[str, ...]] = (".safetensors",)
    place: ClassVar[str] = "Write the weights here."

    def write(self, file: Path, recipe: Recipe, saving: Saving, like: Picture | None = None) -> Artefact:
        with replacing(file, force=saving.force) as temporary:
            shutil.copyfile(self.model, temporary)
        return self

    @classmethod
    def read_recipe(cls, file: Path) -> Recipe | None:
        return None

    @classmethod
    def same(cls, one: Path, other: Path) -> bool:
        first, second = load_tensors(one)[1], load_tensors(other)[1]
        return first.keys() == second.keys() and all(first[name].equal(second[name]) for name in first)

    @classmethod
    def draw(cls, rng: random.Random) -> Artefact:
        file = rng.choice(list(bundled().values()))
        return cls(file.parent, file, {"steps": rng.randrange(1000)})

    def told(self) -> Any:
        return {"folder": str(self.folder), "model": str(self.model), "summary": plain(self.summary)}

    def words(self) -> list[str]:
        figures = [f"{name:14} {self.summary[name]}" for name in TOLD if self.summary.get(name)]
        figures += [f"! step {each['at_step']:,}: {each['words']}" for each in self.summary.get("findings", ())]
        page = self.folder / "report.html"
        look = f"look at {page}" if page.exists() else f"danqing card {quote(str(self.folder))} tells all of it"
        return [*figures, f"wrote {self.model}", look]

    def thumbnail(self) -> Images | None:
        grids = sorted((self.folder / "grids").glob("*.png"))
        return read(grids[-1]).pixels if grids else None


__all__ = ["Trained"]
