"""The operator upscale."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from torch.nn import functional as F

from danqing.core.errors import ParameterError
from danqing.core.fields.number import Range
from danqing.core.fields.weights import ForTask
from danqing.core.learned.model import Restorer
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images, Mask
from danqing.maths.damage import enlarged
from danqing.nets.cleaning import cleaned

LOBES = 3  # of the Lanczos kernel
LARGEST = 2**29  # values of a result, 2 GiB: half a gigapixel of grey, 179 megapixels of colour


def _settled(x: Images, method: str, clean: bool, weights: Restorer, seen: Mask | None) -> dict[str, Images]:
    return {"x": cleaned(x, seen) if method == "learned" and clean and not weights.mixed else x}


def _reach(method: str, weights: Restorer, scale: int) -> int:
    return -(-weights.reach // scale) + LOBES if method == "learned" else LOBES


@operator(reach=_reach, scale=lambda scale: scale, settle=_settled, geometry=True, proportional=False, version=4)
def upscale(
    x: Images,
    scale: Annotated[int, Range(2, 4, "times")] = 2,
    method: Literal["learned", "lanczos", "bicubic"] = "learned",
    clean: bool = True,
    weights: Annotated[Restorer, ForTask("upscale")] = "upscale-small",  # type: ignore[assignment]
) -> Images:
    """Enlarge pictures two, three or four times with the detail that a neural network learned to expect.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        scale: times the width and the height.
        method: learned, or by interpolation alone.
        clean: for learned: take noise and traces of JPEG away first, where ``repair`` would; what is left of them is
            enlarged like detail. Weights that learned mixed damage get the picture as it is.
        weights: the bundled upscale-small, or a restorer of one's own; for learned.

    Returns:
        Pictures (B, C, scale H, scale W); grey pictures stay grey.

    Raises:
        ModelFileError: if the weights are for another task.
        ParameterError: if the result would be larger than 2 GiB.

    Source: the net of danqing.models.restorer; C. Duchon, "Lanczos filtering in one and two dimensions", 1979.

    Examples:
        danqing upscale photo.png --scale 4 --out large.png
        danqing upscale photo.png --scale 2 --method lanczos --out large.png
    """
    height, width = (side * scale for side in x.shape[-2:])
    if x.shape[1] * height * width > LARGEST:
        raise ParameterError(f"{width}×{height} px is too large", where="scale", remedy="Enlarge parts of it")
    if method == "learned":
        return weights.restore(x, scale=torch.tensor(scale))
    return enlarged(x, height, width) if method == "bicubic" else _lanczos(x, scale)


def _lanczos(x: Images, scale: int) -> Images:
    """Interpolate with a windowed sinc of three lobes, along the height and along the width."""
    offsets = (torch.arange(scale, dtype=torch.float64) + 0.5) / scale - 0.5
    taps = torch.arange(-LOBES, LOBES + 1, dtype=torch.float64)
    away = taps[None] - offsets[:, None]  # (scale, taps)
    kernel = torch.sinc(away) * torch.sinc(away / LOBES) * (away.abs() < LOBES)
    kernel = (kernel / kernel.sum(1, keepdim=True)).to(x)
    planes = x.flatten(0, 1)[:, None]
    padded = F.pad(planes, (0, 0, LOBES, LOBES), mode="replicate")
    rows = F.conv2d(padded, kernel.view(scale, 1, -1, 1))  # (N, scale, H, W)
    planes = rows.transpose(1, 2).reshape(len(planes), 1, -1, x.shape[-1])
    padded = F.pad(planes, (LOBES, LOBES, 0, 0), mode="replicate")
    columns = F.conv2d(padded, kernel.view(scale, 1, 1, -1))  # (N, scale, scale H, W)
    out = columns.permute(0, 2, 3, 1).reshape(*x.shape[:2], planes.shape[-2], -1)
    return out.clamp(0, 1)
