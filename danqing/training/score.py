"""How good a model is while it trains: cheap figures for "best" and for the doctor, never to be quoted."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from danqing.core.learned.finder import Finder
from danqing.core.learned.model import Model, Samples
from danqing.core.pictures.contract import Images
from danqing.data.store import Store
from danqing.data.stream import Stream
from danqing.maths.drawing import classes_as_in, stream
from danqing.maths.sketch import sketch_features
from danqing.maths.statistics import frechet_distance

SCORED = 512  # held-out pictures a look
CHUNK = 64


@torch.no_grad()
def score(model: Model, held_out: Samples, asked: Tensor | None, real: Tensor, seed: int) -> dict[str, float]:
    """The family's own scores on held-out pictures, or else the sketch distance between painted and real ones.

    The sketch distance is a Fréchet distance on fixed, simple features: it ranks moments of one run, nothing more.

    Args:
        model: what is scored.
        held_out: pictures that it does not learn from.
        asked: the classes to be painted, as :func:`drawn_classes` draws them: those of the held-out pictures would
            give both sets the same shares of classes, which two independent sets do not have.
        real: sketch features of the pictures that painted ones are compared with.
        seed: fixes the latents.
    """
    scores = model.score(held_out)
    if scores or isinstance(model, Finder):  # which may have nothing to find among what is held out
        return scores
    painted = painted_like(model, held_out._replace(y=asked), seed)
    if painted is None:
        return {}
    return {"sketch_distance": frechet_distance(sketch_features(painted), real).value}


def drawn_classes(train: Store | Stream, held_out: Samples, seed: int) -> Tensor | None:
    """Classes for as many pictures as are held out, drawn as they occur among the training pictures.

    Of a stream, which does not know these, as they occur among the held-out ones.
    """
    if held_out.y is None or held_out.y.ndim > 1:  # no classes, or those of things in the pictures
        return None
    known = train.labels if isinstance(train, Store) and train.labels is not None else held_out.y.cpu().numpy()
    drawn = classes_as_in(np.asarray(known), len(held_out.x), stream(seed, "classes"))
    return torch.from_numpy(drawn).to(held_out.y)


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
