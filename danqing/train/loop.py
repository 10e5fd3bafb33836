"""The only training loop: it knows Model, no family."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch

from danqing.core.errors import UserError
from danqing.core.learned.model import Samples
from danqing.core.learned.weights import save
from danqing.core.progress import Job, Progress
from danqing.data.augment import augmentations
from danqing.maths.sketch import sketch_features
from danqing.train import record
from danqing.train.budget import Budget, Spent
from danqing.train.config import TrainConfig
from danqing.train.doctor import Alarm
from danqing.train.ema import Ema
from danqing.train.journal import LINE_STEPS, Journal
from danqing.train.machine import choose_precision, prepare, to_machine
from danqing.train.record import RunFolder
from danqing.train.score import by_class, painted_like, score
from danqing.train.setup import (
    Supplies,
    batch_share,
    count_of,
    gather_pictures,
    held_out_batch,
    launch,
    new_model,
    optimiser_of,
    without_labels,
)
from danqing.train.state import Checkpoints, Position, check_finite, generator_state
from danqing.train.step import Stepper

ROWS = 8  # of a grid


class RunResult(NamedTuple):
    """What a run leaves: its folder, its model (averaged weights), and the figures of its end."""

    folder: Path
    model: Path
    summary: dict[str, Any]


def train(config: TrainConfig, *, force: bool = False) -> Job[RunResult]:
    """Train a model on pictures; a job that yields its Progress with a preview at every look.

    Closing the job between two steps writes a checkpoint first, so that :func:`resume` goes on from there.

    Args:
        config: what to train on what, and how.
        force: whether to replace a run that is in the folder.

    Returns:
        the run's folder, model and figures.

    Raises:
        UserError: if pictures, parameters or the run folder cannot be used.
        TrainingFailed: if the numbers broke again and again.
    """
    path = config.options.out or record.free_folder(config.family)
    return _run(config.with_options(out=path), path, resuming=False, force=force)


def resume(folder: str | Path, **changes: Any) -> Job[RunResult]:
    """Go on with a run from its last checkpoint, bit for bit as if it had never stopped.

    Args:
        folder: the run folder.
        changes: options to change, such as a larger ``budget``.

    Raises:
        UserError: if the folder holds no run.
    """
    path = Path(folder)
    if not (path / record.CONFIG).is_file():
        raise UserError("holds no run to go on with", where=path)
    return _run(TrainConfig.from_json(path / record.CONFIG, **{"out": path, **changes}), path, resuming=True)


def _run(config: TrainConfig, path: Path, *, resuming: bool, force: bool = False) -> Job[RunResult]:
    options = config.options
    fabric = launch(options.device, options.devices)
    prepare(options.threads, fabric.world_size)
    path = fabric.broadcast(path)
    folder = RunFolder(path, resume=resuming, force=force) if fabric.global_rank == 0 else None
    try:
        fabric.barrier()
        supplies = yield from _in_turn(gather_pictures(config), fabric)
        run = _Run(config, fabric, folder, path, supplies)
        if resuming:
            run.go_back()
        return (yield from run.to_the_end())
    finally:
        if folder is not None:
            folder.close()


def _in_turn(job: Job[Supplies], fabric: Any) -> Job[Supplies]:
    """Let the first process do the work, and the others find it done."""
    if fabric.global_rank > 0:
        fabric.barrier()
    supplies = yield from job
    if fabric.global_rank == 0:
        fabric.barrier()
    return supplies


class _Run:
    """A run under way."""

    def __init__(self, config: TrainConfig, fabric: Any, folder: RunFolder | None, path: Path, data: Supplies) -> None:
        self.fabric, self.folder, self.path, self.supplies = fabric, folder, path, data
        model = new_model(config, data.train)
        self.batch = batch_share(config, model, fabric.world_size)
        self.augment = augmentations(config.options.augment)
        self.model = to_machine(model, str(fabric.device)).train()
        self.config = self._with_precision(config)
        options = self.config.options
        self.budget = Budget.parse(options.budget)
        self.every = Budget.parse(options.every, of=self.budget)
        self.stepper = Stepper(self.model, optimiser_of(config, model), options.precision, fabric, options.clip)
        self.ema = Ema(self.model, options.ema)
        self.rng = torch.Generator().manual_seed(options.seed * 1_000_003 + fabric.global_rank)
        torch.manual_seed(options.seed * 1_000_003 + fabric.global_rank)
        self.position = Position()
        self.checkpoints = Checkpoints(path / "checkpoints", self.model, self.ema, self.stepper, self.rng)
        self.held_out = without_labels(held_out_batch(data, options.seed).moved_to(fabric.device), self.model)
        classes = self.model.config.get("classes", 0)
        self.columns = classes or ROWS
        self.shown = (
            by_class(self.held_out, classes, ROWS) if classes else self.held_out.map(lambda each: each[: ROWS * ROWS])
        )
        self.real = sketch_features(self.shown.x.cpu())
        self.journal = Journal(folder, options.tensorboard)
        self._begin()

    def _with_precision(self, config: TrainConfig) -> TrainConfig:
        """Settle on a precision; a resumed run brings its own."""
        options = config.options
        batch = next(self.supplies.train.batches(self.batch, 0)).moved_to(self.fabric.device)
        batch = without_labels(batch, self.model)
        settings = optimiser_of(config, self.model)
        self.precision = choose_precision(options.precision, self.model, batch, settings)
        return config.with_options(precision=self.fabric.broadcast(self.precision.precision))

    def _begin(self) -> None:
        if self.folder is None:
            return
        self.folder.write_json(record.CONFIG, self.config.to_json())
        if self.supplies.report:
            self.folder.write_json("check.json", self.supplies.report)
        if skipped := getattr(self.supplies.train, "skipped", []):
            self.folder.write_json("skipped.json", [{"file": file, "reason": reason} for file, reason in skipped])

    def go_back(self) -> None:
        """Return to the last checkpoint."""
        self.position = self.checkpoints.restore(self.fabric.global_rank)

    def to_the_end(self) -> Job[RunResult]:
        """Train until the budget is spent, looking at every share of it."""
        self.journal.open(self.position)
        self.started = time.perf_counter() - self.position.seconds
        if self.position.step == 0:
            yield self._look()
        batches, looks = self._batches(), self._looks()
        while (share := self._share()) < 1:
            losses = self.stepper.step(next(batches), self.rng, self._rate(share))
            if not self.position.doctor.healthy(losses):
                batches, looks = self._heal(), self._looks()
                continue
            self._advance()
            readings = self.model.readings()
            self.journal.add(losses, readings)
            self._report(self.position.doctor.watch(self.position.step, readings))
            if self._looks() > looks:
                if not check_finite(self.model):
                    batches, looks = self._heal(), self._looks()
                    continue
                looks = self._looks()
                yield self._look()
            elif self.position.step % LINE_STEPS == 0:
                self.journal.line(self.position)
            try:
                yield Progress(min(1.0, self._share()), 1.0, self._words(losses))
            except GeneratorExit:
                self._checkpoint(alone=True)
                raise
        return self._finish()

    def _batches(self) -> Iterator[Samples]:
        options = self.config.options
        source = self.supplies.train.batches(
            self.batch, options.seed, self.position.step, self.fabric.global_rank, self.fabric.world_size
        )
        for batch in source:
            yield without_labels(self.augment(batch, self.rng).moved_to(self.fabric.device), self.model)

    def _advance(self) -> None:
        self.position.step += 1
        self.position.seen += self.batch * self.fabric.world_size
        self.position.seconds = time.perf_counter() - self.started
        self.ema.update(self.model, self.batch * self.fabric.world_size, self.position.seen)

    def _share(self) -> float:
        """How much of the budget is used; the first process's clock counts."""
        share = self._used(self.budget)
        timed = self.budget.currency == "seconds" and self.fabric.world_size > 1
        return float(self.fabric.broadcast(share)) if timed else share

    def _used(self, budget: Budget) -> float:
        seen = self.position.seen
        return budget.share(Spent(self.position.seconds, seen, seen / count_of(self.supplies.train)))

    def _looks(self) -> int:
        """How many looks are due by now."""
        looks = math.floor(self._used(self.every) + 1e-9)
        return int(self.fabric.broadcast(looks)) if self.fabric.world_size > 1 else looks

    def _rate(self, share: float) -> float:
        schedule, rate = self.config.options.schedule, self.position.doctor.rate
        if schedule == "linear":
            return rate * (1 - share)
        return rate * (1 + math.cos(math.pi * min(1.0, share))) / 2 if schedule == "cosine" else rate

    def _heal(self) -> Iterator[Samples]:
        """Go back to the last good checkpoint and go on more carefully."""
        doctor, step, log_bytes = self.position.doctor, self.position.step, self.journal.length()
        alarm = doctor.heal(step)
        self.go_back()
        self.position.doctor, self.position.log_bytes = doctor, log_bytes
        self.started = time.perf_counter() - self.position.seconds
        self.journal.count_from(self.position)
        self._report(alarm)
        return self._batches()

    def _report(self, alarm: Alarm | None) -> None:
        if alarm is not None:
            entry = {"event": alarm.name, "words": alarm.words, "remedy": alarm.remedy, "at_step": alarm.step}
            self.journal.write(self.position, {**entry, "rate": self.position.doctor.rate})

    looked_at = -1

    def _look(self) -> Progress:
        """Paint, score, examine, log and checkpoint."""
        self.looked_at, painted = self.position.step, None
        if self.folder is not None:
            ema, seed = self.ema.model, self.config.options.seed
            painted = painted_like(ema, self.shown, seed)
            if painted is not None:
                self.folder.grid(self.position.step, painted, self.columns)
                if self.position.step:
                    step, seen, doctor = self.position.step, self.position.seen, self.position.doctor
                    self._report(doctor.look(step, seen, sketch_features(painted), self.real))
            self._keep_best(score(ema, self.held_out, seed))
            self.journal.draw()
        self.position.doctor.recovered()
        self._checkpoint()
        return Progress(min(1.0, self._share()), 1.0, self._words(self.journal.last), painted)

    def _keep_best(self, scores: dict[str, float]) -> None:
        self.journal.line(self.position, scores=scores)
        self.scores = scores
        value = next(iter(scores.values()), None)
        if value is not None and self.position.step and (self.position.best is None or value < self.position.best):
            self.position.best = value
            save(self.ema.model, self.path / record.BEST, **self._facts())

    scores: dict[str, float] = {}  # noqa: RUF012 (replaced, never changed)

    def _checkpoint(self, alone: bool = False) -> None:
        """Write a checkpoint; ``alone`` when the other processes may not be at the same step."""
        world = self.fabric.world_size
        if alone and world > 1:
            return
        mine = generator_state(self.rng)
        generators = self.fabric.all_gather(mine).reshape(world, -1).cpu() if world > 1 else mine[None]
        if self.folder is not None:
            self.position.log_bytes = self.journal.length()
            self.checkpoints.save(self.position, generators)

    def _finish(self) -> RunResult:
        if self.looked_at != self.position.step:
            self._look()
        if self.folder is not None:
            self.journal.draw(last=True)
            save(self.ema.model, self.path / record.MODEL, **self._facts())
            self.folder.write_json("card.json", {**self.ema.model.card, **self._facts()})
        self.fabric.barrier()
        return RunResult(self.path, self.path / record.MODEL, self._facts()["training"])

    def _facts(self) -> dict[str, Any]:
        """What the card says beside family and config."""
        seconds = round(self.position.seconds, 2)
        training = {
            **self.config.to_json(),
            "steps": self.position.step,
            "pictures_seen": self.position.seen,
            "seconds": seconds,
            "steps_per_second": round(self.position.step / seconds, 3) if seconds else 0.0,
            "precision_measured": {name: round(value, 2) for name, value in self.precision.measured.items()},
            "processes": self.fabric.world_size,
            "threads": torch.get_num_threads(),
            "augment": str(self.augment),
            "torch": torch.__version__,
            "alarms": self.position.doctor.raised,
        }
        data = self.supplies.train
        facts = {"training": training, "data": data.facts(), "scores": self.scores, "classes": list(data.classes)}
        return {**facts, "licence": self.config.options.licence or None}

    def _words(self, losses: dict[str, float]) -> str:
        figures = [f"{name} {value:.3f}" for name, value in [*losses.items(), *self.scores.items()]]
        return " · ".join([f"{self.position.seen / 1000:,.1f} kimg", *figures])
