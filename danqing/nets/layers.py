"""The layers of a model by name: which there are, what they give when the model looks at pictures, and without them."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Collection, Generator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from danqing.core.errors import ParameterError
from danqing.core.learned.model import Model, Painter, Stylist
from danqing.core.learned.painting import FlowPainter
from danqing.core.pictures.contract import Images

SHOWN = 24  # names in a message
WAYS = ("logits", "places", "restore", "reconstruct", "translate", "mark", "measure")  # of looking


def look(model: Model, x: Images) -> Any:
    """Let a model look at pictures in whichever way it does.

    Raises:
        ParameterError: for a model that only paints.
    """
    if isinstance(model, Stylist):
        return model.paint(x, model.code(x))
    if isinstance(model, Painter) and not isinstance(model, FlowPainter):
        classes = model.config.get("classes", 0)
        return model.judge(x, torch.zeros(len(x), dtype=torch.int64, device=x.device) if classes else None)
    way = next((way for way in WAYS if hasattr(model, way)), None)
    if way is None:
        remedy = "ablation shows what its layers paint"
        raise ParameterError(f"a {model.family} paints and does not look at pictures", where="weights", remedy=remedy)
    return getattr(model, way)(x)


def layers_of(model: nn.Module, run: Callable[[], Any]) -> dict[str, torch.Size]:
    """The layers that give maps (B, C, H, W) wider than a pixel, with their shapes, in the order of their ends."""
    found: dict[str, torch.Size] = {}

    def keep(name: str, output: Any) -> None:
        if isinstance(output, Tensor) and output.ndim == 4 and min(output.shape[2:]) > 1:
            found.pop(name, None)
            found[name] = output.shape

    with ExitStack() as stack:
        for name, module in model.named_modules():
            if name:
                stack.enter_context(_hooked(module, partial(keep, name)))
        run()
    return found


def chosen_layer(layer: str, maps: Collection[str], default: int = -1) -> str:
    """The layer that a person means; where none is named, the one in that place: the last, which knows most.

    Raises:
        ParameterError: if there is none of that name that gives maps; some that there are are named.
    """
    if not maps:
        raise ParameterError("this model has no layer that gives maps", where="layer")
    if not layer:
        return list(maps)[default]
    if layer not in maps:
        names = list(maps)
        shown = ", ".join(names[:SHOWN]) + (f" … ({len(names)} in all)" if len(names) > SHOWN else "")
        raise ParameterError(f"{layer!r} is no layer that gives maps", where="layer", remedy=f"There are {shown}")
    return layer


@contextmanager
def changed(module: nn.Module, change: Callable[[Tensor], Tensor]) -> Generator[None, None, None]:
    """Let a layer give something else for a while, to this thread."""
    with _hooked(module, change):
        yield


@contextmanager
def heard(module: nn.Module) -> Generator[list[Tensor], None, None]:
    """Collect what a layer gives, as it is before what follows changes it in place; slopes can be taken by it."""
    maps: list[Tensor] = []

    def hear(output: Tensor) -> Tensor:
        maps.append(output.clone())
        return maps[-1].clone()

    with _hooked(module, hear):
        yield maps


@contextmanager
def _hooked(module: nn.Module, hear: Callable[[Any], Any]) -> Generator[None, None, None]:
    """Tell for a while what a layer gives; what is returned, if anything, is given instead.

    One model serves all threads of a process: those that ask it meanwhile must hear nothing of it.
    """
    thread = threading.get_ident()

    def hook(module: nn.Module, inputs: Any, output: Any) -> Any:
        return hear(output) if threading.get_ident() == thread else None

    handle = module.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()


def randomised(model: Model, seed: int = 0) -> Model:
    """A copy of a model that has learned nothing: every kernel's numbers are drawn anew, as widely spread as they were.

    Source: Adebayo et al. 2018, arXiv:1810.03292, section 3.
    """
    twin, rng = copy.deepcopy(model), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for each in twin.parameters():
            if each.ndim > 1:
                spread = each.std(correction=0)  # of a single number 0, and not unknown
                each.copy_(torch.randn(each.shape, generator=rng).to(each) * spread)
    return twin


__all__ = ["changed", "chosen_layer", "heard", "layers_of", "look", "randomised"]
