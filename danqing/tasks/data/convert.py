"""The task data convert."""

from __future__ import annotations

from pathlib import Path

from danqing.core.artefacts.figures import Figures
from danqing.core.operators.task import Local, task
from danqing.data.annotations.formats import CODECS, Format, read_labels
from danqing.data.annotations.report import summary


@task(kind=Local)
def convert(labels: Path, pictures: Path, target: Path, to: Format = "coco") -> Figures:
    """Write the labels of pictures in another format: COCO, YOLO, Pascal VOC, LabelMe or mask PNGs.

    Boxes, classes and pictures without anything in them go both ways without loss; COCO and LabelMe hold masks and
    points as well, mask PNGs the pixels of classes. What a format cannot hold is said. Exit code 1 says that some
    labels could not be used; the others are written.

    Args:
        labels: a COCO file, or a folder of YOLO's, Pascal VOC's, LabelMe's files or of mask PNGs.
        pictures: the folder of the pictures that they are for.
        target: the file (of COCO) or folder to write.
        to: the format to write.

    Returns:
        What was written, and what could not be used.

    Examples:
        danqing data convert labels --pictures photos --target coco.json
        danqing data convert coco.json --pictures photos --target yolo --to yolo
    """
    found = read_labels(labels, pictures)
    written = CODECS[to].write(found, target)
    row, verdict, details = summary(found)
    return Figures([{**row, "files": len(written)}], lines=[*verdict, *details], sound=not found.faults)
