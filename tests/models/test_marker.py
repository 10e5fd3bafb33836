"""The marker: what it keeps, what it learns from, and that it learns."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from danqing.core.errors import ParameterError
from danqing.core.learned.model import Samples
from danqing.core.learned.proposals import Optimiser
from danqing.models.marker import Marker, aged, varied
from danqing.training.step import Stepper
from tests.models.things import unmoved_by


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


def test_it_learns_from_thin_things_that_belong_to_pictures(chelsea: Tensor) -> None:
    """Shrunk, sharpened and negative pictures, all of one size; a plain one has nothing thin, however it is made."""
    rng, x = seeded(), chelsea[..., :96, :96].repeat(32, 1, 1, 1)
    made = varied(x, 64, rng)
    assert made.shape == (32, 3, 64, 64)
    assert made.min() >= 0
    assert made.max() <= 1
    plain = varied(torch.full((64, 3, 96, 96), 0.25), 64, rng)
    torch.testing.assert_close(plain.amax((1, 2, 3)), plain.amin((1, 2, 3)), rtol=0, atol=1e-6)
    assert 0 < int((plain.mean((1, 2, 3)) > 0.5).sum()) < 32
    columns = torch.where(torch.arange(96) % 24 < 12, 0.4, 0.6).expand(64, 3, 96, 96).contiguous()
    rimmed = varied(columns, 64, rng).amax((1, 2, 3)) > 0.61
    assert 0 < int(rimmed.sum()) < 32


@pytest.mark.slow
def test_it_learns_bright_scratches_on_plain_ground() -> None:
    net, rng = marker(), seeded()
    ground = (0.2 + 0.3 * torch.rand(12, 3, 1, 1, generator=rng)).expand(-1, -1, 48, 48).contiguous()
    stepper = Stepper(net.train(), Optimiser(lr=3e-3, betas=(0.9, 0.99)), "fp32", clip=1.0)
    for _ in range(300):  # four patches in ten have no mark, and teach nothing on plain ground
        stepper.step(Samples(ground), rng)
    found = net.eval().score(Samples(ground))
    assert -found["-f1"] > 0.5


def test_every_weight_receives_gradient() -> None:
    ground = (0.2 + 0.3 * torch.rand(12, 3, 1, 1, generator=seeded())).expand(-1, -1, 48, 48)
    assert unmoved_by(marker(), Samples(ground.contiguous())) == []


def test_a_patch_must_fit() -> None:
    with pytest.raises(ParameterError, match="larger than the squares"):
        Marker(size=64, patch=96)
