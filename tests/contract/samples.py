"""Pictures and parameters to try an operator with, drawn from its schema."""

from __future__ import annotations

import contextlib
import functools
import math
import random
import zlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from danqing.core.errors import ParameterError, UserError
from danqing.core.learned.weights import bundled, locate
from danqing.core.operators.form import Field
from danqing.core.operators.operator import Operator

Params = dict[str, Any]
SETTINGS = 5  # tried with every operator
FILE = "a file"  # stands for a picture or a mask that is made when it is known for what


def runs(op: Operator) -> bool:
    """Whether an operator can be run on pictures alone (and weights that are there)."""
    return op.takes_pictures and all(_fillable(field) for field in op.form)


def _fillable(field: Field) -> bool:
    if field.kind == "weights" and not field.required and field.default is not None:
        return field.default in bundled() or locate(field.default).is_file()
    return not field.required or field.kind not in ("weights", "source", "path", "text")


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
    found: list[Params] = []
    for attempt in range(60):
        params: Params = {} if attempt == 0 else {field.name: _draw(field, rng) for field in _own(op)}
        with contextlib.suppress(ParameterError):
            run(op, pictures(1), params)
            found.append(params)
        if len(found) == SETTINGS or (found and not _own(op)):
            break
    assert found, f"{op.name} refuses everything its form offers"
    return tuple(found)


def run(op: Operator, x: Tensor, params: Params) -> Any:
    """Run on pictures, with masks and further pictures made from them, item by item."""
    return op(x, **given(op, x, params))


def given(op: Operator, x: Tensor, params: Params) -> Params:
    """The parameters, with masks and further pictures: those that are required, and those for which FILE stands."""
    made = {"pictures": lambda: x.flip(3), "mask": lambda: _some_of(x)}
    wanted = (field for field in op.form if field.kind in made and (field.required or params.get(field.name) == FILE))
    return {**params, **{field.name: made[field.kind]() for field in wanted}}


def _some_of(x: Tensor) -> Tensor:
    """A mask of the brighter half, but never of all, nor of nothing: the second column is marked, the first is not."""
    column = torch.arange(x.shape[3])
    return ((x.mean(1, keepdim=True) > 0.5) | (column == 1)).float() * (column > 0)


def _own(op: Operator) -> list[Field]:
    drawable = ("int", "float", "bool", "choice", "colour", "mask")
    return [field for field in op.form if field.kind in drawable]


def _draw(field: Field, rng: random.Random) -> Any:
    if field.optional and rng.random() < 0.5:
        return None
    if field.kind == "mask":
        return FILE
    if field.kind == "colour":
        return tuple(rng.random() for _ in range(3))
    if field.kind in ("bool", "choice"):
        return rng.choice(field.choices or (False, True))
    low, high = (field.range.low, field.range.high) if field.range else (-10.0, 10.0)
    if field.kind == "int":
        return int(min(high, low + 10 ** rng.uniform(0, 1.5) - 1))
    if low > 0 and high / low > 1000:  # such as a scale: even on the logarithmic axis, within reason
        return 10 ** rng.uniform(math.log10(max(low, 0.01)), math.log10(min(high, 10)))
    return rng.uniform(low, min(high, low + 1000))


def accepts(field: Field, value: Any) -> bool:
    try:
        field.check(value)
    except UserError:
        return False
    return True


def misfits(field: Field) -> Iterator[Any]:
    x = pictures(1, 1)
    if field.range is not None:
        yield field.range.low - 1
        if not math.isinf(field.range.high):
            yield int(field.range.high) + 1
    wrong: dict[str, tuple[Any, ...]] = {
        "int": (1.5, "1", True, math.nan), "float": (math.nan, math.inf, -math.inf, "1", True), "bool": (1, "yes"),
        "choice": ("no such choice", 3), "colour": ("red", "#12345", (2, 0, 0), (0, 0), (math.nan, 0, 0), 1),
        "text": (3,), "source": (3,), "path": (3,), "weights": ("no such weights", 3),
        "pictures": (x.double(), x + 1, x[0], x.repeat(1, 2, 1, 1), x * math.nan, x.numpy(), "photo.png"),
        "mask": (x.double(), x + 1, x[0], x.repeat(1, 3, 1, 1), x * math.nan),
    }  # fmt: skip
    yield from wrong[field.kind]
    yield object()
    if not field.optional:
        yield None
