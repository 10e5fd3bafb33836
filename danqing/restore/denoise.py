"""The operator denoise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, cast

import torch

from danqing.core.fields.number import Range
from danqing.core.fields.weights import ForTask
from danqing.core.learned.model import Restorer
from danqing.core.notes import note
from danqing.core.operators.operator import operator
from danqing.core.operators.use import use
from danqing.core.pictures.alpha import seen_in
from danqing.core.pictures.contract import Images, Mask
from danqing.maths import blocks, stein
from danqing.nets.noise_estimate import CAMERA, REACH, estimate_noise

TASK = "denoise"
MOST = 75.0
UNSEEN = 1.0  # σ on the 0–255 scale below which an estimate counts as no noise: nobody sees so little


def _settled(
    x: Images, sigma: float | None, weights: Restorer | None, effort: str, seen: Mask | None
) -> dict[str, Any]:
    if sigma == 0 or (sigma is not None and weights is not None):
        return {}
    estimate = estimate_noise(x, seen_in(seen))
    if sigma is None:
        found = min(255 * float(estimate.told), MOST)
        sigma = found if found >= UNSEEN else 0.0
    if effort == "best" and sigma and estimate.remover == CAMERA:
        note("effort best is for white noise; here is a camera's, which a net takes away alone")
        effort = "usual"
    return {"sigma": sigma, "weights": weights or use(estimate.remover, Restorer, TASK), "effort": effort}


def _reach(weights: Restorer | None, effort: str) -> int:
    reach = REACH if weights is None else weights.reach
    return reach if effort == "usual" else max(reach, blocks.REACH) + stein.REACH


@operator(reach=_reach, settle=_settled, version=6)
def denoise(
    x: Images,
    sigma: Annotated[float, Range(0, MOST)] | None = None,
    strength: Annotated[float, Range(0, 1)] = 1.0,
    weights: Annotated[Restorer, ForTask(TASK)] | None = None,
    effort: Literal["usual", "best"] = "usual",
) -> Images:
    """Remove noise with a neural network that learned it from photographs.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        sigma: standard deviation of the noise on the 0–255 scale, if it is known (of a camera's, the root mean square);
            otherwise it is estimated from each picture, and one with less than 1 stays as it is. 0 changes nothing.
        strength: share of the noise that is taken away; a little of it left can look more natural.
        weights: the bundled denoise-base (white noise), denoise-camera (that of cameras and phones), the faster
            denoise-tiny, or a restorer of one's own; otherwise one of the first two, by the noise that is found.
        effort: best also looks for places that are alike, as ``bm3d`` does, and takes of both, place by place, more of
            what errs less: better on fine and regular texture under white noise, and takes some ten seconds a
            megapixel.

    Returns:
        Pictures of the same size; grey pictures stay grey.

    Raises:
        ModelFileError: if the weights are for another task.

    Source: the net of danqing.models.restorer; the estimate: danqing.nets.noise_estimate; how two ways are merged:
        danqing.maths.stein.

    Examples:
        danqing denoise photo.png --out clean.png
        danqing denoise photo.png --sigma 25 --weights denoise-tiny --out clean.png
        danqing denoise fabric.png --effort best --out clean.png
    """
    if not sigma or strength == 0:
        return x.clone()
    assert weights is not None  # settled where there is noise
    level = x.new_tensor([sigma / 255])

    def by_net(y: Images) -> Images:
        return weights.restore(y, level=level)

    if effort == "usual":
        return torch.lerp(x, by_net(x), strength)
    bm3d = cast("Callable[..., Images]", use("bm3d"))
    return torch.lerp(x, stein.merged(x, by_net, lambda y: bm3d(y, sigma=sigma), sigma / 255), strength)
