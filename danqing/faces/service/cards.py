"""Facts in small files, one for each thing that a service knows by name."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from danqing.core.disk import replacing
from danqing.core.errors import OutputError
from danqing.core.json_text import json_text

LONGEST = 200  # bytes of a name, so that a file can have it


def facts_in(file: Path) -> dict[str, Any]:
    """The facts in a JSON file; empty where there is no such file.

    Raises:
        ValueError: if it is damaged.
        OSError: if it cannot be read.
    """
    try:
        found = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    if not isinstance(found, dict):
        raise ValueError(f"{file.name} holds no JSON object")
    return found


def keep_facts(file: Path, facts: Mapping[str, Any]) -> None:
    """Write facts into a file, whole or not at all.

    Raises:
        OutputError: if it cannot be written.
    """
    with replacing(file) as temporary:
        temporary.write_text(json_text(facts, default=str), "utf-8")


def set_aside(file: Path) -> Path:
    """Keep a damaged file under another name, which says what it is."""
    return file.rename(file.with_name(f"{file.name}.damaged-{time.time_ns()}"))


class Cards:
    """Facts in JSON files of one folder, by name.

    Args:
        folder: of the files.
        report: told the name that a damaged file is set aside under, and what is wrong with it.
    """

    def __init__(self, folder: Path, report: Callable[[str, str], None]) -> None:
        self.folder, self._report = folder, report

    def names(self) -> list[str]:
        """Of all."""
        return sorted(each.stem for each in self.folder.glob("[!.]*.json"))

    def read(self, name: str) -> dict[str, Any] | None:
        """Facts; None where there are none, or none that can be read: these are set aside.

        Raises:
            OSError: if the disk does not give them.
        """
        file = self._file(name)
        if file is None:
            return None
        try:
            return facts_in(file) or None
        except ValueError as error:
            self._report(set_aside(file).name, str(error))
            return None

    def write(self, name: str, facts: Mapping[str, Any]) -> None:
        """Keep facts.

        Raises:
            OutputError: if they cannot be written, or the name is none for a file.
        """
        file = self._file(name)
        if file is None:
            raise OutputError("is no name for a file", where=name[:LONGEST])
        keep_facts(file, facts)

    def drop(self, name: str) -> bool:
        """Forget facts; whether there were any."""
        file = self._file(name)
        try:
            if file is not None:
                file.unlink()
        except FileNotFoundError:
            return False
        return file is not None

    def _file(self, name: str) -> Path | None:
        """The file of a name; None for what would be hidden, lead elsewhere, or be no name of a file."""
        try:
            size = len(os.fsencode(name))
        except UnicodeEncodeError:
            return None
        if not 0 < size <= LONGEST or name[0] == "." or any(each in name for each in "/\\\0"):
            return None
        return self.folder / f"{name}.json"


__all__ = ["Cards", "facts_in", "keep_facts", "set_aside"]
