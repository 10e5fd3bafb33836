"""Where what recognises or finds things looks, by its last maps."""

from __future__ import annotations

from functools import partial
from typing import Literal

import torch
from torch import Tensor

from danqing.core.artefacts.figures import Figures
from danqing.core.fields.box import Box
from danqing.core.fields.label import Label
from danqing.core.fields.point import Point
from danqing.core.learned.finder import Finder
from danqing.core.learned.model import Viewer
from danqing.core.notes import note
from danqing.core.operators.operator import operator
from danqing.core.pictures.alpha import laid_on
from danqing.core.pictures.contract import Images, Mask
from danqing.core.progress import Job, Progress
from danqing.maths.heat import heated, to_unit
from danqing.maths.opacity import opacity_of
from danqing.maths.pyramid import resized
from danqing.nets.layers import chosen_layer, heard, layers_of
from danqing.nets.reasons import Aim, aimed, check_learned, laid_on_picture, with_aim


@operator
def grad_cam(
    x: Images,
    weights: Viewer,
    label: Label | None = None,
    point: Point | None = None,
    box: Box | None = None,
    layer: str = "",
    method: Literal["hires_cam", "grad_cam"] = "hires_cam",
    alpha: Mask | None = None,
) -> Job[Figures]:
    """Show where a recogniser looks for a class, a thing, a pixel or a point, by the maps of one of its layers.

    What speaks for the class is shown in orange; coarse: in as many places as the layer's maps have. Each place of each
    map counts as much as the class's score rises with it (hires_cam), or with all of its map on average (grad_cam).
    Both are one where the model averages its last maps over all places; where it does not, the average may be nothing.

    Args:
        x: pictures of any size; a classifier sees the middle square.
        weights: a trained classifier, detector, segmenter or keypoints: a run folder, a .safetensors file, or digits.
        label: the class to explain, by name or number, or the name of a point; by default the likeliest, or the surest.
        point: of what finds things, a pixel: the thing, the mask's pixel or the point there is explained.
        box: of what finds things, a box: the thing whose own box is nearest to it is explained, or the pixels in it.
        layer: the layer, by its name in the model; by default the last that gives maps, of what finds things the last
            of its trunk.
        method: how the maps are weighed.
        alpha: opacity (B, 1, H, W), by default the pictures' own; where they are transparent, white shows through.

    Returns:
        for each picture ``label``, its ``probability``, the ``box`` explained, the ``layer``, and ``random``: the rank
        correlation with the map of a model of random weights, which should be below 0.3; and the map over the picture.

    Raises:
        ParameterError: for a class or a layer that the model does not have, or a place outside the picture.

    Source: Selvaraju et al. 2017, arXiv:1610.02391, equations 1 and 2 (grad_cam); Draelos & Carin 2020,
    arXiv:2011.08891, equation 3 (hires_cam).

    Examples:
        danqing grad_cam photo.png --weights digits --out why.png
        danqing grad_cam photo.png --weights digits --label 3 --out why-3.png
        danqing grad_cam photo.png --weights runs/detector-001 --label leaf --point 120,80 --out why-there.png
    """
    shown = laid_on(x, opacity_of(x, alpha))
    rows, drawn = [], []
    for at, picture in enumerate(shown.split(1)):
        yield Progress(at, len(shown), "explaining")
        aim = aimed(weights, picture, label, point, box)
        name = _chosen(weights, layer, _layers(weights, picture, aim))
        explain = partial(_cam, name=name, x=picture, aim=aim, averaged=method == "grad_cam")
        found = explain(weights)
        if not found.any():
            note(f"nothing in {name} speaks for {aim.told['label']}; another layer may say more")
        rows.append({**aim.told, "layer": name, "random": check_learned(explain, weights, found)})
        drawn.append(with_aim(heated(picture, to_unit(laid_on_picture(weights, found, picture))), aim))
    return Figures(rows, torch.cat(drawn))


def _chosen(model: Viewer, layer: str, layers: dict[str, torch.Size]) -> str:
    """The layer that a person means; by default the last, of what finds things that of the part that it sees by."""
    seeing = [name for name in layers if isinstance(model, Finder) and name.startswith(f"{model.sees_by}.")]
    return chosen_layer(layer, layers) if layer or not seeing else seeing[-1]


def _layers(model: Viewer, x: Images, aim: Aim) -> dict[str, torch.Size]:
    with torch.no_grad():
        return layers_of(model, lambda: aim.score(model, x))


def _cam(model: Viewer, name: str, x: Images, aim: Aim, averaged: bool) -> Tensor:
    """The map (1, 1, h, w) of what is explained, not negative; of a layer that is asked several times, all together."""
    with torch.enable_grad(), heard(model.get_submodule(name)) as maps:
        score = aim.score(model, x.clone().requires_grad_()).sum()
        slopes = torch.autograd.grad(score, maps, allow_unused=True)
    found = maps[0].new_zeros(1, 1, *maps[0].shape[2:], dtype=torch.float32)
    for each, slope in zip(maps, slopes, strict=True):
        if slope is not None:
            weight = slope.mean((2, 3), keepdim=True) if averaged else slope
            part = (weight * each).sum(1, keepdim=True).relu().detach().float()
            found = found + resized(part, list(found.shape[2:]))
    return found
