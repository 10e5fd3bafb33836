"""What a packed store says of itself: the file beside the pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from danqing.core.disk import hash_of
from danqing.core.errors import DataError
from danqing.core.pictures.names import natural, some
from danqing.data.identity import digest
from danqing.data.journal import PICTURES, Journal
from danqing.data.source import Source

STORE = "store.json"


def read_contents(folder: Path) -> dict[str, Any] | None:
    """What is known of a store that is there with all of its pictures; None where it is not."""
    try:
        known: dict[str, Any] = json.loads((folder / STORE).read_text())
        whole = (folder / PICTURES).stat().st_size == known["shape"][0] * sum(lengths(known))
    except (OSError, ValueError, KeyError):
        return None
    return known if whole else None


def lengths(known: dict[str, Any]) -> tuple[int, int]:
    """Bytes of a picture, and of its partner."""
    _, height, width, channels = known["shape"]
    scale, deep = known["pair"] or (0, 0)
    return height * width * channels, scale * height * scale * width * deep


def contents_of(journal: Journal, source: Source, size: int) -> dict[str, Any]:
    """What is to be known of the pictures that were packed; its ``sha256`` is the same for the same, wherever they lay.

    Raises:
        DataError: if some have labels, and some have none.
    """
    classes = source.classes or sorted({label for label in journal.labels if label is not None}, key=natural)
    number = {name: at for at, name in enumerate(classes)}
    labels = [number.get(label) for label in journal.labels if label is not None]
    if labels and len(labels) < len(journal.names):
        without = [name for name, label in zip(journal.names, journal.labels, strict=True) if label is None]
        what = f"only {len(labels):,} of {len(journal.names):,} pictures have a label, not {some(without)}"
        raise DataError(what, where=source.spec)
    shape = [len(journal.names), size, size, journal.channels]
    about = {"shape": shape, "labels": labels or None, "classes": classes, "pair": journal.pair}
    identity = {**about, "pictures": hash_of(journal.folder / PICTURES)}
    return {
        **about,
        "names": journal.names,
        "skipped": journal.bad,
        "animations": journal.animations,
        "sha256": digest(identity),
    }
