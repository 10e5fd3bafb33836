"""Cards: what is known of a weights file, in its header; and where weights lie, by path, run folder or name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from danqing.core.errors import ModelFileError
from danqing.core.json_text import STRAY
from danqing.core.learned.model import Card, Model
from danqing.core.menu import PACKAGE

FORMAT = 1  # of the weights file; a reader refuses a newer one
SHAPES = {"training": dict, "data": dict, "scores": dict, "classes": list, "lineage": list}  # of facts

WEIGHTS = PACKAGE / "zoo" / "weights"  # the bundled weights


EXPORTED = (".onnx", ".xml", ".bin")  # what is written for other programs
CHECKPOINT = "checkpoint"  # the kind of file that holds all of a run; it can stand for a model


@contextmanager
def opened_weights(file: str | Path, device: str = "cpu") -> Iterator[Any]:
    """Open a safetensors file; its library takes names in UTF-8 alone, so that others are opened for it."""
    with ExitStack() as stack:
        name = str(file)
        if STRAY.search(name):
            name = f"/dev/fd/{stack.enter_context(open(file, 'rb')).fileno()}"
        yield stack.enter_context(safe_open(name, framework="pt", device=device))


def read_card(file: str | Path) -> Card:
    """Read the card alone.

    Raises:
        ModelFileError: if the file is missing, damaged, not danqing's, or newer than this danqing.
    """
    try:
        with opened_weights(file) as reader:
            text = (reader.metadata() or {}).get("danqing")
    except FileNotFoundError as error:
        raise ModelFileError("no such weights file", where=file) from error
    except (SafetensorError, OSError) as error:
        raise ModelFileError(_why_unreadable(Path(file), error), where=file) from error
    if text is None:
        raise ModelFileError("is a safetensors file without danqing's card", where=file)
    card = _parsed(text, file)
    if card["format"] > FORMAT:
        raise ModelFileError(
            f"was written by danqing {card.get('danqing')}, in format {card['format']}; this one reads up to {FORMAT}",
            where=file,
            remedy="Update danqing",
        )
    return card


def bundled() -> dict[str, Path]:
    """The weights that come with danqing, by name."""
    return {path.stem: path for path in sorted(WEIGHTS.glob("*.safetensors"))}


def locate(source: str | Path) -> Path:
    """Find the weights file that a path, a run folder or a bundled name means.

    In a run folder: the finished model, else the best so far, else the newest whole checkpoint (its averaged weights).

    Raises:
        ModelFileError: if there is none.
    """
    path = Path(source)
    if path.is_file():
        return path
    if path.is_dir() and (found := _of_run(path)) is not None:
        return found
    if str(source) in bundled():
        return bundled()[str(source)]
    names = ", ".join(bundled()) or "none"
    if path.is_dir():
        remedy = f"Give a run folder, as danqing train makes it, or a .safetensors file. Bundled weights: {names}"
        raise ModelFileError("no such weights file in this folder", where=source, remedy=remedy)
    raise ModelFileError("no such weights file", where=source, remedy=f"Bundled weights: {names}")


def _of_run(folder: Path) -> Path | None:
    """The file of a run folder that stands for its model."""
    for file in (folder / "model.safetensors", folder / "best.safetensors"):
        if file.is_file():
            return file
    for file in sorted((folder / "checkpoints").glob("[0-9]*.safetensors"), reverse=True):
        try:
            read_card(file)
        except ModelFileError:  # a disk that was full, a machine that went down: the one before counts
            continue
        return file
    return None


def _parsed(text: str, file: str | Path) -> Card:
    try:
        card = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"has a damaged card ({first_line(error)})", where=file) from error
    if not isinstance(card, dict) or not isinstance(card.get("format"), int):
        raise ModelFileError("has a card that is not danqing's", where=file)
    if odd := [name for name, shape in SHAPES.items() if not isinstance(card.get(name), shape | None)]:
        raise ModelFileError(f"has a damaged card (what it says of {odd[0]} makes no sense)", where=file)
    return card


def bundled_name(model: Model) -> str | None:
    """Under which name a model comes with danqing; None for one of a person's own."""
    return next((name for name, file in bundled().items() if str(file) == model.card.get("file")), None)


def _why_unreadable(file: Path, error: Exception) -> str:
    try:
        with open(file, "rb") as stream:
            head = stream.read(4)
    except OSError as reason:
        return f"cannot be read ({reason.strerror or reason})"
    if (head[:1] == b"\x80" and head[1:2] <= b"\x05") or head == b"PK\x03\x04":  # protocols 2 to 5; what torch zips
        return "is a pickle (or zip) under another name; danqing never unpickles"
    if file.suffix.lower() in EXPORTED:
        return "is an export, for other programs to run; danqing takes the weights that it was made from"
    return f"is damaged or not a safetensors file ({first_line(error)})"


def first_line(error: Exception) -> str:
    """What an error says first, for a message of ours."""
    return str(error).strip().partition("\n")[0][:200]


__all__ = [
    "CHECKPOINT",
    "FORMAT",
    "WEIGHTS",
    "bundled",
    "bundled_name",
    "first_line",
    "locate",
    "opened_weights",
    "read_card",
]
