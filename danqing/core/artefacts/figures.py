"""What an analysis finds: numbers, and pictures to look at."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from danqing.core.artefacts.artefact import Artefact, Part, plain
from danqing.core.artefacts.pictures import Pictures, noise
from danqing.core.artefacts.saving import Saving
from danqing.core.disk import replacing
from danqing.core.errors import OutputError, PictureError
from danqing.core.json_text import json_text
from danqing.core.pictures.contract import Images, Picture
from danqing.core.pictures.names import fitting
from danqing.core.recipe import Recipe, from_json, to_json


@dataclass(frozen=True)
class Figures(Artefact):
    """What an analysis finds.

    Attributes:
        numbers: JSON values, one dictionary a picture, or a score.
        picture: (B, C, H', W') to look at, or None where there is nothing to see.
        named: further pictures or plots (1, C, H, W) by name, which go into files of their own beside the first.
        lines: the same for people, where a table would not do.
        listed: tell a single row as a list, too.
        sound: False where what was looked at is not as it should be, so that a command's exit code says so.
    """

    numbers: list[dict[str, Any]]
    picture: Images | None = None
    named: dict[str, Images] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    sound: bool = True
    listed: bool = False

    noun: ClassVar[str] = "figures"
    suffixes: ClassVar[tuple[str, ...]] = (".json",)
    tells: ClassVar[bool] = True
    forgets: ClassVar[bool] = True
    looks: ClassVar[bool] = True
    lives: ClassVar[bool] = True
    options: ClassVar[tuple[str, ...]] = ("depth", "quality")
    place: ClassVar[str] = "Write the picture here, or the numbers if it ends in .json."

    @classmethod
    def check_place(cls, file: Path, saving: Saving, values: dict[str, Any]) -> None:
        if file.suffix.lower() != ".json":
            Pictures.check_place(file, saving, values)

    def parts(self, target: Path, saving: Saving, numbered: bool = False) -> list[Part]:
        if target.suffix.lower() == ".json":
            return [Part(self, target)]
        if self.picture is None:
            remedy = "End the name in .json"
            raise OutputError("there is no picture to write, only numbers", where=target, remedy=remedy)
        return [*Pictures(self.picture).parts(target, saving), *self.plots(target)]

    def parts_beside(self, picture: Path, saving: Saving) -> list[Part]:
        return self.plots(picture) if self.picture is None else self.parts(picture, saving)

    def plots(self, target: Path) -> list[Part]:
        """The further pictures, named after ``target``."""
        named = {name: target.with_name(fitting(target.stem, f"-{name}.png")) for name in self.named}
        return [Part(Pictures(self.named[name]), file, name) for name, file in named.items()]

    def write(self, file: Path, recipe: Recipe, saving: Saving, like: Picture | None = None) -> Artefact:
        content = {"numbers": self.told(), "recipe": json.loads(to_json(recipe))}
        with replacing(file, force=saving.force) as temporary:
            text = json_text(content, indent=2)
            temporary.write_text(text + "\n", "utf-8")
        return self

    @classmethod
    def read_recipe(cls, file: Path) -> Recipe | None:
        content = _content(file)
        if not isinstance(content, dict) or "recipe" not in content:
            return None
        return from_json(json.dumps(content["recipe"]), file)

    @classmethod
    def same(cls, one: Path, other: Path) -> bool:
        if one.suffix.lower() != ".json":
            return Pictures.same(one, other)
        return bool(numbers_in(one) == numbers_in(other))

    @classmethod
    def is_whole(cls, file: Path) -> bool:
        return super().is_whole(file) if file.suffix.lower() == ".json" else Pictures.is_whole(file)

    @classmethod
    def draw(cls, rng: random.Random) -> Artefact:
        return cls([{"value": rng.random(), "words": "丹青"}], noise(rng, 1), {"examples": noise(rng, 1)})

    def told(self) -> Any:
        rows = [plain(row) for row in self.numbers]
        return rows[0] if len(rows) == 1 and not self.listed else rows

    def words(self) -> list[str]:
        return self.lines

    def shown(self) -> Images | None:
        return self.picture

    def nbytes(self) -> int:
        return super().nbytes() + sum(each.nbytes for each in self.named.values())

    def thumbnail(self) -> Images | None:
        return None if self.picture is None else self.picture[:1]


def numbers_in(file: Path) -> Any:
    """Read the numbers in a file of figures.

    Raises:
        PictureError: if there are none.
    """
    content = _content(file)
    if not isinstance(content, dict) or "numbers" not in content:
        raise PictureError("holds no figures of danqing", where=file)
    return content["numbers"]


def _content(file: Path) -> Any:
    try:
        return json.loads(file.read_text("utf-8", "surrogateescape"))
    except OSError as error:
        raise PictureError(f"cannot be read ({error.strerror or error})", where=file) from error
    except (ValueError, RecursionError) as error:
        raise PictureError("is damaged, or no JSON", where=file) from error


__all__ = ["Figures", "numbers_in"]
