"""The operator curves."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from danqing.core.fields.curve import Curve
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.maths.colour import from_linear, into_gamut, linear_from_oklab, to_oklab

CHANNELS = {"red": 0, "green": 1, "blue": 2}


@operator(reach=0)
def curves(
    x: Images,
    points: Curve = ((0.0, 0.0), (0.25, 0.2), (0.75, 0.8), (1.0, 1.0)),
    channel: Literal["all", "lightness", "red", "green", "blue"] = "all",
) -> Images:
    """Change the tones of pictures by a smooth curve through points.

    The curve never swings beyond its points, and before the first and after the last point it is level.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        points: at least two pairs "old,new" of values in 0…1, such as "0,0 0.5,0.6 1,1"; "0,1 1,0" makes a negative.
        channel: all changes red, green and blue alike; lightness keeps the colours; or one channel alone.

    Returns:
        Pictures of the same size; a grey picture has but one channel, which is always meant.

    Raises:
        ParameterError: if the points cannot be read, leave 0…1, or two have the same old value.

    Source: F. N. Fritsch, J. Butland, "A method for constructing local monotone piecewise cubic interpolants", 1984.

    Examples:
        danqing curves photo.png --points "0,0 0.25,0.18 0.75,0.82 1,1" --out contrast.png
        danqing curves photo.png --points "0,0.1 1,0.9" --channel blue --out faded.png
    """
    at, values = [old for old, _ in points], [new for _, new in points]
    if x.shape[1] == 1 or channel == "all":
        return _through(x, at, values)
    if channel == "lightness":
        lab = to_oklab(x.movedim(1, -1))
        lab[..., 0] = _through(lab[..., 0], at, values)
        return from_linear(into_gamut(linear_from_oklab(lab))).movedim(-1, 1).clamp(0, 1).contiguous()
    out = x.clone()
    out[:, CHANNELS[channel]] = _through(x[:, CHANNELS[channel]], at, values)
    return out


def _through(x: Tensor, at: list[float], values: list[float]) -> Tensor:
    """Evaluate the curve at every value of ``x``, whatever its shape."""
    from scipy.interpolate import PchipInterpolator

    pieces = torch.from_numpy(PchipInterpolator(at, values).c).to(x)  # (4, pieces), the highest power first
    knots = torch.tensor(at).to(x)
    inside = x.clamp(at[0], at[-1])
    piece = torch.bucketize(inside.contiguous(), knots[1:-1].contiguous(), right=True)
    offset, out = inside - knots[piece], torch.zeros_like(x)
    for power in pieces:
        out = out * offset + power[piece]
    return out.clamp(0, 1)
