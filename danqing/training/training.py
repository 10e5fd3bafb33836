"""A run under way, from wherever it is to its end: it steps, looks, heals, and writes down how it went."""

from __future__ import annotations

import dataclasses
import math
import time
from pathlib import Path
from typing import Any, NamedTuple

import torch

from danqing.core.learned.adapters import adapted_as
from danqing.core.learned.model import Samples
from danqing.core.learned.score_words import as_read
from danqing.core.learned.weights import save
from danqing.core.pictures.contract import Images
from danqing.core.progress import Job, Progress
from danqing.training import record
from danqing.training.alarm import Moment
from danqing.training.build import new_model
from danqing.training.closing import close
from danqing.training.config import TrainConfig
from danqing.training.doctor import Course, Finding, told
from danqing.training.facts import facts_of, write_facts
from danqing.training.journal import LINE_STEPS, Journal
from danqing.training.kit import Kit, Seen
from danqing.training.pace import Pace
from danqing.training.record import RunFolder
from danqing.training.resumption import facts_of_set
from danqing.training.setup import Supplies, count_of
from danqing.training.stages import ends_of
from danqing.training.state import TRAINED, Checkpoints, Position, newest
from danqing.training.treatment import entry_of, is_good


class RunResult(NamedTuple):
    """What a run leaves: its folder, its model (averaged weights), and the figures of its end."""

    folder: Path
    model: Path
    summary: dict[str, Any]


class Training:
    """A run under way.

    Args:
        config: the run, with the precision that was settled on.
        kit: of the stage that it is in.
        supplies: the pictures of every stage.
        path: its folder.
        position: where it is.
    """

    def __init__(self, config: TrainConfig, kit: Kit, supplies: list[Supplies], path: Path, position: Position) -> None:
        self.config, self.supplies, self.path, self.position = config, supplies, path, position
        self.fabric, self.precision = kit.fabric, kit.precision
        self.pace = Pace(config.options, self.fabric)
        self.ends = ends_of(config.all_stages())
        self.scores: dict[str, float] = {}
        self.news: list[str] = []
        self.looked_at = -1
        self._use(kit, position.stage)

    def open(self, folder: RunFolder | None) -> None:
        """Begin to write into the run's folder, which only the first process has."""
        self.folder = folder
        if folder is not None:
            folder.forget_after(self.position.step)
        self.journal = Journal(folder, self.config.options.tensorboard)
        self.journal.open(self.position)

    def to_the_end(self, first: Seen | None = None, took: float = 0.0) -> Job[RunResult]:
        """Train until the budget is spent, looking at every share of it.

        Args:
            first: what a new run's model shows before its first step.
            took: how many seconds that look took.
        """
        self.started = time.perf_counter() - self.position.seconds
        if self.position.step == 0:
            yield self._progress(*self._look(first)[:2])
            self.pace.looked(0.0, took)
            self._checkpoint()
        batches, looks, share = self.kit.batches(self.position), self._looks(), self._share()
        while share < 1:
            if share >= self.ends[self.position.stage]:
                self._next_stage(share)
                batches = self.kit.batches(self.position)
            losses = self._step(next(batches), share)
            share = self._share()
            due = share >= 1 or (self._looks() > looks and not self.pace.rests(self.position))
            words, painted, cured = self._watch(losses, due)
            if cured is not None:
                self._go_back(cured)
                batches, looks, share = self.kit.batches(self.position), self._looks(), self._share()
            elif due:
                looks = self._looks()
                self.position.doctor.recovered()
                self._checkpoint()
            elif self.position.step % LINE_STEPS == 0:
                self.journal.line(self.position)
            try:
                yield self._progress(words, painted)
            except GeneratorExit:
                self._stop()
                raise
        return (yield from self._finish())

    def write_begin(self, folder: Path) -> None:
        """Write the first files of a run: what it is, what was found in its pictures, and its first checkpoint."""
        write_facts(folder, self.config, self.kit.supplies)
        self._save(self.kit.generators(together=False), folder / record.CHECKPOINTS)

    def _use(self, kit: Kit, stage: int) -> None:
        self.kit, self.stage = kit, stage
        self.checkpoints = Checkpoints(self.path / record.CHECKPOINTS, kit.model, kit.ema, kit.stepper, kit.rng)

    def _enter(self, stage: int, tensors: dict[str, torch.Tensor], rank: int) -> None:
        """Take up what was captured, in the kit of a stage."""
        if stage != self.stage:
            config, supplies = self.config.by_stage()[stage], self.supplies[stage]
            model = adapted_as(new_model(config, supplies.train, self.kit.model.config), tensors, TRAINED)
            self._use(Kit(config, model, supplies, self.fabric), stage)
        self.checkpoints.take_up(tensors, rank)

    def _next_stage(self, share: float) -> None:
        """Go on in the stage that is due, with all that was learned; what was scored counts among the same pictures."""
        captured = self.checkpoints.captured(self.kit.generators(together=False))
        before = self.kit.config
        while share >= self.ends[self.position.stage]:
            self.position.stage += 1
        self.position.stage_seen = self.position.seen
        self._enter(self.position.stage, {name: value.clone() for name, value in captured.items()}, 0)
        if (before.options.size, before.params) != (self.kit.config.options.size, self.kit.config.params):
            self.position.best = None
            self.position.doctor.begin_anew()

    def _step(self, batch: Samples, share: float) -> dict[str, float]:
        """One step by the rules as they are now, which adaptive augmentation then turns to what is needed."""
        position, kit = self.position, self.kit
        position.adaptive.apply(kit.model, position.doctor, kit.before_critic, kit.config.options.lecam, kit.gamma)
        losses = kit.stepper.step(batch, kit.rng, self._rate(share))
        kit.advance(position)
        position.adaptive.follow(kit.model, kit.apart, position.step, kit.together, kit.before_critic)
        if self.fabric.world_size > 1:
            position.adaptive = self.fabric.broadcast(position.adaptive)
        position.seconds = time.perf_counter() - self.started
        return losses

    def _watch(self, losses: dict[str, float], due: bool) -> tuple[str, Images | None, Finding | None]:
        """Write a step down, look where that is due, and let the doctor say what is to be cured."""
        doctor, manner = self.position.doctor, self.config.options.doctor
        broken = self.fabric.broadcast(self.checkpoints.broken()) if due else ""
        readings = {**self.kit.model.readings(), **self.position.adaptive.readings()}
        moment = Moment(self.position.step, self.position.seen, losses, readings, broken)
        if (breaks := doctor.breaks(moment)) is not None:
            return self._words(losses), None, breaks
        self.journal.add(losses, moment.readings)
        found, words, painted = doctor.watch(moment, manner), self._words(losses), None
        if due:
            words, painted, more = self._look()
            found = [*found, *more]
        found = self._agreed(found)
        cured = next((each for each in found if each.cure is not None), None)
        for each in found:
            if each is not cured:
                self._report(each)
        return words, painted, cured

    def _agreed(self, found: list[Finding]) -> list[Finding]:
        """What the first process found, which alone looks, holds for all."""
        alone = self.fabric.world_size == 1
        return found if alone else [Finding(*each) for each in self.fabric.broadcast(found)]

    def _share(self) -> float:
        return self.pace.share(self.position, count_of(self.kit.supplies.train))

    def _looks(self) -> int:
        return self.pace.looks(self.position, count_of(self.kit.supplies.train))

    def _rate(self, share: float) -> float:
        factor = self.config.all_stages()[self.position.stage].lr
        return self.position.doctor.rate * self.kit.rate(share) * factor

    def _go_back(self, finding: Finding) -> None:
        """Go back to the last good checkpoint and go on by other rules.

        What was spent on steps that are taken back stays spent, but where numbers broke: these steps taught nothing.
        """
        now, broken = self.position, self.position.doctor.alarms[finding.name].goes_back
        saved = newest(self.checkpoints.folder) if broken else self.checkpoints.good(now)
        self.fabric.barrier()
        there = Position.from_json(saved.card)
        lost, seconds = (there.lost, there.seconds) if broken else (now.lost + now.seen - there.seen, now.seconds)
        doctor = now.doctor.treated(finding, there.doctor, Course(there.seen, self.kit.gamma > 0, self.kit.usual))
        self.position = dataclasses.replace(there, doctor=doctor, seconds=seconds, lost=lost, best=now.best)
        self._enter(self.position.stage, saved.tensors, self.fabric.global_rank)
        self.started = time.perf_counter() - seconds
        self.journal.count_from(self.position)
        self._report(finding, there, now.seen)
        if self.folder is not None:
            self.checkpoints.forget_after(self.position.step)
            self.folder.forget_after(self.position.step)
        self._checkpoint()

    def _report(self, finding: Finding, there: Position | None = None, seen: int | None = None) -> None:
        """Tell what was found: at once on the screen, in the log (where it was found), for the report and the card."""
        doctor = self.position.doctor
        entry = entry_of(finding, self.kit, doctor, there)
        doctor.findings.append(entry)
        self.news.append(told(entry))
        at = {} if seen is None else {"step": finding.step, "seen": seen}
        self.journal.write(self.position, {**entry, **at, "rate": doctor.rate})

    def _look(self, seen: Seen | None = None) -> tuple[str, Images | None, list[Finding]]:
        """Paint, score, examine and log."""
        began = time.perf_counter()
        self.looked_at, painted, found = self.position.step, None, []
        if self.folder is not None:
            seen = seen or self.kit.examine()
            painted = seen.painted
            if painted is not None:
                self.folder.grid(self.position.step, painted, self.kit.columns)
            if self.position.step and (view := self.kit.view(seen, self.position)) is not None:
                found = self.position.doctor.look(view, self.config.options.doctor)
            self._keep_best(seen.scores)
            self.journal.draw()
            if is_good(self.position, seen.scores):
                self.position.good = self.position.step
        self.position.good = int(self.fabric.broadcast(self.position.good))
        now = time.perf_counter()
        self.pace.looked(now - self.started, now - began)
        return self._words(self.journal.last), painted, found

    def _progress(self, words: str, painted: Images | None = None) -> Progress:
        news, self.news = "\n".join(self.news), []
        return Progress(min(1.0, self._share()), 1.0, words, painted, news)

    def _keep_best(self, scores: dict[str, float]) -> None:
        self.journal.line(self.position, scores=scores)
        self.scores = scores
        value = next(iter(scores.values()), None)
        if value is None or not math.isfinite(value) or not self.position.step:
            return
        if self.position.best is None or value < self.position.best:
            self.position.best = value
            save(self.kit.ema.model, self.path / record.BEST, **self._facts())

    def _stop(self) -> None:
        """Write a checkpoint on the way out, if it is one to go on from and no other process stands elsewhere."""
        if self.fabric.world_size == 1 and not self.checkpoints.broken():
            self._checkpoint()

    def _checkpoint(self) -> None:
        generators = self.kit.generators(together=True)
        if self.folder is not None:
            self.position.log_bytes = self.journal.length()
            self._save(generators, self.checkpoints.folder)

    def _save(self, generators: torch.Tensor, folder: Path) -> None:
        known = {**self._facts(), "set": facts_of_set(self.kit.supplies)}
        self.checkpoints.save(self.position, generators, known, folder)

    def _finish(self) -> Job[RunResult]:
        if self.looked_at != self.position.step:
            self._look()
            self._checkpoint()
        if self.folder is not None:
            self.journal.draw(last=True)
            save(self.kit.ema.model, self.path / record.MODEL, **self._facts())
            record.write_json(self.path / "card.json", {**self.kit.ema.model.card, **self._facts()})
            yield from close(self.path, self.config, self.kit, self._facts()["training"])
        self.fabric.barrier()
        return RunResult(self.path, self.path / record.MODEL, self._facts()["training"])

    def _facts(self) -> dict[str, Any]:
        return facts_of(self.config, self.kit, self.position, self.precision, self.scores)

    def _words(self, losses: dict[str, float]) -> str:
        figures = [f"{name} {value:.3f}" for name, value in [*losses.items(), *as_read(self.scores).items()]]
        return " · ".join([f"{self.position.seen / 1000:,.1f} kimg", *figures])


__all__ = ["RunResult", "Training"]
