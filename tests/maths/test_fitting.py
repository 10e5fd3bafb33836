"""Fitting pictures to a model."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from danqing.maths.fitting import fit


def _photo(height: int, width: int) -> torch.Tensor:
    ramp = torch.linspace(0, 1, width).expand(3, height, width).clone()
    ramp[1] = torch.linspace(1, 0, height)[:, None]
    return ramp[None]


def test_a_fitting_picture_is_left_as_it_is() -> None:
    x = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    assert torch.equal(fit(x, 16, 3), x)


def test_the_middle_square_is_taken_and_resized_as_pillow_does() -> None:
    x = _photo(60, 100)
    found = fit(x, 28, 3)
    picture = Image.fromarray((x[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)).crop((20, 0, 80, 60))
    expected = np.asarray(picture.resize((28, 28), Image.Resampling.BICUBIC)).astype(np.float32) / 255
    assert found.shape == (1, 3, 28, 28)
    assert np.abs(found[0].permute(1, 2, 0).numpy() - expected).max() < 2 / 255


def test_grey_is_pillows_grey_and_grey_in_colour_is_three_equal_channels() -> None:
    x = _photo(28, 28)
    picture = Image.fromarray((x[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8))
    assert np.abs(fit(x, 28, 1)[0, 0].numpy() * 255 - np.asarray(picture.convert("L"))).max() < 1.5
    grey = fit(x[:, :1], 28, 3)
    assert torch.equal(grey, x[:, :1].expand(-1, 3, -1, -1))


def test_tiny_and_extreme_pictures_stay_in_range() -> None:
    for shape in ((1, 1), (1, 9), (200, 3)):
        for channels in (1, 3):
            found = fit((torch.rand(1, 3, *shape) > 0.5).float(), 16, channels)
            assert found.shape == (1, channels, 16, 16)
            assert float(found.min()) >= 0
            assert float(found.max()) <= 1
