"""Where pictures come from: a folder, a zip, the built-in digits, or shards."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from danqing.core.errors import DataError, ParameterError
from danqing.core.pictures.listing import PassedOver, passed_over_note
from danqing.core.pictures.names import READABLE, natural, several
from danqing.data import shards
from danqing.data.archives import open_folder
from danqing.data.digit_source import Digits
from danqing.data.file_source import open_files, unlabelled
from danqing.data.label_file import label_file_name, read_label_file
from danqing.data.own_results import without_own_results
from danqing.data.shard_source import open_shards
from danqing.data.source import Source
from danqing.data.zips import open_zip

BUILT_IN = ("digits",)


def is_built_in(spec: str | Path) -> bool:
    """Whether this is the name of a picture set that comes with danqing; a folder of that name goes first."""
    return str(spec) in BUILT_IN and not Path(spec).exists()


def open_source(
    spec: str | Path,
    labels: str | Path | None = None,
    split: str | None = None,
    only: Collection[str] | None = None,
) -> Source:
    """Find the pictures that ``spec`` means; none is decoded yet.

    A folder is searched through and through, hidden files left out. Its pictures are labelled by a label file (given,
    or lying in it as labels.csv, labels.tsv, labels.json or dataset.json), else by class folders, where every picture
    lies in one. The classes are in natural order. Training and test pictures are told apart by folders train and test
    (or val), else by a hash of each picture's name, 9 : 1, so that a picture stays on its side when others come or go.
    Two folders input and target hold pairs: a picture, and what it should become, under one name.

    Args:
        spec: a folder, a zip of one, ``digits``, or shards (tar files: paths, globs, ``{000..009}`` ranges, URLs).
        labels: a CSV, TSV or JSON file of labels.
        split: "train", "test", or None (or "all") for both.
        only: names of the pictures of a folder that are taken, whose labels are told elsewhere; None: all.

    Raises:
        DataError: if there are no pictures, a label is missing or contradicts another, or a partner is missing.
        ParameterError: if ``split`` is not one of these.
    """
    if split not in (None, "all", "train", "test"):
        raise ParameterError(f"{split!r} is not one of all, train, test", where="split")
    split, spec = None if split == "all" else split, str(spec)
    given = None if labels is None else read_label_file(labels)
    if is_built_in(spec):
        return Digits(spec, split)
    if shards.is_shards(spec):
        return open_shards(spec, shards.expand(spec), given, split)
    path = Path(spec)
    if not path.exists():
        raise DataError("no such folder, zip or built-in set", where=spec, remedy=f"Built in: {', '.join(BUILT_IN)}")
    archive = open_folder(path) if path.is_dir() else open_zip(path)
    archive.entries.sort(key=lambda entry: natural(entry.name))
    if only is not None:
        taken = [entry for entry in archive.entries if entry.name in only]
        return unlabelled(open_files(spec, replace(archive, entries=taken), taken, None, split))
    pictures, others = archive.pictures()
    if not pictures:
        if tars := [str(entry.at) for entry in archive.entries if shards.is_shards(entry.name)]:
            return open_shards(spec, tars, given, split)
        raise _nothing_in(spec, [*archive.passed_over, *others])
    pictures, copies = without_own_results(pictures)
    files = open_files(spec, archive, pictures, given, split)
    used = label_file_name(entry.name for entry in archive.entries) if given is None else None
    files.passed_over.extend([*archive.passed_over, *copies, *(each for each in others if each.name != used)])
    return files


def _nothing_in(spec: str, passed_over: list[PassedOver]) -> DataError:
    if not passed_over:
        return DataError("is empty", where=spec, remedy="Pictures end in " + ", ".join(READABLE))
    what = f"holds {several(len(passed_over), 'file')}, but no pictures; {passed_over_note(passed_over)}"
    return DataError(what, where=spec, remedy="Pictures end in " + ", ".join(READABLE))
