"""The task data check."""

from __future__ import annotations

from pathlib import Path

from danqing.core.artefacts.figures import Figures
from danqing.core.fields.source import Source
from danqing.core.learned.families import family_named
from danqing.core.learned.model import Painter
from danqing.core.operators.task import task
from danqing.core.progress import Job
from danqing.data.check import check as look_through
from danqing.training.forecast import suggest


@task
def check(pictures: Source, labels: Path | None = None, family: str | None = None, again: bool = False) -> Job[Figures]:
    """Read every picture and tell what a training would stumble over.

    Names each file that cannot be used with its reason, counts sizes, modes and classes, finds exact and near
    duplicates, and warns of too few pictures. Suggests how to train a painter on them, with what a few steps measured
    on this machine let expect. A set that has not changed is not read again. Exit code 1 says that files cannot be
    used.

    Args:
        pictures: a folder, a folder of class folders, a zip of either, WebDataset shards, or digits (built in).
        labels: a CSV or JSON file of labels.
        family: the model family that is to learn from them.
        again: read even if nothing has changed.

    Returns:
        What was found.

    Examples:
        danqing data check PHOTOS
        danqing data check PHOTOS --family dcgan --json
    """
    found = yield from look_through(pictures, labels=labels, family=family, again=again)
    suggested: list[str] = []
    if family is None or issubclass(family_named(family), Painter):
        suggestion = yield from suggest(found)
        suggested = [] if suggestion is None else suggestion.lines
    numbers = {**found.to_json(), "suggestion": suggested}
    return Figures([numbers], lines=[*found.lines(), *suggested], sound=not found.unusable)
