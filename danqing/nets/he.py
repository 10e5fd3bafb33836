"""First weights that keep the variance from layer to layer."""

from __future__ import annotations

import math

from torch import nn

SLOPE = 0.2  # of leaky ReLUs below 0


def initialise(*layers: nn.Module) -> None:
    """Draw the weights of convolutions and dense layers that come before a leaky ReLU; their biases are 0.

    Source: He et al. 2015, eq. 10, with the inputs that meet in one output of a strided transposed convolution.
    """
    for layer in layers:
        assert isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear)
        inputs = layer.weight[0].numel()
        if isinstance(layer, nn.ConvTranspose2d):
            inputs = layer.in_channels * math.prod(layer.kernel_size) // math.prod(layer.stride)
        nn.init.normal_(layer.weight, std=math.sqrt(2 / (1 + SLOPE**2) / inputs))
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


__all__ = ["SLOPE", "initialise"]
