"""The Inception network that the FID is defined on: the graph and key layout of `pt_inception-2015-12-05-6726825d.pth`.

danqing ships no weights for it: they come from a file of the user's. The official file cannot be reached where danqing
is tested, so what the tests hold against torch-fidelity is the graph with drawn weights, its keys and its resize; not
the numbers of the official weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from danqing.core.errors import ModelFileError

SIDE = 299
DIM = 2048
CLASSES = 1008

Kernel = int | tuple[int, int]
Chains = dict[str, list[tuple[int, *tuple[Kernel, ...]]]]  # of each branch: its convolutions' channels out and kernel
FORK: tuple[Kernel, Kernel] = ((1, 3), (3, 1))  # two kernels: convolutions side by side, at the end of a branch


class InceptionFID(nn.Module):
    """Inception v3 as TensorFlow's 2015 ImageNet model has it, patched where FID differs from the published network.

    Average pools leave padding out of their mean, the last block pools by maximum, and there are 1008 logits.

    Source: Szegedy et al. 2016, Rethinking the Inception architecture, table 1; Heusel et al. 2017 (use as FID
    features); Obukhov et al. 2020, torch-fidelity (layout and patches).
    """

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = _Conv(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = _Conv(32, 32, 3)
        self.Conv2d_2b_3x3 = _Conv(32, 64, 3, padding=1)
        self.Conv2d_3b_1x1 = _Conv(64, 80, 1)
        self.Conv2d_4a_3x3 = _Conv(80, 192, 3)
        self.Mixed_5b = _Mixed(192, _grid35(32))
        self.Mixed_5c = _Mixed(256, _grid35(64))
        self.Mixed_5d = _Mixed(288, _grid35(64))
        self.Mixed_6a = _Mixed(288, {"branch3x3": [(384, 3)], "branch3x3dbl": [(64, 1), (96, 3), (96, 3)]}, halve=True)
        self.Mixed_6b = _Mixed(768, _grid17(128))
        self.Mixed_6c = _Mixed(768, _grid17(160))
        self.Mixed_6d = _Mixed(768, _grid17(160))
        self.Mixed_6e = _Mixed(768, _grid17(192))
        self.Mixed_7a = _Mixed(768, _NARROW, halve=True)
        self.Mixed_7b = _Mixed(1280, _GRID8)
        self.Mixed_7c = _Mixed(2048, _GRID8, pool="max")
        self.fc = nn.Linear(DIM, CLASSES)

    def features(self, x: Tensor) -> Tensor:
        """Pooled activations (B, 2048) of pictures (B, 3, H, W) in [0, 1], rounded to the 8 bits they are saved in."""
        x = (tf1_resize((x * 255).round(), SIDE) - 128) / 128
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = functional.max_pool2d(x, 3, 2)
        x = functional.max_pool2d(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x)), 3, 2)
        for name, block in self.named_children():
            if name.startswith("Mixed"):
                x = block(x)
        return x.mean((2, 3))

    def logits(self, features: Tensor) -> Tensor:
        """Logits (B, 1008) without their bias, which is what the Inception Score is computed from."""
        return features @ self.fc.weight.T


class _Conv(nn.Module):
    """Convolution, normalisation, ReLU."""

    def __init__(self, width: int, out: int, kernel: Kernel, stride: int = 1, padding: Kernel = 0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, out, kernel, stride, padding, bias=False)
        self.bn: nn.BatchNorm2d | nn.Identity = nn.BatchNorm2d(out, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.bn(self.conv(x)), inplace=True)

    def fold(self) -> None:
        """Put the normalisation into the convolution: the same numbers, sooner."""
        if isinstance(self.bn, nn.BatchNorm2d):
            self.conv, self.bn = fuse_conv_bn_eval(self.conv, self.bn), nn.Identity()


class _Mixed(nn.Module):
    """Branches of convolutions over the same input, and a pooled one, put side by side.

    A branch of one convolution is stored under its own name, one of several under ``name_1``, ``name_2`` …; where it
    forks, its last two are ``_Na`` and ``_Nb``. ``halve`` gives the last convolutions and the pool stride 2 and no
    padding.
    """

    def __init__(self, width: int, chains: Chains, *, halve: bool = False, pool: str = "mean") -> None:
        super().__init__()
        self.halve, self.pool = halve, pool
        self.routes: dict[str, list[tuple[str, ...]]] = {}
        for name, chain in chains.items():
            self.routes[name], inner = [], width
            for at, (out, *kernels) in enumerate(chain, 1):
                key = name if len(chain) == 1 else f"{name}_{at}"
                keys = (f"{key}a", f"{key}b") if len(kernels) == 2 else (key,)
                stride = 2 if halve and at == len(chain) else 1
                for part, kernel in zip(keys, kernels, strict=True):
                    self.add_module(part, _Conv(inner, out, kernel, stride, 0 if stride == 2 else _half(kernel)))
                self.routes[name].append(keys)
                inner = out

    def forward(self, x: Tensor) -> Tensor:
        pooled = self._pooled(x)
        out = [self._follow(route, pooled if name == "branch_pool" else x) for name, route in self.routes.items()]
        return torch.cat([*out, pooled] if self.halve else out, 1)

    def _pooled(self, x: Tensor) -> Tensor:
        if self.halve:
            return functional.max_pool2d(x, 3, 2)
        if self.pool == "max":
            return functional.max_pool2d(x, 3, 1, 1)
        return functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)

    def _follow(self, route: list[tuple[str, ...]], x: Tensor) -> Tensor:
        for keys in route:
            x = torch.cat([self.get_submodule(key)(x) for key in keys], 1)
        return x


def inception_from(file: Path) -> InceptionFID:
    """Load weights in torch-fidelity's layout from a .safetensors file or a .pth state dict (never unpickled).

    Raises:
        ModelFileError: if the file is missing or its tensors are not those of this graph.
    """
    net = InceptionFID()
    try:
        net.load_state_dict(_tensors(file))
    except (RuntimeError, TypeError) as error:
        first = str(error).strip().partition("\n")[2].strip()[:120] or "no state dict"
        raise ModelFileError(
            f"does not hold the FID Inception network ({first})",
            where=file,
            remedy="It is known as pt_inception-2015-12-05-6726825d.pth",
        ) from error
    net.eval().requires_grad_(False)
    for module in [m for m in net.modules() if isinstance(m, _Conv)]:
        module.fold()
    return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def tf1_resize(x: Tensor, side: int) -> Tensor:
    """Resize (B, C, H, W) to a square as TensorFlow 1 did: bilinear, no antialias, no half-pixel shift.

    Output i lies at i · size / side of the input; two products with a banded matrix do it.

    Source: tf.image.resize_bilinear(align_corners=False) of TensorFlow 1, which FID was first computed with.
    """
    return _tf1_matrix(x.shape[-2], side).to(x) @ x @ _tf1_matrix(x.shape[-1], side).to(x).T


def _tf1_matrix(size: int, side: int) -> Tensor:
    place = torch.arange(side) * (torch.tensor(float(size)) / side)  # float32, as TensorFlow has it
    low = place.floor().long()
    part = place - low
    matrix = torch.zeros(side, size)
    rows = torch.arange(side)
    matrix[rows, low] += 1 - part
    matrix[rows, (low + 1).clamp_max(size - 1)] += part
    return matrix


def _tensors(file: Path) -> Mapping[str, Tensor]:
    if not file.is_file():
        raise ModelFileError("no such weights file", where=file)
    try:
        if file.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(file)
        loaded: Mapping[str, Tensor] = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # torch and safetensors raise a dozen kinds for a foreign file
        why = str(error).strip().partition("\n")[0][:200]
        raise ModelFileError(f"is not a file of plain tensors ({why})", where=file) from error
    return loaded


def _grid35(pooled: int) -> Chains:
    return {
        "branch1x1": [(64, 1)],
        "branch5x5": [(48, 1), (64, 5)],
        "branch3x3dbl": [(64, 1), (96, 3), (96, 3)],
        "branch_pool": [(pooled, 1)],
    }


def _grid17(c: int) -> Chains:
    return {
        "branch1x1": [(192, 1)],
        "branch7x7": [(c, 1), (c, (1, 7)), (192, (7, 1))],
        "branch7x7dbl": [(c, 1), (c, (7, 1)), (c, (1, 7)), (c, (7, 1)), (192, (1, 7))],
        "branch_pool": [(192, 1)],
    }


_NARROW: Chains = {
    "branch3x3": [(192, 1), (320, 3)],
    "branch7x7x3": [(192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3)],
}
_GRID8: Chains = {
    "branch1x1": [(320, 1)],
    "branch3x3": [(384, 1), (384, *FORK)],
    "branch3x3dbl": [(448, 1), (384, 3), (384, *FORK)],
    "branch_pool": [(192, 1)],
}


def _half(kernel: Kernel) -> Kernel:
    return kernel // 2 if isinstance(kernel, int) else (kernel[0] // 2, kernel[1] // 2)
