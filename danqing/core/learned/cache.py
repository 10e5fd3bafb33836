"""The one cache of loaded weights: a net that several operators use is read once a process."""

from __future__ import annotations

import copy
import threading
from collections import OrderedDict
from pathlib import Path
from typing import TypeVar

from danqing.core.disk import identity_of
from danqing.core.learned.card import bundled_name, locate
from danqing.core.learned.model import Model
from danqing.core.learned.weights import fitting, load
from danqing.core.uses import used

KEPT = 12  # models, of which repair alone asks nine; the largest bundled one has 25 MB

M = TypeVar("M", bound=Model)
Key = tuple[str, tuple[int, ...]]  # device, and what tells the file: links are one file


class _Slot:
    """A place for one model, filled by the first who asks while the others wait."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.lock = threading.Lock()
        self.model: Model | None = None


_slots: OrderedDict[Key, _Slot] = OrderedDict()  # the longest unused first
_lock = threading.Lock()


def cached(source: str | Path | Model, *, kind: type[M], task: str = "", device: str = "cpu") -> M:
    """Give a loaded model that others use, too: in evaluation mode, without gradients, never to be trained or changed.

    A file that was replaced is read anew. What is to be trained comes from :func:`danqing.core.learned.weights.load`.
    What is given is noted as used by the run that asks.

    Args:
        source: as of ``load``; a Model is passed through.
        kind: as of ``load``.
        task: as of ``load``.
        device: where its tensors are.

    Raises:
        ModelFileError: as ``load`` does.
    """
    model = source if isinstance(source, Model) else _loaded(locate(source), device)
    if "sha256" in model.card:
        used(bundled_name(model) or str(model.card["file"]), sha256=model.card["sha256"])
    return fitting(model, kind, task)


def _loaded(file: Path, device: str) -> Model:
    slot = _slot_of(file, device)
    with slot.lock:
        if slot.model is None:
            slot.model = load(file, device=device).requires_grad_(False)
    return slot.model if slot.model.card["file"] == str(file) else _under(slot.model, file)


def _under(model: Model, file: Path) -> Model:
    """The same model, known by another name of its file."""
    other = copy.copy(model)
    other.card = {**model.card, "file": str(file)}
    return other


def _slot_of(file: Path, device: str) -> _Slot:
    path = str(file.resolve())
    key = device, identity_of(file)
    with _lock:
        for old in [each for each, slot in _slots.items() if slot.path == path and each != key and each[0] == device]:
            del _slots[old]  # what the file held before
        slot = _slots.setdefault(key, _Slot(path))
        _slots.move_to_end(key)
        while len(_slots) > KEPT:
            _slots.popitem(last=False)
    return slot


__all__ = ["cached"]
