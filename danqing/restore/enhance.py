"""The operator enhance."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

import numpy as np
import torch

from danqing.core.fields.number import Range
from danqing.core.fields.weights import ForTask
from danqing.core.learned.model import Restorer
from danqing.core.notes import note
from danqing.core.operators.operator import operator
from danqing.core.operators.use import use
from danqing.core.pictures.alpha import seen_in
from danqing.core.pictures.contract import Images, Mask
from danqing.maths.colour import brightness, from_linear, to_linear
from danqing.maths.damage import MOST_GAIN, gain_for, lit
from danqing.maths.guided import WIDE, led_by
from danqing.nets.noise_estimate import REACH, estimate_noise

SCALES = (15 / 512, 80 / 512, 250 / 512)  # of the surroundings that retinex compares with, in shorter sides
CLIP = 2.0  # of CLAHE's histograms, in multiples of a flat one
SQUARES = 8  # of CLAHE along each side
DARKEST = 1 / 255
MOST_NOISE = 75.0
DARK = 2.0  # times that a picture must be brightened from which it is dark; less is a part of that, and 1 nothing
SPREAD = 2.5  # standard deviations of the retinex that become black and white


def _reach(method: str, weights: Restorer, denoiser: Restorer | None) -> int | None:
    looks = REACH if denoiser is None else denoiser.reach
    return looks + weights.reach + 2 * WIDE if method == "learned" else None


def _settled(
    x: Images,
    method: str,
    strength: float,
    gain: float | None,
    sigma: float | None,
    denoiser: Restorer | None,
    seen: Mask | None,
) -> dict[str, Any]:
    if method != "learned":
        return {}
    settled = {"gain": gain, "strength": strength, "sigma": sigma, "denoiser": denoiser}
    if gain is None:
        settled["gain"] = needed = float(gain_for(x, seen_in(seen)))
        settled["strength"] = strength * min(1.0, math.log(needed, DARK))
        if needed == 1:
            note("is not dark, and stays as it is: a gain brightens it nevertheless, clahe raises its contrast")
            return settled
    if sigma is None or (sigma and denoiser is None):
        noise = estimate_noise(x, seen_in(seen))
        settled["sigma"] = min(255 * float(noise.told), MOST_NOISE) if sigma is None else sigma
        settled["denoiser"] = denoiser or use(noise.remover, Restorer, "denoise")
    return settled


@operator(reach=_reach, settle=_settled, version=6)
def enhance(
    x: Images,
    method: Literal["learned", "clahe", "retinex", "grey-world"] = "learned",
    strength: Annotated[float, Range(0, 1)] = 1.0,
    gain: Annotated[float, Range(1, MOST_GAIN)] | None = None,
    sigma: Annotated[float, Range(0, MOST_NOISE)] | None = None,
    weights: Annotated[Restorer, ForTask("lowlight")] = "lowlight-small",  # type: ignore[assignment]
    denoiser: Annotated[Restorer, ForTask("denoise")] | None = None,
) -> Images:
    """Brighten a dark picture, raise a dull contrast or take away a cast of colour.

    What was taken in too little light is cleaned of noise by ``denoise`` first; then a net says how light each place is
    and what its contrast, while detail stays that of the picture.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        method: learned brightens and cleans what was taken in too little light; clahe raises contrast place by place;
            retinex takes each place as it stands out from its surroundings; grey-world makes the mean colour grey.
        strength: share of the change that is made.
        gain: for learned: how many times the picture is brightened before the net evens it; otherwise as many as it
            takes to a mean brightness of 0.4, and if it takes less than 2, only a part of the change is made: what is
            not dark stays as it is.
        sigma: for learned: standard deviation of the noise in the dark picture, on the 0–255 scale; otherwise it is
            estimated. 0 leaves the noise.
        weights: the bundled lowlight-small, or a restorer of one's own; for learned.
        denoiser: the restorer that cleans before; otherwise the bundled one that knows the noise that is found.

    Returns:
        Pictures of the same size; grey pictures stay grey.

    Raises:
        ModelFileError: if the weights are for another task.

    Source: the nets of danqing.models.restorer and K. He et al., "Guided image filtering", 2010 (learned); K.
        Zuiderveld, "Contrast limited adaptive histogram equalization", 1994 (by OpenCV); D. Jobson et al., "A
        multiscale retinex", 1997, eq. 4, on brightness alone; G. Buchsbaum, "A spatial processor model for object
        colour perception", 1980 (grey-world), in linear light.

    Examples:
        danqing enhance night.png --out evening.png
        danqing enhance room.png --gain 3 --out lit.png
        danqing enhance dull.png --method clahe --strength 0.7 --out crisp.png
    """
    if strength == 0:
        return x.clone()
    if method == "learned":
        cleaned = x
        if sigma:
            assert denoiser is not None  # settled where there is noise
            cleaned = denoiser.restore(x, level=x.new_tensor([sigma]) / 255)
        brighter = x.new_tensor([gain])
        made = led_by(lit(cleaned, brighter).x, weights.restore(cleaned, level=brighter))
    elif method == "grey-world":
        made = _grey_world(x)
    else:
        light = brightness(x)
        better = torch.stack([(_clahe if method == "clahe" else _retinex)(plane[0])[None] for plane in light])
        made = x * (better / light.clamp(min=DARKEST)) if x.shape[1] == 3 else better
    return torch.lerp(x, made.clamp(0, 1), strength)


def _clahe(plane: torch.Tensor) -> torch.Tensor:
    import cv2

    levels = np.round(plane.cpu().numpy() * 65535).astype(np.uint16)
    made: np.ndarray[Any, Any] = cv2.createCLAHE(CLIP, (SQUARES, SQUARES)).apply(levels)
    return torch.from_numpy(made.astype(np.float32) / 65535).to(plane)


def _retinex(plane: torch.Tensor) -> torch.Tensor:
    import cv2

    light = plane.cpu().numpy().clip(DARKEST)
    shorter = min(light.shape)
    around = [cv2.GaussianBlur(light, (0, 0), max(0.5, scale * shorter)) for scale in SCALES]
    stands_out = np.log(light) - sum(np.log(each.clip(DARKEST)) for each in around) / len(SCALES)
    middle, spread = float(stands_out.mean()), float(stands_out.std())
    if spread < 1e-4:
        return plane.clone()
    made = 0.5 + (stands_out - middle) / (2 * SPREAD * spread)
    return torch.from_numpy(made.clip(0, 1).astype(np.float32)).to(plane)


def _grey_world(x: Images) -> Images:
    linear = to_linear(x)
    means = linear.mean((2, 3), keepdim=True)
    gains = means.mean(1, keepdim=True) / means.clamp(min=1e-6)
    return from_linear((linear * gains).clamp(0, 1))
