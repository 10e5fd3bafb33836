"""What every operator makes with every bundled net that it takes, of one small photograph; as a script: into a file.

python tests/bundled_nets.py FILE.safetensors
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Iterator
from typing import Any

import torch
from safetensors.torch import save_file
from skimage import data
from torch import Tensor

import danqing
from danqing.core.errors import UserError
from danqing.core.learned.card import bundled
from danqing.core.learned.model import Model, Painter, Restorer
from danqing.core.learned.weights import load
from danqing.core.menu import operators
from danqing.core.operators.operator import operator_named
from danqing.nets.precision import Precision

SIDE = 72  # px
GIVEN = {"method": "learned", "scale": 2, "sigma": 20.0, "gain": 4.0, "quality": 30}
ASKED = {  # nets that operators ask by themselves, and one that says what they answer
    "noisemeter": "noise_level",
    "marker": "scratches",
    "stainmeter": "stains",
    "fademeter": "unfade",
}


@functools.cache
def photograph() -> Tensor:
    pixels = torch.from_numpy(data.chelsea()).permute(2, 0, 1)[None] / 255
    return pixels[..., 90 : 90 + SIDE, 130 : 130 + SIDE].contiguous()


def marked() -> Tensor:
    mask = torch.zeros(1, 1, SIDE, SIDE)
    mask[..., 20:32, 10:60] = 1
    return mask


def made(net: str, precision: Precision | None = None) -> dict[str, Tensor]:
    """What every operator makes that takes a net, pictures and probabilities alike, in [0, 1]; None: as nets come."""
    model = load(net)
    if isinstance(model, Restorer) and precision:
        model.precision = precision
    results = {operator: _made(operator, net, model, precision) for operator in operators()}
    return {operator: result for operator, result in results.items() if result is not None}


def _made(name: str, net: str, model: Model, precision: Precision | None) -> Tensor | None:
    operator = operator_named(name)
    parameters = inspect.signature(operator.function).parameters
    if ASKED.get(net) == name:
        return torch.tensor(list(_numbers(operator(photograph()).numbers)))
    if name == "generate":
        return _painted(model, precision)
    if name == "project":
        return None  # a search of many steps, each of which makes more of what rounding the last one left
    if "x" not in parameters or "weights" not in parameters or operator.group == "explain":
        return None  # explanations stretch what is faint to what can be seen
    given = {**GIVEN, "mask": marked(), "weights": model, "style": photograph().flip(1)}
    try:
        result = operator(photograph(), **{each: given[each] for each in given.keys() & parameters.keys()})
    except UserError:  # a net for something else, or an operator that needs more
        return None
    return result if isinstance(result, Tensor) else torch.tensor(list(_numbers(result.numbers)))


def _painted(model: Model, precision: Precision | None) -> Tensor | None:
    """Pictures of every class, as they are looked at while a slider moves where ``precision`` is bf16."""
    if not isinstance(model, Painter):
        return None
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        return danqing.generate(model, count=max(1, model.config["classes"]), label="all")


def _numbers(value: Any) -> Iterator[float]:
    """The fractions among nested figures, in order."""
    if isinstance(value, dict | list | tuple):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _numbers(each)
    elif isinstance(value, float):
        yield value


if __name__ == "__main__":
    torch.set_num_threads(1)
    results = {f"{name} {net}": x.contiguous() for net in bundled() for name, x in made(net).items()}
    save_file(results, sys.argv[1])
