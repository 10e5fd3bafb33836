"""Colour formulas against scikit-image and the figures their authors published."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from danqing.maths.colour import brightness, from_linear, from_oklab, pixel, to_linear, to_oklab


def test_linear_light_has_its_known_values_and_comes_back() -> None:
    x = torch.linspace(0, 1, 1001, dtype=torch.float64)
    assert float(to_linear(torch.tensor(0.5, dtype=torch.float64))) == pytest.approx(0.21404114, abs=1e-8)
    torch.testing.assert_close(from_linear(to_linear(x)), x, rtol=0, atol=1e-7)
    assert bool((to_linear(x).diff() > 0).all())


def test_linear_light_agrees_with_scikit_image() -> None:
    from skimage.color import rgb2xyz, xyz2rgb

    rgb = np.random.default_rng(0).random((50, 3))
    matrix = rgb2xyz(np.eye(3)[None])[0]  # primaries, at full value linear or not
    linear = to_linear(torch.from_numpy(rgb)).numpy()
    np.testing.assert_allclose(linear @ matrix, rgb2xyz(rgb[None])[0], atol=1e-9)
    np.testing.assert_allclose(
        from_linear(torch.from_numpy(linear)).numpy(), xyz2rgb((linear @ matrix)[None])[0], atol=1e-4
    )


def test_oklab_has_its_published_values_and_comes_back() -> None:
    """White is (1, 0, 0); the primaries as in Ottosson's post and CSS Color 4."""
    primaries = torch.tensor([[1.0, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=torch.float64)
    published = torch.tensor(
        [[1.0, 0, 0], [0.62796, 0.22486, 0.12585], [0.86644, -0.23389, 0.17950], [0.45201, -0.03246, -0.31153]],
        dtype=torch.float64,
    )
    torch.testing.assert_close(to_oklab(primaries), published, rtol=0, atol=1e-4)
    rgb = torch.rand(500, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(from_oklab(to_oklab(rgb)), rgb, rtol=0, atol=1e-6)


def test_brightness_of_white_is_one_and_of_grey_its_value() -> None:
    grey = torch.rand(2, 1, 4, 5)
    torch.testing.assert_close(brightness(grey.expand(-1, 3, -1, -1)), grey, rtol=0, atol=1e-6)
    assert brightness(grey) is grey
    assert pixel((1, 1, 1), grey).item() == 1
    assert pixel((1, 0.5, 0), torch.rand(1, 3, 2, 2)).flatten().tolist() == [1, 0.5, 0]
