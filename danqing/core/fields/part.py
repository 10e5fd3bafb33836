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


@dataclass(frozen=True)
class PartKind(OriginKind):
    """Weights that a new model takes as a part of itself; of a model that has them, what it tells of them."""

    base: type[Model] = Model
    noun: ClassVar[str] = "weights, or what a model tells of those it holds"

    def check(self, value: Any, name: str) -> Any:
        return value if isinstance(value, Mapping) and "family" in value else super().check(value, name)

    def spelt(self, value: Any) -> str:
        return str(value.get("file", "")) if isinstance(value, Mapping) else str(value)

    def look(self, source: str) -> None:
        """See by their card that weights are there and may be taken; they themselves are not read.

        Raises:
            ModelFileError: if there are none, or they are of another family.
        """
        file = locate(source)
        family = read_card(file).get("family")
        if family in families() and not issubclass(family_named(family), self.base):
            wanted = words_for(self.base)
            remedy = f"Train one on these pictures: danqing train {wanted} PICTURES"
            raise ModelFileError(f"is a {family}, not a {wanted}", where=file, remedy=remedy)


__all__ = ["PartKind"]
