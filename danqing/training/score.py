"""How good a model is while it trains: cheap figures for "best" and for the doctor, never to be quoted."""

from __future__ import annotations

import torch

from danqing.core.learned.model import Model, Samples
from danqing.core.pictures.contract import Images
from danqing.maths.sketch import sketch_features
from danqing.maths.statistics import frechet_distance

SCORED = 512  # held-out pictures a look
CHUNK = 64


@torch.no_grad()
def score(model: Model, held_out: Samples, seed: int) -> dict[str, float]:
    """The family's own scores on held-out pictures, or else the sketch distance between painted and held-out ones.

    The sketch distance is a Fréchet distance on fixed, simple features: it ranks moments of one run, nothing more.
    """
    scores = model.score(held_out)
    if scores:
        return scores
    painted = painted_like(model, held_out, seed)
    if painted is None:
        return {}
    return {"sketch_distance": frechet_distance(sketch_features(painted), sketch_features(held_out.x.cpu())).value}


@torch.no_grad()
def painted_like(model: Model, batch: Samples, seed: int) -> Images | None:
    """As many pictures as the batch has, painted with its labels from a fixed seed, in chunks."""
    rng = torch.Generator().manual_seed(seed)
    chunks = [slice(at, at + CHUNK) for at in range(0, len(batch.x), CHUNK)]
    parts = [model.preview(batch.map(lambda each, part=part: each[part]), rng) for part in chunks]  # type: ignore[misc]
    return torch.cat([part.cpu() for part in parts if part is not None]) if parts[0] is not None else None


def by_class(batch: Samples, classes: int, rows: int) -> Samples:
    """Choose ``rows`` pictures of each class, row by row: a sheet of ``classes`` columns then shows one class a column.

    Classes with fewer pictures repeat theirs; those without any are left out by their neighbours' pictures.
    """
    if batch.y is None or not classes:
        return batch
    chosen: list[int] = []
    for row in range(rows):
        for label in range(classes):
            places = (batch.y == label).nonzero()[:, 0]
            chosen.append(int(places[row % len(places)]) if len(places) else len(chosen) % len(batch.x))
    return batch.map(lambda each: each[chosen])._replace(y=torch.arange(classes).repeat(rows))
