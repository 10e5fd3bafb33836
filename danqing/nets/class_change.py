"""What a net that knows classes is without them, and what one that knows none is with them."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from danqing.nets.norms import BatchNorm, ClassNorm


def without_classes(net: nn.Module, told: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a net as one of no classes has them: norms and a critic's head have the mean of all classes.

    Args:
        net: that knows classes; it stays as it is.
        told: by the names of its dense layers that are told the class at the end of what comes in: the vector that
            stands for no class in particular. Where such a layer has no bias that could hold what that vector adds,
            it is left out: the caller sees to it.
    """
    weights = dict(net.state_dict())
    for name, module in net.named_modules():
        if isinstance(module, ClassNorm) and module.scale is not None and module.shift is not None:
            weights[f"{name}.norm.weight"] = module.scale.weight.detach().mean(0)
            weights[f"{name}.norm.bias"] = module.shift.weight.detach().mean(0)
        head, classes = getattr(module, "head", None), getattr(module, "classes", None)
        if isinstance(head, nn.Linear) and isinstance(classes, nn.Embedding):
            weights[f"{name}.head.weight"] = head.weight.detach() + classes.weight.detach().mean(0)
    for name, vector in told.items():
        layer = net.get_submodule(name)
        assert isinstance(layer, nn.Linear)
        kept = layer.in_features - len(vector)
        weights[f"{name}.weight"] = layer.weight.detach()[:, :kept].contiguous()
        if layer.bias is not None:
            weights[f"{name}.bias"] = layer.bias.detach() + layer.weight.detach()[:, kept:] @ vector
    return weights


def with_classes(net: nn.Module, told: Mapping[str, int], count: int) -> dict[str, Tensor]:
    """The weights of a net as one that knows classes begins with them: all classes are as there was none.

    Args:
        net: that knows no classes; it stays as it is.
        told: by the names of its dense layers that will be told the class after what comes in: in how many numbers.
        count: of classes.
    """
    weights = dict(net.state_dict())
    for name, module in net.named_modules():
        if isinstance(module, ClassNorm) and isinstance(module.norm, BatchNorm):
            weights[f"{name}.scale.weight"] = module.norm.weight.detach().repeat(count, 1)
            weights[f"{name}.shift.weight"] = module.norm.bias.detach().repeat(count, 1)
    for name, numbers in told.items():
        weight = weights[f"{name}.weight"]
        weights[f"{name}.weight"] = torch.cat([weight, weight.new_zeros(len(weight), numbers)], 1)
    return weights


__all__ = ["with_classes", "without_classes"]
