"""Looking through a folder for the pictures that are worth labelling next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from danqing.core.errors import DataError, UserError
from danqing.core.learned.finder import UNSURE, Finder, Parser
from danqing.core.learned.model import Recogniser, Viewer
from danqing.core.learned.weights import fitting
from danqing.core.notes import note
from danqing.core.pictures.alpha import laid_on
from danqing.core.pictures.contract import Images
from danqing.core.pictures.listing import PassedOver, passed_over_note
from danqing.core.pictures.names import several
from danqing.core.progress import Job, Progress
from danqing.data.archives import open_folder, read_found
from danqing.data.zips import open_zip
from danqing.maths.label_choice import doubt, uncertainty, worth_labelling


@torch.no_grad()
def next_labels(model: Viewer, place: Path, count: int) -> Job[list[dict[str, Any]]]:
    """The pictures of a folder or zip that a model would learn most from, the most worth first; damaged ones are passed
    over.

    Raises:
        DataError: if there are no pictures, or none can be read.
    """
    archive = open_zip(place) if place.is_file() else open_folder(place)
    found = archive.pictures()[0]
    if not found:
        raise DataError("holds no pictures", where=place)
    looks = model if isinstance(model, Finder) else fitting(model, Recogniser)
    names, features, doubts, passed_over = [], [], [], []
    for at, each in enumerate(found):
        yield Progress(at, len(found), each.name)
        try:
            picture = read_found(archive.find(each))
        except UserError as error:
            passed_over.append(PassedOver(each.name, error.what))
            continue
        x = picture.pixels if picture.alpha is None else laid_on(picture.pixels, picture.alpha)
        names.append(str(each.at) if isinstance(each.at, Path) else each.name)
        features.append(looks.features(x)[0])
        doubts.append(_doubt(looks, x))
    if not names:
        raise DataError(f"none of its {several(len(found), 'picture')} can be read", where=place)
    if passed_over:
        note(passed_over_note(passed_over, place))
    unsure = torch.tensor(doubts)
    chosen = worth_labelling(torch.stack(features), unsure, count)
    return [{"picture": names[at], "uncertainty": round(float(unsure[at]), 4)} for at in chosen]


def _doubt(model: Recogniser | Finder, x: Images) -> float:
    """How unsure a model is of a picture: of its class, of its pixels on average, or of the thing it doubts most."""
    if isinstance(model, Recogniser):
        return float(uncertainty(model.predict(x)))
    if isinstance(model, Parser):
        return float(uncertainty(model.shares(x)[0].flatten(1).T).mean())
    (found,) = model.find(x, UNSURE)
    return doubt(torch.tensor([each.score for each in found.things]))


__all__ = ["next_labels"]
