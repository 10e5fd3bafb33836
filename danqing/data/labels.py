"""Labels of pictures: from a label file, or from the folders they lie in."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from danqing.core.errors import DataError
from danqing.core.pictures.names import composed, several, some, stem
from danqing.data.label_table import read_table

Name = PurePosixPath


class Labels(NamedTuple):
    """The class of each picture, or None where nothing tells; and remarks for people."""

    each: list[str] | None
    remarks: list[str]


def folder_labels(names: Sequence[str]) -> Labels:
    """Take the class of each picture from its folder.

    Folders are classes when, below the folder that all pictures share, every picture lies in one of two or more.
    """
    parts = [Name(name).parts[:-1] for name in names]
    depth = 0
    while all(len(part) > depth for part in parts):
        found = [part[depth] for part in parts]
        if len(set(found)) > 1:
            return Labels(found, [])
        depth += 1
    return Labels(None, _loose(names, parts, depth))


def table_labels(names: Sequence[str], raw: bytes, where: str) -> Labels:
    """Take the class of each picture from a label file; say what in it matches no picture.

    Args:
        names: the pictures, as paths relative to their folder.
        raw: the file's contents; see :func:`danqing.data.label_table.read_table`. A picture is named by its path, or by
            its bare name where that is unique; upper and lower case, Unicode's forms, backslashes, a leading ``./`` and
            a missing suffix do not matter, as long as one picture is meant.
        where: the label file, for messages.

    Raises:
        DataError: if the file cannot be read, leaves a picture without a label, or gives two to one.
    """
    meant = _meaning(names)
    table = read_table(raw, where, lambda name: meant(name) is not None)
    if table.rows is None:
        return Labels(None, table.notes)
    found = [(meant(written), written, label) for written, label in table.rows]
    labels: dict[str, tuple[int, str]] = {}
    for rank, name, label in sorted((*each, label) for each, _, label in found if each and label):
        known = labels.setdefault(name, (rank, label))
        if known[0] == rank and composed(known[1]) != composed(label):
            what = f"gives {name} two labels, {known[1]!r} and {label!r}"
            raise DataError(what, where=where, remedy="Leave one of them")
    idle = [written for each, written, _ in found if each is None]
    missing = [name for name in names if name not in labels]
    if missing:
        raise DataError(
            f"has no label for {len(missing):,} of {several(len(names), 'picture')}: {some(missing)}",
            where=where,
            remedy="Add them, or move those pictures elsewhere",
        )
    remarks = [f"No picture for {several(len(idle), 'label')}: {some(idle)}"] if idle else []
    return Labels([composed(labels[name][1]) for name in names], [*table.notes, *remarks])


def _loose(names: Sequence[str], parts: Sequence[tuple[str, ...]], depth: int) -> list[str]:
    """Say which pictures keep the folders from being classes, where most lie in one."""
    loose = [name for name, part in zip(names, parts, strict=True) if len(part) <= depth]
    folders = {part[depth] for part in parts if len(part) > depth}
    if len(folders) < 2 or 2 * len(loose) >= len(names):
        return []
    words = f"Folders are not taken as classes, since {several(len(loose), 'picture')} lie in none: {some(loose)}"
    return [words if len(loose) > 1 else words.replace(" lie ", " lies ")]


def _meaning(names: Sequence[str]) -> Callable[[str], tuple[int, str] | None]:
    """A function that tells which picture a label file means by a name, and how freely that is read; None for none.

    To the letter; then without upper and lower case; then without suffix. Of each, first the whole path, then where
    what is written ends one picture's path, then where a picture's path ends what is written.
    """
    ways: tuple[Callable[[str], str], ...] = (_path, _folded, lambda name: stem(_folded(name)))
    tables = []
    for way in ways:
        whole, ends = defaultdict(list), defaultdict(list)
        for name in dict.fromkeys(names):
            whole[way(name)].append(name)
            for end in _ends(way(name)):
                ends[end].append(name)
        tables.append((way, dict(whole), dict(ends)))

    def meant(written: str) -> tuple[int, str] | None:
        for rank, (way, whole, ends) in enumerate(tables):
            key = way(written)
            for freedom, (table, keys) in enumerate(((whole, [key]), (ends, [key]), (whole, _ends(key)))):
                found = next((table[each] for each in keys if len(table.get(each, ())) == 1), None)
                if found is not None:
                    return 3 * rank + freedom, found[0]
        return None

    return meant


def _ends(path: str) -> list[str]:
    """What a path ends with: all but the first folder, all but the first two, and so on."""
    parts = path.split("/")
    return ["/".join(parts[at:]) for at in range(1, len(parts))]


def _path(name: str) -> str:
    return composed(str(Name(composed(name).replace("\\", "/").lstrip("/"))))


def _folded(name: str) -> str:
    return composed(_path(name).casefold())


def lacking(sides: Sequence[str], labels: Sequence[str] | None) -> list[str]:
    """Say which classes are held out or learned from alone, where pictures lie on both sides."""
    if labels is None or len(set(sides)) < 2:
        return []
    counts = Counter(zip(sides, labels, strict=True))
    words = {"train": "nothing to learn from", "test": "nothing held out to score on"}
    remarks = []
    for side, lack in words.items():
        without = [name for name in dict.fromkeys(labels) if not counts[side, name]]
        if without:
            remarks.append(f"{'Class has' if len(without) == 1 else 'Classes have'} {lack}: {some(without, 5)}")
    return remarks
