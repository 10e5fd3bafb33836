from collections.abc import Iterator

import pytest
import torch
from torch import Generator, Tensor, nn

from danqing.core.learned.model import Model, Samples
from danqing.training.ema import Ema


class Weight(Model):
    """One weight and one counter."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.register_buffer("count", torch.zeros(1))

    def losses(self, batch: Samples, rng: Generator) -> Iterator[tuple[str, Tensor]]:
        yield "", self.weight.sum()


def test_after_one_half_life_the_old_weight_counts_half() -> None:
    model = Weight()
    ema = Ema(model, half_life=1000)
    with torch.no_grad():
        model.weight.fill_(1.0)
    for step in range(10):
        ema.update(model, 100, seen=1_000_000 + 100 * step)
    assert float(ema.model.weight) == pytest.approx(0.5)


def test_at_the_start_the_half_life_is_a_twentieth_of_what_was_seen() -> None:
    model = Weight()
    ema = Ema(model, half_life=1e9)
    with torch.no_grad():
        model.weight.fill_(1.0)
    ema.update(model, 100, seen=2000)
    assert float(ema.model.weight) == pytest.approx(0.5)


def test_none_copies_and_buffers_are_always_copied() -> None:
    model = Weight()
    ema = Ema(model, half_life=0)
    with torch.no_grad():
        model.weight.fill_(3.0)
        model.count.fill_(7.0)
    ema.update(model, 1, seen=1)
    assert float(ema.model.weight) == 3.0
    assert float(ema.model.count) == 7.0
    assert not ema.model.weight.requires_grad
