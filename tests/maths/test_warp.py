"""Plane maps agree with scikit-image, and identity changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from danqing.maths.warp import apply, homography, warp

OLD = torch.tensor([[0.0, 0], [10, 0], [10, 8], [0, 8]])
NEW = torch.tensor([[1.0, 2], [9, 0.5], [11, 9], [-1, 7]])
BLACK = torch.zeros(1, 1, 1, 1)


def test_a_homography_carries_corners_to_corners_and_agrees_with_scikit_image() -> None:
    from skimage.transform import ProjectiveTransform

    found = homography(OLD, NEW)
    torch.testing.assert_close(apply(found, OLD), NEW.double())
    known = ProjectiveTransform.from_estimate(OLD.numpy(), NEW.numpy()).params
    np.testing.assert_allclose(found, known / known[2, 2], atol=1e-5)
    torch.testing.assert_close(
        homography(NEW, OLD) @ found / (homography(NEW, OLD) @ found)[2, 2], torch.eye(3).double()
    )


@pytest.mark.parametrize("filter", ["nearest", "bilinear", "bicubic"])
def test_the_identity_changes_nothing(filter: str, chelsea: Tensor) -> None:
    out = warp(chelsea, torch.eye(3, dtype=torch.float64), 300, 451, BLACK, filter)
    torch.testing.assert_close(out, chelsea, rtol=0, atol=1e-4)


def test_it_agrees_with_scikit_image_inside(chelsea: Tensor) -> None:
    from skimage.transform import warp as other

    back = homography(torch.tensor([[0.0, 0], [200, 0], [200, 150], [0, 150]]), NEW * 20 + 40)
    ours = warp(chelsea, back, 150, 200, BLACK, "bilinear")[0]
    theirs = np.stack([other(plane, back.numpy(), output_shape=(150, 200), order=1) for plane in chelsea[0].numpy()])
    np.testing.assert_allclose(ours, theirs, atol=2e-3)


def test_looking_finer_is_the_mean_of_an_area(camera: Tensor) -> None:
    half = torch.tensor([[2.0, 0, 0.5], [0, 2, 0.5], [0, 0, 1]], dtype=torch.float64)
    out = warp(camera, half, 256, 256, BLACK, "nearest", finer=2)
    torch.testing.assert_close(out, torch.nn.functional.avg_pool2d(camera, 2), rtol=0, atol=1e-5)
