"""pad continues pictures as NumPy does, however wide the border."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from danqing import crop, pad

NUMPY = {"reflect": "reflect", "edge": "edge", "wrap": "wrap", "colour": "constant"}


@pytest.mark.parametrize("size", [(5, 7), (1, 1), (1, 6), (2, 3)])
@pytest.mark.parametrize("mode", NUMPY)
def test_it_agrees_with_numpy(mode: str, size: tuple[int, int]) -> None:
    x = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0))
    ours = pad(x, left=9, right=4, top=0, bottom=17, mode=mode)
    assert np.array_equal(ours, np.pad(x, ((0, 0), (0, 0), (0, 17), (9, 4)), mode=NUMPY[mode]))


@pytest.mark.parametrize("mode", NUMPY)
def test_cropping_gives_the_picture_back(mode: str, chelsea: Tensor) -> None:
    framed = pad(chelsea, left=30, right=500, top=310, bottom=1, mode=mode, fill="#ff8800")
    assert torch.equal(crop(framed, left=30, top=310, width=451, height=300), chelsea)


def test_the_border_has_the_colour(chelsea: Tensor, camera: Tensor) -> None:
    orange = (1.0, 0.5, 0.0)
    assert pad(chelsea, left=2, fill=orange)[0, :, 5, 0].tolist() == list(orange)
    brightness = 0.2126 * 1.0 + 0.7152 * 0.5  # ITU-R BT.709
    assert pad(camera, left=2, fill=orange)[0, 0, 5, 0].item() == pytest.approx(brightness)


def test_white_is_opaque_and_nothing_is_transparent_on_an_opacity_plane() -> None:
    opaque = torch.ones(1, 1, 3, 3)
    assert pad(opaque, left=1, fill=(1, 1, 1))[0, 0, 0, 0] == 1
    assert pad(opaque, left=1)[0, 0, 0, 0] == 0
