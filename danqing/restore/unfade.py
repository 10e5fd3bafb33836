"""The operator unfade."""

from __future__ import annotations

from typing import Annotated, Any

import torch

from danqing.core.artefacts.mended import Mended
from danqing.core.fields.number import Range
from danqing.core.operators.operator import operator
from danqing.core.pictures.alpha import seen_in
from danqing.core.pictures.contract import Images, Mask
from danqing.maths.fading import unfaded
from danqing.maths.opacity import opacity_of
from danqing.nets.fade_estimate import estimate_fade


@operator(version=3)
def unfade(
    x: Images,
    strength: Annotated[float, Range(0, 1)] = 1.0,
    always: bool = False,
    alpha: Mask | None = None,
) -> Mended:
    """Give faded photographs their blacks and colours back, and yellow paper its white.

    A neural network says from the tones and casts that are left how far each dye has bleached and how yellow the paper
    is, also where some black or white is as new. Pictures that do not look faded stay as they are, and so do those
    as flat as fog and snow make them; of what is unsure, a part is undone.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        strength: share of the change that is made.
        always: undo what fading the net sees, however unsure it is that there is any.
        alpha: opacity (B, 1, H, W), by default the pictures' own; what is not seen at all does not count.

    Returns:
        For each picture ``probability`` (that it has faded), ``kept`` (share of its density that each
        dye has kept), ``paper`` (what the paper reflects in red, green and blue) and ``changed``; and the pictures,
        grey ones grey.

    Source: the net of danqing.models.fademeter; ``danqing.maths.fading``.

    Examples:
        danqing unfade old.png --out fresh.png
        danqing unfade old.png --always --strength 0.7 --out fresh.png
    """
    opacity = opacity_of(x, alpha)
    estimate = estimate_fade(x, seen_in(opacity))
    change = estimate.faded | always
    made = unfaded(x, estimate.fade if always else estimate.believed)
    made = torch.where(change.view(-1, 1, 1, 1).to(x.device), made, x)
    numbers: list[dict[str, Any]] = [
        {
            "probability": float(estimate.odds[at].sigmoid()),
            "kept": estimate.fade.kept[at].clamp(max=1).tolist(),
            "paper": estimate.fade.paper[at].clamp(max=1).tolist(),
            "changed": bool(change[at]),
        }
        for at in range(len(x))
    ]
    return Mended(numbers, torch.lerp(x, made, strength))
