"""Run a call on the pictures in its files; here it is decided, once for all operators, what transparency means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from danqing.core.artefacts.artefact import Artefact
from danqing.core.artefacts.pictures import recipe_in
from danqing.core.disk import hash_of
from danqing.core.errors import DanqingError
from danqing.core.fields.boxes import BoxesKind
from danqing.core.fields.colour import ColourKind
from danqing.core.fields.mask import MaskKind
from danqing.core.fields.weights import WeightsKind
from danqing.core.learned.model import PictureSpace, Recogniser
from danqing.core.notes import note, noted
from danqing.core.operators import tiles
from danqing.core.operators.operator import SEEN, Operator
from danqing.core.pictures.alpha import filled, laid_on, premultiplied, unpremultiplied
from danqing.core.pictures.contract import Images, Mask, Picture
from danqing.core.pictures.names import shown, some
from danqing.core.progress import Job, shared
from danqing.core.recipe import Recipe
from danqing.core.runs.order import Call
from danqing.core.uses import Uses, noting_uses

OPAQUE = (1.0, 1.0, 1.0)
ZERO = 0.25  # where 0 comes to lie while opacity and colours are moved
MOSTLY = 0.9  # share of the progress that the colours of a transparent picture take

T = TypeVar("T", float, Tensor)
R = TypeVar("R")


class Loaded(NamedTuple):
    """The pictures of a call, read: the one worked on (None where there is none), and all values of the operator."""

    picture: Picture | None
    values: dict[str, Any]


def load(call: Call, inputs: Mapping[str, Path], most: int | None = None) -> Loaded:
    """Read the files of a call.

    Args:
        call: what is to be run.
        inputs: the files it reads, by parameter.
        most: pixels that a picture may have.

    Raises:
        PictureError: for a picture that cannot be read.
    """
    kinds = {field.name: field.kind for field in call.operator.fields}
    read = {name: kinds[name].load(file, most) for name, file in inputs.items()}
    for name, file in inputs.items():
        if isinstance(kinds[name], BoxesKind) and call.operator.subject in inputs:
            _tell_of_another(file, inputs[call.operator.subject], read[call.operator.subject])
    return placed(call, read)


def placed(call: Call, read: Mapping[str, Any]) -> Loaded:
    """What the files of a call hold, as its operator takes it.

    A mask parameter ``NAME_alpha`` that is not given is the alpha plane of ``NAME``.

    Args:
        call: what is to be run.
        read: what was read, by parameter.
    """
    operator = call.operator
    kinds = {field.name: field.kind for field in operator.fields}
    picture, values = None, dict(call.values)
    for name, found in read.items():
        opacity = f"{name}_alpha"
        if name == operator.subject:
            picture = found
        elif not isinstance(found, Picture):
            values[name] = found
        elif isinstance(kinds.get(opacity), MaskKind):
            values[name] = found.pixels
            if opacity not in read:
                values[opacity] = found.alpha
        else:
            values[name] = found.pixels if found.alpha is None else _without_holes(operator, found.pixels, found.alpha)
    return Loaded(picture, values)


def _tell_of_another(boxes: Path, file: Path, picture: Picture) -> None:
    """Note where things were found in another picture than the one worked on, or what that was made from."""
    asked = _files_of(_recipe_of(boxes))
    if asked and not asked.keys() & {hash_of(file), *_files_of(picture.recipe)}:
        names = some(Path(path).name for path in asked.values())
        note(f"{shown(boxes.name)}: what it tells was found in another picture, {names}")


def _recipe_of(file: Path) -> Recipe:
    try:
        return recipe_in(file) or []
    except DanqingError:  # what is told is sound, wherever it comes from
        return []


def _files_of(recipe: Recipe | None) -> dict[str, str]:
    """The paths of the files that something was made from, by hash."""
    return {each["sha256"]: each["path"] for step in recipe or () for each in step.inputs}


def compute(call: Call, loaded: Loaded) -> Job[tuple[Artefact, Picture | None]]:
    """Run a call; its result, and what the picture it worked on lends to the file of the result."""
    operator, picture = call.operator, loaded.picture
    if picture is None:
        return operator.makes.of((yield from operator.run(loaded.values))), None
    if picture.alpha is None:
        values = {**loaded.values, operator.subject: picture.pixels}
        result = yield from tiles.run(operator, values)
        return operator.makes.of(result), _lent(operator, picture, None, values)
    result, alpha = yield from _with_alpha(operator, picture.pixels, picture.alpha, loaded.values)
    return operator.makes.of(result), _lent(operator, picture, alpha, loaded.values)


def watched(job: Job[R], notes: list[str], uses: Uses) -> Job[R]:
    """Run a job, and collect what it notes and what it uses, between its steps only."""
    try:
        while True:
            try:
                with noted(notes), noting_uses(uses):
                    progress = next(job)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            yield progress
    finally:
        job.close()


def _lent(operator: Operator[..., Any], picture: Picture, alpha: Mask | None, values: dict[str, Any]) -> Picture:
    """What a file of the result takes over; of the pixels, which may be many, nothing is held on to."""
    dots = picture.resolution
    dots = dots[::-1] if dots is not None and operator.upends(values) else dots
    return replace(picture, pixels=picture.pixels[..., :1, :1].clone(), alpha=alpha, recipe=None, resolution=dots)


def _with_alpha(operator: Operator[..., Any], x: Images, alpha: Mask, values: dict[str, Any]) -> Job[tuple[Any, Any]]:
    """Run an operator on a transparent picture: the result, and the opacity that belongs to it.

    An operator that asks for the opacity gets it, beside the colours as they are. One that moves pixels works on
    premultiplied colours, and moves the opacity likewise, or together with them where what they show decides. Every
    other one, and one whose result is not proportional to the colours, sees the visible colours continued under what is
    transparent; recognisers, generators and autoencoders see the ground that training lays pictures on. One that
    settles by the whole picture is told what of it is seen.
    """
    subject = operator.subject
    seen = {SEEN: alpha} if operator.settle is not None else {}
    if any(field.name == "alpha" and isinstance(field.kind, MaskKind) for field in operator.form):
        own = alpha if values.get("alpha") is None else values["alpha"]
        result = yield from tiles.run(operator, {**values, subject: x, "alpha": own})
        return result, _fitting(operator, alpha, values, result)
    if not operator.geometry:
        result = yield from tiles.run(operator, {**values, **seen, subject: _without_holes(operator, x, alpha)})
        return result, _fitting(operator, alpha, values, result)
    if operator.together:
        return (yield from _moved_together(operator, x, alpha, values))
    if operator.proportional_for(values):
        return (yield from _moved(operator, x, alpha, values))
    colours = yield from shared(tiles.run(operator, {**values, **seen, subject: filled(x, alpha)}), 0, MOSTLY)
    opaque = dict.fromkeys(_fills(operator, values), OPAQUE)
    moved = yield from shared(tiles.run(operator, {**values, **opaque, subject: alpha}), MOSTLY, 1 - MOSTLY)
    return colours, moved


def _moved(operator: Operator[..., Any], x: Images, alpha: Mask, values: dict[str, Any]) -> Job[tuple[Images, Mask]]:
    """Move premultiplied colours and the opacity alike.

    Both are brought to the middle of the range first: filters overshoot at edges, and what would be cut off at 0 and 1
    differently in colour and opacity would come out as a rim of another colour.
    """
    subject, fills = operator.subject, _fills(operator, values)
    colourless = {each.name: (ZERO,) * 3 for each in operator.form if isinstance(each.kind, ColourKind)}
    given = {name: tuple(_squeezed(part) for part in values[name]) for name in fills}
    work = tiles.run(operator, {**values, **colourless, **given, subject: _squeezed(premultiplied(x, alpha))})
    colours = yield from shared(work, 0, MOSTLY)
    opaque = {name: (_squeezed(1.0),) * 3 for name in fills}
    work = tiles.run(operator, {**values, **colourless, **opaque, subject: _squeezed(alpha)})
    moved = yield from shared(work, MOSTLY, 1 - MOSTLY)
    return unpremultiplied(_stretched(colours), _stretched(moved)), _stretched(moved).clamp(0, 1)


def _moved_together(
    operator: Operator[..., Any], x: Images, alpha: Mask, values: dict[str, Any]
) -> Job[tuple[Images, Mask]]:
    """Move premultiplied colours with the opacity as one more plane; opaque everywhere is no transparency."""
    if bool((alpha >= 1).all()):
        made = yield from tiles.run(operator, {**values, operator.subject: x})
        return made, torch.ones_like(made[:, :1])
    planes = torch.cat([premultiplied(x, alpha), alpha.expand(len(x), -1, -1, -1)], 1)
    moved = yield from tiles.run(operator, {**values, operator.subject: planes})
    return unpremultiplied(moved[:, :-1], moved[:, -1:]), moved[:, -1:].contiguous()


def _fills(operator: Operator[..., Any], values: dict[str, Any]) -> list[str]:
    """The colours that were given for what lies outside the picture; such places are opaque."""
    return [each.name for each in operator.form if isinstance(each.kind, ColourKind) and values[each.name] is not None]


def _squeezed(value: T) -> T:
    """Bring numbers in 0…1 to the middle half of that range."""
    return value * 0.5 + ZERO


def _stretched(x: Images) -> Images:
    return (x - ZERO) * 2


def _without_holes(operator: Operator[..., Any], x: Images, alpha: Mask) -> Images:
    """The colours that an operator sees where it is not told of the opacity."""
    wanted = [field.kind.base for field in operator.form if isinstance(field.kind, WeightsKind)]
    if any(issubclass(base, Recogniser | PictureSpace) for base in wanted):
        return laid_on(x, alpha)
    return filled(x, alpha)


def _fitting(operator: Operator[..., Any], alpha: Mask, values: dict[str, Any], result: Any) -> Mask | None:
    """The opacity of a result that lies on the picture, enlarged as it was; None, and said, where it does not."""
    shown = None if operator.makes.looks else operator.makes.of(result).shown()
    if shown is None:
        return None
    scale = operator.scale_for(values)
    if shown.shape[-2:] != (alpha.shape[-2] * scale, alpha.shape[-1] * scale):
        note(f"the result of {operator.name} has no transparency: it does not lie on the picture any more")
        return None
    return alpha if scale == 1 else interpolate(alpha, scale_factor=scale, mode="bilinear").clamp(0, 1)


__all__ = ["Loaded", "compute", "load", "placed", "watched"]
