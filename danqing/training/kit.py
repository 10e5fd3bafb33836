"""What one stage of a run computes with: model, averaged weights, optimisers, generators, and pictures to look at."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from danqing.core.learned.finder import Finder
from danqing.core.learned.model import Model, Painter, Samples
from danqing.core.learned.painting import Translator
from danqing.core.pictures.contract import Images
from danqing.data.augment import augmentations
from danqing.data.store import Store
from danqing.maths.sketch import sketch_features
from danqing.nets.adversary import plays
from danqing.training.adaptive import kind_for
from danqing.training.alarm import Beside, View
from danqing.training.build import settings_of
from danqing.training.config import TrainConfig
from danqing.training.copies import limit_of, thumbnails
from danqing.training.ema import Ema
from danqing.training.freezing import freeze, rates_of
from danqing.training.machine import Choice, choose_precision, to_machine, try_step
from danqing.training.score import by_class, drawn_classes, painted_like, score
from danqing.training.setup import Supplies, batch_share, count_of, held_out_batch, real_batch, without_labels
from danqing.training.state import Position, generator_state
from danqing.training.step import Stepper, settings_by_part
from danqing.training.teaching import Teacher

ROWS = 8  # of a grid
COLUMNS = 4  # and rows of one that shows what was found
BESIDE = 4096  # training pictures among which copies are looked for, at most
CHUNK = 256  # of them at a time


class Seen(NamedTuple):
    """What a look shows: pictures painted, if the family paints any, and scores."""

    painted: Images | None
    scores: dict[str, float]


class Kit:
    """Everything that a stage computes with; nothing of it is on the disk.

    Args:
        config: the run as it is in this stage.
        model: new, or to be filled from a checkpoint.
        supplies: the stage's pictures.
        fabric: Lightning Fabric.

    Raises:
        ParameterError: if there is no such thing to freeze.
    """

    def __init__(self, config: TrainConfig, model: Model, supplies: Supplies, fabric: Any) -> None:
        options = config.options
        self.config, self.supplies, self.fabric = config, supplies, fabric
        self.batch = batch_share(config, fabric.world_size)
        things = supplies.train.things if isinstance(supplies.train, Store) else None
        mirrored = () if things is None else tuple(things.mirrored)
        self.augment = replace(
            augmentations(options.augment or model.augment), mirrored=mirrored, black=things is not None
        )
        self.model = to_machine(model, str(fabric.device)).train()
        frozen = freeze(self.model, options.freeze)
        self.precision = self._precision()
        settings = settings_of(config, self.model)
        self.rate_of_all = max(each.lr for each in settings.values())
        proposed = max(each.lr for each in settings_by_part(self.model, self.model.optimiser).values())
        self.usual = min(math.inf if options.from_ is None else 1.0, proposed / self.rate_of_all)
        rules = self.model.rules if plays(self.model) else None
        self.gamma = 0.0 if rules is None else rules.gamma
        self.before_critic = kind_for(options.critic_augment, count_of(supplies.train))
        self.teacher = teacher_of(config, self.model, supplies)
        factors = rates_of(self.model, options.rates or self.model.rates)
        self.stepper = Stepper(
            self.model, settings, self.precision.precision, fabric, options.clip, frozen, factors, self.teacher
        )
        self.ema = Ema(self.model, options.ema)
        seed = options.seed * 1_000_003 + fabric.global_rank
        self.rng = torch.Generator().manual_seed(seed)
        torch.default_generator.manual_seed(seed)
        self.held_out = self._ready(held_out_batch(supplies, options.seed))
        apart = supplies.held_out is not supplies.train
        self.apart = self.held_out if apart else self.held_out.map(lambda each: each[:0])
        self.columns, self.shown = self._to_show(self.held_out)
        self.asked = self._to_be_painted()
        real = self._real()
        self.scored_by = sketch_features(real.x.cpu())
        self.originals = self._to_show(real)[1].x.cpu()
        self.real = sketch_features(self.originals)

    def _to_show(self, batch: Samples) -> tuple[int, Samples]:
        """How many columns a grid has, and the pictures that it is for."""
        if isinstance(self.model, Finder):
            return COLUMNS, batch.map(lambda each: each[: COLUMNS * COLUMNS])
        classes = self.model.config.get("classes", 0)
        if classes:
            return classes, by_class(batch, classes, ROWS)
        return ROWS, Samples(batch.x[: ROWS * ROWS])

    def _real(self) -> Samples:
        """The pictures that painted ones should be like."""
        held_out = self.held_out
        if isinstance(self.model, Painter):
            return self._ready(real_batch(self.supplies, held_out, self.config.options.seed))
        if isinstance(self.model, Translator) and held_out.pair is not None:
            return held_out._replace(x=held_out.pair)
        return held_out

    def _to_be_painted(self) -> Tensor | None:
        """The classes that are painted for a score; a translator paints pictures by what they are."""
        if isinstance(self.model, Translator):
            return self.held_out.y
        return drawn_classes(self.supplies.train, self.held_out, self.config.options.seed)

    def try_out(self) -> None:
        """Train one step on a copy, so that what cannot be learned from is refused before anything is written."""
        batch = self._ready(next(self.supplies.train.batches(self.batch, 0)))
        try_step(self.model, batch, settings_of(self.config, self.model), self.precision.precision, self.teacher)

    def examine(self) -> Seen:
        """Paint with the averaged weights, and score them."""
        model, seed = self.ema.model, self.config.options.seed
        return Seen(
            painted_like(model, self.shown, seed), score(model, self.held_out, self.asked, self.scored_by, seed)
        )

    def view(self, seen: Seen, position: Position) -> View | None:
        """What there is to be looked at; None if nothing was painted, or only drawn in."""
        if seen.painted is None or isinstance(self.model, Finder):
            return None
        return View(
            position.step,
            position.seen,
            sketch_features(seen.painted),
            self.real,
            seen.painted,
            self.originals,
            seen.scores,
            position.adaptive.overfitting,
            None if self._learned is None else Beside(thumbnails(seen.painted), *self._learned),
            self.shown.y.cpu() if isinstance(self.model, Painter) and self.shown.y is not None else None,
            self.ema.half_life,
        )

    @functools.cached_property
    def _learned(self) -> tuple[Tensor, float] | None:
        """Thumbnails of training pictures, and how near a near copy lies; None where copies cannot be told."""
        train = self.supplies.train
        if not isinstance(train, Store) or not isinstance(self.model, Painter) or len(train) < 2:
            return None
        order = torch.randperm(len(train), generator=torch.Generator().manual_seed(self.config.options.seed))[:BESIDE]
        learned = torch.cat([thumbnails(train.take(some).x) for some in order.split(CHUNK)])
        return learned, limit_of(learned, thumbnails(self.apart.x.cpu()))

    @property
    def together(self) -> int:
        """Pictures of a step, over all processes."""
        return self.batch * int(self.fabric.world_size)

    def batches(self, position: Position) -> Iterator[Samples]:
        """Yield batches without end, from where the stage is on; each stage goes through the pictures in its own order.

        What counts is how many pictures were seen: a run that goes on with another batch passes over as many.
        """
        options, fabric = self.config.options, self.fabric
        start = (position.seen - position.stage_seen) // self.together
        seed = options.seed + position.stage
        for batch in self.supplies.train.batches(self.batch, seed, start, fabric.global_rank, fabric.world_size):
            yield self._ready(self.augment(batch, self.rng))

    def advance(self, position: Position) -> None:
        """Count a step, and let the averaged weights follow."""
        position.step += 1
        position.seen += self.together
        self.ema.update(self.model, self.together, position.seen)

    def rate(self, share: float) -> float:
        """What is left of the learning rate when ``share`` of the budget is used."""
        schedule = self.config.options.schedule
        if schedule == "linear":
            return 1 - share
        return (1 + math.cos(math.pi * min(1.0, share))) / 2 if schedule == "cosine" else 1.0

    def generators(self, together: bool) -> Tensor:
        """The states of the generators, of all processes together or of this one alone, a row each."""
        mine, world = generator_state(self.rng), self.fabric.world_size
        if world == 1 or not together:
            return mine[None]
        gathered: Tensor = self.fabric.all_gather(mine).reshape(world, -1).cpu()
        return gathered

    def _precision(self) -> Choice:
        """Settle on a precision; a run that goes on brings its own."""
        batch = self._ready(next(self.supplies.train.batches(self.batch, 0)))
        chosen = choose_precision(
            self.config.options.precision, self.model, batch, settings_of(self.config, self.model)
        )
        return chosen._replace(precision=self.fabric.broadcast(chosen.precision))

    def _ready(self, batch: Samples) -> Samples:
        return without_labels(batch.moved_to(self.fabric.device), self.model)


def teacher_of(config: TrainConfig, model: Model, supplies: Supplies) -> Teacher | None:
    """Load whom a run's model also learns from, on the model's device; None if nobody is asked for."""
    options = config.options
    if options.teacher is None:
        return None
    classes = supplies.train.classes if model.config.get("classes") else ()
    teacher = Teacher(options.teacher, model, classes, options.teaching)
    teacher.model.to(next(model.parameters()).device)
    return teacher


__all__ = ["Kit", "Seen", "teacher_of"]
