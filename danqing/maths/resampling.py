"""Pictures at another size."""

from __future__ import annotations

from typing import Literal

import torch

from danqing.core.pictures.contract import Images

Kernel = Literal["nearest", "box", "bilinear", "bicubic", "lanczos"]


def resampled(x: Images, height: int, width: int, kernel: Kernel) -> Images:
    """Resample with Pillow, whose kernels widen when they shrink, one float32 plane at a time.

    Args:
        x: (B, C, H, W).
        height: of the result, in px.
        width: of the result, in px.
        kernel: Pillow's, by name; bicubic has a = -1/2, lanczos 3 lobes.

    Returns:
        (B, C, height, width); bicubic and lanczos may leave [0, 1].

    Source: K. Turkowski, "Filters for common resampling tasks", Graphics Gems, 1990; computed by Pillow.
    """
    from PIL import Image

    out = torch.empty(*x.shape[:2], height, width, device=x.device)
    for plane, target in zip(x.flatten(0, 1), out.flatten(0, 1), strict=True):
        picture = Image.fromarray(plane.cpu().contiguous().numpy())
        resized = picture.resize((width, height), Image.Resampling[kernel.upper()])
        target.copy_(torch.frombuffer(bytearray(resized.tobytes()), dtype=torch.float32).view(height, width))
    return out
