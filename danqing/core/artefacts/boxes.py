"""What was found in pictures: boxes, labels, scores, key points and masks; drawn in, with the numbers beside."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch

from danqing.core.artefacts.artefact import Artefact, Part
from danqing.core.artefacts.figures import Figures
from danqing.core.artefacts.pictures import Pictures, noise
from danqing.core.artefacts.saving import Saving, Take
from danqing.core.pictures.contract import Images
from danqing.core.pictures.found import Found, Spot, Thing, to_json
from danqing.core.pictures.marking import marked
from danqing.core.pictures.names import fitting


@dataclass(frozen=True)
class Boxes(Figures):
    """Figures that say what is where, one :class:`Found` a picture; its file is what ``--boxes`` takes elsewhere.

    Attributes:
        found: the same as :attr:`numbers`, as values of Python.
    """

    found: tuple[Found, ...] = ()

    noun: ClassVar[str] = "what was found"
    tells: ClassVar[bool] = False
    forgets: ClassVar[bool] = False
    place: ClassVar[str] = "Write the picture with what was found drawn in here, and a .json beside it; or that alone."

    @classmethod
    def in_pictures(cls, x: Images, found: Sequence[Found]) -> Boxes:
        """What was found in pictures (B, C, H, W), with all of it drawn in."""
        drawn = [marked(picture, each) for picture, each in zip(x.split(1), found, strict=True)]
        return cls([to_json(each) for each in found], torch.cat(drawn), found=tuple(found))

    @classmethod
    def suffix(cls, values: dict[str, Any], source: Path | None) -> str:
        return ".png"

    @classmethod
    def beside(cls, target: Path) -> list[tuple[Take, Path]]:
        return [] if target.suffix.lower() == ".json" else [(None, target.with_name(fitting(target.stem, ".json")))]

    def parts(self, target: Path, saving: Saving, numbered: bool = False) -> list[Part]:
        if target.suffix.lower() == ".json" or self.picture is None:
            return [Part(self, target)]
        return [
            *Pictures(self.picture).parts(target, saving),
            Part(self, target.with_name(fitting(target.stem, ".json"))),
        ]

    @classmethod
    def draw(cls, rng: random.Random) -> Artefact:
        left, top = rng.uniform(0, 5), rng.uniform(0, 5)
        spot = Spot("left eye", left + 1, top + 1, 0.5)
        mask = torch.rand(12, 17, generator=torch.Generator().manual_seed(rng.getrandbits(32))) < 0.5
        thing = Thing("猫", (left, top, left + rng.uniform(1, 5), top + 3), rng.random(), (spot,), mask)
        return cls.in_pictures(noise(rng, 1), [Found(17, 12, (thing,))])

    def words(self) -> list[str]:
        if len(self.found) != 1:
            return [f"picture {at}: {_counted(each)}" for at, each in enumerate(self.found, 1)]
        things = self.found[0].things
        return [_line(thing) for thing in things] or ["nothing was found"]


def _line(thing: Thing) -> str:
    left, top, right, bottom = (round(each) for each in thing.box)
    points = f", {len(thing.points)} points" if thing.points else ""
    return f"{thing.label} {thing.score:.0%} at {left},{top} to {right},{bottom}{points}"


def _counted(found: Found) -> str:
    labels = [thing.label for thing in found.things]
    return ", ".join(f"{labels.count(label)} × {label}" for label in dict.fromkeys(labels)) or "nothing was found"


__all__ = ["Boxes"]
