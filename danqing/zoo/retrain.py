"""Train bundled models anew from their recipes: ``python -m danqing.zoo.retrain danqing/zoo/recipes/*.json``.

A recipe is a run's config (as ``danqing train --config`` takes it) whose file name is the model's. The run goes into
runs/zoo-NAME, where a recipe that was stopped goes on; the finished model replaces the bundled one, unless the recipe
lies in a folder ``unbundled``: then it stays in its run. Recipes that begin with other bundled weights come after those
that do not; one whose model holds a part of another run (``runs/zoo-NAME``) has the unbundled recipe NAME trained
first. Restorers learn from the photographs that ``python -m danqing.zoo.photographs runs/photographs`` collects,
painters from what ``danqing.zoo.characters`` and ``danqing.zoo.emoji`` draw into runs/characters and runs/emoji and
``danqing.zoo.textures`` cuts out of the photographs into runs/textures, translators from what
``danqing.zoo.character_pairs`` puts together of the characters and ``danqing.zoo.painter_pieces`` cuts out of
photographs and paintings.
"""

from __future__ import annotations

import json
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from danqing.core.disk import replacing
from danqing.core.learned.card import WEIGHTS
from danqing.core.learned.families import family_named
from danqing.core.learned.model import Painter, Restorer
from danqing.core.learned.painting import Translator
from danqing.core.learned.weights import load_tensors, save_tensors
from danqing.core.progress import Progress, Show, finish
from danqing.core.stops import stops
from danqing.training.config import TrainConfig
from danqing.training.loop import resume, train
from danqing.training.record import CONFIG, MODEL

RUN = "zoo-"  # how the folders of runs begin
UNBUNDLED = "unbundled"  # the folder of recipes whose models danqing does not bring along
LIKEWISE = ("stainmeter", "marker", "stylist")  # families that paint, or say of each pixel what it is made of


def retrain(recipe: Path) -> Path:
    """Train, or go on training, and put the model among the bundled ones, where it is to be."""
    for part in parts_of(recipe):
        retrain(part)
    run = Path("runs") / f"{RUN}{recipe.stem}"
    job = resume(run) if (run / CONFIG).exists() else train(TrainConfig.from_json(recipe, out=run))
    with _stoppable() as stopped:
        result = finish(job, _say(stopped))
    return result.model if recipe.parent.name == UNBUNDLED else put_among_bundled(result.model, recipe.stem)


def put_among_bundled(model: Path, name: str) -> Path:
    """Put a model among the bundled ones; what makes pictures in half precision, which no eye tells from the whole."""
    bundled = WEIGHTS / f"{name}.safetensors"
    card, tensors = load_tensors(model)
    family = str(card["family"])
    if family in LIKEWISE or issubclass(family_named(family), Painter | Translator | Restorer):
        halved = {key: each.half() if each.is_floating_point() else each for key, each in tensors.items()}
        return save_tensors(halved, bundled, card)
    with replacing(bundled) as temporary:
        shutil.copyfile(model, temporary)
    return bundled


def parts_of(recipe: Path) -> list[Path]:
    """The recipes of what its model holds, which have not come to an end."""
    params = json.loads(recipe.read_text("utf-8")).get("params", {})
    runs = [Path(value) for value in params.values() if isinstance(value, str) and value.startswith(f"runs/{RUN}")]
    return [
        recipe.parent / UNBUNDLED / f"{run.name.removeprefix(RUN)}.json" for run in runs if not (run / MODEL).exists()
    ]


def begins_with(recipe: Path) -> str:
    """The weights that a recipe begins with; empty, and so first in order, if it begins with none."""
    return str(json.loads(recipe.read_text("utf-8")).get("from_") or "")


@contextmanager
def _stoppable() -> Iterator[Callable[[], bool]]:
    """Note Ctrl-C and its like instead of dying of them, and tell whether one came."""
    came = False

    def note(number: int, frame: Any) -> None:
        nonlocal came
        came = True

    before = {number: signal.signal(number, note) for number in stops()}
    try:
        yield lambda: came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(stopped: Callable[[], bool]) -> Show:
    """Print each percent; heed a wish to stop between two steps, where a checkpoint can be written."""
    last = 0

    def show(progress: Progress) -> None:
        nonlocal last
        if stopped():
            raise KeyboardInterrupt
        percent = int(100 * progress.done / progress.total)
        if percent != last:
            print(f"{percent:3} %  {progress.words}", flush=True)
            last = percent

    return show


if __name__ == "__main__":
    for recipe in sorted(map(Path, sys.argv[1:]), key=begins_with):
        print(retrain(recipe))
