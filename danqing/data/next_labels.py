"""Looking through a folder for the pictures that are worth labelling next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from danqing.core.errors import DataError
from danqing.core.learned.model import Recogniser
from danqing.core.pictures.listing import pictures_in
from danqing.core.pictures.reading import read
from danqing.core.progress import Job, Progress
from danqing.maths.label_choice import uncertainty, worth_labelling


@torch.no_grad()
def next_labels(model: Recogniser, folder: Path, count: int) -> Job[list[dict[str, Any]]]:
    """The pictures of a folder that a classifier would learn most from, the most worth first.

    Raises:
        DataError: if there are no pictures.
    """
    files = [each.file for each in pictures_in(folder).found]
    if not files:
        raise DataError("holds no pictures", where=folder)
    features, chances = [], []
    for at, file in enumerate(files):
        yield Progress(at, len(files), file.name)
        picture = read(file).pixels
        features.append(model.features(picture)[0])
        chances.append(model.predict(picture)[0])
    unsure = uncertainty(torch.stack(chances))
    chosen = worth_labelling(torch.stack(features), unsure, count)
    return [{"picture": str(files[at]), "uncertainty": round(float(unsure[at]), 4)} for at in chosen]


__all__ = ["next_labels"]
