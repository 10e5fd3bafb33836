"""The weights that a service knows: bundled, sent, and trained here."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from danqing.core.disk import hash_of
from danqing.core.errors import DanqingError
from danqing.core.learned.card import bundled, read_card
from danqing.core.learned.families import family_named
from danqing.core.learned.model import Model, Painter, Recogniser, Restorer
from danqing.core.menu import families
from danqing.core.runs.blobs import safe_name
from danqing.faces.service.cards import Cards
from danqing.faces.service.job_folder import now
from danqing.faces.service.problems import Problem, not_found
from danqing.faces.service.shelf import Shelf


class Models:
    """The weights that a service knows: bundled, sent, and trained here."""

    def __init__(self, cards: Cards, shelf: Shelf) -> None:
        self._cards, self._shelf = cards, shelf

    def all(self) -> list[dict[str, Any]]:
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
            "bases": bases_of(str(card.get("family"))),
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


def base_of(family: str) -> str:
    """The base that a family of models derives from."""
    bases = bases_of(family)
    return next((each.__name__ for each in (Painter, Restorer, Recogniser) if each.__name__ in bases), (*bases, "")[0])


def bases_of(family: str) -> list[str]:
    """All that a family of models derives from, itself the first: whatever asks for one of these takes it."""
    if family not in families():
        return []
    try:
        made = family_named(family)
    except DanqingError:
        return []
    return list(dict.fromkeys(base.__name__ for base in made.__mro__ if issubclass(base, Model)))


def _classes(card: Mapping[str, Any], config: Mapping[str, Any]) -> list[str]:
    """The classes that a model knows, by name or number."""
    names = [str(name) for name in card.get("classes") or ()]
    count = config.get("classes") or 0
    return names if len(names) == count else [str(number) for number in range(count)]


__all__ = ["Models", "base_of", "bases_of"]
