"""Make a file again from the recipe inside it, and see that it is the same."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from danqing.core.artefacts.film import Film
from danqing.core.artefacts.results import Saving, keep, numbers_in, parts, recipe_in
from danqing.core.disk import hash_of
from danqing.core.errors import ModelFileError, OutputError, PictureError, UserError
from danqing.core.learned.weights import bundled
from danqing.core.menu import operators
from danqing.core.operators.operator import operator_named
from danqing.core.pictures.reading import read
from danqing.core.progress import Job, Progress
from danqing.core.recipe import Recipe
from danqing.core.runs.call import prepare
from danqing.core.runs.compute import compute, load

TRUSTED = 1e6  # megapixels: an input that has the recorded hash was read once already


class Replayed(NamedTuple):
    """A file made again, and whether its pixels (or numbers) are those of the first one, bit for bit."""

    file: Path
    identical: bool


def show(file: str | Path) -> Recipe:
    """Read how a file of danqing was made.

    Raises:
        UserError: if the file cannot be read or carries no recipe.
    """
    recipe = recipe_in(Path(file))
    if not recipe:
        raise PictureError("holds no recipe", where=file, remedy="Only files that danqing wrote do")
    return recipe


def replay(file: str | Path, out: str | Path | None = None, force: bool = False) -> Job[Replayed]:
    """Make a file again from the recipe inside it.

    Its inputs are looked for where the recipe says, then beside the file, and must have the recorded bytes; an input
    that is gone is made again itself when danqing made it.

    Args:
        file: what danqing wrote.
        out: where to write it; by default beside it, with ``-replay`` in its name.
        force: whether to replace an existing file.

    Returns:
        the new file, and whether it is the same.

    Raises:
        UserError: if the recipe, an input or weights are missing or have changed, or ``out`` cannot be written.
    """
    file = Path(file)
    target = Path(out) if out is not None else file.with_name(f"{file.stem}-replay{file.suffix}")
    recipe = show(file)
    if target.exists() and not force:
        raise OutputError("exists already", where=target, remedy="Choose another name or give --force")
    if target.exists() and target.samefile(file):
        raise OutputError("is the file to compare with", where=target, remedy="Choose another name")
    with tempfile.TemporaryDirectory(prefix="danqing-") as scratch:
        yield from _remake(recipe, file.parent, target, Path(scratch), force, move=target.parent != file.parent)
        yield Progress(1, 1, target.name)
    return Replayed(target, _same(file, target))


def _remake(recipe: Recipe, home: Path, target: Path, scratch: Path, force: bool, *, move: bool) -> Job[None]:
    """Run the last step of a recipe, whose file lay in ``home``; ``move``: ``target`` lies elsewhere."""
    step, saving = recipe[-1], Saving.of(recipe[-1], force)
    if step.operator not in operators():
        raise UserError(f"was made by {step.operator!r}, which this danqing does not have", where=target)
    inputs: dict[str, Path] = {}
    for entry in step.inputs:
        if not {"as", "path", "sha256"} <= entry.keys():
            raise UserError("its recipe does not say which file it was made from", where=target)
        inputs[entry["as"]] = yield from _input(recipe, entry, home, scratch)
    weights = {name: _weights(facts, home) for name, facts in step.weights.items()}
    operator = operator_named(step.operator)
    subject = operator.fields[0].name if operator.takes_pictures else ""
    further = {name: path for name, path in inputs.items() if name != subject}
    call = prepare(operator, {**step.params, **further, **weights})
    loaded = load(call, inputs, TRUSTED)
    yield Progress(0, 1, f"{step.operator} for {target.name}")
    result, like = yield from compute(call, loaded)
    found = parts(result, target, saving.columns, isinstance(step.take, int))
    part = next((each for each in found if each.take == step.take), None)
    if part is None:
        raise UserError(f"picture {step.take} is not among the {len(found)} made", where=target)
    if move and not isinstance(result, Film):
        step = call.step(inputs, target.parent, step.take, step.saved)
    keep(part._replace(file=target), [*recipe[:-1], step], saving, like)


def _input(recipe: Recipe, entry: dict[str, str], home: Path, scratch: Path) -> Job[Path]:
    """Find an input by its path or beside the file; make it again where that is how it came about."""
    recorded = home / entry["path"]
    there = [path for path in _places(entry["path"], home) if path.is_file()]
    for path in there:
        if hash_of(path) == entry["sha256"]:
            return path
    if there:
        raise UserError("has changed since the picture was made", where=there[0], remedy="Bring the old file back")
    if len(recipe) < 2:
        raise UserError("is missing: the picture was made from it", where=recorded, remedy="Put it beside the picture")
    made = scratch / f"{len(recipe)}" / recorded.name
    yield from _remake(recipe[:-1], recorded.parent, made, scratch, False, move=False)
    if hash_of(made) != entry["sha256"]:
        raise UserError("is missing, and making it again gave another file", where=recorded)
    return made


def _weights(facts: dict[str, str], home: Path) -> str:
    """Find weights by name among those that come with danqing, by path, or beside the file."""
    name = facts["name"]
    own = [bundled()[name]] if name in bundled() else []
    there = [*own, *(path for path in _places(name, home) if path.is_file())]
    for path in there:
        if hash_of(path) == facts["sha256"]:
            return str(path)
    if there:
        raise ModelFileError("these weights have changed since the picture was made", where=there[0])
    raise ModelFileError("these weights are missing", where=name, remedy="Put the file beside the picture")


def _places(path: str, home: Path) -> Iterator[Path]:
    yield home / path
    yield home / Path(path).name


def _same(one: Path, other: Path) -> bool:
    suffix = one.suffix.lower()
    if suffix == ".json":
        return bool(numbers_in(one) == numbers_in(other))
    if suffix in (".gif", ".mp4") or one.read_bytes() == other.read_bytes():
        return one.read_bytes() == other.read_bytes()
    first, second = read(one, limit=2**62), read(other, limit=2**62)
    if first.pixels.shape != second.pixels.shape or (first.alpha is None) != (second.alpha is None):
        return False
    same_alpha = first.alpha is None or second.alpha is None or first.alpha.equal(second.alpha)
    return first.pixels.equal(second.pixels) and same_alpha


__all__ = ["Replayed", "replay", "show"]
