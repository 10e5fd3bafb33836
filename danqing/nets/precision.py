"""In which precision a net computes: bf16 where the processor has instructions for it, otherwise fp32."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from danqing.core.learned.manner import computes_bf16

Precision = Literal["auto", "bf16", "fp32"]


def autocast(device: str, precision: Precision = "auto") -> torch.autocast:
    """A context in which convolutions and products compute in ``precision``."""
    wanted = precision == "bf16" or (precision == "auto" and computes_bf16(device))
    return torch.autocast(device, torch.bfloat16, enabled=wanted)


def as_autocast(x: Tensor) -> Tensor:
    """Turn maps into what the convolutions around them give: bf16 within :func:`autocast`, otherwise as they are."""
    device = x.device.type
    return x.to(torch.get_autocast_dtype(device)) if torch.is_autocast_enabled(device) else x
