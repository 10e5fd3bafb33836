"""perspective straightens what tilt has tilted."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from danqing import perspective
from danqing.core.errors import ParameterError

CORNERS = "40,30 470,60 440,480 70,440"


def test_its_own_corners_change_nothing(chelsea: Tensor) -> None:
    for direction in ("straighten", "tilt"):
        torch.testing.assert_close(perspective(chelsea, direction=direction), chelsea, rtol=0, atol=1e-4)


def test_tilting_and_straightening_gives_the_picture_back(astronaut: Tensor) -> None:
    smooth = torch.nn.functional.avg_pool2d(astronaut, 9, 1, 4, count_include_pad=False)
    tilted = perspective(smooth, corners=CORNERS, direction="tilt")
    back = perspective(tilted, corners=CORNERS, width=512, height=512)
    assert float((back - smooth)[..., 8:-8, 8:-8].abs().mean()) < 0.005


def test_it_agrees_with_opencv(astronaut: Tensor) -> None:
    import cv2

    size, corners = 300, np.float32([[40, 30], [470, 60], [440, 480], [70, 440]]) - 0.5
    frame = np.float32([[0, 0], [size, 0], [size, size], [0, size]]) - 0.5
    matrix = cv2.getPerspectiveTransform(corners, frame)
    theirs = cv2.warpPerspective(astronaut[0].permute(1, 2, 0).numpy(), matrix, (size, size), flags=cv2.INTER_LINEAR)
    ours = perspective(astronaut, corners=CORNERS, width=size, height=size, filter="nearest")
    assert float((ours[0].permute(1, 2, 0) - torch.from_numpy(theirs)).abs().mean()) < 0.02
    smooth = perspective(astronaut, corners=CORNERS, width=430, height=415, filter="bilinear")  # about its own size
    assert smooth.shape == (1, 3, 415, 430)


def test_the_size_is_that_between_the_corners(chelsea: Tensor) -> None:
    assert perspective(chelsea, corners="10,20 110,20 110,80 10,80").shape[2:] == (60, 100)
    box = perspective(chelsea, corners="10,20 110,20 110,80 10,80")
    torch.testing.assert_close(box, chelsea[:, :, 20:80, 10:110], rtol=0, atol=1e-4)


def test_a_fine_pattern_laid_far_away_turns_grey() -> None:
    stripes = (torch.arange(200) % 2).float().expand(1, 1, 200, 200).contiguous()
    far = perspective(stripes, corners="50,50 110,50 110,110 50,110", direction="tilt")[..., 55:105, 55:105]
    assert float(far.std()) < 0.16


def test_outside_is_the_colour_given() -> None:
    out = perspective(torch.zeros(1, 3, 40, 40), corners="10,10 30,10 30,30 10,30", direction="tilt", fill="#ff8000")
    torch.testing.assert_close(out[0, :, 2, 2], torch.tensor([1, 128 / 255, 0]))
    assert float(out[..., 15:25, 15:25].max()) < 1e-5


@pytest.mark.parametrize(
    "corners",
    ["", "1,2 3,4", "0,0 10,0 0,10 10,10", "0,0 10,0 5,1 0,10", "0,0 0,10 10,10 10,0", "0,0 1,0 2,0 3,0", "a,b c,d"],
)
def test_corners_without_an_inside_are_refused(corners: str) -> None:
    with pytest.raises(ParameterError, match="corners"):
        perspective(torch.rand(1, 1, 20, 20), corners=corners)


def test_a_result_too_large_is_refused() -> None:
    with pytest.raises(ParameterError, match="megapixels"):
        perspective(torch.rand(1, 1, 20, 20), corners="0,0 90000,0 90000,90000 0,90000")
