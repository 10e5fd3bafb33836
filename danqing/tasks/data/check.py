"""The task data check."""

from __future__ import annotations

from pathlib import Path

from danqing.core.artefacts.figures import Figures
from danqing.core.fields.source import Source
from danqing.core.learned.families import family_named
from danqing.core.learned.finder import Finder
from danqing.core.learned.model import Painter
from danqing.core.operators.task import task
from danqing.core.progress import Job
from danqing.data.annotations.report import told
from danqing.data.check import check as look_through
from danqing.training.commands import command
from danqing.training.forecast import suggest


@task
def check(
    pictures: Source,
    labels: Path | None = None,
    family: str | None = None,
    again: bool = False,
    boxes: Path | None = None,
) -> Job[Figures]:
    """Read every picture and tell what a training would stumble over.

    Says first what there is, warns of too few pictures, and suggests how to train a painter on them, with what a few
    steps measured on this machine let expect; or, of pictures with labels of things, what learns from these. Then come
    the details: each file that cannot be used with its reason, sizes, modes, classes, exact and near duplicates. A set
    that has not changed is not read again. Exit code 1 says that files cannot be used.

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
    family = family or (None if boxes is None else "detector")
    found = yield from look_through(pictures, labels=labels, family=family, again=again)
    numbers, sound = found.to_json(), not found.unusable
    verdict, advice, details = found.verdict(), list[str](), found.details()
    if family is None or issubclass(family_named(family), Painter):
        suggestion = yield from suggest(found, labels)
        advice = [] if suggestion is None else [each for each in suggestion.lines if each not in found.warnings]
        numbers["suggestion"] = advice
        if suggestion is not None:
            numbers["settings"] = suggestion.settings
    if boxes is not None:
        row, told_first, faults = told(boxes, Path(pictures))
        verdict, details, sound = [*verdict, *told_first], [*details, *faults], sound and not row["faults"]
        numbers["boxes"] = row
        if row["things"] and issubclass(family_named(family or ""), Finder):
            suggested = command(f"train {family}", pictures, labels=boxes, skip_bad=None if sound else True)
            advice = [f"Suggestion: {suggested}"]
            numbers["suggestion"] = advice
    return Figures([numbers], lines=[*verdict, *advice, *(["In detail:", *details] if details else [])], sound=sound)
