"""The place of a real picture in a model's latent space."""

from __future__ import annotations

import math
from typing import Annotated, Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from danqing.core.artefacts.latents import FoundLatents
from danqing.core.fields.label import Label
from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.learned.classes import class_names, class_number
from danqing.core.learned.kept import Latents
from danqing.core.learned.manner import convolving
from danqing.core.learned.model import Painter
from danqing.core.learned.painting import Autoencoder, paint_coded
from danqing.core.notes import note
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.core.pictures.sheet import contact_sheet
from danqing.core.progress import Job, Progress, shared
from danqing.maths.fitting import fit
from danqing.maths.latents import numbered_codes

DRAWN, TRIED = 256, 8  # samples that are looked at first; how many of the nearest the search begins with
TOGETHER, FOLLOWED = 0.25, 2  # of the steps these are followed together, then so many of the best alone
RATE = 0.1  # of Adam, in deviations of the latents
PRIOR = 2e-4  # how much an unlikely latent costs, in mean squared error
FOREIGN = 0.5  # share of a picture left unexplained from which it is called another kind


class _Place(NamedTuple):
    code: Tensor  # (levels, numbers)
    loss: float


@operator(version=2)
def project(
    x: Images,
    weights: Painter,
    label: Label | None = None,
    steps: Annotated[int, Range(0, 10_000)] = 200,
    seed: Seed = 0,
) -> Job[FoundLatents]:
    """Find the latent from which a model paints a real picture as well as it can.

    The latents go into a file that ``steer`` and ``more_like`` start from. The sheet beside shows, a row each, the
    picture, what the model makes of it, and the difference around grey. Where much is left unexplained a note says so:
    such a picture is of a kind that the model has not learned, and what is edited then is another picture.

    Args:
        x: pictures of any size; their middle square is resized to the model's size.
        weights: a trained generator: a run folder, a .safetensors file, or the name of a bundled one, such as emoji.
        label: the class of the pictures, by name or number; left out: found like the latent.
        steps: of the search; 0 takes the nearest sample, or what the encoder of a vae says.
        seed: chooses the samples that the search begins with.

    Returns:
        the latents, with the residual of each picture: psnr in dB, and the share of the picture left unexplained (its
        mean squared error over its variance).

    Raises:
        ParameterError: for a label that the model does not know.

    Source: Zhu et al. 2016, arXiv:1609.03552, section 3.2; Karras et al. 2020, arXiv:1912.04958, section 5; the loss,
    squared differences at several scales with a prior on the latent: danqing.

    Examples:
        danqing project seven.png --weights runs/dcgan-1 --out seven.latents
    """
    target = fit(x, weights.config["size"], weights.config["channels"])
    drawn = numbered_codes(weights, seed, range(DRAWN), label)
    samples = yield from paint_coded(weights, drawn, "looking at samples")
    spread = drawn.std(0).clamp_min(1e-3) if weights.mapped else torch.ones_like(drawn[0])
    codes = []
    for at, picture in enumerate(target.split(1)):
        begin = _beginnings(weights, picture, drawn, samples, label)
        place = yield from shared(_search(weights, picture, begin, spread, steps), at, 1, total=len(target))
        codes.append(place)
    found = torch.stack(codes)
    painted = yield from paint_coded(weights, found)
    rows = [_told(weights, *each) for each in zip(target, painted, found, strict=True)]
    for number, row in enumerate(rows):
        if row["unexplained"] > FOREIGN:
            note(f"picture {number} is not of the kind that this model paints: {_percent(row)} of it is unexplained")
    shown = torch.stack([target, painted, (target - painted) / 2 + 0.5], 1).flatten(0, 1)
    lines = [f"{row['psnr']:.1f} dB, {_percent(row)} unexplained{_named(row)}" for row in rows]
    return FoundLatents(Latents.of(weights, found, pictures=rows), contact_sheet(shown, 3), rows, lines)


def _beginnings(model: Painter, picture: Images, drawn: Tensor, samples: Images, label: str | None) -> Tensor:
    """Where to start the search: the nearest samples, and what an encoder says; (N, levels, numbers)."""
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


def _told(model: Painter, picture: Tensor, painted: Tensor, code: Tensor) -> dict[str, Any]:
    """The residual of one picture."""
    error = float((picture - painted).square().mean())
    variance = float(picture.var(dim=(1, 2), correction=0).mean())
    names = class_names(model)
    named = {"class": names[int(code[0, -model.weighs :].argmax())]} if model.weighs else {}
    unexplained = error / max(variance, 1e-4)  # a flat picture: as if its pixels varied by 2.5/255
    return {"psnr": -10 * math.log10(max(error, 1e-12)), "unexplained": unexplained, **named}


def _percent(row: dict[str, Any]) -> str:
    return "all" if row["unexplained"] >= 1 else f"{row['unexplained']:.0%}"


def _named(row: dict[str, Any]) -> str:
    return f", class {row['class']}" if "class" in row else ""
