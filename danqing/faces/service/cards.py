"""Facts in small files, one for each thing that a service knows by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from danqing.core.disk import replacing


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


__all__ = ["Cards"]
