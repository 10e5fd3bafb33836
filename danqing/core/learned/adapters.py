"""Adapters: small learnt changes of kernels that stay as they were; merged into these where a model is saved."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import ClassVar, Literal, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

M = TypeVar("M", bound=nn.Module)
Kind = Literal["low-rank", "scale"]
RANK = 4
KERNEL, CHANGE = ".parametrizations.weight.original", ".parametrizations.weight.0."  # after a layer's name


class Adapter(nn.Module, ABC):
    """A change of a kernel by a product of two small matrices, (rows x rank) and (rank x columns).

    It begins as no change at all. The second matrix is drawn so wide that a step changes each number of the kernel by
    about as much as it would if the kernel itself learned.
    """

    names: ClassVar[tuple[str, str]]  # of the two matrices

    def __init__(self, weight: Tensor, rank: int) -> None:
        super().__init__()
        first, second = self.names
        self.register_parameter(first, nn.Parameter(torch.zeros(len(weight), rank)))
        wide = torch.randn(rank, self.columns(weight)) / rank**0.5 / self.unit(weight)
        self.register_parameter(second, nn.Parameter(wide))

    def forward(self, weight: Tensor) -> Tensor:
        return self.changed(weight, *(self.get_parameter(name) for name in self.names))

    @staticmethod
    @abstractmethod
    def columns(weight: Tensor) -> int:
        """How many columns the product has for a kernel."""

    @staticmethod
    def unit(weight: Tensor) -> float:
        """By how much a kernel's numbers change where the product changes by 1."""
        return 1.0

    @staticmethod
    @abstractmethod
    def changed(weight: Tensor, first: Tensor, second: Tensor) -> Tensor:
        """The kernel with the change that two matrices make of it."""


class LowRank(Adapter):
    """Add a matrix of a low rank to a kernel.

    Source: Hu et al. 2022, "LoRA", section 4.1; of a convolution all that meets in one row is a column.
    """

    names = ("up", "down")

    @staticmethod
    def columns(weight: Tensor) -> int:
        return weight[0].numel()

    @staticmethod
    def changed(weight: Tensor, first: Tensor, second: Tensor) -> Tensor:
        return weight + _product(first, second).view(weight.shape)


class Scale(Adapter):
    """Multiply what each channel takes of each other by a matrix of a low rank, added to one.

    Source: Zhao et al. 2022, "Few-shot Image Generation via Adaptation-Aware Kernel Modulation", section 4.
    """

    names = ("along", "across")

    @staticmethod
    def columns(weight: Tensor) -> int:
        return weight.shape[1]

    @staticmethod
    def unit(weight: Tensor) -> float:
        return max(1e-8, float(weight.detach().square().mean().sqrt()))

    @staticmethod
    def changed(weight: Tensor, first: Tensor, second: Tensor) -> Tensor:
        factor = 1 + _product(first, second)
        return weight * factor.view(*factor.shape, *[1] * (weight.ndim - 2))


KINDS: Mapping[str, type[Adapter]] = {"low-rank": LowRank, "scale": Scale}


def adapt(model: nn.Module, names: Iterable[str], kind: Kind, rank: int) -> list[str]:
    """Give layers an adapter each, and let their kernels stay as they are.

    Where an adapter would hold as many numbers as the kernel, that learns by itself.

    Args:
        model: new, with the weights that it begins with; changed in place.
        names: of weights; those that are no kernels of dense layers or convolutions, or do not learn, are passed over.
        kind: of adapter.
        rank: of the change.

    Returns:
        The names of the layers that have one.
    """
    adapted = []
    for name in names:
        path, _, last = name.rpartition(".")
        layer = model.get_submodule(path)
        if last != "weight" or not isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            continue
        if not layer.weight.requires_grad:  # it belongs to a part that no longer learns
            continue
        if rank * (len(layer.weight) + KINDS[kind].columns(layer.weight)) < layer.weight.numel():
            _put(layer, KINDS[kind], rank)
            adapted.append(path)
    return adapted


def adapted_as(model: M, tensors: Mapping[str, Tensor], prefix: str = "") -> M:
    """Give a model the adapters that are among the tensors of a checkpoint; most hold none.

    Args:
        model: new; changed in place.
        tensors: by name.
        prefix: of the names that are meant.
    """
    for path, kind, matrices in _found(tensors):
        if path.startswith(prefix):
            _put(model.get_submodule(path.removeprefix(prefix)), kind, len(matrices[1]))
    return model


def merged(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of a model without adapters: its kernels hold the changes of these."""
    plain = dict(tensors)
    for path, kind, matrices in _found(tensors):
        plain[f"{path}.weight"] = kind.changed(plain.pop(f"{path}{KERNEL}"), *matrices)
        for name in kind.names:
            del plain[f"{path}{CHANGE}{name}"]
    return plain


def adapters_in(model: nn.Module) -> Iterator[Adapter]:
    """The adapters of a model."""
    return (each for each in model.modules() if isinstance(each, Adapter))


def _found(tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, type[Adapter], list[Tensor]]]:
    """The layers that have an adapter, of which kind, and its matrices."""
    for name in tensors:
        path, _, last = name.partition(CHANGE)
        kind = next((each for each in KINDS.values() if each.names[0] == last), None)
        if kind is not None and {f"{path}{KERNEL}", f"{path}{CHANGE}{kind.names[1]}"} <= tensors.keys():
            yield path, kind, [tensors[f"{path}{CHANGE}{each}"] for each in kind.names]


def _put(layer: nn.Module, kind: type[Adapter], rank: int) -> None:
    weight = layer.weight
    assert isinstance(weight, Tensor)
    parametrize.register_parametrization(layer, "weight", kind(weight, rank).to(weight.device))
    weight.requires_grad_(False)


def _product(first: Tensor, second: Tensor) -> Tensor:
    """A product in full precision, also where nets around it compute in bf16: what is saved is then what learned."""
    with torch.autocast(first.device.type, enabled=False):
        return first @ second


__all__ = ["CHANGE", "KERNEL", "KINDS", "RANK", "Kind", "adapt", "adapted_as", "adapters_in", "merged"]
