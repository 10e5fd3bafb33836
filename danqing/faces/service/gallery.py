"""What was made and is to be kept."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from danqing.faces.service.cards import Cards
from danqing.faces.service.index import Index, Row
from danqing.faces.service.job_folder import now
from danqing.faces.service.problems import not_found
from danqing.faces.service.shelf import Shelf

GALLERY = "gallery"


class Gallery:
    """What was made and is to be kept."""

    def __init__(self, cards: Cards, shelf: Shelf) -> None:
        self._cards, self._shelf = cards, shelf
        self.index: Index | None = None

    def add(self, facts: Mapping[str, Any], name: str = "") -> dict[str, Any]:
        """Keep an item; ``name`` is that of a job, which is kept once."""
        assert self.index is not None
        item: dict[str, Any] = {**facts, "made": now()}
        if name and (known := self._cards.read(name)) is not None:
            item |= {"id": name, "made": known["made"], "number": known["number"]}
            self.index.put(GALLERY, _row(item))
        else:

            def row(number: int) -> Row:
                item.update(id=name or f"{number:06}-{secrets.token_hex(4)}", number=number)
                return _row(item)

            self.index.enter(GALLERY, row)
        self._cards.write(item["id"], item)
        return self._told(item)

    def told(self, name: str) -> dict[str, Any]:
        """An item.

        Raises:
            Problem: if there is none of this id.
        """
        item = self._cards.read(name)
        if item is None:
            raise not_found("item", name)
        return self._told(item)

    def _told(self, item: Mapping[str, Any]) -> dict[str, Any]:
        files = [each for each in item.get("files", []) if self._shelf.holds(each)]
        return {**item, "files": [self._shelf.facts(each) for each in files]}

    def list(self, task: str, before: str, limit: int) -> tuple[list[dict[str, Any]], str | None]:
        """Items, the last one first, and the id after which there are more."""
        assert self.index is not None
        rows = self.index.rows(GALLERY, task=task, before=before, limit=limit + 1)
        found = map(self._cards.read, (row[0] for row in rows[:limit]))
        items = [self._told(item) for item in found if item is not None]
        return items, rows[limit - 1][0] if len(rows) > limit else None

    def delete(self, name: str) -> None:
        """Take an item out.

        Raises:
            Problem: if it is not there.
        """
        assert self.index is not None
        was_there = self._cards.drop(name)
        self.index.drop(GALLERY, name)
        if not was_there:
            raise not_found("item", name)

    def rows(self) -> Iterator[Row]:
        """The lines of all items, for the index."""
        for name in self._cards.names():
            if (item := self._cards.read(name)) is not None:
                yield _row(item)

    def files(self, names: Iterable[str]) -> dict[str, Path]:
        """The files of items, by names that are each one's own."""
        found: dict[str, Path] = {}
        taken: Counter[str] = Counter()
        for name in names:
            for each in self.told(name)["files"]:
                file = self._shelf.file(each["id"])
                taken[file.name] += 1
                number = taken[file.name]
                found[file.name if number == 1 else f"{file.stem}-{number}{file.suffix}"] = file
        return found


def _row(item: Mapping[str, Any]) -> Row:
    return str(item["id"]), int(item.get("number", 0)), str(item.get("task", "")), "kept", ""


__all__ = ["GALLERY", "Gallery"]
