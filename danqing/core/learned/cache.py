"""The one cache of loaded weights: a model is loaded once a process, however many operators, tiles and threads ask."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from pathlib import Path
from typing import TypeVar

from danqing.core.learned.model import Model
from danqing.core.learned.weights import bundled_name, fitting, load, locate
from danqing.core.uses import used

KEPT = 8  # models

M = TypeVar("M", bound=Model)
Key = tuple[str, int, int]

_models: OrderedDict[Key, Model] = OrderedDict()
_lock = threading.Lock()


def cached(source: str | Path | Model, *, kind: type[M], task: str = "") -> M:
    """A loaded model in evaluation mode, to be looked through and never to be changed; a Model is passed through.

    A file that has changed is loaded anew. What is found is noted as used by the run that asks.

    Args:
        source: see :func:`danqing.core.learned.weights.load`.
        kind: the base or family it must be.
        task: the task it must have learned.

    Raises:
        ModelFileError: if the weights cannot be used, or are of another kind.
    """
    model = source if isinstance(source, Model) else _found(locate(source))
    if "sha256" in model.card:
        used(bundled_name(model) or str(model.card["file"]), sha256=model.card["sha256"])
    return fitting(model, kind, task)


def _found(file: Path) -> Model:
    facts = os.stat(file)
    key = (str(file), facts.st_size, facts.st_mtime_ns)
    with _lock:  # held while loading, so that nothing is loaded twice
        if key not in _models:
            _models[key] = load(file).requires_grad_(False)
            while len(_models) > KEPT:
                _models.popitem(last=False)
        _models.move_to_end(key)
        return _models[key]


__all__ = ["cached"]
