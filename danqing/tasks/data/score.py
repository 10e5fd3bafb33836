"""The task data score."""

from __future__ import annotations

from pathlib import Path

from danqing.core.artefacts.figures import Figures
from danqing.core.fields.seed import Seed
from danqing.core.operators.task import task
from danqing.core.progress import Job
from danqing.data.annotations.scores import scores_of


@task
def score(found: Path, truth: Path, pictures: Path, seed: Seed = 0) -> Job[Figures]:
    """Score what was found in a folder of pictures against what is there: boxes, masks and key points.

    Args:
        found: what was found: a folder that detect, find_faces or pose wrote, or labels of any format of data convert.
        truth: what is there, in any of those formats; pictures without things count, too.
        pictures: the folder of the pictures.
        seed: fixes how pictures are divided for the intervals.

    Returns:
        One row a score: its ``value`` and 95 % interval ``low`` to ``high``, which needs three pictures or more, and
        what it means. Masks and points are scored where the truth has them.

    Raises:
        DataError: if nothing is there, or labels have faults.

    Examples:
        danqing data score found --truth coco.json --pictures photos
    """
    return Figures((yield from scores_of(found, truth, pictures, seed)), listed=True)
