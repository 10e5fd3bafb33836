"""Where pictures lie in a painter's latent space."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
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
from danqing.maths.arrival import codec_error, reached
from danqing.maths.latents import numbered_codes

DRAWN, TRIED = 256, 8  # samples that are looked at first; how many of the nearest the search begins with
TOGETHER, FOLLOWED = 0.25, 2  # of the steps these are followed together, then so many of the best alone
RATE = 0.1  # of Adam, in deviations of the latents
SEARCHED = 200  # steps that a search goes, where nobody says how many
PRIOR = 2e-4  # how much an unlikely latent costs, in mean squared error
FLAT = 1e-4  # least variance: a flat picture counts as if its pixels varied by 2.5/255
MISSED = 0.5  # share of a picture left unexplained from which a note says why
ENOUGH, LITTLE = 5e-4, 0.01  # mean squared error (33 dB) and share of the variance, beyond what a codec errs, to arrive
LIKELIEST = 2  # classes that a flow tries, until a way from one of them arrives
ALIKE = 0.98  # of the samples are nearer to another one: what is farther from all of them is called another kind


class Projection(NamedTuple):
    """Where pictures lie.

    Attributes:
        codes: (B, levels, numbers).
        kin: of each picture, whether it is of the kind that the model paints, as far as can be told.
    """

    codes: Tensor
    kin: list[bool]


class _Place(NamedTuple):
    code: Tensor  # (levels, numbers)
    loss: float


def projected(model: Painter, target: Images, label: str | None, steps: int | None, seed: int) -> Job[Projection]:
    """Look for the codes from which a model paints pictures as well as it can.

    Args:
        model: the painter.
        target: pictures (B, channels, size, size) of the model's own.
        label: their class, by name or number; None: found like the latent.
        steps: of the search; 0 takes the nearest sample, or where an encoder or a flow's way back leads; None: 0 for a
            flow, whose steps are slow and whose way back is good, and for others 200.
        seed: chooses the samples that the search begins with.

    Returns:
        where they lie, and whether they are of the model's kind: of a flow in a codec's latents if its codec can say
            them, of others if some sample is as near as samples mostly are to each other.

    Raises:
        ParameterError: for a label that the model does not know.

    Source: Zhu et al. 2016, arXiv:1609.03552, section 3.2; Karras et al. 2020, arXiv:1912.04958, section 5; the loss,
    squared differences at several scales with a prior on the latent: danqing.
    """
    drawn = numbered_codes(model, seed, range(DRAWN), label)
    spread = drawn.std(0).clamp_min(1e-3) if model.mapped else torch.ones_like(drawn[0])
    find: Callable[[Images], Job[Tensor]]
    if isinstance(model, FlowPainter):
        find = partial(_led_back, model, label, spread, steps or 0)
        kin = [codec_error(model, each) / _variance(each[0]) <= MISSED for each in target.split(1)]
    else:
        samples = yield from paint_coded(model, drawn, "looking at samples")
        find = partial(_led_by_samples, model, label, drawn, samples, spread, SEARCHED if steps is None else steps)
        kin = [_is_near(samples, each) for each in target.split(1)]
    codes = []
    for at, picture in enumerate(target.split(1)):
        codes.append((yield from shared(find(picture), at, 1, total=len(target))))
    return Projection(torch.stack(codes), kin)


def unexplained(picture: Tensor, painted: Tensor) -> float:
    """Which share of a picture (C, H, W) what was painted of it leaves: the squared error over the variance."""
    return float((picture - painted).square().mean()) / _variance(picture)


def note_missed(left: Sequence[float], kin: Sequence[bool]) -> None:
    """Say of which pictures much is left unexplained, and why: they are of another kind, or the search did not arrive.

    Args:
        left: the share of each that is unexplained.
        kin: of each, whether it is of the model's kind.
    """
    for number, (each, ours) in enumerate(zip(left, kin, strict=True)):
        if each <= MISSED:
            continue
        what = f"picture {number}" if len(left) > 1 else "the picture"  # a run tells the name of a single one
        if ours:
            note(f"the search did not arrive at {what}: {share(each)} of it is unexplained; more --steps go on")
        else:
            note(f"{what} is not of the kind that this model paints: {share(each)} of it is unexplained")


def share(each: float) -> str:
    """What is left unexplained, for people."""
    return "all" if each >= 1 else f"{each:.0%}"


def _variance(picture: Tensor) -> float:
    """The variance of a picture (C, H, W), or what a flat one counts as."""
    return max(float(picture.var(dim=(1, 2), correction=0).mean()), FLAT)


def _is_near(samples: Images, picture: Images) -> bool:
    """Whether a picture (1, C, H, W) is as near to one of the samples as these mostly are to each other."""
    both = torch.cat([samples, picture]).flatten(1).double()
    apart = torch.cdist(both, both).square() / both.var(1, correction=0).clamp_min(FLAT)[:, None]
    nearest = apart.fill_diagonal_(math.inf).amin(1)
    return bool(nearest[-1] <= nearest[:-1].quantile(ALIKE))


def _led_back(model: FlowPainter, label: str | None, spread: Tensor, steps: int, picture: Images) -> Job[Tensor]:
    """The place of a picture: where the way back leads, or downhill from there; (levels, numbers)."""
    begin = yield from shared(_way_back(model, label, picture), 0, 1, total=2 if steps else 1)
    if not steps:
        return begin[0]
    return (yield from shared(_search(model, picture, begin, spread, steps), 1, 1, total=2))


def _led_by_samples(
    model: Painter, label: str | None, drawn: Tensor, samples: Images, spread: Tensor, steps: int, picture: Images
) -> Job[Tensor]:
    """The place of a picture: downhill from the nearest samples, or from what an encoder says; (levels, numbers)."""
    begin = _beginnings(model, label, drawn, samples, picture)
    return (yield from _search(model, picture, begin, spread, steps))


def _way_back(model: FlowPainter, label: str | None, picture: Images) -> Job[Tensor]:
    """Where a flow comes from that ends at a picture, in its class or in a likely one; (1, levels, numbers).

    A less likely class is taken where it leaves less than half. What no way can end at is not looked for long.
    """
    classes: list[Tensor | None] = [None]
    if class_names(model) and label is not None:
        classes = [torch.tensor([class_number(model, label)])]
    elif class_names(model):
        classes = list(model.unlikeliness(picture).argsort(1)[0, :LIKELIEST, None])
    least, variance = codec_error(model, picture), _variance(picture[0])
    enough = least + min(ENOUGH, LITTLE * variance) if least <= MISSED * variance else math.inf
    best, code = math.inf, torch.empty(0)
    for at, y in enumerate(classes):
        found = yield from shared(reached(model, picture, y, enough), at, 1, total=len(classes))
        if found.error < best / 2:
            best, code = found.error, model.codes(found.noise, y)
        if best <= enough:
            break
    return code


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


__all__ = ["Projection", "note_missed", "projected", "share", "unexplained"]
