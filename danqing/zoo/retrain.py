"""Train a bundled model anew from its recipe: ``python -m danqing.zoo.retrain danqing/zoo/recipes/digits.json``.

A recipe is a run's config (as ``danqing train --config`` takes it) whose file name is the model's. The run goes into
runs/zoo-NAME, where a recipe that was stopped goes on; the finished model replaces the bundled one.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from danqing.core.files import WEIGHTS, replacing
from danqing.core.progress import Progress, Show, finish
from danqing.train.config import TrainConfig
from danqing.train.loop import resume, train
from danqing.train.record import CONFIG


def retrain(recipe: Path) -> Path:
    """Train, or go on training, and put the model among the bundled ones."""
    run = Path("runs") / f"zoo-{recipe.stem}"
    job = resume(run) if (run / CONFIG).exists() else train(TrainConfig.from_json(recipe, out=run))
    result = finish(job, _say())
    bundled = WEIGHTS / f"{recipe.stem}.safetensors"
    with replacing(bundled) as temporary:
        shutil.copyfile(result.model, temporary)
    return bundled


def _say() -> Show:
    last = 0

    def show(progress: Progress) -> None:
        nonlocal last
        percent = int(100 * progress.done / progress.total)
        if percent != last:
            print(f"{percent:3} %  {progress.words}", flush=True)
            last = percent

    return show


if __name__ == "__main__":
    for recipe in sys.argv[1:]:
        print(retrain(Path(recipe)))
