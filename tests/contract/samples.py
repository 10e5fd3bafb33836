"""Pictures and parameters to try an operator with, drawn from its schema."""

from __future__ import annotations

import contextlib
import functools
import inspect
import random
import zlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from danqing.core.errors import ParameterError, UserError
from danqing.core.fields.form import Field
from danqing.core.fields.number import NumberKind
from danqing.core.fields.pictures import FILE
from danqing.core.fields.weights import WeightsKind
from danqing.core.learned.card import bundled, locate
from danqing.core.operators.operator import Operator

Params = dict[str, Any]
LEAST, MOST = 3, 6  # settings tried with every operator: more than the least where they show choices that none did
FEWER = 2  # with those that work long enough to say how far they are
FEW = 3  # steps of what does something again and again
LARGE = 1.5  # times that what a picture grows to is its own size, at most


def runs(op: Operator) -> bool:
    """Whether an operator can be run on pictures alone, with weights and packages that are there."""
    return not op.lacks and op.takes_pictures and all(_fillable(field) for field in op.form)


def _fillable(field: Field) -> bool:
    if isinstance(field.kind, WeightsKind) and not field.required and field.default is not None:
        return field.default in bundled() or locate(field.default).is_file()
    return not field.required or field.kind.is_picture or field.kind.draw(random.Random(0)) is not None


def pictures(count: int = 2, channels: int = 3, height: int = 24, width: int = 31) -> Tensor:
    """Pictures with slopes, edges and noise; item i is the same whatever the count."""
    made = []
    for item in range(count):
        rng = torch.Generator().manual_seed(item)
        slope = torch.linspace(0, 1, height)[:, None] * torch.linspace(0.2, 0.9, width)[None]
        steps = ((torch.arange(height)[:, None] // 5 + torch.arange(width)[None] // 7 + item) % 2) * 0.5
        noise = torch.rand(channels, height, width, generator=rng)
        made.append((0.4 * slope + steps).clamp(0, 1) * 0.7 + 0.3 * noise)
    return torch.stack(made)


@functools.cache
def settings(op: Operator) -> tuple[Params, ...]:
    """The defaults, if they are enough, and values drawn from the schema that the operator accepts."""
    rng = random.Random(zlib.crc32(op.name.encode()))
    least, most = (FEWER, FEWER) if inspect.isgeneratorfunction(op.function) else (LEAST, MOST)
    found: list[Params] = []
    shown: set[tuple[str, Any]] = set()
    for attempt in range(60):
        params: Params = _few_steps(op) if attempt == 0 else {field.name: _draw(field, rng) for field in _own(op)}
        if len(found) >= least and not _choices(op, params) - shown:
            continue
        with contextlib.suppress(ParameterError):
            run(op, pictures(1), params)
            found.append(params)
            shown |= _choices(op, params)
        if len(found) == most or (found and not _own(op)):
            break
    assert found, f"{op.name} refuses everything its form offers"
    return tuple(found)


def _choices(op: Operator, params: Params) -> set[tuple[str, Any]]:
    """Which of a few ways parameters go: yes or no, one of a list, something or nothing."""
    chosen = {field.name: params.get(field.name, field.default) for field in op.form}
    few = {field.name for field in op.form if field.kind.name in ("boolean", "choice")}
    return {(name, value if name in few else value is None) for name, value in chosen.items()}


def run(op: Operator, x: Tensor, params: Params) -> Any:
    """Run on pictures, with masks and further pictures made from them, item by item."""
    return op(x, **given(op, x, params))


def given(op: Operator, x: Tensor, params: Params) -> Params:
    """The parameters, with masks and further pictures: those that are required, and those for which FILE stands."""
    said = [(field.kind, params[field.name]) for field in op.form if field.name in params]
    wanted = (each for each in op.form if _is_wanted(each, params))
    return {**params, **{each.name: each.kind.made_for(x, said) for each in wanted}}


def _is_wanted(field: Field, params: Params) -> bool:
    return params.get(field.name) == FILE or (field.kind.is_picture and field.required)


def _own(op: Operator) -> list[Field]:
    """The fields that chance can fill; further pictures are filled where they are required."""
    rng = random.Random(0)
    return [field for field in op.form if field.kind.name != "pictures" and field.kind.draw(rng) is not None]


def _few_steps(op: Operator) -> Params:
    """The defaults, but for how often something is done again: promises are kept from the first step on."""
    return {field.name: _brief(field, field.default) for field in op.form if field.name == "steps" or _grows(field)}


def _draw(field: Field, rng: random.Random) -> Any:
    return _brief(field, None if field.optional and rng.random() < 0.5 else field.kind.draw(rng))


def _brief(field: Field, value: Any) -> Any:
    """No more steps, and no larger a picture, than a promise needs to be seen kept."""
    if value is None or not (field.name == "steps" or _grows(field)):
        return value
    return min(value, FEW if field.name == "steps" else max(LARGE, field.kind.range.low))


def _grows(field: Field) -> bool:
    return isinstance(field.kind, NumberKind) and field.kind.range is not None and field.kind.range.unit == "times"


def accepts(field: Field, value: Any) -> bool:
    try:
        field.check(value)
    except UserError:
        return False
    return True


def misfits(field: Field) -> Iterator[Any]:
    yield from field.kind.misfits()
    if not field.optional:
        yield None
