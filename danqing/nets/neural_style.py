"""A photograph with the style of paintings: its pyramid is changed until a net sees their style and its content."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn import functional

from danqing.core.pictures.contract import Images, Mask
from danqing.core.progress import Job, Progress
from danqing.maths.moments import Moments
from danqing.maths.pyramid import composed, pyramid, resized, with_calm_colours
from danqing.nets.style_features import StyleFeatures, content_distance, style_distance

SIZES = ((0.25, 1.0), (0.5, 0.8), (1.0, 0.5))  # shares of the size, coarse to fine, and of the steps at each
LEAST = 40  # px: a shorter side below which no coarser size is begun with
RATE = 0.02  # Adam's, falling to nothing at each size
JITTER = 8  # px by which the picture is moved from step to step, so that no grid of the net's is painted
RIM = 4  # px around the picture that are looked at besides
PLACES = 6  # of them, drawn once a size: the content and the paintings are looked at in each
CONTENT = 0.6  # weight of the content against the style
USUAL = 2.0  # how much the style counts against that where a person asks for a strength of 1
OUTSIDE = 10.0  # weight of what leaves the range of colours
STILL = 100.0  # weight of what should stay as it was in the frame before


class Model(NamedTuple):
    """A painting to be like: its picture, how much it counts, and where."""

    picture: Images
    share: float = 1.0
    mask: Mask | None = None


class Before(NamedTuple):
    """What the frame before became, moved to where things are now (1, 3, H, W), and where that is to be trusted."""

    picture: Images
    trust: Mask


def painted(
    x: Images,
    models: Sequence[Model],
    features: StyleFeatures,
    rng: Generator,
    steps: int = 100,
    strength: float = 1.0,
    gram: bool = False,
    before: Before | None = None,
) -> Job[Images]:
    """Paint one photograph.

    Args:
        x: a picture (1, 3, H, W).
        models: the paintings, their pictures (1, 3, h, w) in the size in which their strokes are wanted.
        features: the net that looks.
        rng: where moves are drawn from.
        steps: at the smallest size; the larger ones take fewer.
        strength: how much the style counts against the content; 1 is usual.
        gram: match squared differences of Gram matrices alone, as Gatys et al. do; else means and covariances, and of
            pixels, too, by their roots.
        before: what the last frame of a film became; it is begun with, and kept where nothing changes.

    Returns:
        A job with the picture (1, 3, H, W).

    Source: L. Gatys et al., "Image style transfer using convolutional neural networks", 2016 (the method); pyramid,
    covariances and luma-only finest level: danqing.
    """
    plan = [(share, max(1, round(steps * part))) for share, part in SIZES if _worth(x, share)]
    plan = plan if before is None else plan[-1:]
    total, done, canvas = sum(count for _, count in plan), 0, None
    for share, count in plan:
        sides = [max(1, round(side * share)) for side in x.shape[2:]]
        small = x if share == 1 else resized(x, sides)
        begin = small if canvas is None else resized(canvas, sides)
        begin = begin if before is None else torch.lerp(begin, before.picture, before.trust)
        corners = torch.randint(JITTER, (min(PLACES, count), 2), generator=rng).tolist()
        wanted = _wanted(models, features, share, gram, corners)
        work = _Work(small, wanted, features, rng, strength, gram, before, corners)
        levels = [each.clone().requires_grad_() for each in _levels(begin, share)]
        adam = torch.optim.Adam(levels, lr=RATE)
        for step in range(count):
            adam.param_groups[0]["lr"] = RATE * (1 - step / count)
            with torch.enable_grad():  # whatever the caller wants of other nets
                gradients = torch.autograd.grad(work.loss(composed(levels)), levels)
            for level, gradient in zip(levels, gradients, strict=True):
                level.grad = gradient
            adam.step()
            done += 1
            yield Progress(done, total, f"painting at {sides[1]} x {sides[0]} px")
        canvas = composed([each.detach() for each in levels]).clamp(0, 1)
        yield Progress(done, total, f"painted at {sides[1]} x {sides[0]} px", canvas)
    assert canvas is not None
    return canvas


class _Work:
    """What is minimised at one size."""

    def __init__(
        self,
        x: Images,
        wanted: list[tuple[float, Mask | None, list[Moments]]],
        features: StyleFeatures,
        rng: Generator,
        strength: float,
        gram: bool,
        before: Before | None,
        corners: list[list[int]],
    ) -> None:
        self.wanted, self.features, self.rng, self.strength, self.gram = wanted, features, rng, strength, gram
        self.before = before
        with torch.no_grad():
            self.places = [(top, left, features.content(_moved(x, top, left))) for top, left in corners]

    def loss(self, x: Images) -> Tensor:
        top, left, content = self.places[int(torch.randint(len(self.places), (), generator=self.rng))]
        shown = _moved(x, top, left)
        maps, mine = self.features.look(shown)
        loss = CONTENT * content_distance(mine, content).mean()
        for share, mask, styles in self.wanted:
            where = None if mask is None else _moved(resized(mask, list(x.shape[2:])), top, left)
            found = self.features.of_maps(shown, maps, where, self.gram)
            loss = loss + self.strength * share * style_distance(found, styles, rooted=not self.gram).mean()
        if self.before is not None:
            kept = self.before.trust * (x - self.before.picture).square()
            loss = loss + STILL * kept.mean()
        return loss + OUTSIDE * (x - x.clamp(0, 1)).square().mean()


def _wanted(
    models: Sequence[Model], features: StyleFeatures, share: float, gram: bool, corners: list[list[int]]
) -> list[tuple[float, Mask | None, list[Moments]]]:
    """The style of each painting at this size, its share of all, and where it is wanted.

    Paintings are moved as pictures are, and get their rim: what a net sees at an edge, or where its grid happens to
    lie, would be painted into the picture, else.
    """
    found = []
    with torch.no_grad():
        for each in models:
            picture = each.picture
            if share < 1:
                picture = resized(picture, [max(1, round(side * share)) for side in picture.shape[2:]])
            picture = _large_enough(picture, features)
            looks = [features.style(_moved(picture, top, left), gram=gram) for top, left in corners]
            found.append((each.share, each.mask, [_mean(layer) for layer in zip(*looks, strict=True)]))
    return found


def _mean(looks: Sequence[Moments]) -> Moments:
    """What several looks at one painting have in common."""
    means, spreads = zip(*looks, strict=True)
    return Moments(torch.stack(means).mean(0), torch.stack(spreads).mean(0))


def _levels(x: Images, share: float) -> list[Tensor]:
    levels = pyramid(x)
    return with_calm_colours(levels) if share == 1 else levels


def _worth(x: Images, share: float) -> bool:
    """Whether a size is large enough for a net to see anything of the style; the full one always is worth it."""
    return share == 1 or min(x.shape[2:]) * share >= LEAST


def _large_enough(x: Images, features: StyleFeatures) -> Images:
    """Repeat a picture that is smaller than what the net can look at."""
    down, across = (max(0, features.smallest - side) for side in x.shape[2:])
    return functional.pad(x, (0, across, 0, down), mode="replicate") if down or across else x


def _moved(x: Tensor, top: int, left: int) -> Tensor:
    """Move a picture by a few pixels, and mirror it at its edge, so that no net takes that for an edge of a thing."""
    sides = (RIM + JITTER - left, RIM + left, RIM + JITTER - top, RIM + top)
    return functional.pad(x, sides, mode="reflect" if min(x.shape[2:]) > RIM + JITTER else "replicate")


__all__ = ["USUAL", "Before", "Model", "painted"]
