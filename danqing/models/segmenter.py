"""The segmenter family: says of every pixel which of one's own classes it belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from danqing.core.errors import ParameterError
from danqing.core.fields.number import Range
from danqing.core.learned import finder
from danqing.core.learned.finder import Places
from danqing.core.learned.model import Samples
from danqing.core.learned.proposals import Optimiser
from danqing.core.pictures.contract import Images, Mask
from danqing.core.pictures.found import Found
from danqing.maths.components import things_in_planes
from danqing.maths.fitting import in_channels
from danqing.maths.found_scores import intersection
from danqing.nets.detection import sized
from danqing.nets.finding import cells_of, flat
from danqing.nets.pyramid import Backbone, Trunk, enlarged, pooled, seen_by, separable
from danqing.nets.viewing import check_classes, negated, pairs_of

FINE = (16, 16)  # channels of what is seen of the picture itself, at its size and at half of it
SMOOTH = 1.0  # pixels that Dice counts beside those that are there


class Segmenter(finder.Parser):
    """Learn which pixels belong to things of one's own classes.

    A U: a net that knows ImageNet goes down, and what it sees at each size is brought up again to the pixels. With
    ``--freeze trunk`` that net stays as it is.

    Args:
        size: longer side of what it looks at, in px.
        channels: 1 (grey) or 3 (RGB).
        classes: how many are told apart, beside what belongs to none.
        backbone: EfficientNet-Lite0, or the first blocks of MobileNetV2, which are smaller and faster.
        width: channels on the way up.
        dice: weight of the overlap of whole classes (Dice) beside the cross entropy of single pixels.

    Source: O. Ronneberger et al., "U-Net", 2015; F. Milletari et al., "V-Net", 2016, section 3 (Dice).
    """

    sees_by: ClassVar[str] = "up"  # where what the trunk sees has come up again: exact to a few pixels
    output_names: ClassVar[tuple[str, ...]] = ("shares",)
    first_class: ClassVar[int] = 1  # what belongs to nothing comes before
    outputs_mean: ClassVar[str] = "shares (B, 1 + classes, H, W) of each pixel that belong to nothing and to each class"
    optimiser = Optimiser(lr=2e-3, betas=(0.9, 0.99), weight_decay=0.01)

    def __init__(
        self,
        size: Annotated[int, Range(32, 1024, "px")],
        channels: Annotated[int, Range(1, 3)],
        classes: Annotated[int, Range(0, 254)],
        backbone: Backbone = "lite0",
        width: Annotated[int, Range(16, 256)] = 64,
        dice: Annotated[float, Range(0, 100)] = 1.0,
    ) -> None:
        super().__init__()
        check_classes(classes)
        self.dice = dice
        self.trunk = Trunk(backbone)
        self.lateral = nn.ModuleList(nn.Conv2d(each, width, 1) for each in self.trunk.channels)
        self.up = nn.ModuleList(separable(2 * width, width) for _ in self.trunk.channels[1:])
        self.halves, self.whole = _seeing(FINE[1], 2), _seeing(FINE[0], 1)
        self.finer = nn.ModuleList([separable(width + FINE[1], width // 2), separable(width // 2 + FINE[0], 16)])
        self.says = nn.Conv2d(16, 1 + classes, 1)

    def losses(self, batch: Samples, rng: Generator) -> Iterator[tuple[str, Tensor]]:
        """Yield cross entropy, mean over pixels, and Dice, mean over classes."""
        target = _target(batch)
        logits = self._logits(batch.x).float()
        entropy = -(target * logits.log_softmax(1)).sum(1).mean()
        yield "", entropy + self.dice * dice_loss(logits.softmax(1)[:, 1:], target[:, 1:])

    def features(self, x: Images) -> Tensor:
        return pooled(self.trunk, sized(in_channels(x, self.config["channels"]), self.config["size"], 0.0)[0])

    def places(self, x: Images) -> Places:
        """Of each pixel of what it sees the odds of each class against all others, and against nothing."""
        seen, scale = sized(in_channels(x, self.config["channels"]), self.config["size"], 0.0)
        high, wide = (max(1, round(each * scale)) for each in x.shape[-2:])
        logits = self._logits(seen)[..., :high, :wide].float()
        others = [torch.cat([logits[:, :at], logits[:, at + 1 :]], 1).logsumexp(1) for at in range(1, logits.shape[1])]
        odds = logits[:, 1:] - torch.stack(others, 1)
        middle = cells_of([odds], [1]).middle
        return Places(flat([odds]), torch.cat([middle - 0.5, middle + 0.5], 1) / scale)

    def outputs(self, x: Images) -> tuple[Tensor, ...]:
        return (self._logits(x).float().softmax(1),)

    @torch.no_grad()
    def shares(self, x: Images, side: int | None = None) -> Tensor:
        height, width = x.shape[-2:]
        seen, scale = sized(in_channels(x, self.config["channels"]), side or self.config["size"], 0.0)
        high, wide = (max(1, round(each * scale)) for each in (height, width))
        return self._logits(seen)[..., :high, :wide].float().softmax(1)

    @torch.no_grad()
    def find(self, x: Images, threshold: float, count: int = 100, side: int | None = None) -> list[Found]:
        found = (things_in_planes(each, self.names, x.shape[-2:]) for each in self.shares(x, side))
        size = x.shape[3], x.shape[2]
        return [Found(*size, tuple(each for each in things if each.score >= threshold)[:count]) for things in found]

    @torch.no_grad()
    def score(self, batch: Samples) -> dict[str, float]:
        """Return ``-mIoU`` with its 95 % interval, negated."""
        _target(batch)
        return negated("mIoU", intersection, pairs_of(self, batch, 0.0))

    def _logits(self, x: Images) -> Tensor:
        maps = [
            lateral(each) for lateral, each in zip(self.lateral, seen_by(self.trunk, x, self.training), strict=True)
        ]
        found = maps[-1]
        for up, skip in zip(self.up, maps[-2::-1], strict=True):
            found = up(torch.cat([enlarged(found, skip), skip], 1))
        for finer, see in zip(self.finer, (self.halves, self.whole), strict=True):
            own = see(x.expand(-1, 3, -1, -1))
            larger = F.interpolate(found, own.shape[-2:], mode="bilinear", align_corners=False)
            found = finer(torch.cat([larger, own], 1))
        logits: Tensor = self.says(found)
        return logits


def dice_loss(shares: Tensor, target: Mask) -> Tensor:
    """One less the overlap of what is said and what is there, (B, classes, H, W); mean over pictures and classes.

    Source: F. Milletari et al., "V-Net", 2016, section 3, with sums in place of squares and one pixel added.
    """
    common = 2 * (shares * target).sum((2, 3)) + SMOOTH
    return (1 - common / (shares.sum((2, 3)) + target.sum((2, 3)) + SMOOTH)).mean()


def _target(batch: Samples) -> Tensor:
    """The share of each pixel that belongs to nothing and to each class, (B, 1 + classes, H, W)."""
    if batch.mask is None or batch.boxes is None:
        raise ParameterError("a segmenter learns from pictures with masks of classes; these have none", where="data")
    planes = batch.mask.clamp(0, 1)
    return torch.cat([(1 - planes.sum(1, keepdim=True)).clamp(min=0), planes], 1)


def _seeing(channels: int, stride: int) -> nn.Sequential:
    """A glance at the picture itself."""
    return nn.Sequential(nn.Conv2d(3, channels, 3, stride, 1, bias=False), nn.GroupNorm(8, channels), nn.SiLU())


__all__ = ["Segmenter", "dice_loss"]
