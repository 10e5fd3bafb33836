"""Which file of one folder belongs to which of another: masks to photographs, originals to damaged ones."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

from danqing.core.errors import DataError
from danqing.core.pictures.names import composed, folded, several, shown, some, stem

Tables = list[tuple[Callable[[str], str], dict[str, list[str]]]]


def partner(name: str, others: Iterable[str], *, where: object = "") -> str:
    """Find the one of ``others`` that belongs to a picture: that of the same path, else of the same but for the suffix.

    Where none fits to the letter, differences of upper and lower case and of Unicode's forms do not count.

    Args:
        name: the picture's path below its folder.
        others: paths below the other folder.
        where: the other folder, for messages.

    Raises:
        DataError: if there is none, or more than one.
    """
    return partners([name], others, where=where)[name]


def partners(names: Sequence[str], others: Iterable[str], *, where: object = "") -> dict[str, str]:
    """Find the partner of every picture; see :func:`partner`.

    Raises:
        DataError: naming the pictures that have none, have several, or share one.
    """
    tables = _tables(others)
    found = {name: _partners_of(name, tables) for name in names}
    missing = [name for name, each in found.items() if not each]
    if missing:
        what = f"has no partner for {several(len(missing), 'picture')}: {some(missing)}"
        raise DataError(what, where=where, remedy="Leave these out, or put a file of the same name there")
    for name, each in found.items():
        if len(each) > 1:
            raise DataError(f"has several partners for {shown(name)}: {some(each)}", where=where)
    chosen = {name: each[0] for name, each in found.items()}
    often = Counter(chosen.values())
    shared = next((other for other in chosen.values() if often[other] > 1), None)
    if shared is not None:
        both = [name for name, other in chosen.items() if other == shared]
        raise DataError(f"has one partner for {some(both)}: {shown(shared)}", where=where, remedy="Name each alike")
    return chosen


def _tables(others: Iterable[str]) -> Tables:
    """The other folder's paths by what may be compared, the strictest first."""
    listed = list(dict.fromkeys(others))
    tables: Tables = []
    for key in (str, composed, folded, stem, lambda name: stem(composed(name)), lambda name: folded(stem(name))):
        table = defaultdict(list)
        for other in listed:
            table[key(other)].append(other)
        tables.append((key, dict(table)))
    return tables


def _partners_of(name: str, tables: Tables) -> list[str]:
    return next((table[key(name)] for key, table in tables if key(name) in table), [])


__all__ = ["partner", "partners"]
