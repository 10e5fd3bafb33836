"""What was found in pictures, as a file that detect, find_faces or pose wrote, or as their result itself."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar

from danqing.core.errors import PictureError
from danqing.core.fields.kind import Kind, View
from danqing.core.fields.only import OnlyKind
from danqing.core.fields.pictures import FILE
from danqing.core.json_text import json_text
from danqing.core.pictures.contract import Images
from danqing.core.pictures.found import Found, Thing, from_json, seen_in, to_json


class BoxesKind(Kind):
    """Boxes, key points and masks of things; of one picture, or one set for each.

    A file is the JSON that danqing writes beside what it draws; a folder holds one for each picture, under its name.
    Typed text may be the JSON itself.
    """

    noun: ClassVar[str] = "a file of boxes, such as danqing detect photo.png --out boxes.json writes"
    metavar: ClassVar[str] = "BOXES"
    widget: ClassVar[str] = "boxes"
    reads: ClassVar[bool] = True
    opens: ClassVar[bool] = True
    partner: ClassVar[str] = ".json"

    def parse(self, text: str) -> Any:
        return json.loads(text) if text.lstrip()[:1] in ("{", "[") else Path(text)

    def check(self, value: Any, name: str) -> tuple[Found, ...]:
        if isinstance(value, str | Path):
            return self.load(Path(value), None)
        value = getattr(value, "found", value)  # of a result of detect
        if isinstance(value, Found):
            value = (value,)
        if isinstance(value, dict):
            value = [value]
        if not isinstance(value, Sequence) or not value:
            raise self.refuse(value, name)
        if all(isinstance(each, Found) for each in value):
            return tuple(value)
        try:
            return tuple(from_json(each, name) for each in value)
        except PictureError as error:
            raise self.refuse(json.dumps(value, default=str)[:60], name, error.what.capitalize()) from None

    def json_schema(self) -> dict[str, Any]:
        return {"anyOf": [{"type": "string", "format": "boxes"}, {"type": "array"}]}

    def spelt(self, value: Any) -> str:
        return json_text(self.plain(value))

    def plain(self, value: Any) -> Any:
        return [to_json(each) for each in value]

    def names_file(self, value: Any) -> bool:
        return isinstance(value, str | Path)

    def load(self, file: Path, most: int | None) -> tuple[Found, ...]:
        """Read a file.

        Raises:
            PictureError: if it cannot be read, or holds no boxes, or one of them is wrong.
        """
        try:
            content = json.loads(file.read_text("utf-8-sig", "surrogateescape"))
        except OSError as error:
            raise PictureError(f"cannot be read ({error.strerror or error})", where=file) from error
        except (ValueError, RecursionError) as error:
            raise PictureError("is damaged, or no JSON", where=file) from error
        numbers = content.get("numbers", content) if isinstance(content, dict) else content
        rows = numbers if isinstance(numbers, list) else [numbers]
        if not rows:
            raise PictureError("holds nothing that was found in a picture", where=file)
        return tuple(from_json(each, file) for each in rows)

    def moved(self, value: tuple[Found, ...], view: View) -> tuple[Found, ...]:
        return tuple(seen_in(each, view.place, view.size) if _is_of(each, view) else each for each in value)

    def draw(self, rng: random.Random) -> Any:
        return FILE

    def made_for(self, x: Images, said: Sequence[tuple[Kind, Any]]) -> tuple[Found, ...]:
        """Things in the middle of each picture, of the classes that are meant."""
        height, width = x.shape[2:]
        named = ",".join(value for kind, value in said if isinstance(kind, OnlyKind) and value) or "dog"
        corners = (0.2 * width, 0.2 * height, 0.7 * width, 0.8 * height)
        things = tuple(Thing(label.strip(), corners, 0.5) for label in named.split(","))
        return (Found(width, height, things),) * len(x)

    def misfits(self) -> Iterator[Any]:
        nothing = {"width": 31, "height": 24}
        outside = {**nothing, "things": [{"label": "dog", "box": [40, 0, 50, 9]}]}
        yield from (3, [], {"boxes": 1}, nothing, outside, object())


def _is_of(found: Found, view: View) -> bool:
    """Whether a view may be one of the picture that something was found in; of another it is refused later."""
    sides = zip((found.width, found.height), (view.left, view.top), view.size, strict=True)
    if view.scale != 1:
        return all(abs(whole * view.scale - part) <= 1 for whole, _, part in sides)
    return not view.is_all and all(start + part <= whole for whole, start, part in sides)


Things = Annotated[tuple[Found, ...], BoxesKind()]

__all__ = ["BoxesKind", "Things"]
