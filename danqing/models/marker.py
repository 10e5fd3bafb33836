"""The marker family: a small net that marks what scratches, dust and folds hide of a photograph."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from danqing.core.fields.number import Range
from danqing.core.learned.model import Model, Samples
from danqing.core.learned.proposals import Optimiser
from danqing.core.pictures.contract import Images, Mask
from danqing.maths import degradation
from danqing.maths.ageing import Wear, worn
from danqing.maths.fitting import in_channels
from danqing.maths.variation import check_side, partly_grey, patches, planes, views
from danqing.nets.unet import UNet

WIDTHS, BLOCKS = (16, 32, 48, 64), 1
REACH = 112  # px: 107 of its convolutions and halvings, and the rest of a halving's grid
UNSPOILT = 0.4  # share of pictures without any mark: what is thin and bright there belongs to them
SHRUNK, NEGATIVE, SHARPENED = 0.5, 0.15, 0.25  # shares
HALO = 1.5  # times what is fine is added where pictures are sharpened, at most
GREY = 0.25  # share of pictures learned as grey ones
FADED, COMPRESSED, NOISY = 0.6, 0.4, 0.6  # shares
GRAIN = 15 / 255  # of the noisiest
LARGEST = 2.0  # px of the unit that marks are drawn in
RARE = 3.0  # weight of what is hidden beside what is not, which is most
SCORED = 64  # held-out pictures a score is taken on
SEED = 1  # of the wear that scores are taken on


class Marker(Model):
    """Learn to mark scratches, dust and folds on clean pictures, which are aged anew every time they are seen.

    Args:
        size: side of the squares that pictures are cut into, in px.
        patch: side of the patches learned from, cut out of the squares at random.

    Raises:
        ParameterError: if a patch is larger than a square.

    Source: net: :mod:`danqing.nets.unet`, with a plane of ones, since it has no biases; marks:
        :mod:`danqing.maths.ageing`; to learn where film is damaged from composed damage: Z. Wan et al., "Bringing old
        photos back to life", 2020, section 3.2.
    """

    optimiser: ClassVar[Optimiser] = Optimiser(lr=1e-3, betas=(0.9, 0.99), muon=0.005)
    batch_size: ClassVar[int] = 16
    fit: ClassVar[Literal["crop", "pad", "stretch", "tiles"]] = "tiles"
    picture_size: ClassVar[int] = 192

    def __init__(
        self,
        size: Annotated[int, Range(16, 1024, "px")] = 192,
        patch: Annotated[int, Range(16, 1024, "px")] = 128,
    ) -> None:
        super().__init__()
        check_side(patch, size)
        self.patch = patch
        self.net = UNet(4, 1, WIDTHS, BLOCKS)
        self.found = math.nan

    @property
    def reach(self) -> int:
        """How many pixels away it looks, so that a picture may be marked tile by tile."""
        return REACH

    def mark(self, x: Images) -> Tensor:
        """Say how likely each place of pictures (B, C, H, W) is hidden, (B, 1, H, W), as the logarithm of odds."""
        with torch.inference_mode():
            odds = self._odds(in_channels(x, 3))
        return odds.clone()

    def losses(self, batch: Samples, rng: Generator) -> Iterator[tuple[str, Tensor]]:
        """Yield the mean cross-entropy of what is hidden, three times as heavy as what is not, and the overlap's lack.

        Source: F. Milletari et al., "V-Net", 2016, section 3 (overlap, over the whole batch).
        """
        x, hidden = aged(varied(in_channels(batch.x, 3), self.patch, rng), rng)
        odds = self._odds(x)
        entropy = F.binary_cross_entropy_with_logits(odds, hidden, pos_weight=odds.new_tensor(RARE))
        said = odds.sigmoid()
        overlap = (2 * (said * hidden).sum() + 1) / (said.sum() + hidden.sum() + 1)
        self.found = float(overlap.detach())
        yield "", entropy + 0.2 * (1 - overlap)

    def readings(self) -> dict[str, float]:
        """The overlap of what was marked with what was hidden in the last batch, 0…1."""
        return {} if math.isnan(self.found) else {"overlap": self.found}

    @torch.no_grad()
    def score(self, batch: Samples) -> dict[str, float]:
        """The F1 of the hidden pixels over held-out pictures (negated), recall and precision; aged once for all."""
        x, hidden = aged(in_channels(batch.x[:SCORED], 3), Generator().manual_seed(SEED))
        marked = self._odds(x) > 0
        hit = float((marked & (hidden > 0)).sum())
        recall, precision = hit / max(1.0, float(hidden.sum())), hit / max(1.0, float(marked.sum()))
        return {
            "-f1": -2 * recall * precision / max(1e-9, recall + precision),
            "recall": recall,
            "precision": precision,
        }

    def preview(self, batch: Samples, rng: Generator) -> Images:
        """Age the pictures and show what is marked in their right halves."""
        x, _ = aged(in_channels(batch.x, 3), rng)
        half = x.shape[-1] // 2
        marked = (self._odds(x) > 0).to(x).expand_as(x)
        return torch.cat([x[..., :half], marked[..., half:]], -1)

    def _odds(self, x: Images) -> Tensor:
        seen = torch.cat([x, torch.ones_like(x[:, :1])], 1).contiguous(memory_format=torch.channels_last)
        odds: Tensor = self.net(seen).float()
        return odds


def varied(x: Images, side: int, rng: Generator) -> Images:
    """Cut patches of ``side`` px out of pictures (B, 3, H, W) such that what is thin in them looks most like marks.

    Half of them are shrunk, which makes thin what was wide; some are negatives, in which twigs, hairs and wires are
    bright; some are sharpened, which gives edges bright rims.
    """
    count = len(x)
    shrunk, negative, sharpened, halo = torch.rand(4, count, generator=rng)
    cut = patches(torch.cat([patches(x, side, rng), views(x, side, rng)]), side, rng)
    made = torch.where(planes(shrunk < SHRUNK, x), cut[count:], cut[:count])
    made = torch.where(planes(negative < NEGATIVE, x), 1 - made, made)
    fine = made - F.avg_pool2d(F.pad(made, (1, 1, 1, 1), mode="replicate"), 3, 1)
    return (made + planes(HALO * halo * (sharpened < SHARPENED), x) * fine).clamp(0, 1)


def aged(clean: Images, rng: Generator) -> tuple[Images, Mask]:
    """Aged copies of clean pictures (B, 3, H, W), some grey, and what is hidden of them (B, 1, H, W).

    Six in ten are faded, by 0.2…1, and as many noisy, by σ of up to 15; four in ten are JPEG files of quality 50…95
    in the end. One in five has no mark.
    """
    count = len(clean)
    grey, plain, pale, coarse, filed = torch.rand(5, count, generator=rng)
    colourless = grey < GREY
    x = partly_grey(clean, colourless)
    strength = torch.rand(count, generator=rng) * 0.8 + 0.2
    x = degradation.faded(x, strength * (pale < FADED), rng)
    sigma = GRAIN * torch.rand(count, generator=rng) ** 1.5 * (coarse < NOISY)
    noisy = degradation.gaussian_noise(x, sigma, rng)
    x = torch.where(planes(colourless, x), x + (noisy - x)[:, :1], noisy).clamp(0, 1)
    marks = [Wear() if each < UNSPOILT else _drawn(rng) for each in plain.tolist()]
    unit = 1 + (LARGEST - 1) * float(torch.rand((), generator=rng))
    made = worn(x, marks, rng, unit)
    quality = (50 + 45 * torch.rand(count, generator=rng)).round()
    written = degradation.jpeg(made.x, quality)
    return torch.where(planes(filed < COMPRESSED, clean), written, made.x), made.hidden


def _drawn(rng: Generator) -> Wear:
    """How many marks a patch has: a whole picture's would be too few to learn from."""
    scratches, dust, folded, stained = torch.rand(4, generator=rng).tolist()
    return Wear(round(5 * scratches**2), round(9 * dust**2), int(folded < 0.2), int(stained < 0.25))


__all__ = ["Marker"]
