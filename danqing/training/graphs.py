"""What of a model is written for other programs: one call without choices, what it takes and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from danqing.core.errors import ModelFileError
from danqing.core.json_text import json_text
from danqing.core.learned.classes import class_names
from danqing.core.learned.finder import Finder
from danqing.core.learned.model import Model, Painter, Recogniser
from danqing.nets.detection import CROWD, OVERLAP, STEP

EXACT = 1e-3  # that chances may differ by
PIXEL = 0.1  # px that places may differ by


class Graph(NamedTuple):
    """A model as other programs see it.

    Attributes:
        module: the call; it gives tensors in the order of ``outputs``.
        inputs: names of what it takes.
        outputs: names of what it gives, each with how far another program's may be off.
        example: so many of what it takes.
        counts: of them, for which another program must agree.
        about: what is written into the file, by name.
    """

    module: nn.Module
    inputs: tuple[str, ...]
    outputs: Mapping[str, float]
    example: Callable[[int], tuple[Tensor, ...]]
    counts: tuple[int, ...]
    about: Mapping[str, str]


def graph_of(model: Model) -> Graph:
    """What of a model is written.

    Raises:
        ModelFileError: for a model that neither paints from latents nor says what it sees.
    """
    if isinstance(model, Painter):
        return _painting(model)
    if isinstance(model, Recogniser):
        side = int(model.config["size"])
        how = f"the middle square of a picture, {side} px a side, values 0 to 1; probabilities are those of the classes"
        return _seeing(model, _Naming(model), {"probabilities": EXACT}, side, how)
    if isinstance(model, Finder):
        size, side = int(model.config["size"]), int(model.config["size"]) + -int(model.config["size"]) % STEP
        how = (
            f"pictures with values 0 to 1, of which the longer side was made {size} px, filled up with black on the"
            f" right and below to {side} px; {model.outputs_mean}"
        )
        outputs = {name: PIXEL if name in ("boxes", "points") else EXACT for name in model.output_names}
        return _seeing(model, _Finding(model), outputs, side, how)
    what = f"is a {model.family}, which neither paints from latents nor says what it sees"
    where = str(model.card.get("file", "model"))
    raise ModelFileError(what, where=where, remedy="Generators, classifiers and what finds things can be exported")


class _Painting(nn.Module):
    """Latents and labels in, pictures out."""

    def __init__(self, model: Painter) -> None:
        super().__init__()
        self.model = model

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        return self.model.paint(z, label)


class _Naming(nn.Module):
    """Pictures in, probabilities out."""

    def __init__(self, model: Recogniser) -> None:
        super().__init__()
        self.model = model

    def forward(self, pictures: Tensor) -> Tensor:
        return self.model.predict(pictures)


class _Finding(nn.Module):
    """Pictures in, what is found in each place out."""

    def __init__(self, model: Finder) -> None:
        super().__init__()
        self.model = model

    def forward(self, pictures: Tensor) -> tuple[Tensor, ...]:
        return self.model.outputs(pictures)


def _painting(model: Painter) -> Graph:
    classes = len(class_names(model))

    def example(count: int) -> tuple[Tensor, ...]:
        z = torch.randn(count, *model.latent, generator=torch.Generator().manual_seed(count))
        return (z, torch.arange(count) % classes) if classes else (z,)

    about = {"danqing": "latents z of a unit Gaussian; pictures with values 0 to 1", **_named(model)}
    inputs = ("z", "label") if classes else ("z",)
    return Graph(_Painting(model), inputs, {"pictures": 1 / 255}, example, (1, 64), about)


def _seeing(model: Model, module: nn.Module, outputs: Mapping[str, float], side: int, how: str) -> Graph:
    def example(count: int) -> tuple[Tensor, ...]:
        rng = torch.Generator().manual_seed(count)
        return (torch.rand(count, model.config["channels"], side, side, generator=rng),)

    about = {"danqing": how, "overlap": str(OVERLAP), "crowd": str(CROWD), **_named(model)}
    return Graph(module, ("pictures",), outputs, example, (1, 4), about)


def _named(model: Model) -> dict[str, str]:
    points = model.config.get("points")
    named = {"family": model.family, "classes": json_text(class_names(model))}
    return named if points is None else {**named, "points": json_text(list(points))}


__all__ = ["Graph", "graph_of"]
