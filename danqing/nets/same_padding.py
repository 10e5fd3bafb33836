"""Convolutions as TensorFlow pads them, for nets that learned there."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


def convolved_same(x: Tensor, conv: nn.Conv2d) -> Tensor:
    """Convolve maps (B, C, H, W) with TensorFlow's "SAME" padding, which puts the odd pixel at the end.

    Source: TensorFlow, ``tf.nn.convolution``, padding "SAME": sides are divided by the stride and rounded up.
    """
    need = [
        max((-(-side // step) - 1) * step + kernel - side, 0)
        for side, step, kernel in zip(x.shape[-2:], conv.stride, conv.kernel_size, strict=True)
    ]
    if not any(n % 2 for n in need):
        before = (need[0] // 2, need[1] // 2)
        return functional.conv2d(x, conv.weight, conv.bias, conv.stride, before, groups=conv.groups)
    (top, left), (bottom, right) = [n // 2 for n in need], [n - n // 2 for n in need]
    padded = functional.pad(x, (left, right, top, bottom))
    return functional.conv2d(padded, conv.weight, conv.bias, conv.stride, groups=conv.groups)


__all__ = ["convolved_same"]
