"""The selfie net: how far each pixel belongs to a person."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from danqing.core.pictures.contract import Images, Mask
from danqing.nets.same_padding import convolved_same

SIDE = 256
# kernel, stride, channels in, inner, squeezed (0: not), out, hard swish or else ReLU; each a block of the backbone
BLOCKS = (
    (3, 2, 16, 16, 8, 16, False), (3, 2, 16, 72, 0, 24, False), (3, 1, 24, 88, 0, 24, False),
    (5, 2, 24, 96, 24, 32, True), (5, 1, 32, 128, 32, 32, True), (5, 1, 32, 128, 32, 32, True),
    (5, 1, 32, 96, 24, 32, True), (5, 1, 32, 96, 24, 32, True),
)  # fmt: skip
JOINS = ((128, 24), (24, 16), (16, 16))  # channels in and out of the ways up, which meet the maps of these blocks:
MEETS = (2, 0, -1)  # -1 is the stem


class SelfieNet(nn.Module):
    """A MobileNetV3 backbone, and a way up that gates what each of its sizes adds.

    Source: MediaPipe selfie segmentation, 2021; A. Howard et al., "Searching for MobileNetV3", 2019 (backbone).
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, 2)
        self.blocks = nn.ModuleList(_Block(*each) for each in BLOCKS)
        self.context, self.weights = nn.Conv2d(32, 128, 1), nn.Conv2d(32, 128, 1)
        self.joins = nn.ModuleList(_Join(*each) for each in JOINS)
        self.last = nn.ConvTranspose2d(16, 1, 2, 2)

    def forward(self, x: Images) -> Mask:
        """The share of each pixel (B, 1, 256, 256) that is a person's, of pictures (B, 3, 256, 256) in [0, 1]."""
        x = functional.hardswish(convolved_same(x, self.stem))
        maps = {-1: x}
        for at, block in enumerate(self.blocks):
            x = maps[at] = block(x)
        x = self.context(x).relu() * self.weights(x.mean((2, 3), keepdim=True)).sigmoid()
        for join, level in zip(self.joins, MEETS, strict=True):
            x = join(x, maps[level])
        out: Mask = self.last(x).sigmoid()
        return out


class _Block(nn.Module):
    """An inverted residual, with squeeze and excitation where it has."""

    def __init__(self, kernel: int, stride: int, width: int, inner: int, squeezed: int, out: int, hard: bool) -> None:
        super().__init__()
        self.widen = nn.Conv2d(width, inner, 1)
        self.depth = nn.Conv2d(inner, inner, kernel, stride, groups=inner)
        self.gate = _Gate(inner, squeezed) if squeezed else None
        self.narrow = nn.Conv2d(inner, out, 1)
        self.bend = functional.hardswish if hard else functional.relu
        self.adds = stride == 1 and width == out

    def forward(self, x: Tensor) -> Tensor:
        h = self.bend(convolved_same(self.bend(self.widen(x)), self.depth))
        if self.gate is not None:
            h = h * self.gate(h)
        h = self.narrow(h)
        return x.add(h) if self.adds else h


class _Gate(nn.Module):
    """How much of each channel passes, from the mean of all."""

    def __init__(self, width: int, squeezed: int) -> None:
        super().__init__()
        self.down, self.up = nn.Conv2d(width, squeezed, 1), nn.Conv2d(squeezed, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.up(self.down(x.mean((2, 3), keepdim=True)).relu()).sigmoid()
        return out


class _Join(nn.Module):
    """Twice the size, added to a map of that size as far as a gate over both lets it in; then refined."""

    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.narrow, self.gate = nn.Conv2d(width, out, 1), _Gate(out, out)
        self.point, self.depth = nn.Conv2d(out, out, 1), nn.Conv2d(out, out, 3, 1, 1, groups=out)

    def forward(self, x: Tensor, fine: Tensor) -> Tensor:
        x = self.narrow(functional.interpolate(x, fine.shape[-2:], mode="bilinear", align_corners=False))
        h = self.point(fine * self.gate(fine + x) + x).relu()
        out: Tensor = h + self.depth(h).relu()
        return out


__all__ = ["SIDE", "SelfieNet"]
