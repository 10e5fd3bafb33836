"""Make a file again from the recipe inside it, and see that it is the same; nothing but local files is opened."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from danqing.core.artefacts.pictures import recipe_in
from danqing.core.artefacts.saving import Saving, goes_beside
from danqing.core.disk import hash_of
from danqing.core.errors import ModelFileError, OutputError, PictureError, UserError
from danqing.core.learned.card import bundled
from danqing.core.menu import operators, tasks
from danqing.core.notes import note
from danqing.core.operators.operator import Operator, operator_named
from danqing.core.pictures.names import fitting
from danqing.core.progress import Job, Progress
from danqing.core.recipe import Recipe, Step, is_address
from danqing.core.runs.compute import compute, load, watched
from danqing.core.runs.home import Home, first_of
from danqing.core.runs.order import NEVER_OVER_SOURCES, Call, Order
from danqing.core.runs.sameness import other_use
from danqing.core.uses import Uses

TRUSTED = 2**62  # pixels: an input that has the recorded hash was read once already
SCHEME = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.\-]+:")  # such as of a pipe; C: is a disk


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

    Its inputs, and those of what it was made from, are looked for where the recipe says, then beside the file, there
    under any name, and must have the recorded bytes; an input that is gone is made again itself when danqing made it.

    Args:
        file: what danqing wrote.
        out: where to write it; by default beside it, with ``-replay`` in its name.
        force: whether to replace an existing file.

    Returns:
        the new file, and whether it is the same.

    Raises:
        UserError: if the recipe, an input or weights are missing or have changed, or ``out`` cannot be written.
    """
    file, recipe = Path(file), show(file)
    target = Path(out) if out is not None else file.with_name(fitting(file.stem, f"-replay{file.suffix}"))
    if target.exists() and not force:
        raise OutputError("exists already", where=target, remedy="Choose another name or give --force")
    if target.exists() and target.samefile(file):
        raise OutputError("is the file to compare with", where=target, remedy="Choose another name")
    home = Home(file.parent, file.parent)
    if target.exists() and (_is_meant(target, recipe) or any(map(target.samefile, _sources(recipe, home)))):
        raise OutputError("is one of the files that the picture was made from", where=target, remedy=NEVER_OVER_SOURCES)
    _operator(recipe[-1], target).makes.same(file, file)  # what cannot be read to its end cannot be compared with
    with tempfile.TemporaryDirectory(prefix="danqing-") as scratch:
        try:
            made = yield from _remake(recipe, home, target, Path(scratch), force, target.parent != file.parent)
        except OSError as error:  # a recipe may name what no disk can hold
            raise UserError(f"cannot be replayed ({error.strerror or error})", where=file) from error
        yield Progress(1, 1, target.name)
    return Replayed(target, made.makes.same(file, target))


def _remake(
    recipe: Recipe, home: Home, target: Path, scratch: Path, force: bool, moves: bool = False
) -> Job[Operator[..., Any]]:
    """Run the last step of a recipe; ``moves``: ``target`` will lie elsewhere than its file lay."""
    step, saving = recipe[-1], Saving.of(recipe[-1], force)
    operator = _operator(step, target)
    inputs: dict[str, Path] = {}
    for entry in step.inputs:
        before = recipe[:-1] if entry["as"] == operator.subject else []
        inputs[entry["as"]] = yield from _input(entry, before, home, scratch)
    _check_whole(step, operator, target)
    weights: dict[str, str] = {}
    for name, facts in step.weights.items():
        weights[name] = yield from _weights(facts, home)
    others = {name: path for name, path in inputs.items() if name != operator.subject}
    call = Call.of(operator, {**step.params, **others, **weights})
    if not goes_beside(step):
        operator.makes.check_place(target, saving, call.values)
    order = Order(call, inputs, target, saving, target.name, isinstance(step.take, int))
    loaded = load(call, inputs, TRUSTED)
    yield Progress(0, 1, f"{step.operator} for {target.name}")
    notes: list[str] = []
    uses: Uses = {}
    artefact, like = yield from watched(compute(call, loaded), notes, uses)
    for words in (*notes, *_changed(step, {**uses, **order.known_states})):
        note(words)
    parts = order.parts(artefact)
    part = next((each for each in parts if each.take == step.take), None)
    if part is None:
        raise UserError(f"picture {step.take} is not among the {len(parts)} made", where=target)
    written = order.step(target, step.take, uses) if moves else step
    yield from part.content.keep(target, [*recipe[:-1], written], saving, like)
    return operator


def _operator(step: Step, target: Path) -> Operator[..., Any]:
    """The operator of a step, if it is the one that was used, and its values open nothing but files.

    Raises:
        UserError: if it is not, or they would.
    """
    if step.operator in tasks():
        remedy = f"danqing show tells its values: give them to danqing {step.operator} again"
        raise UserError(f"is one of a set that {step.operator!r} made", where=target, remedy=remedy)
    if step.operator not in operators():
        raise UserError(f"was made by {step.operator!r}, which this danqing does not have", where=target)
    operator = operator_named(step.operator)
    if operator.version != step.version:
        what = f"was made by version {step.version} of {step.operator}; this danqing has version {operator.version}"
        raise UserError(what, where=target, remedy="Replay it with the danqing that made it")
    for name in (each.name for each in operator.form if each.kind.opens):
        value = step.params.get(name)
        if isinstance(value, str) and _leads_away(value):
            raise UserError(f"its recipe wants {name} from an address, {value[:100]!r}", where=target)
    if name := other_use(step.uses):
        raise UserError("is not what it was when the picture was made", where=name, remedy="Bring the old one back")
    return operator


def _check_whole(step: Step, operator: Operator[..., Any], target: Path) -> None:
    """See that a step says what it was done to, by hash: a file that is only named could be any.

    Raises:
        UserError: if it does not.
    """
    read = {entry["as"] for entry in step.inputs}
    for each in operator.fields:
        value = step.params.get(each.name)
        if isinstance(value, str) and each.kind.names_file(value):
            raise UserError(f"its recipe names a file for {each.name} without its hash", where=target)
        if each.required and each.kind.is_picture and each.name not in read:
            raise UserError(f"its recipe does not say from which picture it was made ({each.name})", where=target)


def _leads_away(value: str) -> bool:
    """Whether a place, of which ``::`` may join several, is not one of this disk."""
    places = value.split("::")
    return any(is_address(each) or (SCHEME.match(each) and not Path(each).exists()) for each in places)


def _changed(step: Step, uses: Uses) -> Iterator[str]:
    """What was used this time, and was another when the picture was made; nets that packages bring are known so."""
    for name, facts in step.uses.items():
        if uses.get(name, facts) != facts:
            yield f"{name} is not what it was when the picture was made"


def _input(entry: dict[str, str], before: Recipe, home: Home, scratch: Path) -> Job[Path]:
    """Find an input by its path or beside the file; make it again where steps ``before`` tell how it came about."""
    recorded = home.lay / entry["path"]
    there = [path for path in home.places(entry["path"]) if path.is_file()]
    if found := first_of(there, entry["sha256"]):
        return found
    if not before and (found := (yield from home.renamed(entry["path"], entry["sha256"]))):
        return found
    if there:
        raise UserError("has changed since the picture was made", where=there[0], remedy="Bring the old file back")
    if not before:
        missing = recorded if recorded.parent.is_dir() else home.lies / recorded.name
        raise UserError("is missing: the picture was made from it", where=missing, remedy="Put it beside the picture")
    made = scratch / f"{len(before)}" / recorded.name
    yield from _remake(before, home._replace(lay=recorded.parent), made, scratch, False)
    if hash_of(made) != entry["sha256"]:
        raise UserError("is missing, and making it again gave another file", where=recorded)
    return made


def _weights(facts: dict[str, str], home: Home) -> Job[str]:
    """Find weights by name among those that come with danqing, by path, or beside the file."""
    name = facts["name"]
    own = [bundled()[name]] if name in bundled() else []
    there = [*own, *(path for path in home.places(name) if path.is_file())]
    found = first_of(there, facts["sha256"])
    if found is None:
        found = yield from home.renamed(name, facts["sha256"])
    if found is not None:
        return str(found)
    if there:
        raise ModelFileError("these weights have changed since the picture was made", where=there[0])
    raise ModelFileError("these weights are missing", where=name, remedy="Put the file beside the picture")


def _is_meant(file: Path, recipe: Recipe) -> bool:
    """Whether a file holds what something was made from, whatever it is called."""
    return file.is_file() and hash_of(file) in {
        each["sha256"] for step in recipe for each in (*step.inputs, *step.weights.values())
    }


def _sources(recipe: Recipe, home: Home) -> Iterator[Path]:
    """The files at hand that a file was made from, step by step back to the first; weights among them."""
    for step in reversed(recipe):
        named = [*(each["path"] for each in step.inputs), *(each["name"] for each in step.weights.values())]
        yield from (place for path in named for place in home.places(path) if place.is_file())
        if step.inputs:
            home = home._replace(lay=(home.lay / step.inputs[0]["path"]).parent)


__all__ = ["Replayed", "replay", "show"]
