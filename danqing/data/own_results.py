"""Results that danqing wrote into a folder within the set they were made from: copies, not further pictures."""

from __future__ import annotations

import os
from pathlib import Path

from danqing.core.errors import DanqingError
from danqing.core.pictures.header import recipe_of
from danqing.core.pictures.listing import PassedOver
from danqing.core.pictures.names import stem
from danqing.data.archives import Entry


def without_own_results(pictures: list[Entry]) -> tuple[list[Entry], list[PassedOver]]:
    """Leave out results of ``--out-dir`` inside the set, as operators do: ``out/a.png`` that was made from ``a.png``.

    Only files whose names mirror another of the set are opened, and only as far as their recipe.
    """
    there = {stem(entry.name): entry for entry in pictures}
    kept, passed_over = [], []
    for entry in pictures:
        source = there.get(stem(entry.name.partition("/")[2]))
        if source is not None and _is_made_from(entry, source):
            passed_over.append(PassedOver(entry.name, f"is what danqing made of {source.name}"))
        else:
            kept.append(entry)
    return kept, passed_over


def _is_made_from(entry: Entry, source: Entry) -> bool:
    if not isinstance(entry.at, Path) or not isinstance(source.at, Path):
        return False
    try:
        recipe = recipe_of(entry.at)
    except DanqingError:
        return False
    inputs = {os.path.realpath(entry.at.parent / each["path"]) for step in recipe for each in step.inputs}
    return os.path.realpath(source.at) in inputs


__all__ = ["without_own_results"]
