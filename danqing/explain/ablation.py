"""What each channel of a generator paints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import torch
from torch import Tensor

from danqing.core.artefacts.figures import Figures
from danqing.core.fields.label import Label
from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.learned.model import Painter
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.core.pictures.sheet import contact_sheet
from danqing.core.progress import Job, Progress
from danqing.maths.heat import heated, to_unit
from danqing.maths.latents import class_rule, latent
from danqing.nets.layers import changed, chosen_layer, layers_of

LOOKED_AT = 16  # pictures over which a channel's part is measured
BESIDE = 4  # of them that are shown
MOST = 512  # channels tried


@operator
def ablation(
    weights: Painter,
    layer: str = "",
    count: Annotated[int, Range(1, MOST, "channels")] = 8,
    seed: Seed = 0,
    label: Label | None = None,
) -> Job[Figures]:
    """Show what the channels of a generator paint, by painting without each of them.

    Args:
        weights: a trained generator: a run folder, a .safetensors file, or the name of a bundled one, such as emoji.
        layer: the layer, by its name in the model; by default the first that gives maps.
        count: how many channels are shown, those that change the pictures most first.
        seed: chooses the pictures that are painted.
        label: the class to paint, by name or number; left out: drawn by the seed.

    Returns:
        one row a channel: its ``channel``, the ``change`` (root mean square, of 255) of the pictures without it, and
        ``across`` and ``down``, the middle of what changes, from 0 to 1; and a sheet: four pictures as they are, and
        below them, channel by channel, what is painted without it, orange where it was brighter with it, blue where it
        was darker.

    Raises:
        ParameterError: for a layer or a class that the model does not have.

    Source: Bau et al. 2019, arXiv:1811.10597, section 3.2.

    Examples:
        danqing ablation runs/dcgan-1 --count 6 --out channels.png
    """
    z = torch.stack([latent(weights.latent, seed, index) for index in range(LOOKED_AT)])
    y = _classes(weights, label, seed)
    with torch.no_grad():
        whole = weights.paint(z, y).float()
        layers = layers_of(weights, lambda: weights.paint(z, y))
    name = chosen_layer(layer, layers, default=0)
    tried = min(layers[name][1], MOST)

    def without(channel: int) -> Images:
        with torch.no_grad(), changed(weights.get_submodule(name), _without(channel)):
            return weights.paint(z, y).float()

    rows: list[dict[str, Any]] = []
    for channel in range(tried):
        rows.append(_row(channel, whole - without(channel)))
        yield Progress(channel + 1, tried, f"without channel {channel} of {name}")
    rows = sorted(rows, key=lambda row: -row["change"])[:count]
    # Painted once more, since the pictures of all channels may be gigabytes
    return Figures(rows, _sheet(whole, [without(row["channel"])[:BESIDE] for row in rows]), listed=True)


def _classes(model: Painter, label: str | None, seed: int) -> Tensor | None:
    rule = class_rule(model, seed, label)
    return None if rule is None else torch.tensor(list(map(rule, range(LOOKED_AT))))


def _without(channel: int) -> Callable[[Tensor], Tensor]:
    def change(maps: Tensor) -> Tensor:
        maps = maps.clone()
        maps[:, channel] = 0
        return maps

    return change


def _row(channel: int, change: Tensor) -> dict[str, Any]:
    weight = change.square().mean((0, 1))
    total = float(weight.sum())
    height, width = weight.shape
    down = float(weight.sum(1) @ torch.linspace(0, 1, height)) / total if total else 0.5
    across = float(weight.sum(0) @ torch.linspace(0, 1, width)) / total if total else 0.5
    return {"channel": channel, "change": 255 * float(weight.mean()) ** 0.5, "across": across, "down": down}


def _sheet(whole: Images, without: list[Images]) -> Images:
    """Pictures as they are, and below them without each channel, marked with what is missing."""
    first = whole[:BESIDE]
    rows = [first.expand(-1, 3, -1, -1)]
    rows += [heated(each, to_unit((first - each).mean(1, keepdim=True))) for each in without]
    return contact_sheet(torch.cat(rows), columns=BESIDE)
