"""texture agrees with scikit-image and finds the way and width of known waves."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from danqing import texture
from danqing.core.pictures.contract import to_uint8


def waves(degrees: float, length: float, size: int = 96) -> Tensor:
    """Waves whose crests run at an angle, counter-clockwise from horizontal."""
    y, x = torch.meshgrid(-torch.arange(size).float(), torch.arange(size).float(), indexing="ij")  # y upwards
    across = y * math.cos(math.radians(degrees)) - x * math.sin(math.radians(degrees))
    return (0.5 + 0.4 * torch.sin(2 * math.pi * across / length))[None, None]


@pytest.mark.parametrize("degrees", [0.0, 30.0, 45.0, 90.0, 120.0, 165.0])
@pytest.mark.parametrize("length", [6.0, 12.0])
def test_the_way_and_width_of_waves_are_found(degrees: float, length: float) -> None:
    found = texture(waves(degrees, length)).numbers[0]["gabor"]
    away = (found["direction"] - degrees + 90) % 180 - 90
    assert abs(away) < 5
    assert found["strength"] > 0.6
    assert found["wavelength"] == pytest.approx(length, rel=0.25)


def test_noise_has_no_way_and_plain_has_no_texture() -> None:
    noise = torch.rand(1, 1, 96, 96, generator=torch.Generator().manual_seed(0))
    assert texture(noise).numbers[0]["gabor"]["strength"] < 0.1
    plain = texture(torch.full((1, 1, 32, 32), 0.5)).numbers[0]
    assert plain["gabor"]["wavelength"] is None
    assert plain["cooccurrence"]["contrast"] == 0
    assert plain["patterns"][8] == 1


@pytest.mark.parametrize("radius", [1, 3])
def test_patterns_and_pairs_agree_with_scikit_image(radius: int, camera: Tensor) -> None:
    from skimage.feature import graycomatrix, graycoprops, local_binary_pattern

    part = camera[..., 100:260, 150:330].contiguous()
    found = texture(part, radius=radius).numbers[0]
    codes = local_binary_pattern(to_uint8(part)[0, :, :, 0], 8, radius, "uniform")
    shares = np.bincount(codes.astype(int).ravel(), minlength=10) / codes.size
    np.testing.assert_allclose(found["patterns"], shares, atol=0.02)  # they differ only at the border
    levels = np.minimum((part[0, 0].numpy() * 32).astype(np.uint8), 31)
    pairs = graycomatrix(levels, [radius], [k * math.pi / 4 for k in range(4)], 32, symmetric=True, normed=True)
    for name in ("contrast", "homogeneity", "energy", "correlation"):
        assert found["cooccurrence"][name] == pytest.approx(graycoprops(pairs, name).mean(), rel=1e-5)


def test_a_rougher_surface_has_more_contrast(camera: Tensor) -> None:
    smooth = torch.nn.functional.avg_pool2d(camera, 5, 1, 2, count_include_pad=False)
    rough, even = (texture(x).numbers[0] for x in (camera, smooth))
    assert rough["cooccurrence"]["contrast"] > even["cooccurrence"]["contrast"]
    assert rough["gabor"]["wavelength"] < even["gabor"]["wavelength"]


def test_both_pictures_can_be_drawn(chelsea: Tensor) -> None:
    way, codes = (texture(chelsea, view=view).picture for view in ("direction", "patterns"))
    assert way.shape == codes.shape == chelsea.shape
    assert float((codes.amax(1) - codes.amin(1)).max()) == 0
    assert float((way.amax(1) - way.amin(1)).max()) > 0.3
