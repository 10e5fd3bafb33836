"""Painting while a person drags a slider: as quick as this machine can, for looking at, not for recipes.

    painter = live(model)                      # once: the quickest way for this model and machine is found, or known
    picture = painter.paint_codes(codes)       # as often as wished: (B, C, size, size)

A picture in a file is painted in full blocks, so that it is the same in any company (``generate``). What is painted
here may differ from it by the rounding of the precision that was chosen.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from danqing.core.learned.choice import Choice, deciding, quickest
from danqing.core.learned.manner import computes_bf16, convolving, freely
from danqing.core.learned.model import Painter
from danqing.core.pictures.contract import Images

SIZES = (1, 16, 64)  # batches for which a way is chosen: what is asked for is treated as the next of them


@dataclass(frozen=True)
class Way:
    """One way to paint: the precision of products, and whether convolutions are torch's own."""

    bf16: bool
    own: bool


WAYS = {"fp32": Way(False, True), "fp32, few products": Way(False, False), "bf16": Way(True, True)}


class Live:
    """A painter made ready to paint at once.

    Attributes:
        model: what paints, a copy.
        choices: for each size of a batch, the way that was chosen and the seconds of all.
    """

    def __init__(self, model: Painter) -> None:
        """Choose the ways; the first time on a machine this takes seconds, after that they are known."""
        self.model = copy.deepcopy(model).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.choices: dict[int, Choice] = {size: self._choose(size) for size in SIZES}

    def paint(self, z: Tensor, label: Tensor | None = None) -> Images:
        """Paint from latents ``z`` (B, *latent); ``label``: int64 (B,) when conditional."""
        return self._painted(partial(self.model.paint, z, label), len(z))

    def paint_codes(self, codes: Tensor) -> Images:
        """Paint from codes (B, levels, numbers): those of ``model.codes``, mixed, moved or projected."""
        return self._painted(partial(self.model.paint_codes, codes), len(codes))

    def _painted(self, paint: Callable[[], Images], count: int) -> Images:
        size = next((each for each in SIZES if each >= count), SIZES[-1])
        return _in_way(paint, WAYS[self.choices[size].name], next(self.model.parameters()).device)

    def _choose(self, size: int) -> Choice:
        device = next(self.model.parameters()).device
        z = torch.randn(size, *self.model.latent, generator=torch.Generator().manual_seed(0)).to(device)
        classes = int(self.model.config["classes"])
        label = torch.arange(size, device=device) % classes if classes else None
        paint = partial(self.model.paint, z, label)
        usable = {name: way for name, way in WAYS.items() if not way.bf16 or computes_bf16(device.type)}
        key = {"live": self.model.family, "config": deciding(self.model.config), "batch": size}
        return quickest({name: partial(_in_way, paint, way, device) for name, way in usable.items()}, key, device)


def live(model: Painter) -> Live:
    """Make a painter ready to paint at once; it is made once for a model."""
    known = model.__dict__.get("_live")
    if not isinstance(known, Live):
        known = Live(model)
        object.__setattr__(model, "_live", known)  # beside the parameters: torch would look into it
    return known


@torch.inference_mode()
def _in_way(paint: Callable[[], Images], way: Way, device: torch.device) -> Images:
    half = torch.autocast(device.type, torch.bfloat16, enabled=way.bf16)
    with freely(), convolving("own" if way.own else "rule"), half:
        return paint()


__all__ = ["Live", "live"]
