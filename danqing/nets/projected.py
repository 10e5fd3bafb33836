"""A critic that sees pictures through a net trained on photographs: for use beside a critic of pixels."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from danqing.nets.efficientnet_lite import CHANNELS, shared_lite0
from danqing.nets.he import SLOPE

WIDTH = 64  # channels of the mixed maps, and of the heads
USUAL = (11.0, 10.5, 8.3, 3.9)  # root mean squares of the net's maps for emoji of 64 px, by level
HALVINGS = (2, 1, 0, 0)  # of each level's maps before they are judged: to a 16th of the picture's side or less
SMALLEST, LARGEST = 64, 128  # px: sides at which the net looks
STRAY = 8  # px: how far from its place a picture is looked at, at most
MIXING_SEED = 20_21  # of the layers that never learn
TINY = 1e-12  # under a root


class ProjectedCritic(nn.Module):
    """Judge pictures by what a frozen EfficientNet-Lite0 sees of them, at four levels.

    The net's maps are mixed over channels and from coarse to fine by random layers that never learn; on each level a
    small head with spectral norms judges every place. The frozen net is no part of the module: it is neither saved nor
    averaged, and nothing loads it before something is judged.

    Args:
        classes: of the labels; 0: judges without them.
        share: how strongly the painter follows it; 1: as strongly as the critic of pixels.

    Source: Sauer et al. 2021, "Projected GANs converge faster", section 3; projection of labels: Miyato & Koyama 2018,
    eq. 3; that it looks from another place each time, and its share: danqing.
    """

    def __init__(self, classes: int, share: float) -> None:
        super().__init__()
        self.share = share
        rng = Generator().manual_seed(MIXING_SEED)
        for at, (channels, usual) in enumerate(zip(CHANNELS, USUAL, strict=True)):
            kernel = torch.randn(WIDTH, channels, 1, 1, generator=rng) / (usual * math.sqrt(channels))
            self.register_buffer(f"across_{at}", kernel)
        for at in range(len(CHANNELS) - 1):
            kernel = torch.randn(WIDTH, WIDTH, 3, 3, generator=rng) / math.sqrt(9 * WIDTH)
            self.register_buffer(f"down_{at}", kernel)
        self.heads = nn.ModuleList(_Head(halvings, classes) for halvings in HALVINGS)

    def views(self, x: Tensor, y: Tensor, rng: Generator) -> tuple[list[Tensor], list[Tensor]]:
        """Mixed maps, from fine to coarse, of two sets of pictures in [-1, 1], both looked at from the same place.

        From the same place every time a net of strides tells some pixels more than others, which shows as a grid.
        """
        right, down = torch.randint(-STRAY, STRAY + 1, (2,), generator=rng, device=rng.device).tolist()
        return self._mixed(_placed(x, right, down)), self._mixed(_placed(y, right, down))

    def forward(self, maps: list[Tensor], label: Tensor | None) -> list[Tensor]:
        """How real each place of each level looks, for its picture's label: logits (B, h, w) by level."""
        return [head(each, label) for head, each in zip(self.heads, maps, strict=True)]

    def _mixed(self, x: Tensor) -> list[Tensor]:
        x = x.contiguous(memory_format=torch.channels_last)
        levels = shared_lite0(x.device).levels(x.expand(-1, 3, -1, -1) / 2 + 0.5)
        mixed = [F.conv2d(each, self.get_buffer(f"across_{at}")) for at, each in enumerate(levels)]
        for at in reversed(range(len(mixed) - 1)):
            coarser = F.interpolate(mixed[at + 1], mixed[at].shape[-2:], mode="bilinear")
            both = mixed[at] + F.conv2d(coarser, self.get_buffer(f"down_{at}"), padding=1)
            mixed[at] = both * math.sqrt(0.5)
        return mixed


class _Head(nn.Module):
    """Judge the places of maps (B, WIDTH, h, w), after some halvings."""

    def __init__(self, halvings: int, classes: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(_limited(nn.Conv2d(WIDTH, WIDTH, 4, 2, 1)) for _ in range(halvings))
        self.same = _limited(nn.Conv2d(WIDTH, WIDTH, 3, padding=1))
        self.judge = _limited(nn.Conv2d(WIDTH, 1, 1))
        self.classes = _limited(nn.Embedding(classes, WIDTH)) if classes else None

    def forward(self, x: Tensor, label: Tensor | None) -> Tensor:
        for layer in [*self.layers, self.same]:
            x = F.leaky_relu(layer(x), SLOPE)
        logits: Tensor = self.judge(x).squeeze(1).float()
        if self.classes is not None:
            logits = logits + (self.classes(label)[:, :, None, None] * x).sum(1).float()
        return logits


def hinge(real: list[Tensor], fake: list[Tensor]) -> Tensor:
    """The critic's loss, the mean over levels and places.

    Source: Lim & Ye 2017, section 2.
    """
    each = [F.relu(1 - a).mean() + F.relu(1 + b).mean() for a, b in zip(real, fake, strict=True)]
    return torch.stack(each).mean()


def liking(fake: list[Tensor]) -> Tensor:
    """How real painted pictures look, the mean over levels and places."""
    return torch.stack([each.mean() for each in fake]).mean()


def led_by_both(painted: Tensor, first: Tensor, second: Tensor, share: float) -> Tensor:
    """Join two losses of painted pictures so that the second pulls at them ``share`` times as hard as the first.

    Both gradients are taken at the pictures, and the second is brought to ``share`` times the first one's root mean
    square, however strong each critic has become: a critic of features alone would narrow the colours.

    Args:
        painted: pictures (B, C, H, W) that both losses were computed from.
        first: a loss.
        second: another.
        share: how hard the second pulls.

    Returns:
        A loss with the value of the first, and the gradient of both.
    """
    (mine,) = torch.autograd.grad(first, painted)
    (other,) = torch.autograd.grad(second, painted)
    size, rival = (each.float().square().mean().add(TINY**2).sqrt() for each in (mine, other))
    pull = mine + share * size / rival * other
    leading = (painted * pull).sum()
    return first.detach() + leading - leading.detach()


def _placed(x: Tensor, right: int, down: int) -> Tensor:
    """Bring pictures to a side that the net can look at, shifted by so many pixels, with mirrored borders."""
    side = min(LARGEST, max(SMALLEST, x.shape[-1]))
    if side != x.shape[-1]:
        x = F.interpolate(x, (side, side), mode="bilinear", antialias=side < x.shape[-1])
    wide = F.pad(x, (STRAY,) * 4, mode="reflect")
    return wide[..., STRAY + down : STRAY + down + side, STRAY + right : STRAY + right + side]


def _limited(layer: nn.Module) -> nn.Module:
    limited: nn.Module = nn.utils.parametrizations.spectral_norm(layer)
    return limited


__all__ = ["ProjectedCritic", "hinge", "led_by_both", "liking"]
