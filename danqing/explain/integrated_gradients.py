"""Which pixels a recogniser's score comes from, to the last share of it."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal, NamedTuple

import torch
from torch import Tensor

from danqing.core.artefacts.figures import Figures
from danqing.core.fields.label import Label
from danqing.core.fields.number import Range
from danqing.core.learned.model import Recogniser
from danqing.core.notes import note
from danqing.core.operators.operator import operator
from danqing.core.pictures.alpha import laid_on
from danqing.core.pictures.contract import Images, Mask
from danqing.core.progress import Job, Progress
from danqing.maths.heat import heated, to_unit
from danqing.maths.opacity import opacity_of
from danqing.maths.pyramid import resized
from danqing.maths.style_choice import reduced
from danqing.nets.reasons import asked, at_once, check_learned

COMPLETE = 0.02  # of the score's change; what the sum of a map may miss
MOST = 2048  # steps
LARGEST = 2**18  # pixels of a picture that is faded in hundreds of times
CHUNK = 16  # of them at once, at most
LEVELS = {"black": 0.0, "grey": 0.5, "white": 1.0}


class Reasons(NamedTuple):
    """A map (1, C, H, W) whose sum is the change of the score, but for ``gap`` of it, in so many steps."""

    found: Tensor
    change: float
    gap: float
    steps: int


@operator
def integrated_gradients(
    x: Images,
    weights: Recogniser,
    label: Label | None = None,
    ground: Literal["black", "grey", "white"] = "black",
    steps: Annotated[int, Range(4, MOST)] = 32,
    alpha: Mask | None = None,
) -> Job[Figures]:
    """Show which pixels a recogniser's score for a class comes from.

    The picture fades in from an even ground, and each pixel is credited with what it adds to the score on the way. The
    credits sum to the score's change: steps are doubled until they do within 2 %. Orange speaks for the class, blue
    against it.

    Args:
        x: pictures of any size, looked at in a quarter of a megapixel at most; the model sees the middle square.
        weights: a trained classifier: a run folder, a .safetensors file, or digits.
        label: the class to explain, by name or number; by default the likeliest.
        ground: what stands for nothing to see; pixels of its colour get no credit.
        steps: in how many steps the picture fades in, at first.
        alpha: opacity (B, 1, H, W), by default the pictures' own; where they are transparent, white shows through.

    Returns:
        for each picture ``label``, its ``probability``, the ``change`` of its score from the ground to the picture,
        the share ``gap`` of it that the map misses, the ``steps`` taken, and ``random``: the rank correlation with the
        map of a model of random weights, which should be below 0.3; and the map over the picture.

    Raises:
        ParameterError: for a class that the model does not know.

    Source: Sundararajan et al. 2017, arXiv:1703.01365, equation 3, by the midpoint rule.

    Examples:
        danqing integrated_gradients photo.png --weights digits --out why.png
        danqing integrated_gradients photo.png --weights digits --label 8 --ground white --out why-8.png
    """
    shown = laid_on(x, opacity_of(x, alpha))
    rows, drawn = [], []
    for at, picture in enumerate(shown.split(1)):
        number, row = asked(weights, picture, label)
        whole, picture = picture, reduced(picture, LARGEST)
        if picture is not whole:
            note(f"it was looked at in {picture.shape[3]} x {picture.shape[2]} px, since it is looked at so often")
        reasons, taken = None, steps
        while reasons is None or (reasons.gap > COMPLETE and taken * 2 <= MOST):
            taken = steps if reasons is None else taken * 2
            yield Progress(at, len(shown), f"fading in, {taken} steps")
            reasons = _reasons(weights, picture, number, LEVELS[ground], taken)
        if reasons.gap > COMPLETE:
            note(f"the credits miss {reasons.gap:.0%} of the score's change, even in {reasons.steps} steps")
        again = partial(_map, x=picture, number=number, level=LEVELS[ground], steps=reasons.steps)
        found = reasons.found.sum(1, keepdim=True)
        facts = {"change": reasons.change, "gap": reasons.gap, "steps": reasons.steps}
        rows.append({**row, **facts, "random": check_learned(again, weights, found)})
        drawn.append(heated(whole, to_unit(found if picture is whole else resized(found, list(whole.shape[2:])))))
    return Figures(rows, torch.cat(drawn))


def _map(model: Recogniser, x: Images, number: int, level: float, steps: int) -> Tensor:
    return _reasons(model, x, number, level, steps).found.sum(1, keepdim=True)


def _reasons(model: Recogniser, x: Images, number: int, level: float, steps: int) -> Reasons:
    ground = torch.full_like(x, level)
    shares = (torch.arange(steps, dtype=x.dtype, device=x.device) + 0.5) / steps
    slopes = torch.zeros_like(x)
    for part in shares.split(at_once(x, CHUNK)):
        seen = torch.lerp(ground, x, part.view(-1, 1, 1, 1)).requires_grad_()
        with torch.enable_grad():
            (slope,) = torch.autograd.grad(model.logits(seen)[:, number].sum(), seen)
        slopes += slope.sum(0, keepdim=True)
    found = slopes / steps * (x - ground)
    with torch.no_grad():
        here, there = (float(model.logits(each)[0, number]) for each in (x, ground))
    change = here - there
    missed = abs(float(found.double().sum()) - change)
    return Reasons(found, change, missed / abs(change) if change else 0.0, steps)
