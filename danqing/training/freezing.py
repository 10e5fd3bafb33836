"""What of a model does not learn: ``NAME`` is a part or a module in it, ``NAME:LEVEL`` its first layers."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

from danqing.core.errors import ParameterError
from danqing.core.learned.model import Model

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
        for module in _modules(model, name):
            module.eval()
            frozen |= set(module.parameters())
    if frozen and not any(p.requires_grad and p not in frozen for p in model.parameters()):
        raise ParameterError(f"{names!r} leaves nothing to learn", where="freeze")
    return frozen


def _modules(model: Model, name: str) -> list[nn.Module]:
    path, colon, level = name.partition(":")
    modules = {each: module for each, module in model.named_modules() if each and layers(module)}
    if path not in modules:
        raise ParameterError(f"there is no {path!r} to freeze", where="freeze", remedy=f"Known: {_known(modules)}")
    if not colon:
        return [modules[path]]
    inside = layers(modules[path])
    if not level.isdecimal() or not 1 <= int(level) <= len(inside):
        what = f"{name!r}: {path} has {len(inside)} layers to count from the first"
        raise ParameterError(what, where="freeze", remedy=f"Say {path}:1 to {path}:{len(inside)}, or {path} for all")
    return inside[: int(level)]


def layers(module: nn.Module) -> list[nn.Module]:
    """The modules with weights of their own, in order."""
    return [each for each in module.modules() if next(each.parameters(recurse=False), None) is not None]


def _known(modules: dict[str, nn.Module]) -> str:
    return ", ".join(_listed(modules)) + ", and what these hold"


def _listed(modules: dict[str, nn.Module]) -> Iterator[str]:
    for name, module in modules.items():
        if name.count(".") < SHOWN:
            count = len(layers(module))
            yield f"{name}:1…{count}" if count > 1 else name


__all__ = ["freeze", "layers"]
