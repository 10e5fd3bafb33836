"""The task data check."""

from __future__ import annotations

from pathlib import Path

from danqing.core.artefacts.figures import Figures
from danqing.core.fields.source import Source
from danqing.core.operators.task import task
from danqing.core.progress import Job
from danqing.data.annotations.report import told
from danqing.data.check import check as look_through


@task
def check(
    pictures: Source,
    labels: Path | None = None,
    family: str | None = None,
    again: bool = False,
    boxes: Path | None = None,
) -> Job[Figures]:
    """Read every picture and tell what a training would stumble over.

    Names each file that cannot be used with its reason, counts sizes, modes and classes, finds exact and near
    duplicates, and warns of too few pictures. A set that has not changed is not read again. Exit code 1 says that files
    cannot be used.

    Args:
        pictures: a folder, a folder of class folders, a zip of either, WebDataset shards, or digits (built in).
        labels: a CSV or JSON file of labels.
        family: the model family that is to learn from them.
        again: read even if nothing has changed.
        boxes: labels of things in the pictures: a COCO file, or a folder of YOLO's, Pascal VOC's or LabelMe's files or
            of mask PNGs; each fault in them is named.

    Returns:
        What was found.

    Examples:
        danqing data check PHOTOS
        danqing data check PHOTOS --family dcgan --json
        danqing data check PHOTOS --boxes coco.json
    """
    found = yield from look_through(pictures, labels=labels, family=family, again=again)
    if boxes is None:
        return Figures([found.to_json()], lines=found.lines(), sound=not found.unusable)
    row, lines = told(boxes, Path(pictures))
    sound = not found.unusable and not row["faults"]
    return Figures([{**found.to_json(), "boxes": row}], lines=[*found.lines(), *lines], sound=sound)
