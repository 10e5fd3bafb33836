"""What of a model does not learn, or learns at a rate of its own: by the names of its modules.

``NAME`` is a part or a module in it, ``NAME:LEVEL`` its first layers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from torch import nn
from torch.nn.utils.parametrize import ParametrizationList, is_parametrized

from danqing.core.errors import ParameterError
from danqing.core.learned.adapters import adapters_in
from danqing.core.learned.model import Model
from danqing.core.learned.numbered import numbered

SHOWN = 2  # levels of names that a refusal lists


def freeze(model: Model, names: str) -> set[nn.Parameter]:
    """Find the weights that ``names`` freezes, and put their modules in evaluation mode.

    A layer is a module with weights of its own, counted in the order of their definition. A frozen layer is as it is in
    use: its batch statistics stay, nothing is dropped out.

    Args:
        model: in training mode.
        names: such as ``critic:4,painter.classes``; empty freezes nothing.

    Raises:
        ParameterError: if there is no such name or not as many layers, or nothing is left to learn.
    """
    frozen: set[nn.Parameter] = set()
    for name in filter(None, (each.strip() for each in names.split(","))):
        for module in modules_named(model, name, "freeze"):
            module.eval()
            frozen |= set(module.parameters())
    if frozen and not any(p.requires_grad and p not in frozen for p in model.parameters()):
        raise ParameterError(f"{names!r} leaves nothing to learn", where="freeze")
    return frozen


def check_learning(model: Model, frozen: str, rates: str) -> list[str]:
    """See that what a run freezes and which rates it gives leave something to learn, and some to its adapters.

    Args:
        model: in training mode, with its adapters.
        frozen: as :func:`freeze` takes it.
        rates: as :func:`rates_of` takes it, given by a person.

    Returns:
        what was asked for and changes nothing, in words.

    Raises:
        ParameterError: if nothing is left to learn.
    """
    still, factors = freeze(model, frozen), rates_of(model, rates)

    def learns(module: nn.Module) -> bool:
        return any(p.requires_grad and p not in still and factors.get(p, 1.0) > 0 for p in module.parameters())

    if not learns(model):
        raise ParameterError(f"{rates or frozen!r} leaves nothing to learn", where="rates" if rates else "freeze")
    adapters = list(adapters_in(model))
    idle = sum(not learns(each) for each in adapters)
    if adapters and idle == len(adapters):
        what = f"would change nothing: all that {len(adapters)} of them are on is kept as it is"
        remedy = "Leave out --adapters, or --freeze and --rates of what they are on"
        raise ParameterError(what, where="adapters", remedy=remedy)
    words = [f"{idle} of {len(adapters)} adapters are on what is kept as it is, and change nothing"] if idle else []
    for part in (each for each in model.parts if each and (frozen or rates)):
        module = model.get_submodule(part)
        if any(p.requires_grad for p in module.parameters()) and not learns(module):
            words.append(f"Nothing of the {part} learns" + (": what it paints stays as it is" * (part == "painter")))
    for name in filter(None, (each.partition("=")[0].strip() for each in rates.split(","))):
        given = {p for module in modules_named(model, name, "rates") for p in module.parameters()}
        if not any(p.requires_grad and p not in still for p in given):
            words.append(f"--rates {name} changes nothing: it does not learn")
    for name in filter(None, (each.strip() for each in frozen.split(","))):
        if not any(p.requires_grad for module in modules_named(model, name, "freeze") for p in module.parameters()):
            words.append(f"--freeze {name} changes nothing: it does not learn anyhow")
    return words


def rates_of(model: Model, rates: str) -> dict[nn.Parameter, float]:
    """Find what the learning rate of weights is multiplied by; of several, the last that names a weight counts.

    Args:
        model: whose weights they are.
        rates: such as ``critic=0.5,painter.layers:2=0.1``; empty changes none.

    Raises:
        ParameterError: if there is no such name, or what follows is not a number from 0.
    """
    factors: dict[nn.Parameter, float] = {}
    for each in filter(None, (each.strip() for each in rates.split(","))):
        name, _, number = each.partition("=")
        factor = _factor(number, each)
        for module in modules_named(model, name.strip(), "rates"):
            factors |= dict.fromkeys(module.parameters(), factor)
    return factors


def _factor(number: str, said: str) -> float:
    try:
        factor = float(number)
    except ValueError:
        factor = math.nan
    if not 0 <= factor < math.inf:
        remedy = "Say what the rate is multiplied by: critic=0.5 halves it"
        raise ParameterError(f"{said!r} is not NAME=NUMBER", where="rates", remedy=remedy)
    return factor


def modules_named(model: Model, name: str, where: str) -> list[nn.Module]:
    """Find the modules that a name means: a part, a module in it, or its first layers (``NAME:LEVEL``).

    Args:
        model: whose they are.
        name: such as ``critic``, ``critic:4``, or what the family calls a module (``Model.nicknames``).
        where: the option that asks, for the refusal.

    Raises:
        ParameterError: if there is no such name or not as many layers; the valid ones are listed.
    """
    path, colon, level = name.partition(":")
    modules = {each: module for each, module in model.named_modules() if each and layers(module)}
    modules = {nick: model.get_submodule(each) for nick, each in model.nicknames.items()} | modules
    if path not in modules:
        raise ParameterError(
            f"there is no {path!r} in a {model.family}", where=where, remedy=f"Known: {_known(modules)}"
        )
    if not colon:
        return [modules[path]]
    inside = layers(modules[path])
    first = numbered(level, len(inside) + 1)
    if not first:
        what = f"{name!r}: {path} has {len(inside)} layers to count from the first"
        raise ParameterError(what, where=where, remedy=f"Say {path}:1 to {path}:{len(inside)}, or {path} for all")
    return inside[:first]


def layers(module: nn.Module) -> list[nn.Module]:
    """The modules with weights of their own, in order; what makes a layer's weights (an adapter) is part of that."""
    makers = [each for each in module.modules() if isinstance(each, ParametrizationList)]
    inside = {part for maker in makers for part in maker.modules()}
    mine = (each for each in module.modules() if each not in inside)
    return [each for each in mine if is_parametrized(each) or next(each.parameters(recurse=False), None) is not None]


def _known(modules: dict[str, nn.Module]) -> str:
    return ", ".join(_listed(modules)) + ", and what these hold"


def _listed(modules: dict[str, nn.Module]) -> Iterator[str]:
    for name, module in modules.items():
        if name.count(".") < SHOWN:
            count = len(layers(module))
            yield f"{name}:1…{count}" if count > 1 else name


__all__ = ["check_learning", "freeze", "layers", "modules_named", "rates_of"]
