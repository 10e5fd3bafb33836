"""The task data label_next."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from danqing.core.artefacts.figures import Figures
from danqing.core.fields.number import Range
from danqing.core.fields.source import Files
from danqing.core.learned.model import Viewer
from danqing.core.operators.task import task
from danqing.core.progress import Job
from danqing.data.next_labels import next_labels


@task
def label_next(
    pictures: Files, weights: Viewer, count: Annotated[int, Range(1, 100_000, "pictures")] = 10
) -> Job[Figures]:
    """Say which pictures to label next: those a model is unsure of, and that are unlike one another.

    Args:
        pictures: a folder of pictures without labels, or a zip of one.
        weights: a classifier, detector, segmenter or keypoints that learned from the labelled ones: a run folder, a
            .safetensors file, or digits.
        count: how many to choose.

    Returns:
        One row a picture, the most worth first, with how unsure the model is of it, 0…1: of its class, of its pixels on
        average, or of the thing of which it is least sure.

    Raises:
        DataError: if there are no pictures.

    Examples:
        danqing data label_next unlabelled --weights runs/classifier-1 --count 20
        danqing data label_next unlabelled --weights runs/detector-001 --count 20
    """
    return Figures((yield from next_labels(weights, Path(pictures), count)), listed=True)
