"""The marker: what it keeps, what it learns from, and that it learns."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from danqing.core.errors import ParameterError
from danqing.core.learned.model import Samples
from danqing.core.learned.proposals import Optimiser
from danqing.models.marker import Marker, aged
from danqing.training.step import Stepper


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def marker() -> Marker:
    torch.manual_seed(0)
    return Marker(size=48, patch=48)


@pytest.mark.parametrize("shape", [(3, 1, 1), (1, 3, 37), (3, 17, 30)])
def test_any_picture_is_marked(shape: tuple[int, int, int]) -> None:
    x = torch.rand(2, *shape, generator=seeded())
    assert marker().eval().mark(x).shape == (2, 1, *shape[1:])


def test_it_learns_from_aged_pictures_some_of_them_unmarked_or_grey(chelsea: Tensor) -> None:
    x, hidden = aged(chelsea[..., :64, :64].repeat(48, 1, 1, 1), seeded())
    share = hidden.mean((1, 2, 3))
    assert 0.05 < (share == 0).float().mean() < 0.5
    assert 0.005 < share.mean() < 0.1
    assert x.min() >= 0
    assert x.max() <= 1


def test_it_learns_bright_scratches_on_plain_ground_with_all_its_weights() -> None:
    net, rng = marker(), seeded()
    ground = (0.2 + 0.3 * torch.rand(12, 3, 1, 1, generator=rng)).expand(-1, -1, 48, 48).contiguous()
    stepper = Stepper(net.train(), Optimiser(lr=3e-3, betas=(0.9, 0.99)), "fp32", clip=1.0)
    for _ in range(100):
        stepper.step(Samples(ground), rng)
    found = net.eval().score(Samples(ground))
    assert -found["-f1"] > 0.5
    next(net.losses(Samples(ground), rng))[1].backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())


def test_a_patch_must_fit() -> None:
    with pytest.raises(ParameterError, match="larger than the squares"):
        Marker(size=64, patch=96)
