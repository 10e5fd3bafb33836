"""The noisemeter family: a small net that says how strong the noise of a picture is in each colour, and its grain."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

import torch
from torch import Generator, Tensor, nn

from danqing.core.fields.number import Range
from danqing.core.learned.model import Model, Samples
from danqing.core.learned.proposals import Optimiser
from danqing.core.pictures.contract import Images
from danqing.maths import degradation
from danqing.maths.calm_bands import COUNT, calm_bands
from danqing.maths.fitting import in_channels
from danqing.maths.snapshots import snapshots
from danqing.maths.variation import check_side, partly_grey, patches, planes, recoloured
from danqing.nets.noise_estimate import Noise

FAINT = 0.5 / 255  # noise so weak need not be told apart from none
NOISIEST = 75 / 255
CLEAN, WHITE = (
    0.15,
    0.55,
)  # shares of pictures without noise, and of those without or with white noise; cameras' the rest
GREY = 0.15  # share of pictures learned as grey ones
UNIT = 10 / 255  # what the net's zero stands for
GRAIN = 1.0  # weight of the error in the grain, whose scale is 0…1, against that in the logarithm of the strength
SCORED = 64  # held-out pictures a score is taken on
SEED = 1  # of the noise that scores are taken on


class NoiseMeter(Model):
    """Learn how strong the noise in pictures is from clean ones, which are made noisy anew every time they are seen.

    The noise is white, of a camera, or none at all: then all that is in the picture is the picture. The net does not
    see the picture, but how much of each frequency there is in its calm places (:mod:`danqing.maths.calm_bands`).

    Args:
        size: side of the squares that pictures are cut into, in px.
        patch: side of the patches learned from, cut out of the squares at random.
        width: numbers of each hidden layer.

    Raises:
        ParameterError: if a patch is larger than a square.

    Source: danqing.
    """

    optimiser: ClassVar[Optimiser] = Optimiser(lr=2e-3, betas=(0.9, 0.99))
    batch_size: ClassVar[int] = 16
    fit: ClassVar[Literal["crop", "pad", "stretch", "tiles"]] = "tiles"
    picture_size: ClassVar[int] = 128

    def __init__(
        self,
        size: Annotated[int, Range(16, 1024, "px")] = 128,
        patch: Annotated[int, Range(16, 1024, "px")] = 96,
        width: Annotated[int, Range(4, 512)] = 64,
    ) -> None:
        super().__init__()
        check_side(patch, size)
        self.patch = patch
        self.straight = nn.Linear(COUNT, 4)
        self.bent = nn.Sequential(
            nn.Linear(COUNT, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 4)
        )
        self.off = math.nan

    def measure(self, x: Images, seen: Tensor | None = None) -> Noise:
        """Measure the noise of pictures (B, C, H, W) of any size, where pixels are ``seen`` (B, H, W), bool."""
        with torch.inference_mode():
            found = self._measured(x, seen)
        return Noise(found.sigma.clone(), found.grain.clone())

    def losses(self, batch: Samples, rng: Generator) -> Iterator[tuple[str, Tensor]]:
        """Yield the mean absolute error of the strengths' logarithms, in each colour and of all, and of the grain."""
        x, noise = noisy(patches(in_channels(batch.x, 3), self.patch, rng), rng)
        true, found = true_noise(noise), self._measured(x)
        whole = _logarithm(found.level) - _logarithm(true.level)
        self.off = float(whole.detach().abs().mean())
        told = (true.level > 2 * FAINT).to(x)  # else there is no grain
        grain = ((found.grain - true.grain).abs() * told).sum() / told.sum().clamp(min=1)
        colours = (_logarithm(found.sigma) - _logarithm(true.sigma)).abs().mean()
        yield "", colours + whole.abs().mean() + GRAIN * grain

    def readings(self) -> dict[str, float]:
        """How far the strengths of the last batch were off, as a mean difference of logarithms (about a share)."""
        return {} if math.isnan(self.off) else {"off": self.off}

    @torch.no_grad()
    def score(self, batch: Samples) -> dict[str, float]:
        """How far strengths (logarithms) and grain are off over held-out pictures, each made noisy once for all."""
        x, noise = noisy(in_channels(batch.x[:SCORED], 3), Generator().manual_seed(SEED))
        true, found = true_noise(noise), self._measured(x)
        off = (_logarithm(found.level) - _logarithm(true.level)).abs()
        there = true.level > 2 * FAINT
        return {
            "off": float(off[there].mean()),
            "of_none": 255 * float(found.level[~there].mean()) if bool((~there).any()) else 0.0,
            "grain_off": float((found.grain - true.grain)[there].abs().mean()),
        }

    def _measured(self, x: Images, seen: Tensor | None = None) -> Noise:
        bands = calm_bands(in_channels(x, 3), seen)
        told = (self.straight(bands) + self.bent(bands)).float()
        return Noise(UNIT * told[:, :3].clamp(-8, 4).exp(), told[:, 3].sigmoid())


def noisy(clean: Images, rng: Generator) -> tuple[Images, Tensor]:
    """Pictures (B, 3, H, W) with white noise, a camera's or none, some recoloured or grey; and the noise itself."""
    count = len(clean)
    clean = recoloured(clean, rng)
    grey, kind = torch.rand(2, count, generator=rng)
    clean = partly_grey(clean, grey < GREY)
    sigma = NOISIEST * torch.rand(count, generator=rng) ** 1.5 * (kind > CLEAN)
    x = degradation.gaussian_noise(clean, sigma, rng)
    x = torch.where(planes(grey < GREY, x), x[:, :1].expand_as(x), x)
    noise = x - clean
    taken = kind > WHITE
    if bool(taken.any()):
        x[taken], noise[taken] = snapshots(clean[taken], rng)
    return x, noise


def true_noise(noise: Tensor) -> Noise:
    """What is to be measured of noise (B, 3, H, W)."""
    pairs = (noise[..., 1:] * noise[..., :-1]).mean((1, 2, 3)) + (noise[..., 1:, :] * noise[..., :-1, :]).mean(
        (1, 2, 3)
    )
    likeness = pairs / 2 / noise.square().mean((1, 2, 3)).clamp(min=1e-10)
    return Noise(noise.square().mean((2, 3)).sqrt(), likeness.clamp(0, 1))


def _logarithm(sigma: Tensor) -> Tensor:
    return (sigma + FAINT).log()
