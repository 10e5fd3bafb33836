"""The only training loop: it knows Model, no family. Here a run begins, or goes on; it steps in ``training``.

Everything that can be refused is refused before anything is touched: first options, then pictures, then the model, and
of a run that goes on its checkpoint; only then is the run's folder claimed, cleared or written to.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from danqing.core.errors import UserError
from danqing.core.learned.adapters import adapted_as
from danqing.core.progress import Job, Progress
from danqing.training import record
from danqing.training.beginnings import Beginning, beginning, same_teacher, take_over
from danqing.training.build import new_model
from danqing.training.config import TrainConfig, own_sets_of
from danqing.training.facts import write_facts
from danqing.training.kit import Kit
from danqing.training.machine import prepare
from danqing.training.process import apart
from danqing.training.record import RunFolder
from danqing.training.refusals import refuse_at_once, refuse_hurry, refuse_new
from danqing.training.resumption import check_budget, check_changes, check_set
from danqing.training.setup import Supplies, count_of, gather_stages, launch
from danqing.training.stages import check_shapes
from danqing.training.state import TRAINED, Position, newest
from danqing.training.training import RunResult, Training


def train(config: TrainConfig, *, force: bool = False, beside: Callable[[Path], None] | None = None) -> Job[RunResult]:
    """Train a model on pictures; a job that yields its Progress with a preview at every look.

    Closing the job between two steps writes a checkpoint first, so that :func:`resume` goes on from there. A run that
    is replaced stays as it is until the new one has its first checkpoint.

    Args:
        config: what to train on what, and how.
        force: whether to replace a run that is in the folder.
        beside: puts what else belongs to the run into the folder that it begins in.

    Returns:
        the run's folder, model and figures.

    Raises:
        UserError: if pictures, parameters or the run folder cannot be used.
        TrainingFailed: if the numbers broke again and again.
    """
    path = config.options.out or record.free_folder(config.family)
    return apart(_begin(config.with_options(out=path), path, force, beside))


def resume(folder: str | Path, **changes: Any) -> Job[RunResult]:
    """Go on with a run from its last good checkpoint, bit for bit as if it had never stopped.

    Args:
        folder: the run folder.
        changes: options to change, such as a larger ``budget``, or where the pictures lie now (``data_``).

    Raises:
        UserError: if the folder holds no run, the changes or the pictures contradict it, or more than another budget
            is spent already: it then stays as it was.
    """
    path = Path(folder)
    if not (path / record.CONFIG).is_file():
        raise UserError("holds no run to go on with", where=path)
    return apart(_go_on(path, changes))


def go_on_within(folder: Path, budget: str, **changes: Any) -> Job[RunResult]:
    """The same inside of another run, which gives it a budget; where that is spent already, it is finished again.

    Raises:
        UserError: as :func:`resume` does.
    """
    return apart(_go_on(folder, {**changes, "budget": budget}, inside=True))


def _begin(config: TrainConfig, path: Path, force: bool, beside: Callable[[Path], None] | None) -> Job[RunResult]:
    fabric = _launch(config)
    refuse_new(config, fabric.world_size)
    path = fabric.broadcast(path)
    folder = RunFolder(path, force=force) if fabric.global_rank == 0 else None
    try:
        supplies = yield from _in_turn(gather_stages(config), fabric)
        yield Progress(0.0, 1.0, "measuring this machine")
        kit, built_upon = _first_kit(config, supplies, fabric)
        if built_upon.told:
            yield Progress(0.0, 1.0, "beginning", news="\n".join(built_upon.told))
        began = time.perf_counter()
        seen = kit.examine() if folder is not None else None
        look = time.perf_counter() - began
        refuse_hurry(config, kit.together, look)
        position = Position(lineage=built_upon.lineage)
        settled = config.with_options(precision=kit.precision.precision)
        training = Training(settled, kit, supplies, path, position)
        if folder is not None:
            folder.begin(*filter(None, (training.write_begin, beside)))
        training.open(folder)
        return (yield from training.to_the_end(seen, look))
    finally:
        if folder is not None:
            folder.close()


def _first_kit(config: TrainConfig, supplies: list[Supplies], fabric: Any) -> tuple[Kit, Beginning]:
    """Build what a new run begins with, and see that all of its stages can be."""
    stages = config.by_stage()
    models = [new_model(each, mine.train) for each, mine in zip(stages, supplies, strict=True)]
    check_shapes(models)
    for each, mine, model in list(zip(stages, supplies, models, strict=True))[1:]:
        Kit(each, model, mine, fabric).try_out()
    transfer = take_over(config, models[0], supplies[0])
    kit = Kit(stages[0], models[0], supplies[0], fabric)
    kit.try_out()
    return kit, beginning(stages[0], kit.model, transfer, kit.teacher)


def _go_on(path: Path, changes: dict[str, Any], inside: bool = False) -> Job[RunResult]:
    begun = TrainConfig.of_run(path / record.CONFIG)
    config = _changed(begun, path, changes)
    fabric = _launch(config)
    folder = RunFolder(path, resume=True) if fabric.global_rank == 0 else None
    try:
        saved = newest(path / record.CHECKPOINTS)
        check_changes(begun, saved, path, changes)
        position = Position.from_json(saved.card)
        supplies = yield from _in_turn(gather_stages(config), fabric)
        stage, mine = config.by_stage()[position.stage], supplies[position.stage]
        if not inside:
            check_budget(begun, config, position, count_of(mine.train))
        if not check_set(config, saved, mine):
            position.best = None  # it was taken on other pictures
        new = new_model(stage, mine.train, saved.card["config"])
        kit = Kit(stage, adapted_as(new, saved.tensors, TRAINED), mine, fabric)
        same_teacher(kit.teacher, position.lineage)
        settled = config.with_options(precision=kit.precision.precision)
        training = Training(settled, kit, supplies, path, position)
        training.checkpoints.take_up(saved.tensors, fabric.global_rank)
        fabric.barrier()
        if folder is not None:
            folder.go_on()
            write_facts(path, settled, mine)
        training.open(folder)
        return (yield from training.to_the_end())
    finally:
        if folder is not None:
            folder.close()


def _changed(begun: TrainConfig, path: Path, changes: dict[str, Any]) -> TrainConfig:
    """The run with its changes, where it and its pictures lie now."""
    moved = {name: changes[f"{name}_"] for name in own_sets_of(begun.family) if changes.get(f"{name}_") is not None}
    asked = {**changes, "family": begun.family, "out": path, **moved}
    params = {name: begun.params[name] for name in begun.params.keys() & changes.keys() - moved.keys()}
    where = changes.get("data_", changes.get("data"))
    return TrainConfig.of_run(
        path / record.CONFIG, **{**asked, **params, "data": begun.data if where is None else where}
    )


def _launch(config: TrainConfig) -> Any:
    """Start the processes, and refuse what can be refused at once."""
    fabric = launch(config.options.device, config.options.devices)
    refuse_at_once(config, fabric.world_size)
    prepare(config.options.threads, fabric.world_size)
    return fabric


def _in_turn(job: Job[list[Supplies]], fabric: Any) -> Job[list[Supplies]]:
    """Let the first process do the work, and the others find it done."""
    if fabric.global_rank > 0:
        fabric.barrier()
    supplies = yield from job
    if fabric.global_rank == 0:
        fabric.barrier()
    return supplies


__all__ = ["RunResult", "go_on_within", "resume", "train"]
