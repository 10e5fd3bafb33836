"""Dropout keeps rate and mean, and all its chance comes from the generator."""

import pytest
import torch

from danqing.nets.dropout import dropout


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5, 0.9])
def test_rate_and_mean(rate):
    x = torch.ones(400_001)
    y = dropout(x, rate, seeded())
    error = 5 * (rate * (1 - rate) / len(x)) ** 0.5  # five standard deviations of a share
    assert abs((y == 0).double().mean().item() - rate) < error + 1 / 65536
    assert abs(y.double().mean().item() - 1) < error / (1 - rate)


def test_values_that_stay_are_scaled():
    y = dropout(torch.full((1000,), 0.7), 0.3, seeded())
    torch.testing.assert_close(y[y != 0], torch.ones(int((y != 0).sum())), atol=1e-4, rtol=0)


def test_neighbours_are_independent():
    dropped = (dropout(torch.ones(400_000), 0.3, seeded()) == 0).double() - 0.3
    for lag in (1, 2, 3, 4, 8):
        assert abs((dropped[lag:] * dropped[:-lag]).mean().item()) < 5 * 0.21 / 632


def test_the_generator_decides():
    x = torch.rand(3, 5, 7, 7)
    assert torch.equal(dropout(x, 0.3, seeded(1)), dropout(x, 0.3, seeded(1)))
    assert not torch.equal(dropout(x, 0.3, seeded(1)), dropout(x, 0.3, seeded(2)))


def test_the_global_generator_is_left_alone():
    before = torch.get_rng_state()
    dropout(torch.ones(100), 0.5, seeded())
    assert torch.equal(torch.get_rng_state(), before)


def test_a_rate_of_zero_draws_nothing():
    rng = seeded()
    x = torch.rand(4)
    assert dropout(x, 0.0, rng) is x
    assert torch.equal(rng.get_state(), seeded().get_state())


@pytest.mark.parametrize("strange", ["channels last", "every second", "one"])
def test_any_layout(strange):
    x = torch.rand(2, 6, 4, 5) + 1
    x = {"channels last": x.to(memory_format=torch.channels_last), "every second": x[:, ::2], "one": x[:1, :1, :1, :1]}[
        strange
    ]
    y = dropout(x, 0.5, seeded())
    assert y.shape == x.shape
    assert torch.equal((y - 2 * x)[y != 0], torch.zeros_like(x[y != 0]))


def test_the_gradient_passes_where_the_values_do():
    x = torch.rand(1000, requires_grad=True)
    y = dropout(x, 0.3, seeded())
    y.sum().backward()
    assert torch.equal(x.grad == 0, y.detach() == 0)
