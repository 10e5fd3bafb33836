"""What a net sees of the style and of the content of a picture; three nets can look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

from danqing.core.disk import hash_of
from danqing.core.errors import ModelFileError
from danqing.core.pictures.contract import Images, Mask
from danqing.core.uses import used
from danqing.maths.moments import Moments, discrepancy, moments, pixel_maps
from danqing.nets.efficientnet_lite import bundled_weights, efficientnet_lite0
from danqing.nets.mobilenet_v2 import MEAN, STD, mobilenet_v2_maps, note_use

BACKBONES = ("mobilenet-v2", "efficientnet-lite0")
STYLE_BLOCKS = (-1, 0, 1, 3, 8, 12)  # of MobileNetV2: their wide maps, after the depthwise convolution
CONTENT_BLOCK = 4
LITE_BLOCKS, LITE_CONTENT = (-1, 0, 1, 3, 8, 11), 4
VGG16 = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512)  # channels; 0 halves the maps
VGG_STYLE, VGG_CONTENT = (0, 2, 4, 7, 10), 8  # convolutions, counted from 0: conv1_1, 2_1 … 5_1; conv4_2

Look = Callable[[Images], tuple[list[Tensor], Tensor]]


@dataclass(frozen=True)
class StyleFeatures:
    """A net as transfer of style uses it.

    Attributes:
        name: what it is called.
        look: the maps whose moments are the style, and those that are the content, of pictures (B, 3, H, W).
        smallest: px: a shorter side that it can look at.
    """

    name: str
    look: Look
    smallest: int = 32

    def style(self, x: Images, mask: Mask | None = None, gram: bool = False) -> list[Moments]:
        """The style of pictures, of what a mask (B or 1, 1, H', W') marks; with ``gram`` as Gatys et al. have it."""
        return self.of_maps(x, self.look(x)[0], mask, gram)

    def of_maps(self, x: Images, maps: list[Tensor], mask: Mask | None = None, gram: bool = False) -> list[Moments]:
        """The same of pictures whose maps are there already."""
        if not gram:
            return [moments(each, mask) for each in (pixel_maps(x), *maps)]
        found = [moments(each, mask, centred=False) for each in maps]
        return [Moments(torch.zeros_like(each.mean), each.spread) for each in found]

    def content(self, x: Images) -> Tensor:
        """The content of pictures."""
        return self.look(x)[1]


def style_distance(found: list[Moments], wanted: list[Moments], mutual: bool = False, rooted: bool = False) -> Tensor:
    """The mean discrepancy over the layers, (B,); see :func:`danqing.maths.moments.discrepancy`."""
    each = [discrepancy(mine, other, mutual, rooted) for mine, other in zip(found, wanted, strict=True)]
    return torch.stack(each).mean(0)


def content_distance(found: Tensor, wanted: Tensor) -> Tensor:
    """The squared difference of two contents against the wanted one's square, (B,)."""
    size = wanted.square().flatten(1).sum(1).clamp(min=1e-8)
    return (found - wanted).square().flatten(1).sum(1) / size


def style_features(name: str = "mobilenet-v2") -> StyleFeatures:
    """A net by its name, or VGG16 by the file of its weights, which only the user can supply.

    Raises:
        ModelFileError: if there is no such file, or it holds no VGG16.
    """
    if name == "mobilenet-v2":
        note_use()
        return StyleFeatures(name, _mobilenet)
    if name == "efficientnet-lite0":
        used(name, sha256=hash_of(bundled_weights()))
        return StyleFeatures(name, _lite())
    return vgg16_features(Path(name))


def vgg16_features(file: Path) -> StyleFeatures:
    """VGG16 from a state dict in torchvision's layout (.pth or .safetensors): features.0.weight and so on.

    Raises:
        ModelFileError: if it cannot be read, or lacks one of the convolutions.
    """
    remedy = f"Known: {', '.join(BACKBONES)}, or a file with VGG16's weights as torchvision has them"
    try:
        if file.suffix == ".safetensors":
            tensors = load_file(file)
        else:
            tensors = torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, SafetensorError, EOFError) as error:
        raise ModelFileError("cannot be read as weights", where=file, remedy=remedy) from error
    except Exception as error:  # pickle's own errors, whose class danqing does not import
        raise ModelFileError("is a file of weights that is not safe to load", where=file, remedy=remedy) from error
    if not isinstance(tensors, dict):
        raise ModelFileError(f"holds no VGG16, but a {type(tensors).__name__}", where=file, remedy=remedy)
    kernels = _vgg16_kernels(tensors, file, remedy)
    used("vgg16", sha256=hash_of(file))

    def look(x: Images) -> tuple[list[Tensor], Tensor]:
        return _vgg16(x, kernels)

    return StyleFeatures("vgg16", look)


def _vgg16_kernels(tensors: dict[str, Any], file: Path, remedy: str) -> list[tuple[Tensor, Tensor]]:
    """The convolutions in turn; in torchvision's layout each is followed by a ReLU, and poolings count too."""
    found, at, width = [], 0, 3
    for channels in VGG16:
        if channels == 0:
            at += 1
            continue
        kernel = tuple(tensors.get(f"features.{at}.{part}") for part in ("weight", "bias"))
        shapes = tuple(each.shape for each in kernel if isinstance(each, Tensor))
        if shapes != ((channels, width, 3, 3), (channels,)):
            raise ModelFileError(f"holds no VGG16: features.{at} does not fit", where=file, remedy=remedy)
        weight, bias = (torch.as_tensor(each).detach().float() for each in kernel)
        found.append((weight, bias))
        at, width = at + 2, channels
    return found


def _vgg16(x: Images, kernels: list[tuple[Tensor, Tensor]]) -> tuple[list[Tensor], Tensor]:
    mean, std = (x.new_tensor(each).view(1, 3, 1, 1) for each in (MEAN, STD))
    x, at, style, content = (x - mean) / std, 0, [], x
    for channels in VGG16:
        if channels == 0:
            x = functional.max_pool2d(x, 2, ceil_mode=True)
            continue
        x = functional.relu(functional.conv2d(x, *kernels[at], padding=1))
        style += [x] if at in VGG_STYLE else []
        content = x if at == VGG_CONTENT else content
        at += 1
    return style, content


def _mobilenet(x: Images) -> tuple[list[Tensor], Tensor]:
    x = x.contiguous(memory_format=torch.channels_last)
    maps = mobilenet_v2_maps(x.device).maps(x, STYLE_BLOCKS, [CONTENT_BLOCK])
    return [maps[f"inner {at}"] for at in STYLE_BLOCKS], maps[f"outer {CONTENT_BLOCK}"]


def _lite() -> Look:
    net = efficientnet_lite0()

    def look(x: Images) -> tuple[list[Tensor], Tensor]:
        x = x.contiguous(memory_format=torch.channels_last)
        maps = net.to(x.device).maps(x, LITE_BLOCKS, [LITE_CONTENT])
        return [maps[f"inner {at}"] for at in LITE_BLOCKS], maps[f"outer {LITE_CONTENT}"]

    return look


__all__ = ["BACKBONES", "StyleFeatures", "content_distance", "style_distance", "style_features", "vgg16_features"]
