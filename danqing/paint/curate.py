"""The best of many, as the model itself sees them."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from danqing.core.fields.label import Label
from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.learned.model import Painter
from danqing.core.learned.painting import paint_coded
from danqing.core.notes import note
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.core.progress import Job
from danqing.maths.latents import class_rule_of_many, numbered_codes
from danqing.maths.rejection import best_within_classes, judged

SHOWN = 24  # numbers in a note


@operator
def curate(
    weights: Painter,
    count: Annotated[int, Range(1, 4096, "pictures")] = 16,
    tries: Annotated[int, Range(2, 64, "a picture kept")] = 4,
    seed: Seed = 0,
    label: Label | None = None,
    truncation: Annotated[float, Range(0, 1)] = 1.0,
) -> Job[Images]:
    """Paint many pictures and keep those that the model itself takes for real.

    A critic says so or, of a flow, how much better a picture is explained by its class than without one. Either
    compares within a class, so each class keeps its share. What the model has not learned to see it will not reject
    either.

    Args:
        weights: a trained generator with a critic (dcgan, mlpgan, stylegan), or a flow with classes.
        count: how many pictures to keep.
        tries: how many are painted for each that is kept.
        seed: chooses the pictures, as for ``generate``.
        label: the class to paint, by name or number; all: one after the other; left out: drawn by the seed.
        truncation: how far from the mean picture they may be; 1: as learnt.

    Returns:
        ``count`` pictures in the order of their numbers, which a note tells.

    Raises:
        ParameterError: for a family without a critic, a flow without classes, or a label that the model does not know.

    Source: Azadi et al. 2019, arXiv:1810.06758 (discriminator rejection sampling), with a fixed number to keep in place
    of a threshold, since a critic that compares pairs has no scale of its own.

    Examples:
        danqing curate runs/dcgan-1 --count 36 --tries 6 --out best.png
        danqing curate emoji --count 24 --label smileys-emotion --grid --out faces.png
    """
    weights.judge(torch.zeros(1, weights.config["channels"], *[weights.config["size"]] * 2), _first_label(weights))
    rule, numbers = class_rule_of_many(weights, seed, label), range(count * tries)
    painted = yield from paint_coded(weights, numbered_codes(weights, seed, numbers, label, truncation))
    y = None if rule is None else torch.tensor(list(map(rule, numbers)))
    kept = best_within_classes((yield from judged(weights, painted, y)), y, count)
    shown = ", ".join(map(str, kept[:SHOWN].tolist())) + (" …" if count > SHOWN else "")
    note(f"kept, of {len(painted)} pictures of seed {seed}, the numbers {shown}")
    return painted[kept]


def _first_label(model: Painter) -> Tensor | None:
    return torch.zeros(1, dtype=torch.int64) if model.config["classes"] else None
