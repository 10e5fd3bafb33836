"""What was made and is to be kept."""

from __future__ import annotations

import secrets
import zipfile
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
        number = self.index.next_number(GALLERY)
        item = {**facts, "id": name or f"{number:06}-{secrets.token_hex(4)}", "made": now(), "number": number}
        if name and (known := self._cards.read(name)) is not None:
            item = {**item, "made": known["made"], "number": known["number"]}
        self._cards.write(item["id"], item)
        self.index.put(GALLERY, _row(item))
        return self.told(item["id"])

    def told(self, name: str) -> dict[str, Any]:
        """An item.

        Raises:
            Problem: if there is none of this id.
        """
        item = self._cards.read(name)
        if item is None:
            raise not_found("item", name)
        files = [each for each in item.get("files", []) if self._shelf.holds(each)]
        return {**item, "files": [self._shelf.facts(each) for each in files]}

    def list(self, task: str, before: str, limit: int) -> tuple[list[dict[str, Any]], str | None]:
        """Items, the last one first, and the id after which there are more."""
        assert self.index is not None
        rows = self.index.rows(GALLERY, task=task, before=before, limit=limit + 1)
        items = [self.told(row[0]) for row in rows[:limit] if self._cards.read(row[0]) is not None]
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

    def zip(self, names: Iterable[str], target: Path) -> None:
        """Write the files of items into a zip."""
        taken: Counter[str] = Counter()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
            for name in names:
                for each in self.told(name)["files"]:
                    file = self._shelf.file(each["id"])
                    taken[file.name] += 1
                    number = taken[file.name]
                    archive.write(file, file.name if number == 1 else f"{file.stem}-{number}{file.suffix}")


def _row(item: Mapping[str, Any]) -> Row:
    return str(item["id"]), int(item.get("number", 0)), str(item.get("task", "")), "kept", ""


__all__ = ["GALLERY", "Gallery"]
