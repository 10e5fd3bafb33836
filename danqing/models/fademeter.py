"""The fademeter family: a small net that says how far the colours of a photograph have faded."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal, NamedTuple

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from danqing.core.fields.number import Range
from danqing.core.learned.model import Model, Samples
from danqing.core.learned.proposals import Optimiser
from danqing.core.pictures.contract import Images
from danqing.maths.ageing import Wear, worn
from danqing.maths.degradation import MOST_YELLOW, faded_by, gaussian_noise
from danqing.maths.fading import COUNT, Fade, traits
from danqing.maths.fitting import in_channels
from danqing.maths.variation import check_side, partly_grey, views

FRESH = 0.4  # share of pictures that have not faded
WEAKEST = 0.2  # strength of fading that counts
GREY = 0.25  # share of pictures learned as grey ones; bleached, they take a colour
FRAMED = 0.15  # share of pictures that are partly as black or white as new: by a border, writing, a scanner's lid
WORN = 0.4  # share of pictures with scratches and dust
NOISY = 15 / 255  # σ of the noisiest
HIDDEN = 0.2  # share of what the net sees that is hidden while learning
PAPER = 3.0  # weight of errors in the paper's density, beside those in the logarithm of what dyes have kept
DOUBT = 0.3  # weight of the error in whether a picture has faded at all
SCORED = 256  # held-out pictures a score is taken on
SEED = 1  # of the fading that scores are taken on


class Verdict(NamedTuple):
    """What the net says of pictures: what became of them, and the logarithm of odds (B,) that they have faded."""

    fade: Fade
    odds: Tensor


class FadeMeter(Model):
    """Learn how far photographs have faded from clean ones, which are faded anew every time they are seen.

    The net does not see the picture, but its densities and casts (:func:`danqing.maths.fading.traits`): which blacks
    and whites are left, and what colour the tones between them have. Learn from whole pictures, with --fit crop.

    Args:
        size: side of the squares that pictures are cut into, in px.
        patch: shortest side of what is learned from, cut out of the squares at random and shrunk to that.
        width: numbers of each hidden layer.

    Raises:
        ParameterError: if a patch is larger than a square.

    Source: danqing.
    """

    optimiser: ClassVar[Optimiser] = Optimiser(lr=2e-3, betas=(0.9, 0.99), weight_decay=0.05)
    batch_size: ClassVar[int] = 16
    fit: ClassVar[Literal["crop", "pad", "stretch", "tiles"]] = "crop"
    picture_size: ClassVar[int] = 192

    def __init__(
        self,
        size: Annotated[int, Range(16, 1024, "px")] = 192,
        patch: Annotated[int, Range(16, 1024, "px")] = 96,
        width: Annotated[int, Range(4, 512)] = 48,
    ) -> None:
        super().__init__()
        check_side(patch, size)
        self.patch = patch
        self.level = nn.BatchNorm1d(COUNT, affine=False)
        self.straight = nn.Linear(COUNT, 7)
        self.bent = nn.Sequential(
            nn.Linear(COUNT, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 7)
        )
        self.off = math.nan

    def measure(self, x: Images, seen: Tensor | None = None) -> Verdict:
        """Say how far pictures (B, C, H, W) of any size have faded, where they are ``seen`` (B, H, W), bool."""
        with torch.inference_mode():
            said = self._said(traits(in_channels(x, 3), seen))
        return Verdict(Fade(said[:, :3].exp().clone(), (said[:, 3:6] / PAPER).exp().clone()), said[:, 6].clone())

    def losses(self, batch: Samples, rng: Generator) -> Iterator[tuple[str, Tensor]]:
        """Yield the mean absolute error of what faded pictures kept, and the cross-entropy of whether they have."""
        x, true = old(views(in_channels(batch.x, 3), self.patch, rng), rng)
        seen = traits(x)
        hidden = torch.rand(seen.shape, generator=rng) < HIDDEN
        said = self._said(seen, hidden.to(seen.device))
        off, there = _off(said, true)
        self.off = float(off.detach())
        yield "", off + DOUBT * F.binary_cross_entropy_with_logits(said[:, 6], there)

    def readings(self) -> dict[str, float]:
        """How far what is kept was off in the last batch, as a mean difference of logarithms (about a share)."""
        return {} if math.isnan(self.off) else {"off": self.off}

    @torch.no_grad()
    def score(self, batch: Samples) -> dict[str, float]:
        """How far it is off over held-out pictures, each faded once for all, and how often it errs whether they are."""
        x, true = old(in_channels(batch.x[:SCORED], 3), Generator().manual_seed(SEED))
        said = self._said(traits(x))
        off, there = _off(said, true)
        sure, found = there > 0, said[:, 6] > 0
        return {
            "off": float(off),
            "missed": float((~found)[sure].float().mean()),
            "false": float(found[~sure].float().mean()) if bool((~sure).any()) else 0.0,
        }

    def _said(self, seen: Tensor, hidden: Tensor | None = None) -> Tensor:
        """Logarithms of what dyes kept (B, 3) and of the paper, weighed, and of odds (B, 1)."""
        levelled = self.level(seen)
        if hidden is not None:
            levelled = levelled.masked_fill(hidden, 0.0)
        said: Tensor = (self.straight(levelled) + self.bent(levelled)).float()
        return torch.cat([said[:, :6].clamp(-2, 0.1), said[:, 6:].clamp(-20, 20)], 1)


def old(clean: Images, rng: Generator) -> tuple[Images, Fade]:
    """Faded copies of clean pictures (B, 3, H, W), some grey, worn, noisy or with a fresh border; and their fading."""
    count = len(clean)
    grey, fresh, framed, marked = torch.rand(4, count, generator=rng)
    x = partly_grey(clean, grey < GREY)
    strength = (WEAKEST + (1 - WEAKEST) * torch.rand(count, generator=rng)) * (fresh >= FRESH)
    bleached, stained = torch.rand(2, count, 3, generator=rng)
    kept = 1 - strength[:, None] * (0.25 + 0.4 * bleached)
    paper = torch.exp(-strength[:, None] * torch.tensor(MOST_YELLOW) * stained)
    x = faded_by(x, strength, kept, paper)
    x = gaussian_noise(x, NOISY * torch.rand(count, generator=rng) ** 2, rng)
    wear = [Wear(2, 4, 0, int(each < WORN / 3)) if each < WORN else Wear() for each in marked.tolist()]
    x = worn(x, wear, rng).x
    for at in (framed < FRAMED).nonzero().flatten().tolist():
        _frame(x[at], rng)
    return x, Fade(kept, paper)


def _frame(x: Tensor, rng: Generator) -> None:
    """Paint borders of black or white, 2…10 % wide, on two sides of a picture (3, H, W) or more."""
    wide, first, second = torch.rand(3, generator=rng).tolist()
    margin = max(1, round(min(x.shape[-2:]) * (0.02 + 0.08 * wide)))
    x[:, :margin] = float(first < 0.5)
    x[:, :, -margin:] = float(first < 0.5)
    if second < 0.5:
        x[:, -margin:] = float(second < 0.25)


def _off(said: Tensor, true: Fade) -> tuple[Tensor, Tensor]:
    """The mean absolute error over those that have faded, and which have (B,), 0 or 1."""
    wanted = torch.cat([true.kept.log(), PAPER * true.paper.log()], 1).to(said)
    there = (true.kept.amin(1) < 1).to(said)
    return ((said[:, :6] - wanted).abs().mean(1) * there).sum() / there.sum().clamp(min=1), there


__all__ = ["FadeMeter"]
