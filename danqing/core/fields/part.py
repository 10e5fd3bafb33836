"""Weights that become a part of a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from danqing.core.fields.origin import OriginKind


class PartKind(OriginKind):
    """Weights that a new model takes as a part of itself; of a model that has them, what it tells of them."""

    noun: ClassVar[str] = "weights, or what a model tells of those it holds"

    def check(self, value: Any, name: str) -> Any:
        return value if isinstance(value, Mapping) and "family" in value else super().check(value, name)

    def spelt(self, value: Any) -> str:
        return str(value.get("file", "")) if isinstance(value, Mapping) else str(value)


Part = Annotated[str | Mapping[str, Any], PartKind()]

__all__ = ["Part", "PartKind"]
