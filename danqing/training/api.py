"""Training from Python, in one call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from danqing.core.progress import Show, finish
from danqing.training.config import TrainConfig
from danqing.training.parts import train_whole


def train(
    family: str, data: str | Path, *, force: bool = False, auto: bool = False, show: Show | None = None, **values: Any
) -> Any:
    """Train a model family on pictures and return the run's folder, model file and figures.

    Args:
        family: a file name of ``danqing/models``, such as ``"dcgan"``.
        data: a folder, a zip, WebDataset shards, or the name of a built-in set.
        force: whether to replace a run that is in the folder ``out``.
        auto: whether to choose rate and gamma by short runs on a fifth of the budget.
        show: receives each Progress.
        values: parameters of the family and options of the loop (:class:`danqing.training.options.Options`).

    Raises:
        UserError: if pictures, parameters or the run folder cannot be used.
        TrainingFailed: if the numbers broke again and again.
    """
    return finish(train_whole(TrainConfig.make(family, str(data), **values), force=force, auto=auto), show)
