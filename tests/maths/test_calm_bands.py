"""What is seen of noise in the calm places of a picture."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from danqing.maths.calm_bands import BANDS, CALM, COUNT, calm_bands

AMPLITUDES = (3, len(BANDS), len(CALM))


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def amplitudes(x: Tensor) -> Tensor:
    return calm_bands(x)[0, : 3 * len(BANDS) * len(CALM)].view(AMPLITUDES)


def test_white_noise_is_as_strong_in_all_colours_and_coarse_bands_of_grain_are_stronger() -> None:
    white = 0.5 + 0.05 * torch.randn(1, 3, 256, 256, generator=seeded())
    middle = amplitudes(white)[..., 2]
    assert float(middle.amax(0).sub(middle.amin(0)).max()) < 0.05, "brightness and both differences of colour"
    coarse = amplitudes(avg_pool2d(white, 3, 1))[..., 2]
    assert (coarse[:, :-1] > coarse[:, 1:]).all()


def test_texture_leaves_the_calm_places_alone() -> None:
    x = torch.full((1, 3, 192, 192), 0.5)
    x[..., 96:] += 0.2 * torch.randn(1, 3, 192, 96, generator=seeded())
    found = amplitudes(x)
    assert (found[..., 0] < -1).all()
    assert (found[..., 3] > 0).all()


def test_clipped_places_are_left_out() -> None:
    noisy = (torch.full((1, 3, 128, 192), 0.4) + 0.05 * torch.randn(1, 3, 128, 192, generator=seeded())).clamp(0, 1)
    dark = noisy.clone()
    dark[..., 96:] = 0
    torch.testing.assert_close(amplitudes(dark)[..., 2], amplitudes(noisy)[..., 2], atol=0.1, rtol=0)


def test_large_and_tiny_pictures_are_described_by_as_many_numbers() -> None:
    for height, width in ((1, 1), (3, 40), (2100, 2100)):
        found = calm_bands(torch.rand(1, 3, height, width, generator=seeded()))
        assert found.shape == (1, COUNT)
        assert torch.isfinite(found).all()


def test_blocks_that_are_not_wholly_seen_are_left_out_unless_there_are_no_others() -> None:
    x = torch.rand(2, 3, 60, 96, generator=seeded())
    seen = torch.ones(2, 60, 96, dtype=torch.bool)
    seen[0, :, 50:] = False
    found = calm_bands(x, seen)
    torch.testing.assert_close(found[:1], calm_bands(x[:1, ..., :50]))
    torch.testing.assert_close(found[1:], calm_bands(x[1:]))
    torch.testing.assert_close(calm_bands(x, torch.zeros_like(seen)), calm_bands(x))
