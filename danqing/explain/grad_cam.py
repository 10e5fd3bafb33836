"""Where a recogniser looks, by its last maps."""

from __future__ import annotations

from functools import partial
from typing import Literal

import torch
from torch import Tensor

from danqing.core.artefacts.figures import Figures
from danqing.core.fields.label import Label
from danqing.core.learned.model import Recogniser
from danqing.core.notes import note
from danqing.core.operators.operator import operator
from danqing.core.pictures.alpha import laid_on
from danqing.core.pictures.contract import Images, Mask
from danqing.core.progress import Job, Progress
from danqing.maths.fitting import unfit
from danqing.maths.heat import heated, to_unit
from danqing.maths.opacity import opacity_of
from danqing.nets.layers import chosen_layer, heard, layers_of
from danqing.nets.reasons import asked, check_learned


@operator
def grad_cam(
    x: Images,
    weights: Recogniser,
    label: Label | None = None,
    layer: str = "",
    method: Literal["hires_cam", "grad_cam"] = "hires_cam",
    alpha: Mask | None = None,
) -> Job[Figures]:
    """Show where a recogniser looks for a class, by the maps of one of its layers.

    What speaks for the class is shown in orange; coarse: in as many places as the layer's maps have. Each place of each
    map counts as much as the class's score rises with it (hires_cam), or with all of its map on average (grad_cam).
    Both are one where the model averages its last maps over all places; where it does not, the average may be nothing.

    Args:
        x: pictures of any size; the model sees the middle square.
        weights: a trained classifier: a run folder, a .safetensors file, or digits.
        label: the class to explain, by name or number; by default the likeliest.
        layer: the layer, by its name in the model; by default the last that gives maps.
        method: how the maps are weighed.
        alpha: opacity (B, 1, H, W), by default the pictures' own; where they are transparent, white shows through.

    Returns:
        for each picture ``label``, its ``probability``, the ``layer``, and ``random``: the rank correlation with the
        map of a model of random weights, which should be below 0.3; and the map over the picture.

    Raises:
        ParameterError: for a class or a layer that the model does not have.

    Source: Selvaraju et al. 2017, arXiv:1610.02391, equations 1 and 2 (grad_cam); Draelos & Carin 2020,
    arXiv:2011.08891, equation 3 (hires_cam).

    Examples:
        danqing grad_cam photo.png --weights digits --out why.png
        danqing grad_cam photo.png --weights digits --label 3 --out why-3.png
    """
    shown = laid_on(x, opacity_of(x, alpha))
    rows, drawn = [], []
    for at, picture in enumerate(shown.split(1)):
        yield Progress(at, len(shown), "explaining")
        number, row = asked(weights, picture, label)
        name = chosen_layer(layer, _layers(weights, picture))
        explain = partial(_cam, name=name, x=picture, number=number, averaged=method == "grad_cam")
        found = explain(weights)
        if not found.any():
            note(f"nothing in {name} speaks for {row['label']}; another layer may say more")
        row |= {"layer": name, "random": check_learned(explain, weights, found)}
        rows.append(row)
        drawn.append(heated(picture, to_unit(unfit(found, *picture.shape[2:]))))
    return Figures(rows, torch.cat(drawn))


def _layers(model: Recogniser, x: Images) -> dict[str, torch.Size]:
    with torch.no_grad():
        return layers_of(model, lambda: model.logits(x))


def _cam(model: Recogniser, name: str, x: Images, number: int, averaged: bool) -> Tensor:
    """The map (1, 1, h, w) of a class, not negative."""
    with torch.enable_grad(), heard(model.get_submodule(name)) as maps:
        score = model.logits(x.clone().requires_grad_())[0, number]
        (slope,) = torch.autograd.grad(score, maps[0])
    weight = slope.mean((2, 3), keepdim=True) if averaged else slope
    return (weight * maps[0]).sum(1, keepdim=True).relu().detach().float()
