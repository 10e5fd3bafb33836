"""What a layer of a model makes of a picture."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor
from torch.nn import functional as F

from danqing.core.artefacts.figures import Figures
from danqing.core.fields.number import Range
from danqing.core.learned.model import Model
from danqing.core.operators.operator import operator
from danqing.core.pictures.alpha import laid_on
from danqing.core.pictures.contract import Images, Mask
from danqing.core.pictures.sheet import contact_sheet
from danqing.core.progress import Job, Progress
from danqing.maths.opacity import opacity_of
from danqing.nets.layers import chosen_layer, heard, layers_of, look

SMALLEST = 64  # px to which small maps are enlarged, whole pixels by whole pixels


@operator
def feature_maps(
    x: Images,
    weights: Model,
    layer: str = "",
    count: Annotated[int, Range(1, 4096, "maps")] = 24,
    alpha: Mask | None = None,
) -> Job[Figures]:
    """Show the maps that a layer of a model makes of a picture.

    Args:
        x: pictures of a size that the model takes.
        weights: what looks at pictures, such as a classifier, a detector or a restorer: a run folder, a .safetensors
            file, or a bundled name.
        layer: the layer, by its name in the model; by default the first that gives maps.
        count: how many maps are shown, those that vary most first.
        alpha: opacity (B, 1, H, W), by default the pictures' own; where they are transparent, white shows through.

    Returns:
        for each picture the ``layer``, its ``size`` (channels, height, width), the ``channels`` shown with their
        ``deviation``, and the names of all ``layers`` that give maps; and a sheet of the maps, each from its smallest
        value in black to its largest in white.

    Raises:
        ParameterError: for a layer that the model does not have, or a model that looks at no pictures.

    Source: Zeiler & Fergus 2014, arXiv:1311.2901, section 4, for looking at maps; danqing for their order.

    Examples:
        danqing feature_maps photo.png --weights digits --count 12 --out maps.png
    """
    shown = laid_on(x, opacity_of(x, alpha))
    rows, sheets = [], []
    for at, picture in enumerate(shown.split(1)):
        yield Progress(at, len(shown), "looking")
        layers = _layers(weights, picture)
        name = chosen_layer(layer, layers, default=0)
        found = _maps(weights, name, picture)
        spread = found.flatten(1).std(1, correction=0)
        order = spread.argsort(descending=True, stable=True)[:count]
        rows.append(
            {
                "layer": name,
                "size": list(found.shape),
                "channels": order.tolist(),
                "deviation": spread[order].tolist(),
                "layers": list(layers),
            }
        )
        sheets.append(contact_sheet(_drawn(found[order]), columns=max(1, round(len(order) ** 0.5 * 1.4))))
    return Figures(rows, torch.cat(sheets))


def _layers(model: Model, x: Images) -> dict[str, torch.Size]:
    with torch.no_grad():
        return layers_of(model, lambda: look(model, x))


def _maps(model: Model, name: str, x: Images) -> Tensor:
    """What a layer gives, (C, h, w), as it does last; the maps of all layers together may be gigabytes."""
    with torch.no_grad(), heard(model.get_submodule(name)) as maps:
        look(model, x)
    return maps[-1][0].float()


def _drawn(maps: Tensor) -> Images:
    """Each map (N, H, W) stretched to the whole range, (N, 1, H', W'); even ones are black."""
    low, high = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
    unit = ((maps - low) / (high - low).clamp_min(torch.finfo(maps.dtype).tiny)).clamp(0, 1)[:, None]
    times = max(1, -(-SMALLEST // max(maps.shape[1:])))
    return F.interpolate(unit, scale_factor=float(times), mode="nearest")
