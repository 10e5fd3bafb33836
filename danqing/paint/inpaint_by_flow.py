"""The operator inpaint_by_flow."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor
from torch.nn import functional as F

from danqing.core.fields.label import Label
from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.learned.classes import class_number
from danqing.core.learned.painting import FlowPainter
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images, Mask
from danqing.core.progress import Job, Progress
from danqing.maths.fitting import fit, middle_square
from danqing.maths.flows import guidance_of, on_the_way, travelling
from danqing.maths.latents import latent
from danqing.maths.selection import fitting


@operator(version=2)
def inpaint_by_flow(
    x: Images,
    mask: Mask,
    weights: FlowPainter,
    label: Label | None = None,
    steps: Annotated[int, Range(1, 50, "steps")] = 30,
    guidance: Annotated[float, Range(0, 20)] | None = None,
    seed: Seed = 0,
) -> Job[Images]:
    """Paint a hole as a trained flow would have painted the whole, again and again otherwise.

    Args:
        x: pictures (B, C, H, W) in [0, 1], cut and resized to the model's size.
        mask: the holes, 1 (white) means "paint here", one mask or as many as pictures, of their size; cut alike.
        weights: a trained flow.
        label: the class to paint, by name or number; left out: none is said.
        steps: from noise to picture.
        guidance: how far the class is followed; 1: as learnt; left out: 2.
        seed: of the noise; each picture of a batch has its own.

    Returns:
        A job with pictures of the model's size and channels; what is not marked keeps its (resized) values.

    Raises:
        ParameterError: for a mask of another size, a label that the model does not know or for one without classes, or
            guidance without a label.

    Source: Lugmayr et al. 2022, "RePaint", eq. 8 (what is known stands on its way at every step), on the straight ways
    of Liu et al. 2023; danqing.

    Examples:
        danqing inpaint_by_flow face.png --mask eyes.png --weights runs/flow-1 --seed 4 --out other.png
    """
    chosen = None if label is None else class_number(weights, label)
    guided = guidance_of(label, guidance)
    size, made = int(weights.config["size"]), []
    marked = fitting(mask, x)[:, None].float()
    shown = fit(x, size, weights.config["channels"])
    holes = F.interpolate(middle_square(marked), (size, size), mode="nearest") > 0.5
    for item in range(len(shown)):
        yield Progress(item, len(shown), "painting")
        noise = latent(weights.latent, seed, item)[None].to(x.device)
        y = None if chosen is None else torch.tensor([chosen], device=x.device)
        hole, picture = holes[item : item + 1], shown[item : item + 1]
        places = _places(hole, weights.latent)
        with torch.no_grad():
            known = weights.encode(torch.where(hole, _ground(picture, hole), picture))
            stations = travelling(weights.led(y, guided), noise, steps)
            t, where = next(stations)
            while True:
                where = torch.where(places, where, on_the_way(noise, known, torch.full((1,), t, device=x.device)))
                try:
                    t, where = stations.send(where)
                except StopIteration:
                    break
            painted = weights.decode(where)
        made.append(torch.where(hole, painted, picture))
    return torch.cat(made).contiguous()


def _places(hole: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Which places of what stands for a picture (1, 1, *shape[1:]) know of the hole: all that it touches, and one more.

    Where pixels stand for themselves, just those of the hole.
    """
    if hole.shape[-2:] == shape[1:]:
        return hole
    touched = F.adaptive_max_pool2d(hole.float(), shape[1:])
    return F.max_pool2d(touched, 3, stride=1, padding=1) > 0


def _ground(picture: Images, hole: Tensor) -> Tensor:
    """The mean colour of what is known, in place of what the hole hid, so that nothing of that is seen."""
    known = (~hole).expand_as(picture)
    return torch.where(known, picture, 0).sum((2, 3), keepdim=True) / known.sum((2, 3), keepdim=True).clamp_min(1)
