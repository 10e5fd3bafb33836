"""Pictures with known things: bright discs and squares on a dim ground, their boxes, masks and named points."""

from __future__ import annotations

import torch

from danqing.core.learned.model import Model, Samples
from danqing.core.learned.proposals import Optimiser
from danqing.training.step import Stepper

SIDE, MOST = 64, 2
NAMES = ("disc", "square")
POINTS = ("top", "middle")


def batch_of(count: int, seed: int, side: int = SIDE, empty: float = 0.1) -> Samples:
    """A batch; a share of the pictures shows nothing, and some squares have no known top."""
    rng = torch.Generator().manual_seed(seed)
    x = 0.25 * torch.rand(count, 3, side, side, generator=rng)
    boxes, classes = torch.full((count, MOST, 4), torch.nan), torch.full((count, MOST), -1)
    points = torch.full((count, MOST, len(POINTS), 2), torch.nan)
    mask = torch.zeros(count, len(NAMES), side, side)
    down = torch.arange(side)[:, None] + 0.5
    across = torch.arange(side)[None] + 0.5
    for at in range(count):
        if float(torch.rand((), generator=rng)) < empty:
            continue
        for row in range(MOST):  # one in the upper half, one in the lower
            radius = 6 + 6 * float(torch.rand((), generator=rng)) * side / SIDE
            place = torch.rand(2, generator=rng)
            middle_x = radius + float(place[0]) * (side - 2 * radius)
            middle_y = side / 2 * row + radius + float(place[1]) * max(side / 2 - 2 * radius, 0)
            kind = int(torch.randint(2, (), generator=rng))
            far = ((across - middle_x) ** 2 + (down - middle_y) ** 2).sqrt()
            far = far if kind == 0 else torch.maximum((across - middle_x).abs(), (down - middle_y).abs())
            here = far <= radius
            x[at, :, here] = torch.tensor([0.9, 0.5, 0.3] if kind else [0.3, 0.6, 0.9])[:, None]
            mask[at, kind] = torch.maximum(mask[at, kind], here.float())
            boxes[at, row] = torch.tensor([middle_x - radius, middle_y - radius, middle_x + radius, middle_y + radius])
            classes[at, row] = kind
            points[at, row] = torch.tensor([[middle_x, middle_y - radius], [middle_x, middle_y]])
    return Samples(x, classes, mask=mask, boxes=boxes.clamp(0, side), points=points.flatten(1, 2))


def unmoved_by(net: Model, batch: Samples) -> list[str]:
    """The weights of a net of one part that have no gradient after a few steps: its last layer may begin with zeros."""
    rng = torch.Generator().manual_seed(0)
    stepper = Stepper(net.train(), Optimiser(lr=3e-3, betas=(0.9, 0.99)), "fp32", clip=1.0)
    for _ in range(3):
        stepper.step(batch, rng)
    next(net.losses(batch, rng))[1].backward()
    return [name for name, each in net.named_parameters() if each.grad is None or not each.grad.any()]
