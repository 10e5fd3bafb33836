"""sharpness measures a known blur in pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from danqing import sharpness


def blurred(x: Tensor, sigma: float) -> Tensor:
    from scipy.ndimage import gaussian_filter

    return torch.from_numpy(gaussian_filter(x.numpy(), (0, 0, sigma, sigma), mode="nearest"))


@pytest.mark.parametrize("sigma", [1.0, 2.0, 3.5])
def test_the_width_of_a_straight_edge_is_found(sigma: float) -> None:
    step = torch.zeros(1, 1, 64, 64)
    step[..., 32:] = 1
    assert sharpness(blurred(step, sigma)).numbers[0]["blur"] == pytest.approx(sigma, abs=0.15)


def test_a_known_blur_of_photographs_is_found(astronaut: Tensor, camera: Tensor) -> None:
    for x in (astronaut, camera):
        found = [sharpness(blurred(x, sigma)).numbers[0] for sigma in (0.01, 1.5, 3)]
        assert found[0]["blur"] < 0.8
        assert [each["blur"] for each in found[1:]] == [pytest.approx(1.5, rel=0.2), pytest.approx(3, rel=0.2)]
        for name, sign in (("laplacian", -1), ("tenengrad", -1), ("blur_effect", 1)):
            values = [sign * each[name] for each in found]
            assert values == sorted(values), name


def test_figures_agree_with_opencv_and_scikit_image(camera: Tensor) -> None:
    import cv2
    from skimage.measure import blur_effect

    plane = camera[0, 0].double().numpy()
    found = sharpness(camera).numbers[0]
    assert found["laplacian"] == pytest.approx(cv2.Laplacian(255 * plane, cv2.CV_64F).var(), rel=1e-4)
    gradient = [cv2.Sobel(255 * plane, cv2.CV_64F, *axis, borderType=cv2.BORDER_REPLICATE) for axis in ((1, 0), (0, 1))]
    assert found["tenengrad"] == pytest.approx(np.mean(gradient[0] ** 2 + gradient[1] ** 2), rel=1e-4)
    assert found["blur_effect"] == pytest.approx(blur_effect(plane), rel=1e-4)


def test_the_map_is_bright_where_it_is_sharp(camera: Tensor) -> None:
    half = camera.clone()
    half[..., 256:] = blurred(camera, 4.0)[..., 256:]
    shown = sharpness(half).picture
    assert shown.shape == (1, 3, 512, 512)
    assert float(shown[..., :240].mean()) > 3 * float(shown[..., 272:].mean())


def test_without_edges_no_width_is_told() -> None:
    assert sharpness(torch.full((1, 1, 40, 40), 0.5)).numbers[0]["blur"] is None
