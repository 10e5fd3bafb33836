"""The operator image_to_image."""

from __future__ import annotations

from typing import Annotated

import torch

from danqing.core.fields.label import Label
from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.learned.classes import class_number
from danqing.core.learned.painting import FlowPainter
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.core.progress import Job, Progress
from danqing.maths.fitting import fit
from danqing.maths.flows import guidance_of, on_the_way, travelled
from danqing.maths.latents import latent


@operator(version=3)
def image_to_image(
    x: Images,
    weights: FlowPainter,
    strength: Annotated[float, Range(0, 1)] = 0.6,
    label: Label | None = None,
    steps: Annotated[int, Range(1, 50, "steps")] = 20,
    guidance: Annotated[float, Range(0, 20)] | None = None,
    seed: Seed = 0,
) -> Job[Images]:
    """Paint pictures again as a trained flow sees them, from a sketch or a photograph.

    Args:
        x: pictures (B, C, H, W) in [0, 1], cut and resized to the model's size.
        weights: a trained flow.
        strength: how much is noise when painting begins; 0: the picture stays, 1: nothing of it is kept.
        label: the class to paint, by name or number; left out: none is said.
        steps: of the whole way from noise; the share that ``strength`` leaves is gone, by the Adams–Bashforth
            method.
        guidance: how far the class is followed; 1: as learnt; left out: 2.
        seed: of the noise; each picture of a batch has its own.

    Returns:
        A job with pictures of the model's size and channels.

    Raises:
        ParameterError: for a label that the model does not know or for one without classes, or guidance without a
            label.

    Source: Meng et al. 2022, "SDEdit", section 3.1, on the straight ways of Liu et al. 2023.

    Examples:
        danqing image_to_image sketch.png --weights runs/flow-1 --strength 0.7 --label food-drink --out dish.png
    """
    chosen = None if label is None else class_number(weights, label)
    guided = guidance_of(label, guidance)
    fitting = fit(x, weights.config["size"], weights.config["channels"])
    start, made = 1 - strength, []
    for item in range(len(fitting)):
        yield Progress(item, len(fitting), "painting")
        noise, picture = latent(weights.latent, seed, item)[None].to(x.device), fitting[item : item + 1]
        begun = on_the_way(noise, weights.encode(picture), torch.full((1,), start, device=x.device))
        y = None if chosen is None else torch.tensor([chosen], device=x.device)
        left = max(1, round(steps * strength))
        with torch.no_grad():
            painted = weights.decode(travelled(weights.led(y, guided), begun, left, "adams", start))
        made.append(picture if strength == 0 else painted)
    return torch.cat(made).contiguous()
