"""Directions found in a model's latent space, in a file of their own, with pictures that show them beside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from danqing.core.artefacts.latents import FoundLatents
from danqing.core.learned.kept import Directions, Kept


@dataclass(frozen=True)
class FoundDirections(FoundLatents):
    """Directions of a latent space."""

    holds: ClassVar[type[Kept]] = Directions
    noun: ClassVar[str] = "directions"
    suffixes: ClassVar[tuple[str, ...]] = (".directions",)
    ending: ClassVar[str] = "-sheet.png"
    place: ClassVar[str] = "Write the directions here; a sheet that shows them goes beside."


__all__ = ["FoundDirections"]
