"""edges measures contrast the same way at every width, and draws lines where scikit-image and SciPy find them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import ndimage, special
from skimage import feature, filters
from torch import Tensor

from danqing import edges
from danqing.core.errors import ParameterError

METHODS = ["sobel", "canny", "log"]


def step(angle: float = 90, contrast: float = 1.0, size: int = 81) -> Tensor:
    """A straight edge through the middle that runs at ``angle``, one pixel soft."""
    y, x = torch.meshgrid(*[torch.arange(size) - (size - 1) / 2] * 2, indexing="ij")
    across = math.sin(math.radians(angle)) * x + math.cos(math.radians(angle)) * y  # y points down
    return (0.5 + contrast * across.clamp(-0.5, 0.5))[None, None]


def near(one: np.ndarray, other: np.ndarray, distance: float = 1.5) -> float:
    """The share of the pixels of ``one`` that lie within ``distance`` of ``other``."""
    return float((ndimage.distance_transform_edt(~other)[one] <= distance).mean())


def test_sobel_agrees_with_scikit_image(camera: Tensor) -> None:
    ours = edges(camera, method="sobel", sigma=0.0).picture[0, 0, 1:-1, 1:-1]
    theirs = filters.sobel(camera[0, 0].double().numpy())[1:-1, 1:-1] * math.sqrt(2)  # theirs: 1 / √2 at a step
    np.testing.assert_allclose(ours, theirs.clip(0, 1), atol=1e-6)


@pytest.mark.parametrize("slope", [(0.004, 0.0), (0.0, 0.003), (0.003, -0.004)])
def test_sobel_of_a_ramp_is_its_slope(slope: tuple[float, float]) -> None:
    y, x = torch.meshgrid(torch.arange(40.0), torch.arange(60.0), indexing="ij")
    ramp = (0.4 + slope[0] * x + slope[1] * y)[None, None]
    inside = edges(ramp, method="sobel", sigma=0.0).picture[..., 1:-1, 1:-1]
    torch.testing.assert_close(inside, torch.full_like(inside, 2 * math.hypot(*slope)), rtol=0, atol=1e-5)


@pytest.mark.parametrize("sigma", [0.0, 0.7, 1.0, 2.5, 6.0])
@pytest.mark.parametrize("contrast", [1.0, 0.3])
def test_strength_is_contrast_whatever_the_blur(sigma: float, contrast: float) -> None:
    hard = torch.full((1, 1, 80, 80), 0.5 - contrast / 2)
    hard[..., 40:] += contrast
    strongest = edges(hard, method="sobel", sigma=sigma).picture.max()
    assert float(strongest) == pytest.approx(contrast, abs=1e-5)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("angle", [0, 22.5, 45, 67.5, 90, 112.5, 135, 157.5])
def test_the_direction_is_that_of_the_edge(method: str, angle: float) -> None:
    direction = edges(step(angle), method=method).numbers[0]["direction"]
    assert sum(direction) == pytest.approx(1)
    assert direction[round(angle / 22.5)] > 0.9


@pytest.mark.parametrize("method", ["canny", "log"])
@pytest.mark.parametrize("sigma", [1.0, 3.0])
def test_lines_are_thin_and_in_the_middle(method: str, sigma: float) -> None:
    rows = edges(step(90), method=method, sigma=sigma).picture[0, 0, 20:60]
    columns = rows.nonzero()[:, 1]
    assert bool(((columns - 40).abs() <= 1).all())
    assert bool((rows.sum(1) >= 1).all())
    assert bool((rows.sum(1) <= 2).all())


@pytest.mark.parametrize("sigma", [1.0, 2.0])
def test_canny_finds_the_lines_of_scikit_image(sigma: float, camera: Tensor) -> None:
    """Thresholds chosen so that about the same share of pixels is kept; the border is treated differently."""
    plane = camera[0, 0].double().numpy()
    ours = edges(camera, method="canny", sigma=sigma).picture[0, 0].numpy() > 0
    theirs = feature.canny(plane, sigma, 0.9, 0.9 + 1e-9, use_quantiles=True)
    assert near(ours, feature.canny(plane, sigma, 0.0, 0.0)) == 1
    assert near(ours[5:-5, 5:-5], theirs[5:-5, 5:-5], 3) > 0.85


def test_canny_finds_the_lines_of_opencv(camera: Tensor) -> None:
    """OpenCV does not smooth by itself; its Sobel sums are 4 × the difference over two pixels, of 255 levels."""
    import cv2

    smooth = ndimage.gaussian_filter(camera[0, 0].double().numpy(), 1.0, mode="nearest") * 255
    unit = 255 * 4 * (special.ndtr(0.5) - special.ndtr(-1.5))  # beside a unit step blurred by 1 px
    theirs = cv2.Canny(np.rint(smooth).astype(np.uint8), 0.1 * unit, 0.2 * unit, L2gradient=True) > 0
    ours = edges(camera, method="canny", sigma=1.0).picture[0, 0].numpy() > 0
    assert near(ours, theirs) > 0.93
    assert near(theirs, ours) > 0.93


@pytest.mark.parametrize("sigma", [1.5, 3.0])
def test_log_lines_lie_where_scipys_laplacian_of_gaussian_changes_sign(sigma: float, camera: Tensor) -> None:
    response = ndimage.gaussian_laplace(camera[0, 0].double().numpy(), sigma, mode="nearest") > 0
    around = ndimage.maximum_filter(response, 3) & ~ndimage.minimum_filter(response, 3)
    ours = edges(camera, method="log", sigma=sigma).picture[0, 0].numpy() > 0
    assert ours.mean() > 0.01
    assert around[ours].mean() > 0.99


def test_log_lines_around_a_disc_are_closed() -> None:
    y, x = torch.meshgrid(*[torch.arange(81) - 40.0] * 2, indexing="ij")
    disc = (x.square() + y.square() < 25**2).float()[None, None]
    line = edges(disc, method="log", sigma=2.0).picture[0, 0].numpy() > 0
    _, regions = ndimage.label(~line)  # four-connected: a line of diagonal steps holds
    assert regions == 2


@pytest.mark.parametrize("method", METHODS)
def test_thresholds_keep_lines_by_their_contrast(method: str) -> None:
    weak = step(90, contrast=0.15)
    assert edges(weak, method=method, low=0.1, high=0.2).numbers[0]["density"] == 0
    assert edges(weak, method=method, low=0.05, high=0.1).numbers[0]["density"] > 0
    with pytest.raises(ParameterError, match=r"low: 0.5 is larger than high, 0.2"):
        edges(weak, method=method, low=0.5, high=0.2)


def test_a_line_goes_on_below_high_if_it_reached_high_somewhere() -> None:
    fading = torch.full((1, 1, 60, 60), 0.5)
    fading[..., 30:] += torch.linspace(0.5, 0.0, 60)[:, None]
    for method in ("canny", "log"):
        long, short = (
            edges(fading, method=method, low=low, high=0.4).picture.sum(3).count_nonzero() for low in (0.1, 0.4)
        )
        assert long > 2.5 * short > 0


@pytest.mark.parametrize("method", METHODS)
def test_a_plain_picture_has_none_and_edges_of_colour_are_those_of_brightness(method: str) -> None:
    numbers = edges(torch.full((1, 3, 30, 30), 0.7), method=method).numbers[0]
    assert numbers == {"density": 0, "strength": 0, "direction": [0.0] * 8}
    grey = step(60).repeat(1, 3, 1, 1)
    assert torch.allclose(edges(grey, method=method).picture, edges(step(60), method=method).picture, atol=1e-5)
