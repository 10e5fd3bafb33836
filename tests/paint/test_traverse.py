"""Moving through the latent space: each move is one coordinate's."""

from __future__ import annotations

import pytest
import torch

from danqing.core.errors import ParameterError
from danqing.maths.latents import latent
from danqing.models.vae import VAE
from danqing.paint.generate import generate
from danqing.paint.traverse import traverse


def test_without_moves_it_is_the_picture_of_the_seed(model: VAE) -> None:
    pictures = generate(model, count=3, seed=5)
    for number in range(3):
        torch.testing.assert_close(traverse(model, seed=5, index=number)[0], pictures[number], rtol=0, atol=1e-5)


def test_a_move_is_added_to_its_coordinate(model: VAE) -> None:
    z = latent(model.latent, 5, 1) * 0.5
    z[0] += 1.5
    z[2] -= 2.0
    with torch.no_grad():
        expected = model.paint(z[None].expand(16, -1))[:1]
    moved = traverse(model, moves=(1.5, 0.0, -2.0), seed=5, index=1, truncation=0.5)
    torch.testing.assert_close(moved, expected, rtol=0, atol=1e-5)
    assert (moved - traverse(model, seed=5, index=1, truncation=0.5)).abs().max() > 1e-4


def test_more_moves_than_coordinates_are_refused(model: VAE) -> None:
    with pytest.raises(ParameterError, match="6 coordinates"):
        traverse(model, moves=(0.0,) * 7)
