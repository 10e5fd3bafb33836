"""Where pictures lie in a painter's latent space."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from danqing.core.learned.classes import class_names, class_number
from danqing.core.learned.manner import convolving
from danqing.core.learned.model import Painter
from danqing.core.learned.painting import Autoencoder, FlowPainter, paint_coded
from danqing.core.notes import note
from danqing.core.pictures.contract import Images
from danqing.core.progress import Job, Progress, shared
from danqing.maths.latents import numbered_codes

DRAWN, TRIED = 256, 8  # samples that are looked at first; how many of the nearest the search begins with
TOGETHER, FOLLOWED = 0.25, 2  # of the steps these are followed together, then so many of the best alone
RATE = 0.1  # of Adam, in deviations of the latents
SEARCHED = 200  # steps that a search goes, where nobody says how many
PRIOR = 2e-4  # how much an unlikely latent costs, in mean squared error
FLAT = 1e-4  # least variance: a flat picture counts as if its pixels varied by 2.5/255
FOREIGN = 0.5  # share of a picture left unexplained from which it is called another kind


class _Place(NamedTuple):
    code: Tensor  # (levels, numbers)
    loss: float


def projected(model: Painter, target: Images, label: str | None, steps: int | None, seed: int) -> Job[Tensor]:
    """Look for the codes from which a model paints pictures as well as it can.

    Args:
        model: the painter.
        target: pictures (B, channels, size, size) of the model's own.
        label: their class, by name or number; None: found like the latent.
        steps: of the search; 0 takes the nearest sample, or where an encoder or a flow's way back leads; None: 0 for a
            flow, whose steps are slow and whose way back is good, and for others 200.
        seed: chooses the samples that the search begins with.

    Returns:
        (B, levels, numbers).

    Raises:
        ParameterError: for a label that the model does not know.

    Source: Zhu et al. 2016, arXiv:1609.03552, section 3.2; Karras et al. 2020, arXiv:1912.04958, section 5; the loss,
    squared differences at several scales with a prior on the latent: danqing.
    """
    if steps is None:
        steps = 0 if isinstance(model, FlowPainter) else SEARCHED
    drawn = numbered_codes(model, seed, range(DRAWN), label)
    spread = drawn.std(0).clamp_min(1e-3) if model.mapped else torch.ones_like(drawn[0])
    if isinstance(model, FlowPainter):
        begins = partial(_way_back, model, label)
    else:
        samples = yield from paint_coded(model, drawn, "looking at samples")
        begins = partial(_beginnings, model, label, drawn, samples)
    codes = []
    for at, picture in enumerate(target.split(1)):
        begin = begins(picture)
        codes.append((yield from shared(_search(model, picture, begin, spread, steps), at, 1, total=len(target))))
    return torch.stack(codes)


def unexplained(picture: Tensor, painted: Tensor) -> float:
    """Which share of a picture (C, H, W) what was painted of it leaves: the squared error over the variance."""
    variance = float(picture.var(dim=(1, 2), correction=0).mean())
    return float((picture - painted).square().mean()) / max(variance, FLAT)


def note_foreign(left: Sequence[float]) -> None:
    """Say which pictures, by number, are of another kind than a model paints, from what it leaves unexplained."""
    for number, each in enumerate(left):
        if each > FOREIGN:
            note(f"picture {number} is not of the kind that this model paints: {share(each)} of it is unexplained")


def share(each: float) -> str:
    """What is left unexplained, for people."""
    return "all" if each >= 1 else f"{each:.0%}"


def _way_back(model: FlowPainter, label: str | None, picture: Images) -> Tensor:
    """Where a flow comes from that ends at a picture, in its class or in the likeliest; (1, levels, numbers)."""
    with torch.no_grad():
        if not class_names(model):
            return model.codes(model.way_back(picture), None)
        y = model.unlikeliness(picture).argmin(1) if label is None else torch.tensor([class_number(model, label)])
        return model.codes(model.way_back(picture, y), y)


def _beginnings(model: Painter, label: str | None, drawn: Tensor, samples: Images, picture: Images) -> Tensor:
    """Where to start: the nearest samples, or what an encoder says; (N, levels, numbers)."""
    order = _losses(samples, picture).argsort()
    if weights := model.weighs:  # of each class the nearest, before any class has a second
        ranked = drawn[order, 0, -weights:].argmax(1).tolist()
        firsts = [at for at, each in enumerate(ranked) if each not in ranked[:at]]
        order = order[firsts + [at for at in range(len(order)) if at not in firsts]]
    nearest = order[:TRIED]
    if not isinstance(model, Autoencoder):
        return drawn[nearest]
    with torch.no_grad():
        classes = len(class_names(model))
        y = model.likeliest(picture) if classes and label is None else None
        y = torch.tensor([class_number(model, label)]) if label is not None else y
        return torch.cat([model.codes(model.locate(picture, y).unflatten(1, model.latent), y), drawn[nearest[:1]]])


def _search(model: Painter, picture: Images, begin: Tensor, spread: Tensor, steps: int) -> Job[Tensor]:
    """Follow several beginnings downhill, soon the best alone, and give the best place: (levels, numbers)."""
    free = begin.shape[2] - model.weighs
    middle = model.centre(model.label_of(begin[..., free:]) if model.weighs else None).detach()
    middle = middle.expand(len(begin), -1, -1)
    offset = ((begin[..., :free] - middle) / spread[..., :free]).detach().requires_grad_()
    adam = torch.optim.Adam([offset], lr=RATE, betas=(0.9, 0.99))
    best = [_Place(each, math.inf) for each in begin]
    for step in range(steps + 1):
        if step == int(TOGETHER * steps) and step > 0:
            few = sorted(range(len(best)), key=lambda at: best[at].loss)[:FOLLOWED]
            best, begin, middle = [best[at] for at in few], begin[few], middle[few]
            offset = offset.detach()[few].requires_grad_()
            adam = torch.optim.Adam([offset], lr=RATE, betas=(0.9, 0.99))
        with torch.enable_grad(), convolving("own"):  # quicker for so few pictures
            codes = torch.cat([middle + offset * spread[..., :free], begin[..., free:]], 2)
            errors = _losses(model.paint_codes(codes), picture)
            losses = errors + PRIOR * (offset.square().mean((1, 2)) - 1).clamp_min(0)
        for at, loss in enumerate(losses.tolist()):
            if loss < best[at].loss:
                best[at] = _Place(codes[at].detach().clone(), loss)
        if step % 10 == 0:
            yield Progress(step, max(steps, 1), "projecting")
        if step < steps:
            adam.param_groups[0]["lr"] = RATE * 0.5 * (1 + math.cos(math.pi * step / steps))
            (offset.grad,) = torch.autograd.grad(losses.sum(), offset)
            adam.step()
    return min(best, key=lambda place: place.loss).code


def _losses(painted: Images, picture: Images) -> Tensor:
    """Mean squared differences at full, half and quarter size, added up: (B,)."""
    gap = painted - picture
    return torch.stack([F.avg_pool2d(gap, scale).square().mean((1, 2, 3)) for scale in (1, 2, 4)]).sum(0)


__all__ = ["note_foreign", "projected", "share", "unexplained"]
