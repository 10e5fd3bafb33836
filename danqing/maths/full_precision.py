"""What is computed of pictures themselves keeps their precision, also in the middle of a net that computes in bf16."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import torch
from torch import Tensor

P = ParamSpec("P")
R = TypeVar("R")


def full_precision(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function compute in the type of its arguments, whatever autocast asks of the nets around it.

    bf16 keeps 8 bits of a number: enough for what a net adds to a picture, too few for the picture, for its noise and
    for what is learned from the difference of two. And memory that is used again has one type only.

    Source: danqing; the ops that autocast turns to bf16 are products of matrices and convolutions.
    """

    @functools.wraps(function)
    def computed(*args: P.args, **kwargs: P.kwargs) -> R:
        tensors = (value for value in (*args, *kwargs.values()) if isinstance(value, Tensor))
        device = next((tensor.device.type for tensor in tensors), "cpu")
        with torch.autocast(device, enabled=False):
            return function(*args, **kwargs)

    return computed
