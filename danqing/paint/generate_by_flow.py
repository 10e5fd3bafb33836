"""The operator generate_by_flow."""

from __future__ import annotations

from typing import Annotated

from danqing.core.fields.label import Label
from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.learned.painting import FlowPainter
from danqing.core.operators.operator import operator
from danqing.core.operators.use import use
from danqing.core.pictures.contract import Images
from danqing.core.progress import Job


@operator(version=2)
def generate_by_flow(
    weights: FlowPainter,
    count: Annotated[int, Range(1, 65_536, "pictures")] = 16,
    seed: Seed = 0,
    label: Label | None = None,
    steps: Annotated[int, Range(1, 50, "steps")] = 20,
    guidance: Annotated[float, Range(0, 20)] | None = None,
) -> Job[Images]:
    """Paint new pictures with a trained flow, in as many steps as there is time for, as true to their class as wanted.

    The pictures of a seed begin with the noise that they begin with in :func:`generate`, which goes the way that was
    chosen when the flow was trained; more steps arrive nearer to where that noise leads.

    Args:
        weights: a trained flow.
        count: how many pictures to paint.
        seed: chooses the pictures; another seed paints others.
        label: the class to paint, by name or number; all: one after the other; left out: drawn by the seed.
        steps: from noise to a picture, by the Adams–Bashforth method; fewer are quicker and softer.
        guidance: how far pictures follow their class; 1: as learnt, more: clearer and more alike; left out: as was
            chosen for training.

    Returns:
        ``count`` pictures of the model's size and channels.

    Raises:
        ParameterError: for a label that the model does not know, or a label or guidance for an unconditional model.

    Source: Liu et al. 2023, arXiv:2209.03003; the two-step Adams–Bashforth method; Ho & Salimans 2022,
    arXiv:2207.12598, eq. 6 (guidance).

    Examples:
        danqing generate_by_flow calligraphy --steps 5 --count 64 --out quick.png --grid
        danqing generate_by_flow emoji --steps 30 --guidance 3 --label food-drink --out dishes.png --grid
    """
    led = {} if guidance is None else {"guidance": guidance}
    going = weights.going(steps=steps, solver="adams", **led)
    painted: Images = yield from use("generate").job(going, count=count, seed=seed, label=label)
    return painted
