"""MTCNN: three small nets, one after another, that find faces and five points in each."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from danqing.core.pictures.contract import Images

NAMES = ("right eye", "left eye", "nose", "right mouth corner", "left mouth corner")  # the person's own right
CELL, STRIDE = 12, 2  # px that the first net sees of a face, and how far its cells lie apart
FACTOR = 0.709  # between two scales
SMALLEST = 20  # px that a face must have for the nets to see one


class PNet(nn.Module):
    """Says for every place of a picture how likely a face of 12 px is there, and how its box is off."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.prelu1 = nn.Conv2d(3, 10, 3), nn.PReLU(10)
        self.conv2, self.prelu2 = nn.Conv2d(10, 16, 3), nn.PReLU(16)
        self.conv3, self.prelu3 = nn.Conv2d(16, 32, 3), nn.PReLU(32)
        self.conv4_1, self.conv4_2 = nn.Conv2d(32, 2, 1), nn.Conv2d(32, 4, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Offsets (B, 4, h, w) and probabilities (B, h, w)."""
        x = functional.max_pool2d(self.prelu1(self.conv1(x)), 2, 2, ceil_mode=True)
        x = self.prelu3(self.conv3(self.prelu2(self.conv2(x))))
        return self.conv4_2(x), self.conv4_1(x).softmax(1)[:, 1]


class RNet(nn.Module):
    """Judges cut-outs of 24×24 px."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.prelu1 = nn.Conv2d(3, 28, 3), nn.PReLU(28)
        self.conv2, self.prelu2 = nn.Conv2d(28, 48, 3), nn.PReLU(48)
        self.conv3, self.prelu3 = nn.Conv2d(48, 64, 2), nn.PReLU(64)
        self.dense4, self.prelu4 = nn.Linear(576, 128), nn.PReLU(128)
        self.dense5_1, self.dense5_2 = nn.Linear(128, 2), nn.Linear(128, 4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Offsets (N, 4) and probabilities (N,)."""
        x = functional.max_pool2d(self.prelu1(self.conv1(x)), 3, 2, ceil_mode=True)
        x = functional.max_pool2d(self.prelu2(self.conv2(x)), 3, 2, ceil_mode=True)
        x = self.prelu3(self.conv3(x))
        x = self.prelu4(self.dense4(x.permute(0, 3, 2, 1).flatten(1)))
        return self.dense5_2(x), self.dense5_1(x).softmax(1)[:, 1]


class ONet(nn.Module):
    """Judges cut-outs of 48×48 px, and says where eyes, nose and mouth are."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.prelu1 = nn.Conv2d(3, 32, 3), nn.PReLU(32)
        self.conv2, self.prelu2 = nn.Conv2d(32, 64, 3), nn.PReLU(64)
        self.conv3, self.prelu3 = nn.Conv2d(64, 64, 3), nn.PReLU(64)
        self.conv4, self.prelu4 = nn.Conv2d(64, 128, 2), nn.PReLU(128)
        self.dense5, self.prelu5 = nn.Linear(1152, 256), nn.PReLU(256)
        self.dense6_1, self.dense6_2, self.dense6_3 = nn.Linear(256, 2), nn.Linear(256, 4), nn.Linear(256, 10)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Offsets (N, 4), points (N, 10) as five x and five y, and probabilities (N,)."""
        x = functional.max_pool2d(self.prelu1(self.conv1(x)), 3, 2, ceil_mode=True)
        x = functional.max_pool2d(self.prelu2(self.conv2(x)), 3, 2, ceil_mode=True)
        x = functional.max_pool2d(self.prelu3(self.conv3(x)), 2, 2, ceil_mode=True)
        x = self.prelu4(self.conv4(x))
        x = self.prelu5(self.dense5(x.permute(0, 3, 2, 1).flatten(1)))
        return self.dense6_2(x), self.dense6_3(x), self.dense6_1(x).softmax(1)[:, 1]


class Mtcnn(nn.Module):
    """The three nets in the key layout of `facenet-pytorch`.

    Source: K. Zhang et al., "Joint face detection and alignment using multi-task cascaded
    convolutional networks", 2016.
    """

    def __init__(self) -> None:
        super().__init__()
        self.pnet, self.rnet, self.onet = PNet(), RNet(), ONet()


def level_of(x: Images, scale: float) -> Tensor:
    """A picture (B, 3, H, W) at a scale, by means over areas, with values as the nets want them: -1…1."""
    size = [max(CELL, int(side * scale + 1)) for side in x.shape[-2:]]
    return (functional.interpolate(x, size, mode="area") * 255 - 127.5) / 128


def scales(height: int, width: int, smallest: float) -> list[float]:
    """At which scales a picture is looked at, for faces from so many pixels on."""
    scale, found = CELL / smallest, []
    while min(height, width) * scale >= CELL:
        found.append(scale)
        scale *= FACTOR
    return found


def cut_out(x: Images, boxes: Tensor, side: int) -> Tensor:
    """Squares (N, 3, side, side) of a picture (1, 3, H, W); what lies outside it is black."""
    parts = []
    for left, top, right, bottom in boxes.round().long().tolist():
        part = x.new_zeros(1, x.shape[1], max(bottom - top, 1), max(right - left, 1))
        inner = x[:, :, max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
        down, across = max(-top, 0), max(-left, 0)
        part[:, :, down : down + inner.shape[2], across : across + inner.shape[3]] = inner
        parts.append(functional.interpolate(part, (side, side), mode="area"))
    return (torch.cat(parts) * 255 - 127.5) / 128


__all__ = ["CELL", "NAMES", "SMALLEST", "STRIDE", "Mtcnn", "cut_out", "level_of", "scales"]
