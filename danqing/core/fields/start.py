"""Where in latent space to start: latents kept in a file, or a numbered picture of a seed."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar, NamedTuple

from danqing.core.fields.kind import Kind
from danqing.core.fields.seed import LARGEST
from danqing.core.learned.kept import Latents

PLACE = re.compile(r"(\d{1,19})(?::(\d{1,19})(?::(.+))?)?", re.DOTALL)


class Place(NamedTuple):
    """A picture that ``generate`` paints.

    Attributes:
        seed: of the pictures.
        number: which of them.
        label: its class, by name or number; None: as the seed draws it.
    """

    seed: int = 0
    number: int = 0
    label: str | None = None


class StartKind(Kind):
    """A numbered picture, as SEED, SEED:NUMBER or SEED:NUMBER:CLASS, or a file of latents that ``project`` wrote."""

    noun: ClassVar[str] = "a file of latents, or SEED:NUMBER such as 7:12 (or 7:12:CLASS)"
    metavar: ClassVar[str] = "START"
    widget: ClassVar[str] = "text"
    reads: ClassVar[bool] = True
    opens: ClassVar[bool] = True

    def check(self, value: Any, name: str) -> Place | Latents:
        if isinstance(value, Place | Latents):
            return value
        if not isinstance(value, str | Path):
            raise self.refuse(value, name)
        found = PLACE.fullmatch(str(value))
        if found is None:
            return Latents.read(value)
        place = Place(int(found[1]), int(found[2] or 0), found[3])
        if max(place.seed, place.number) > LARGEST:
            raise self.refuse(value, name)
        return place

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": "^[0-9]{1,19}(:[0-9]{1,19}(:.+)?)?$"}

    def spelt(self, value: Any) -> str:
        return self.plain(value)

    def plain(self, value: Any) -> str:
        if isinstance(value, Latents):
            return f"latents of {value.family} {value.model}"
        words = value if isinstance(value, str) else ":".join(str(each) for each in value if each is not None)
        return words

    def names_file(self, value: Any) -> bool:
        return isinstance(value, str | Path) and not PLACE.fullmatch(str(value))

    def may_open(self, value: Any) -> bool:
        return self.names_file(value)

    def load(self, file: Path, most: int | None) -> Any:
        return Latents.read(file)

    def draw(self, rng: random.Random) -> Any:
        return Place(rng.randrange(1000), rng.randrange(100), rng.choice([None, "two"]))

    def misfits(self) -> Iterator[Any]:
        yield from ("no such file", "1:", str(LARGEST + 1), 3.5, object())


Start = Annotated[Place | Latents, StartKind()]

__all__ = ["Place", "Start", "StartKind"]
