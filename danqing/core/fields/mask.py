"""Masks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch

from danqing.core.fields.kind import Kind
from danqing.core.fields.pictures import PicturesKind
from danqing.core.notes import note
from danqing.core.pictures.contract import Images, Mask, check_mask
from danqing.core.pictures.reading import read

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


class MaskKind(PicturesKind):
    """A mask, 1 means "here": ``Mask``; in a file, what is bright and opaque is marked."""

    noun: ClassVar[str] = "a mask"
    metavar: ClassVar[str] = "MASK"
    widget: ClassVar[str] = "mask"
    leads: ClassVar[bool] = False
    tag: ClassVar[str] = "mask"

    @classmethod
    def of(cls, hint: Any, marks: tuple[Any, ...]) -> Kind | None:
        return super().of(hint, marks)

    def check(self, value: Any, name: str) -> Mask:
        return check_mask(value, name)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "mask"}

    def load(self, file: Path, most: int | None) -> Mask:
        """Read a mask: brightness times opacity; where all that is seen is dark, opacity alone.

        Painting programs export a layer of strokes on nothing. In white they are bright where they are opaque; in black
        or a colour, opacity is all that can be meant: a mask that is dark wherever it is seen would mark nothing.
        """
        picture = read(file, limit=most)
        bright = _brightness(picture.pixels)
        if picture.alpha is None:
            return bright
        marked = bright * picture.alpha
        is_layer = bool((picture.alpha < 0.5).any()) and bool((picture.alpha > 0.5).any())
        if is_layer and not bool((bright[picture.alpha > 0.5] > 0.5).any()):
            note(f"{file}: dark strokes on transparency are taken for marks")
            return picture.alpha
        return marked

    def made_for(self, x: Images, said: Sequence[tuple[Kind, Any]]) -> Mask:
        """The brighter half, but never all, nor nothing: the second column is marked, the first is not."""
        column = torch.arange(x.shape[3])
        return ((x.mean(1, keepdim=True) > 0.5) | (column == 1)).float() * (column > 0)

    def misfits(self) -> Iterator[Any]:
        x = torch.rand(1, 1, 24, 31, generator=torch.Generator().manual_seed(0))
        yield from (x.double(), x + 1, x[0], x.repeat(1, 3, 1, 1), x * torch.nan, object())


def _brightness(x: Images) -> Mask:
    if x.shape[1] == 1:
        return x
    return (x * torch.tensor(LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True).clamp(0, 1)


__all__ = ["MaskKind"]
