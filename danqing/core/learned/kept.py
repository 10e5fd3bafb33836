"""What was found in a model's latent space and is kept in a file: points, and directions with names."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from danqing.core.errors import ModelFileError, ParameterError
from danqing.core.learned.latent_space import LatentSpace
from danqing.core.learned.model import Model
from danqing.core.learned.numbered import SHOWN, numbered
from danqing.core.learned.weights import hash_of_tensors, load_tensors, save_tensors
from danqing.core.recipe import Recipe, from_json, to_json


def identity(model: Model) -> str:
    """Which model it is: the hash of its file, or of what it has learned where it lies in none."""
    return str(model.card.get("sha256") or hash_of_tensors(model))


@dataclass(frozen=True)
class Kept:
    """Base of what is kept of a latent space.

    Attributes:
        tensor: what was found, (N, levels, numbers).
        model: identity of the model it belongs to.
        family: of that model.
        facts: JSON values about how it was found.
    """

    tensor: Tensor
    model: str
    family: str
    facts: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, model: Model, tensor: Tensor, **facts: Any) -> Self:
        """What was found in a model's latent space."""
        return cls(tensor.detach().float().cpu().contiguous(), identity(model), model.family, facts)

    def check(self, model: LatentSpace, where: str) -> Tensor:
        """What is kept, if it was found in this model.

        Raises:
            ParameterError: if it was found in another.
            ModelFileError: if it says it was found in this one, whose codes are of another shape.
        """
        assert isinstance(model, Model)
        if self.model == identity(model):
            if self.tensor.shape[1:] != model.code_shape:
                raise ModelFileError("is damaged: its numbers are not those of a latent space", where=where)
            return self.tensor
        what = f"belongs to another model, a {self.family} ({self.model[:8]}…), not to this {model.family}"
        raise ParameterError(what, where=where, remedy="Find it anew in this model, or give the model it was found in")

    def write(self, file: Path, recipe: Recipe, force: bool) -> None:
        """Write it with the recipe that found it.

        Raises:
            OutputError: if it cannot be written, or another file is there and ``force`` is off.
        """
        card = {"kind": self.kind(), "of": self.model, "family": self.family, "facts": self.facts}
        save_tensors({"found": self.tensor}, file, {**card, "recipe": to_json(recipe)}, force=force)

    @classmethod
    def kind(cls) -> str:
        """The word for it in a file's card."""
        return cls.__name__.lower()

    @classmethod
    def read(cls, file: str | Path) -> Self:
        """Read a file.

        Raises:
            ModelFileError: if it is missing, damaged, or holds something else.
        """
        if not Path(file).exists():
            raise ModelFileError(f"no such {cls.kind()} file", where=file)
        card, tensors = load_tensors(file)
        found, facts = tensors.get("found"), card.get("facts")
        if card.get("kind") != cls.kind() or found is None:
            raise ModelFileError(f"holds no {cls.kind()}, but a {card.get('kind') or 'model'}", where=file)
        if found.ndim != 3 or not found.is_floating_point() or not bool(found.isfinite().all()) or not len(found):
            raise ModelFileError("is damaged: its numbers make no sense", where=file)
        if not isinstance(facts, dict):
            raise ModelFileError("has a damaged card", where=file)
        return cls(found.float(), str(card.get("of")), str(card.get("family")), facts)

    @classmethod
    def recipe_in(cls, file: Path) -> Recipe | None:
        """The recipe in a file."""
        text = load_tensors(file)[0].get("recipe")
        return from_json(text, file) if isinstance(text, str) else None

    def same(self, other: Kept) -> bool:
        """Whether both hold the same, bit for bit."""
        return self.model == other.model and self.facts == other.facts and torch.equal(self.tensor, other.tensor)


@dataclass(frozen=True)
class Latents(Kept):
    """Points of a latent space, such as where a real picture lies: the codes of N pictures."""


@dataclass(frozen=True)
class Directions(Kept):
    """Directions in a latent space, each as long as the codes usually spread along it.

    ``facts`` holds their ``names``, one each.
    """

    @property
    def names(self) -> list[str]:
        """What the directions are called, in order."""
        names = self.facts.get("names")
        fits = isinstance(names, list) and len(names) == len(self.tensor)
        return [str(name) for name in names] if fits and names else [str(at + 1) for at in range(len(self.tensor))]

    def named(self, name: str) -> Tensor:
        """One direction (levels, numbers), by its name or its number from 1.

        Raises:
            ParameterError: if there is none.
        """
        names = self.names
        if name in names:
            return self.tensor[names.index(name)]
        if at := numbered(name, len(names) + 1):
            return self.tensor[at - 1]
        shown = ", ".join(names)
        raise ParameterError(
            f"{name[:SHOWN]!r} is no direction of this file", where="along", remedy=f"It holds {shown}"
        )


__all__ = ["Directions", "Kept", "Latents", "identity"]
