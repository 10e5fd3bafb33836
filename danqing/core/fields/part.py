"""Weights that become a part of a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from danqing.core.errors import ModelFileError
from danqing.core.fields.origin import OriginKind
from danqing.core.learned.card import locate, read_card
from danqing.core.learned.families import family_named
from danqing.core.learned.model import Model
from danqing.core.learned.weights import words_for
from danqing.core.menu import families

NEW = "new"  # in place of weights: they are to be learned first


@dataclass(frozen=True)
class PartKind(OriginKind):
    """Weights that a new model takes as a part of itself, or ``new``; of a model that has them, what it tells of them.

    Attributes:
        base: what the part must be.
        pays_from: side of the pictures in pixels from which on models learn sooner with such a part than without.
    """

    base: type[Model] = Model
    pays_from: int | None = None
    noun: ClassVar[str] = "weights, or what a model tells of those it holds"
    says: ClassVar[tuple[str, ...]] = (NEW,)

    def check(self, value: Any, name: str) -> Any:
        return value if isinstance(value, Mapping) and "family" in value else super().check(value, name)

    def spelt(self, value: Any) -> str:
        return str(value.get("file", "")) if isinstance(value, Mapping) else str(value)

    def pays(self, side: int) -> bool:
        """Whether models of pictures of that side learn sooner with such a part."""
        return self.pays_from is not None and side >= self.pays_from

    @property
    def family(self) -> str:
        """The family whose weights such a part has."""
        return words_for(self.base)

    def look(self, source: str) -> None:
        """See by their card that weights are there and may be taken; they themselves are not read.

        Raises:
            ModelFileError: if there are none, or they are of another family.
        """
        if source == NEW:
            return
        file = locate(source)
        family = read_card(file).get("family")
        if family in families() and not issubclass(family_named(family), self.base):
            remedy = f"Train one on these pictures: danqing train {self.family} PICTURES"
            raise ModelFileError(f"is a {family}, not a {self.family}", where=file, remedy=remedy)


__all__ = ["NEW", "PartKind"]
