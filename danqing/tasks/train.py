"""The task train."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from danqing.core.artefacts.figures import Figures
from danqing.core.artefacts.trained import Trained
from danqing.core.errors import ParameterError, UserError
from danqing.core.menu import families
from danqing.core.operators.task import task
from danqing.core.progress import Job
from danqing.training import loop
from danqing.training.config import TrainConfig
from danqing.training.parts import resume_whole, train_whole
from danqing.training.plan import plan
from danqing.training.task import Training


@task(kind=Training)
def train(family: str, given: dict[str, Any]) -> Job[Trained]:
    """Train a model family on pictures.

    ``train FAMILY --help`` lists all that can be set; the pictures are a folder, a zip, shards, or digits. A run that
    was stopped goes on with ``--resume``.

    Args:
        family: a name from the folder of models; empty for a run that has one.
        given: what was asked for: parameters of the family, options of the loop, and how to begin.

    Returns:
        The weights, in the folder of the run.

    Examples:
        danqing train dcgan PICTURES --size 32 --budget 10m --out runs/a
        danqing train dcgan digits --dry-run
        danqing train --resume runs/a
        danqing train --config runs/a/config.json --out runs/b
    """
    asked = dict(given)
    run, file = asked.pop("resume", None), asked.pop("config", None)
    dry, force, auto = (asked.pop(name, False) for name in ("dry_run", "force", "auto"))
    if run is not None:
        if file is not None or dry or auto or family:
            raise UserError("goes with neither --config nor --dry-run nor --auto nor a family", where="--resume")
        result = yield from resume_whole(run, **asked)
        return _trained(result)
    config = _config(family, file, asked)
    if dry:
        facts = yield from plan(config, auto)
        return Figures([facts])  # type: ignore[return-value]  # what a run would be, in place of its weights
    return _trained((yield from train_whole(config, force=force, auto=auto)))


def _config(family: str, file: Path | None, asked: dict[str, Any]) -> TrainConfig:
    """The run that is asked for.

    Raises:
        ParameterError: if it lacks a family or pictures, or a value does not fit.
    """
    if file is not None:
        return TrainConfig.from_json(file, **asked, **({"family": family} if family else {}))
    if not family:
        known = ", ".join(families())
        raise ParameterError("no model family is given", where="danqing train", remedy=f"Known: {known}")
    if asked.get("data") is None:
        raise ParameterError("no pictures to learn from are given", where=f"danqing train {family}")
    return TrainConfig.make(family, asked.pop("data"), **asked)


def _trained(result: loop.RunResult) -> Trained:
    return Trained(result.folder, result.model, result.summary)
