"""What an operator returned, as files: pictures, moving pictures and numbers, each with its recipe."""

from __future__ import annotations

import dataclasses
import json
import math
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeGuard

import numpy as np
from torch import Tensor

from danqing.core.artefacts.figures import Figures
from danqing.core.artefacts.file import File
from danqing.core.artefacts.film import Film, recipe_in_film, write_frames
from danqing.core.disk import replacing
from danqing.core.errors import DanqingError, OutputError
from danqing.core.notes import note
from danqing.core.operators.operator import Operator
from danqing.core.pictures.contract import Images, Picture
from danqing.core.pictures.header import recipe_of
from danqing.core.pictures.metadata import exif_for
from danqing.core.pictures.sheet import contact_sheet
from danqing.core.pictures.writing import format_of, settings, write
from danqing.core.recipe import Recipe, Step, from_json, to_json
from danqing.core.runs.call import same_work

Take = int | Literal["grid"] | None
Kind = Literal["pictures", "finding", "frames", "encoded", "numbers"]
QUALITY = 92


@dataclass(frozen=True)
class Saving:
    """How results go into files.

    Attributes:
        force: replace what is there.
        depth: bits a channel, 8 or 16; None keeps that of the picture read.
        quality: 1 to 100, of JPEG, WebP, AVIF and MP4.
        columns: lay several pictures on one sheet of so many columns; 0 writes them one by one.
        limit: largest picture to be read, in megapixels; None is the usual limit.
    """

    force: bool = False
    depth: int | None = None
    quality: int = QUALITY
    columns: int = 0
    limit: float | None = None

    def facts(self, take: Take) -> dict[str, int]:
        """What a recipe must say of this, so that a replay writes the same file."""
        facts = {"depth": self.depth or 0, "quality": self.quality if self.quality != QUALITY else 0}
        return {k: v for k, v in {**facts, "columns": self.columns if take == "grid" else 0}.items() if v}

    @classmethod
    def of(cls, step: Step, force: bool = False) -> Saving:
        """How a step's picture was saved."""
        saved = step.saved
        columns = saved.get("columns", 0) if step.take == "grid" else 0
        return cls(force, saved.get("depth"), saved.get("quality", QUALITY), columns)


class Part(NamedTuple):
    """One file of a result: what goes in, where, and which one of several it is."""

    content: Any
    file: Path
    take: Take = None


def returns(operator: Operator) -> Kind:
    """What an operator makes, by its signature."""
    hint = typing.get_type_hints(operator.function).get("return")
    arguments = typing.get_args(hint)
    made = arguments[2] if len(arguments) == 3 else hint  # a Job[T] is a Generator[Progress, None, T]
    if typing.get_args(made) == (File,):
        return "encoded"
    return "finding" if made is Figures else "frames" if made is Film else "pictures" if made is Tensor else "numbers"


def parts(result: Any, target: Path, columns: int = 0, numbered: bool = False) -> list[Part]:
    """Share a result out to files.

    Args:
        result: what an operator returned.
        target: the file to be written, from which the names of further files derive.
        columns: of the sheet that several pictures are laid on; 0: none.
        numbered: whether even a single picture is numbered.

    Raises:
        OutputError: if the result has no picture and ``target`` asks for one, or one of another format.
    """
    if isinstance(result, Film):
        return [Part(result, target)]
    if isinstance(result, Tensor):
        if columns:
            return [Part(contact_sheet(result, columns), target, "grid")]
        return _apart(result.split(1), target, numbered)
    if target.suffix.lower() == ".json":
        return [Part(numbers_of(result), target)]
    if _is_encoded(result):
        if format_of(target) != format_of(f"file.{result[0].format}"):
            what = f"is no name for a file of the format {result[0].format}"
            raise OutputError(what, where=target, remedy=f"End the name in .{result[0].format}")
        return _apart(result, target, numbered)
    if not isinstance(result, Figures) or result.picture is None:
        raise OutputError("there is no picture to write, only numbers", where=target, remedy="End the name in .json")
    return parts(result.picture, target)


def _apart(items: Sequence[Any], target: Path, numbered: bool) -> list[Part]:
    """One file for each picture."""
    if len(items) == 1 and not numbered:
        return [Part(items[0], target)]
    return [Part(item, numbered_name(target, at), at) for at, item in enumerate(items)]


def _is_encoded(result: Any) -> TypeGuard[list[File]]:
    return isinstance(result, list) and bool(result) and isinstance(result[0], File)


def numbers_of(result: Any) -> Any:
    """The figures in a result as JSON values, a single row without its list; None if it has none."""
    if isinstance(result, Tensor | Film):
        return None
    if isinstance(result, Figures) or _is_encoded(result):
        told = result.numbers if isinstance(result, Figures) else [each.numbers for each in result]
        rows = [plain(row) for row in told]
        return rows[0] if len(rows) == 1 else rows
    return plain(result)


def plain(value: Any) -> Any:
    """Turn figures into JSON values; what is not finite becomes null."""
    if isinstance(value, Tensor | np.ndarray | np.generic):
        return plain(value.tolist())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value


def numbered_name(target: Path, at: int) -> Path:
    """The file of picture ``at`` of several."""
    return target.with_name(f"{target.stem}-{at:04}{target.suffix}")


def keep(part: Part, recipe: Recipe, saving: Saving, like: Picture | None = None) -> Part:
    """Write one part of a result with its recipe; ``like`` lends EXIF, alpha and depth.

    Returns:
        The part as it was written: an encoded picture now holds its recipe.

    Raises:
        OutputError: if it cannot be written, or another file is there and ``force`` is off.
    """
    if isinstance(part.content, Film):
        write_frames(part.content, part.file, quality=saving.quality, recipe=recipe, force=saving.force)
    elif isinstance(part.content, Tensor):
        _write_picture(part.content, part.file, recipe, saving, like)
    elif isinstance(part.content, File):
        return part._replace(content=_write_encoded(part.content, part.file, recipe, saving.force, like))
    else:
        _write_numbers(part.content, part.file, recipe, saving.force)
    return part


def _write_numbers(numbers: Any, file: Path, recipe: Recipe, force: bool) -> None:
    with replacing(file, force=force) as temporary:
        content = {"numbers": numbers, "recipe": json.loads(to_json(recipe))}
        temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8", "surrogateescape")


def _write_encoded(picture: File, file: Path, recipe: Recipe, force: bool, like: Picture | None) -> File:
    """Write the file with the recipe and the picture's EXIF, as far as there is room."""
    kind = format_of(file)
    told, block = settings(kind, recipe), b"" if like is None else exif_for(like, kind, file)
    whole = picture.embedded({**told, "exif": block} if block else told)
    if block and whole.data == picture.data:
        note(f"{file}: there was no room for EXIF")
        whole = picture.embedded(told)
    if whole.data == picture.data:
        words = "there was no room for the recipe, so it cannot be replayed"
        note(f"{file}: {words}")
    with replacing(file, force=force) as temporary:
        temporary.write_bytes(whole.data)
    return whole


def _write_picture(x: Images, file: Path, recipe: Recipe, saving: Saving, like: Picture | None) -> None:
    picture = Picture(x) if like is None else replace(like, pixels=x)
    depth = saving.depth or (like.depth if like is not None else None)
    write(picture, file, depth=depth, quality=saving.quality, recipe=recipe, force=saving.force)


def recipe_in(file: Path) -> Recipe | None:
    """Read the recipe that a file of danqing carries; None if it carries none.

    Raises:
        UserError: if the file cannot be read, or its recipe is damaged or too new.
    """
    suffix = file.suffix.lower()
    if suffix == ".json":
        return _recipe_in_json(file)
    return recipe_in_film(file) if suffix == ".mp4" else recipe_of(file)


def numbers_in(file: Path) -> Any:
    """Read the numbers that :func:`keep` wrote."""
    return json.loads(file.read_text("utf-8", "surrogateescape"))["numbers"]


def is_kept(file: Path, step: Step, force: bool) -> bool:
    """Whether a file holds the work of this step already, so that nothing is left to do.

    Raises:
        OutputError: if it holds something else and ``force`` is off.
    """
    if force or not file.exists():
        return False
    if _holds(file, lambda last: same_work(last, step)):
        return True
    raise OutputError("exists already", where=file, remedy="Choose another place or give --force")


def _holds(file: Path, wanted: Callable[[Step], bool]) -> bool:
    try:
        recipe = recipe_in(file)
    except (DanqingError, OSError, ValueError):
        return False
    return bool(recipe) and wanted((recipe or [])[-1])


def _recipe_in_json(file: Path) -> Recipe | None:
    try:
        content = json.loads(file.read_text("utf-8", "surrogateescape"))
    except ValueError:
        return None
    if not isinstance(content, dict) or "recipe" not in content:
        return None
    return from_json(json.dumps(content["recipe"]), file)


__all__ = [
    "Kind",
    "Part",
    "Saving",
    "Take",
    "is_kept",
    "keep",
    "numbered_name",
    "numbers_in",
    "numbers_of",
    "parts",
    "recipe_in",
    "returns",
]
