"""What a service keeps by name beside its files: models, sets of pictures, and the gallery; one small file each."""

from __future__ import annotations

import json
import secrets
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from danqing.core.disk import hash_of, replacing
from danqing.core.errors import DanqingError
from danqing.core.learned.card import bundled, read_card
from danqing.core.learned.families import family_named
from danqing.core.learned.model import Painter, Recogniser, Restorer
from danqing.core.menu import families
from danqing.core.runs.blobs import safe_name
from danqing.data.zips import open_zip
from danqing.faces.service.index import Index, Row
from danqing.faces.service.job_folder import now
from danqing.faces.service.problems import Problem, not_found
from danqing.faces.service.shelf import Shelf

GALLERY = "gallery"


class Cards:
    """Facts in JSON files of one folder, by name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        """Of all."""
        return sorted(each.stem for each in self.folder.glob("[!.]*.json"))

    def read(self, name: str) -> dict[str, Any] | None:
        """Facts; None where there are none."""
        if not name.replace("-", "").isalnum():
            return None
        try:
            found = json.loads((self.folder / f"{name}.json").read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def write(self, name: str, facts: Mapping[str, Any]) -> None:
        """Keep facts."""
        with replacing(self.folder / f"{name}.json") as temporary:
            temporary.write_text(json.dumps(facts, ensure_ascii=False, default=str), "utf-8")

    def drop(self, name: str) -> bool:
        """Forget facts; whether there were any."""
        if not name.replace("-", "").isalnum():
            return False
        try:
            (self.folder / f"{name}.json").unlink()
        except FileNotFoundError:
            return False
        return True


class Models:
    """The weights that a service knows: bundled, sent, and trained here."""

    def __init__(self, cards: Cards, shelf: Shelf) -> None:
        self._cards, self._shelf = cards, shelf

    def list(self) -> list[dict[str, Any]]:
        """All, those of people first."""
        own = [self.told(name) for name in self._cards.names() if self._shelf.holds(name)]
        own.sort(key=lambda each: str(each["added"]), reverse=True)
        return [*own, *(self.told(name) for name in bundled())]

    def told(self, name: str, whole: bool = False) -> dict[str, Any]:
        """What is known of one.

        Raises:
            Problem: if there is none of this id.
        """
        facts = self._cards.read(name)
        if name in bundled():
            file, origin = bundled()[name], "bundled"
        elif facts is not None and self._shelf.holds(name):
            file, origin = self._shelf.file(name), str(facts.get("origin", "uploaded"))
        else:
            raise not_found("model", name)
        card = read_card(file)
        config = card.get("config", {})
        told = {
            "id": name,
            "name": name if facts is None else facts.get("name", name),
            "origin": origin,
            "family": card.get("family"),
            "base": base_of(str(card.get("family"))),
            "task": config.get("task", ""),
            "bytes": file.stat().st_size,
            "sha256": hash_of(file),
            "licence": card.get("licence"),
            "size": config.get("size"),
            "channels": config.get("channels"),
            "classes": _classes(card, config),
            "scores": card.get("scores"),
            "added": None if facts is None else facts.get("added"),
            "job": None if facts is None else facts.get("job"),
        }
        return {**told, "card": card} if whole else told

    def file(self, name: str) -> Path:
        """The file of one."""
        self.told(name)
        return bundled().get(name) or self._shelf.file(name)

    def add(self, file: Path, name: str, origin: str, job: str | None = None) -> str:
        """Keep weights; their id.

        Raises:
            ModelFileError: if the file is none of danqing's.
        """
        read_card(file)
        found = self._shelf.put(file, name)
        if self._cards.read(found) is None:
            self._cards.write(found, {"name": safe_name(name), "origin": origin, "added": now(), "job": job})
        return found

    def delete(self, name: str) -> None:
        """Forget weights.

        Raises:
            Problem: if they come with danqing, or are not there.
        """
        if name in bundled():
            raise Problem("conflict", "these weights come with danqing", parameter=name)
        if not self._cards.drop(name):
            raise not_found("model", name)
        with suppress(Problem):
            self._shelf.file(name).unlink(missing_ok=True)

    def by_hash(self) -> dict[str, str]:
        """The id of each, by the hash of its file."""
        return {
            **{hash_of(file): name for name, file in bundled().items()},
            **{each: each for each in self._cards.names()},
        }


class Sets:
    """The sets of pictures that a service knows."""

    def __init__(self, cards: Cards, shelf: Shelf) -> None:
        self.cards, self._shelf = cards, shelf

    def list(self) -> list[str]:
        """The ids of all."""
        return ["digits", *self._shelf.sets, *(each for each in self.cards.names() if self._is_there(each))]

    def told(self, name: str) -> dict[str, Any]:
        """What is known of one.

        Raises:
            Problem: if there is none of this id.
        """
        facts = self.cards.read(name) or {}
        known: dict[str, Any] = {"bytes": None, "pictures": None, "classes": {}, "check": None, "report": None}
        if name == "digits":
            return {"id": name, "name": name, "origin": "built in", **known, **facts}
        if name in self._shelf.sets:
            return {"id": name, "name": name.removeprefix("folder-"), "origin": "folder", **known, **facts}
        if not facts or not self._is_there(name):
            raise not_found("set of pictures", name)
        return {"id": name, "origin": "uploaded", **known, **facts}

    def add(self, file: Path, name: str) -> str:
        """Keep a zip of pictures; its id.

        Raises:
            DataError: if it is no zip, or damaged.
        """
        archive = open_zip(file)
        found = self._shelf.put(file, name)
        folders = Counter(each.name.rpartition("/")[0].rpartition("/")[2] for each in archive.entries)
        classes = {folder: count for folder, count in folders.items() if folder} if len(folders) > 1 else {}
        facts = {
            "name": safe_name(name),
            "bytes": file.stat().st_size,
            "pictures": len(archive.entries),
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
        if name == "digits" or name in self._shelf.sets:
            raise Problem("conflict", "this set of pictures was not sent here", parameter=name)
        if not self.cards.drop(name):
            raise not_found("set of pictures", name)
        with suppress(Problem):
            self._shelf.file(name).unlink(missing_ok=True)

    def _is_there(self, name: str) -> bool:
        return self._shelf.holds(name)


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


def base_of(family: str) -> str:
    """The base that a family of models derives from."""
    if family not in families():
        return ""
    try:
        made = family_named(family)
    except DanqingError:
        return ""
    return next((base.__name__ for base in (Painter, Restorer, Recogniser) if issubclass(made, base)), made.__name__)


def _classes(card: Mapping[str, Any], config: Mapping[str, Any]) -> list[str]:
    """The classes that a model knows, by name or number."""
    names = [str(name) for name in card.get("classes") or ()]
    count = config.get("classes") or 0
    return names if len(names) == count else [str(number) for number in range(count)]


def _row(item: Mapping[str, Any]) -> Row:
    return str(item["id"]), int(item.get("number", 0)), str(item.get("task", "")), "kept", ""


__all__ = ["GALLERY", "Cards", "Gallery", "Models", "Sets", "base_of"]
