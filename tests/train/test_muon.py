"""Muon: its steps against the polar factor they stand for, and what they do."""

import pytest
import torch
from torch import nn

from danqing.core.learned.proposals import Optimiser
from danqing.training.muon import NARROW, ROUNDS, A, B, C, Muon, orthogonal, takes
from danqing.training.step import _optimisers


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(16, 16), (24, 200), (200, 24), (1, 5)])
def test_singular_values_come_near_one_and_directions_stay(shape):
    matrix = drawn(*shape)
    made = orthogonal(matrix)
    assert made.shape == matrix.shape
    values = torch.linalg.svdvals(made)
    assert (values[torch.linalg.svdvals(matrix) > 0.1] - 0.95).abs().max() < 0.3
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    turned = u.T @ made @ v.T
    assert (turned - turned.diag().diag()).abs().max() < 1e-3


def test_it_is_the_newton_schulz_iteration():
    matrix = drawn(20, 50).double()
    x = matrix / matrix.norm()
    for _ in range(ROUNDS):
        gram = x @ x.T
        x = A * x + (B * gram + C * gram @ gram) @ x
    assert torch.allclose(orthogonal(matrix), x, atol=1e-5)


def test_a_gradient_of_nothing_changes_nothing():
    assert torch.equal(orthogonal(torch.zeros(16, 32)), torch.zeros(16, 32))


def test_kernels_go_to_muon_and_all_else_to_adam():
    layers = nn.ModuleList([nn.Conv2d(NARROW, 32, 3), nn.Conv2d(NARROW - 1, 32, 3), nn.Linear(40, 50), nn.LayerNorm(9)])
    parameters = list(layers.parameters())
    muon, adam = _optimisers(parameters, Optimiser(muon=0.01), {})
    assert isinstance(muon, Muon)
    held = [id(p) for p in muon.param_groups[0]["params"]]
    assert held == [id(layers[0].weight), id(layers[2].weight)]
    others = [id(p) for p in adam.param_groups[0]["params"]]
    assert sorted(held + others) == sorted(map(id, parameters))
    assert len(_optimisers(parameters, Optimiser(), {})) == 1
    assert not takes(layers[0].bias)
    slower = _optimisers(parameters, Optimiser(muon=0.01), {layers[0].weight: 0.5})
    assert [each.param_groups[0]["lr"] for each in slower if isinstance(each, Muon)] == [0.005, 0.01]


def test_it_finds_a_linear_map():
    goal = drawn(20, 30, seed=1) / 3
    layer, rng = nn.Linear(30, 20, bias=False), torch.Generator().manual_seed(2)
    optimiser = Muon(layer.parameters(), lr=0.05)
    for step in range(300):
        optimiser.param_groups[0]["lr"] = 0.05 * (1 - step / 300)
        x = torch.randn(64, 30, generator=rng)
        (layer(x) - x @ goal.T).square().mean().backward()
        optimiser.step()
        optimiser.zero_grad()
    assert (layer.weight - goal).norm() < 0.02 * goal.norm()
