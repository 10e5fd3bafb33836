"""Learning from few pictures by small changes of what was learned before: which kernels have them, and who may."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import torch

from danqing.core.errors import ParameterError
from danqing.core.learned.adapters import RANK, Kind, adapt, adapters_in
from danqing.core.learned.model import Model
from danqing.nets.adversary import plays
from danqing.training.config import TrainConfig


class Adapted(NamedTuple):
    """What of a model learns by adapters.

    Attributes:
        kind: of the adapters.
        rank: of the changes.
        kernels: how many have one.
        numbers: how many numbers the adapters have.
        of: how many numbers these kernels have.
    """

    kind: str
    rank: int
    kernels: int
    numbers: int
    of: int

    def told(self) -> str:
        """It in words, a line."""
        return (
            f"Adapters: {self.kind}, rank {self.rank}, on {self.kernels} kernels: {self.numbers:,} numbers learn in "
            f"place of {self.of:,}; biases, norms, what is new and a critic learn as usual"
        )


def adapt_for(config: TrainConfig, model: Model, loaded: Collection[str]) -> Adapted | None:
    """Give the kernels that were taken over adapters, as a run asks for them; of a game, those of the painter.

    Args:
        config: the run.
        model: with what it begins with; changed in place.
        loaded: names of weights that were taken over as they were.

    Raises:
        ParameterError: if there are no such kernels.
    """
    options = config.options
    if options.adapters == "none":
        return None
    kind: Kind = options.adapters
    rank = RANK if options.rank is None else options.rank
    mine = [name for name in loaded if name.startswith("painter.") or not plays(model)]
    sizes = {name.rpartition(".")[0]: model.get_parameter(name).numel() for name in mine if name.endswith(".weight")}
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(options.seed)
        layers = adapt(model, mine, kind, rank)
    if not layers:
        what = f"no kernel that was taken over has room for changes of rank {rank}"
        raise ParameterError(what, where="adapters", remedy="Give a smaller --rank, or leave --adapters out")
    numbers = sum(each.numel() for adapter in adapters_in(model) for each in adapter.parameters())
    return Adapted(kind, rank, len(layers), numbers, sum(sizes[each] for each in layers))


__all__ = ["Adapted", "adapt_for"]
