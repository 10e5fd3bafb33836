"""The stainmeter family: a small net that measures what stains took of a photograph, and marks what ink hides."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal, NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from danqing.core.fields.number import Range
from danqing.core.learned.model import Model, Samples
from danqing.core.learned.proposals import Optimiser
from danqing.core.pictures.contract import Images
from danqing.maths import degradation
from danqing.maths.ageing import Wear, worn
from danqing.maths.fitting import in_channels
from danqing.maths.stain_density import DARKEST
from danqing.maths.stains import unstained
from danqing.maths.variation import check_side, partly_grey, patches, planes
from danqing.nets.unet import UNet

WIDTHS, BLOCKS = (16, 32, 48, 64), 1
REACH = 112  # px: 107 of its convolutions and halvings, and the rest of a halving's grid
UNSPOILT = 0.45  # share of pictures without a stain: what is brown there belongs to them
GREY = 0.25  # share of pictures learned as prints in black and white
FADED, COMPRESSED, NOISY = 0.4, 0.4, 0.6  # shares
GRAIN = 10 / 255  # of the noisiest
LARGEST = 1.4  # px of the unit that stains are drawn in
SHARP = 8.0  # how sharply a density begins at nothing
STAINED = 0.05  # density from which a place counts as stained
RARE, INKED = 1.5, 4.0  # weights of what is stained, and of what ink hides, beside what is not
WEIGHT, RIMS = 8.0, 8.0  # of errors in density, and in how it changes from pixel to pixel, beside those in odds
THERE = 3.0  # how much more errors in density count on stains
SCORED = 64  # held-out pictures a score is taken on
SEED = 1  # of the stains that scores are taken on


class Stained(NamedTuple):
    """What is said of pictures.

    Attributes:
        density: (B, 3, H, W), at least 0: of what light goes through, y = x exp(-D).
        odds: (B, 1, H, W), the logarithm of odds that a place is stained.
        ink: (B, 1, H, W), the same that ink hides it.
    """

    density: Tensor
    odds: Tensor
    ink: Tensor


class StainMeter(Model):
    """Learn to measure stains of water, tea and foxing on clean pictures, which are stained anew every time.

    Args:
        size: side of the squares that pictures are cut into, in px.
        patch: side of the patches learned from, cut out of the squares at random.

    Raises:
        ParameterError: if a patch is larger than a square.

    Source: net: :mod:`danqing.nets.unet`, which sees the picture, its densities and a plane of ones, since it has no
        biases; stains: :mod:`danqing.maths.stains`.
    """

    optimiser: ClassVar[Optimiser] = Optimiser(lr=1e-3, betas=(0.9, 0.99), muon=0.005)
    batch_size: ClassVar[int] = 16
    fit: ClassVar[Literal["crop", "pad", "stretch", "tiles"]] = "tiles"
    picture_size: ClassVar[int] = 192

    def __init__(
        self,
        size: Annotated[int, Range(16, 1024, "px")] = 192,
        patch: Annotated[int, Range(16, 1024, "px")] = 160,
    ) -> None:
        super().__init__()
        check_side(patch, size)
        self.patch = patch
        self.net = UNet(7, 5, WIDTHS, BLOCKS)
        self.off = math.nan

    @property
    def reach(self) -> int:
        """How many pixels away it looks, so that a picture may be measured tile by tile."""
        return REACH

    def measure(self, x: Images) -> Stained:
        """Say what lies on pictures (B, C, H, W)."""
        with torch.inference_mode():
            said = self._said(in_channels(x, 3))
        return Stained(*(each.clone() for each in said))

    def losses(self, batch: Samples, rng: Generator) -> Iterator[tuple[str, Tensor]]:
        """Yield the errors in density and in its changes, and the cross-entropies of what is stained and inked."""
        x, density, inked = stained(patches(in_channels(batch.x, 3), self.patch, rng), rng)
        said = self._said(x)
        there = (density.amax(1, keepdim=True) > STAINED).to(x)
        off = ((said.density - density).abs() * (1 + THERE * there)).mean()
        rims = sum((said.density - density).diff(dim=axis).abs().mean() for axis in (2, 3))
        odds = F.binary_cross_entropy_with_logits(said.odds, there, pos_weight=x.new_tensor(RARE))
        ink = F.binary_cross_entropy_with_logits(said.ink, inked, pos_weight=x.new_tensor(INKED))
        self.off = float(off.detach())
        yield "", WEIGHT * off + RIMS * rims + odds + ink

    def readings(self) -> dict[str, float]:
        """The weighted mean error in density in the last batch."""
        return {} if math.isnan(self.off) else {"off": self.off}

    @torch.no_grad()
    def score(self, batch: Samples) -> dict[str, float]:
        """How far held-out pictures, stained once for all, are from themselves when given back what is measured.

        ``left``: the mean difference that is left, as a share of what the stains made; recall and precision of what is
        stained, and of ink (F1).
        """
        clean = in_channels(batch.x[:SCORED], 3)
        x, density, inked = stained(clean, Generator().manual_seed(SEED))
        said = self._said(x)
        there, found = density.amax(1, keepdim=True) > STAINED, said.odds > 0
        made, left = (x * (density.exp() - each.exp()) for each in (torch.zeros_like(density), said.density))
        return {
            "left": float(left.abs().mean()) / max(1e-9, float(made.abs().mean())),
            "recall": _share(found & there, there),
            "precision": _share(found & there, found),
            "ink": 2 * _share((said.ink > 0) & (inked > 0), (said.ink > 0) * 1.0 + (inked > 0)),
        }

    def preview(self, batch: Samples, rng: Generator) -> Images:
        """Stain the pictures and show them given back their light in their right halves."""
        x, _, _ = stained(in_channels(batch.x, 3), rng)
        half = x.shape[-1] // 2
        mended = unstained(x, self._said(x).density)
        return torch.cat([x[..., :half], mended[..., half:]], -1)

    def _said(self, x: Images) -> Stained:
        seen = torch.cat([x, -x.clamp(min=DARKEST).log() / 3, torch.ones_like(x[:, :1])], 1)
        said: Tensor = self.net(seen.contiguous(memory_format=torch.channels_last)).float()
        odds, ink = said[:, 3:4], said[:, 4:5]
        return Stained(F.softplus(said[:, :3], SHARP) * odds.sigmoid(), odds, ink)


def stained(clean: Images, rng: Generator) -> tuple[Images, Tensor, Tensor]:
    """Stained copies of clean pictures (B, 3, H, W), some in black and white, what stains took and what ink hides.

    Densities are (B, 3, H, W), what ink hides is (B, 1, H, W). Four in ten are faded before that, six noisy
    after it, by σ of up to 10, and four JPEG files of quality 60…95 in the end. Nine in twenty have no stain.
    """
    count = len(clean)
    grey, plain, pale, coarse, filed = torch.rand(5, count, generator=rng)
    x = partly_grey(clean, grey < GREY)
    strength = torch.rand(count, generator=rng) * 0.8 + 0.2
    x = degradation.faded(x, strength * (pale < FADED), rng)
    stains = [Wear(stains=0 if each < UNSPOILT else _how_many(rng)) for each in plain.tolist()]
    unit = 1 + (LARGEST - 1) * float(torch.rand((), generator=rng))
    made = worn(x, stains, rng, unit)
    sigma = GRAIN * torch.rand(count, generator=rng) ** 1.5 * (coarse < NOISY)
    noisy = degradation.gaussian_noise(made.x, sigma, rng).clamp(0, 1)
    quality = (60 + 35 * torch.rand(count, generator=rng)).round()
    written = degradation.jpeg(noisy, quality)
    return torch.where(planes(filed < COMPRESSED, clean), written, noisy), made.stained, made.inked


def _how_many(rng: Generator) -> int:
    """Stains of a patch; a whole picture's would be too few to learn from."""
    return 1 + int(torch.randint(3, (), generator=rng))


def _share(part: Tensor, whole: Tensor) -> float:
    return float(part.float().sum()) / max(1.0, float(whole.float().sum()))


__all__ = ["StainMeter", "Stained"]
