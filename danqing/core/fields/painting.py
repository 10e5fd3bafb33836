"""Pictures whose look is wanted, not what they show."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from danqing.core.fields.kind import Kind
from danqing.core.fields.pictures import PicturesKind
from danqing.core.pictures.contract import Images


class PaintingKind(PicturesKind):
    """A picture to be like: named by an option even where it is required, lest it be taken for one to work on."""

    noun: ClassVar[str] = "a painting"
    metavar: ClassVar[str] = "PAINTING"
    leads: ClassVar[bool] = False

    @classmethod
    def of(cls, hint: Any, marks: tuple[Any, ...]) -> Kind | None:
        return None  # it is said by its own mark only


Painting = Annotated[Images, PaintingKind()]

__all__ = ["Painting", "PaintingKind"]
