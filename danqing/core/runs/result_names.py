"""What results are called: each picture's has a name of its own, on whatever disk; needs no torch."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import NamedTuple

from danqing.core.errors import OutputError
from danqing.core.notes import note
from danqing.core.pictures.names import composed, fitting, folded, some, stem

MOST_TOLD = 10  # names of a note


class Source(NamedTuple):
    """A picture file, its place in the folder it came with, and which of the given files and folders that was."""

    file: Path
    key: Path
    given: int


class _Name(NamedTuple):
    """A name in the making: the folder, what it begins with, and how it ends."""

    home: Path
    start: str
    ending: str

    def numbered(self, number: int = 0) -> Path:
        return self.home / fitting(self.start, f"-{number}{self.ending}" if number else self.ending)


def names_of(found: Sequence[Source], endings: Sequence[str]) -> list[Path]:
    """Name the result of each picture after its place; no two names are one, even where upper and lower case are.

    The old suffix is left out; where two would have one name then (a.png and a.gif), it stays. Where that does not help
    (the same but for upper and lower case or Unicode's form; a name that another has by nature), the later ones are
    numbered, with a note. First comes whose file is named to the letter, then the alphabet decides.

    Args:
        found: the pictures.
        endings: what the name of each result ends with.

    Raises:
        OutputError: if two that were given apart have the same name.
    """
    _check_given(found)
    plain = [_Name(each.key.parent, stem(each.key.name), end) for each, end in zip(found, endings, strict=True)]
    full = [_Name(each.key.parent, each.key.name, end) for each, end in zip(found, endings, strict=True)]
    alike = defaultdict(set)
    often = Counter(map(_seen, plain))
    for short, long in zip(plain, full, strict=True):
        alike[_seen(short)].add(_seen(long))
    keeps = [often[_seen(short)] > 1 and len(alike[_seen(short)]) > 1 for short in plain]
    wanted = [long if kept else short for short, long, kept in zip(plain, full, keeps, strict=True)]
    order = sorted(range(len(found)), key=lambda at: (keeps[at], _written(found[at]) != found[at].key, found[at]))
    made = _apart(order, wanted, {*often, *map(_seen, wanted)})
    told = [f"{_spelt(found[at])} → {made[at].name}" for at in sorted(made) if made[at] != wanted[at].numbered()]
    if told:
        note(f"Numbered, since another result has the name: {some(told, MOST_TOLD)}")
    return [made[at] for at in range(len(found))]


def _apart(order: Sequence[int], wanted: Sequence[_Name], natural: set[str]) -> dict[int, Path]:
    """Hand out the names that are wanted, in an order; number what is taken, never into a name that is natural."""
    given, made = set[str](), dict[int, Path]()
    for at in order:
        name = wanted[at].numbered()
        if folded(str(name)) in given:
            tried = (wanted[at].numbered(number) for number in count(2))
            name = next(each for each in tried if folded(str(each)) not in natural and folded(str(each)) not in given)
        given.add(folded(str(name)))
        made[at] = name
    return made


def _check_given(found: Sequence[Source]) -> None:
    """Refuse what was given apart and has one name: which of them is meant by it, nobody could tell."""
    often: defaultdict[Path, Counter[int]] = defaultdict(Counter)
    for each in found:
        often[each.key][each.given] += 1
    for key, times in often.items():
        if len(times) > 1:
            remedy = "Give a folder that holds them all, or run them apart"
            raise OutputError(f"{times.total()} of the pictures have this name", where=key, remedy=remedy)


def _seen(name: _Name) -> str:
    return folded(str(name.numbered()))


def _written(source: Source) -> Path:
    """The place of a file as the disk spells it; its key is in composed form."""
    return Path(*source.file.parts[-len(source.key.parts) :])


def _spelt(source: Source) -> str:
    """A file for a note; what looks like another but for Unicode's form is spelt out."""
    written = str(_written(source))
    return written if composed(written) == written else ascii(written)


__all__ = ["Source", "names_of"]
