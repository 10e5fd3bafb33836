"""The sets of pictures that a service knows: built in, in folders of this machine, and sent."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from danqing.core.runs.blobs import safe_name
from danqing.data.archives import Archive, open_folder
from danqing.data.sources import BUILT_IN
from danqing.data.zips import open_zip
from danqing.faces.service.cards import Cards
from danqing.faces.service.job_folder import now
from danqing.faces.service.problems import Problem, not_found
from danqing.faces.service.shelf import Shelf

CHECK = "data-check"  # the task that looks through a set


class Sets:
    """The sets of pictures that a service knows."""

    def __init__(self, cards: Cards, shelf: Shelf) -> None:
        self.cards, self._shelf = cards, shelf

    def all(self) -> list[str]:
        """The ids of all."""
        return [*BUILT_IN, *self._shelf.sets, *filter(self._shelf.holds, self.cards.names())]

    def told(self, name: str) -> dict[str, Any]:
        """What is known of one.

        Raises:
            Problem: if there is none of this id.
        """
        facts = self.cards.read(name) or {}
        known: dict[str, Any] = {"bytes": None, "pictures": None, "classes": {}, "check": None, "report": None}
        if name in BUILT_IN:
            return {"id": name, "name": name, "origin": "built in", **known, **facts}
        if name in self._shelf.sets:
            return {"id": name, "name": name.removeprefix("folder-"), "origin": "folder", **known, **facts}
        if not facts or not self._shelf.holds(name):
            raise not_found("set of pictures", name)
        return {"id": name, "origin": "uploaded", **known, **facts}

    def add(self, file: Path, name: str) -> str:
        """Keep a zip of pictures; its id.

        Raises:
            DataError: if it is no zip, or damaged.
        """
        pictures, _ = open_zip(file).pictures()
        found = self._shelf.put(file, name)
        folders = Counter(each.name.rpartition("/")[0].rpartition("/")[2] for each in pictures)
        classes = {folder: count for folder, count in folders.items() if folder} if len(folders) > 1 else {}
        facts = {
            "name": safe_name(name),
            "bytes": file.stat().st_size,
            "pictures": len(pictures),
            "classes": classes,
        }
        self.cards.write(found, {**facts, "added": now()})
        return found

    def note(self, name: str, **facts: Any) -> None:
        """Add to what is known of one."""
        self.cards.write(name, {**(self.cards.read(name) or {}), **facts})

    def delete(self, name: str) -> None:
        """Forget a set that was sent.

        Raises:
            Problem: if it was not, or is not there.
        """
        if name in BUILT_IN or name in self._shelf.sets:
            raise Problem("conflict", "this set of pictures was not sent here", parameter=name)
        if not self.cards.drop(name):
            raise not_found("set of pictures", name)
        with suppress(Problem):
            self._shelf.file(name).unlink(missing_ok=True)

    def archive(self, name: str) -> Archive:
        """The files of a set.

        Raises:
            Problem: if there is no such set, or it has no files.
        """
        if name in BUILT_IN:
            raise Problem("conflict", "a built-in set has no files", parameter=name)
        self.told(name)
        place = self._shelf.find(name)
        return open_folder(place) if place.is_dir() else open_zip(place)

    def unpacked(self, name: str, most: int) -> list[str]:
        """The pictures of a set, each kept by itself; their ids.

        Raises:
            Problem: if there are none, or more than ``most``.
        """
        archive = self.archive(name)
        entries, _ = archive.pictures()
        if not entries:
            raise Problem("data", "holds no pictures", parameter=name)
        if len(entries) > most:
            raise Problem("parameter", f"one request may ask for {most} at most", parameter=name)
        return [self._shelf.put(archive.find(each), each.name) for each in entries]


__all__ = ["CHECK", "Sets"]
