"""Building a run's model, and the settings it learns with."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch

from danqing.core.learned.families import family_named
from danqing.core.learned.model import Model
from danqing.core.learned.proposals import Optimiser
from danqing.data.store import Store
from danqing.data.stream import Stream
from danqing.training.config import TrainConfig, new_part, parts_in
from danqing.training.step import settings_by_part


class Facts(NamedTuple):
    """What of pictures decides how a model is built for them."""

    size: int
    channels: int | None
    classes: Sequence[str]
    points: Sequence[str]


def new_model(config: TrainConfig, data: Store | Stream, before: Mapping[str, Any] | None = None) -> Model:
    """Build the family for the pictures at hand, its weights drawn from the run's seed.

    Args:
        config: of the run.
        data: the pictures.
        before: the config of a model that the run has already: parts that it took from other weights are in its own.

    Raises:
        ParameterError: if the family cannot take such pictures or parameters.
    """
    return built(config, Facts(data.size, data.channels, data.classes, points_of(data)), before)


def built(config: TrainConfig, facts: Facts, before: Mapping[str, Any] | None = None) -> Model:
    """The same for pictures of which only that much is known.

    Raises:
        ParameterError: if the family cannot take such pictures or parameters.
    """
    made = family_named(config.family)
    classes = len(facts.classes) if config.options.conditional else 0
    known = {**facts._asdict(), "classes": classes}
    given = {name: value for name, value in known.items() if name in inspect.signature(made.__init__).parameters}
    parts = {name: before[name] for name in parts_in(config.family) if before is not None and name in before}
    if new := new_part(config):  # only to see that it could be: it is learned before it is needed
        parts[new[0]] = {"family": new[1], "config": {"size": facts.size, "channels": facts.channels}}
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(config.options.seed)
        model = made(**{**config.params, **parts, **given})
    model.card = {"classes": list(facts.classes)} if classes else {}  # so that what it shows has names
    return model


def points_of(data: Store | Stream) -> list[str]:
    """The names of the points that things in the pictures have."""
    things = data.things if isinstance(data, Store) else None
    return [] if things is None else list(things.points)


def settings_of(config: TrainConfig, model: Model) -> dict[str, Optimiser]:
    """The family's settings of each part with the run's own put over them.

    A learning rate given is that of the fastest part; all other rates, Muon's too, keep their ratio to it.
    """
    proposed, options = settings_by_part(model, model.optimiser), config.options
    top = max(settings.lr for settings in proposed.values())
    lr = top if options.lr is None else options.lr
    return {part: _over(config, settings, lr, top) for part, settings in proposed.items()}


def _over(config: TrainConfig, settings: Optimiser, lr: float, top: float) -> Optimiser:
    options, (beta1, beta2) = config.options, settings.betas
    return Optimiser(
        lr if settings.lr == top else settings.lr * lr / top,
        (beta1 if options.beta1 is None else options.beta1, beta2 if options.beta2 is None else options.beta2),
        settings.weight_decay if options.decay is None else options.decay,
        settings.muon * lr / top,
    )


__all__ = ["Facts", "built", "new_model", "points_of", "settings_of"]
