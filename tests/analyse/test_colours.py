"""colours counts tones exactly and names a known cast."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from danqing import colours
from danqing.core.pictures.contract import to_uint8


def test_histograms_and_means_agree_with_numpy(chelsea: Tensor) -> None:
    found = colours(chelsea, count=16).numbers[0]
    for name, plane in zip(("red", "green", "blue"), chelsea[0].double().numpy(), strict=True):
        counted = np.histogram(plane, 16, (0, 1))[0] / plane.size
        np.testing.assert_allclose(found["histogram"][name], counted, atol=1e-4)
        assert found["mean"][name] == pytest.approx(255 * plane.mean(), rel=1e-5)
        assert found["spread"][name] == pytest.approx(255 * plane.std(), rel=1e-5)


def test_entropy_agrees_with_scikit_image(camera: Tensor) -> None:
    from skimage.measure import shannon_entropy

    assert colours(camera).numbers[0]["entropy"] == pytest.approx(shannon_entropy(to_uint8(camera)), abs=1e-3)


def test_colourfulness_by_its_formula(astronaut: Tensor) -> None:
    red, green, blue = 255 * astronaut[0].double().numpy()
    one, two = red - green, (red + green) / 2 - blue
    wanted = np.hypot(one.std(), two.std()) + 0.3 * np.hypot(one.mean(), two.mean())
    assert colours(astronaut).numbers[0]["colourfulness"] == pytest.approx(wanted, rel=1e-6)
    assert colours(astronaut.mean(1, keepdim=True)).numbers[0]["colourfulness"] == 0


@pytest.mark.parametrize(
    ("colour", "hue"), [((0.6, 0.5, 0.5), "red"), ((0.45, 0.5, 0.62), "blue"), ((0.5, 0.6, 0.5), "green")]
)
def test_a_cast_is_named(colour: tuple[float, float, float], hue: str) -> None:
    assert colours(torch.tensor(colour).view(1, 3, 1, 1).repeat(1, 1, 8, 8)).numbers[0]["cast"]["hue"] == hue
    assert colours(torch.full((1, 3, 8, 8), 0.4)).numbers[0]["cast"]["hue"] is None


def test_what_is_clipped_is_counted() -> None:
    x = torch.full((1, 3, 10, 10), 0.5)
    x[:, 0, :2] = 1
    x[:, 2, 5:6] = 0
    assert colours(x).numbers[0]["clipped"] == {"black": pytest.approx(0.1), "white": pytest.approx(0.2)}


def test_the_plot_is_as_high_as_the_shares() -> None:
    x = torch.cat([torch.full((1, 1, 10, 30), 0.1), torch.full((1, 1, 10, 15), 0.9)], 3)
    picture = colours(x, count=2).picture
    assert picture.shape == (1, 1, 256, 512)
    heights = (picture[0, 0] > 0.5).sum(0)
    assert float(heights[100] / heights[400]) == pytest.approx(2, rel=0.02)
