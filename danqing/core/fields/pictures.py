"""Pictures."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch

from danqing.core.fields.kind import Kind
from danqing.core.pictures.contract import Images, Tag, check_images
from danqing.core.pictures.reading import read

FILE = "a file"  # stands in tests for pictures or a mask that are made when it is known for what


class PicturesKind(Kind):
    """Pictures that keep the image contract: ``Images``; given as files, they are read."""

    noun: ClassVar[str] = "a picture"
    metavar: ClassVar[str] = "PICTURE"
    widget: ClassVar[str] = "picture"
    leads: ClassVar[bool] = True
    reads: ClassVar[bool] = True
    opens: ClassVar[bool] = True
    is_picture: ClassVar[bool] = True
    tag: ClassVar[str] = "pictures"

    @classmethod
    def of(cls, hint: Any, marks: tuple[Any, ...]) -> Kind | None:
        return cls() if Tag(cls.tag) in marks else None

    def check(self, value: Any, name: str) -> Images:
        return check_images(value, name)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "picture"}

    def names_file(self, value: Any) -> bool:
        return isinstance(value, str | Path)

    def load(self, file: Path, most: int | None) -> Any:
        return read(file, limit=most)

    def draw(self, rng: random.Random) -> Any:
        return FILE

    def made_for(self, x: Images, said: Sequence[tuple[Kind, Any]]) -> Any:
        return x.flip(3)

    def misfits(self) -> Iterator[Any]:
        x = torch.rand(1, 1, 24, 31, generator=torch.Generator().manual_seed(0))
        yield from (x.double(), x + 1, x[0], x.repeat(1, 2, 1, 1), x * torch.nan, x.numpy(), "photo.png", object())


__all__ = ["FILE", "PicturesKind"]
