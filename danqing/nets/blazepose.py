"""BlazePose (lite): 33 points of a body in a square cut around a person."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from danqing.core.pictures.contract import Images

SIDE = 256
NAMES = (
    "nose", "left eye inner", "left eye", "left eye outer", "right eye inner", "right eye", "right eye outer",
    "left ear", "right ear", "mouth left", "mouth right", "left shoulder", "right shoulder", "left elbow",
    "right elbow", "left wrist", "right wrist", "left pinky", "right pinky", "left index", "right index",
    "left thumb", "right thumb", "left hip", "right hip", "left knee", "right knee", "left ankle", "right ankle",
    "left heel", "right heel", "left foot", "right foot",
)  # fmt: skip
MIDDLE, RIM = 33, 34  # two further points: between the hips, and on the circle around the whole body
POINTS = 39
# kernel, stride, expanded, channels out, each a block of the backbone
BLOCKS = (
    (3, 2, 32, 16), (3, 1, 96, 16), (5, 2, 96, 24), (5, 1, 144, 24), (3, 2, 144, 40), (3, 1, 240, 40), (3, 1, 240, 40),
    (5, 1, 240, 56), (5, 1, 336, 56), (5, 1, 336, 56), (5, 2, 336, 96), (5, 1, 576, 96), (5, 1, 576, 96),
    (5, 1, 576, 96),
)  # fmt: skip
WIDTH = 192  # of the last layers


class BlazePose(nn.Module):
    """A MobileNet backbone and a head that says where each point is, and how sure it is.

    Source: V. Bazarevsky et al., "BlazePose: on-device real-time body pose tracking", 2020; the lite net of MediaPipe,
    without the branches for heat maps, depth in metres and segmentation, which its points do not need.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 24, 3, 2, 1)
        self.stem_depth, self.stem_point = _depthwise(24), nn.Conv2d(24, 8, 1)
        widths = (8, *(out for *_, out in BLOCKS))
        self.blocks = nn.ModuleList(
            _Block(width, inner, out, kernel, stride)
            for width, (kernel, stride, inner, out) in zip(widths, BLOCKS, strict=False)
        )
        self.widen, self.widen_depth = nn.Conv2d(96, 576, 1), _depthwise(576)
        self.enter_depth, self.enter = _depthwise(576), nn.Conv2d(576, WIDTH, 1)
        self.head = nn.ModuleList(_Step(WIDTH, stride) for stride in (2, 1, 1, 2, 1, 1, 1))
        self.presence, self.points = nn.Conv2d(WIDTH, 1, 2), nn.Conv2d(WIDTH, 5 * POINTS, 2)

    def forward(self, x: Images) -> tuple[Tensor, Tensor]:
        """Points (B, 39, 5) and presence (B,), 0…1, of squares (B, 3, 256, 256) in [0, 1].

        Each point is x, y and z in pixels of the square, and logits of being seen and of being in the square.
        """
        h = self.stem_point(_relu6(self.stem_depth(_relu6(self.stem(x)))))
        for block in self.blocks:
            h = block(h)
        h = _relu6(self.widen_depth(_relu6(self.widen(h))))
        h = _relu6(self.enter(_relu6(self.enter_depth(h))))
        for step in self.head:
            h = step(h)
        return self.points(h).view(-1, POINTS, 5), self.presence(h).flatten().sigmoid()


class _Block(nn.Module):
    """An inverted residual."""

    def __init__(self, width: int, inner: int, out: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.widen, self.depth = nn.Conv2d(width, inner, 1), _depthwise(inner, kernel, stride)
        self.narrow = nn.Conv2d(inner, out, 1)
        self.adds = stride == 1 and width == out

    def forward(self, x: Tensor) -> Tensor:
        h = self.narrow(_relu6(self.depth(_relu6(self.widen(x)))))
        return x.add(h) if self.adds else h


class _Step(nn.Module):
    """A separable convolution added to its input, pooled where the size is halved; odd padding comes last."""

    def __init__(self, width: int, stride: int) -> None:
        super().__init__()
        self.depth = nn.Conv2d(width, width, 3, stride, 1 if stride == 1 else 0, groups=width)
        self.point = nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        if self.depth.stride[0] == 2:
            added, h = functional.max_pool2d(x, 2), functional.pad(x, (0, 1, 0, 1))
        else:
            added, h = x, x
        return _relu6(added + self.point(_relu6(self.depth(h))))


def _depthwise(width: int, kernel: int = 3, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(width, width, kernel, stride, kernel // 2, groups=width)


def _relu6(x: Tensor) -> Tensor:
    return functional.relu6(x)


__all__ = ["MIDDLE", "NAMES", "POINTS", "RIM", "SIDE", "BlazePose"]
