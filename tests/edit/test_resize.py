"""resize agrees with Pillow, keeps what must be kept, and shrinks without moiré."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from danqing import flip, resize
from danqing.core.errors import ParameterError

FILTERS = ["nearest", "box", "bilinear", "bicubic", "lanczos"]


@pytest.mark.parametrize("filter", FILTERS)
@pytest.mark.parametrize("size", [(200, 133), (700, 500), (1, 1)])
def test_it_agrees_with_pillow_on_bytes(filter: str, size: tuple[int, int], chelsea: Tensor) -> None:
    bytes_ = (chelsea[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    theirs = np.asarray(Image.fromarray(bytes_).resize(size, Image.Resampling[filter.upper()]), np.float32) / 255
    ours = resize(chelsea, width=size[0], height=size[1], filter=filter)[0].permute(1, 2, 0).numpy()
    assert np.abs(ours - theirs).max() < 2 / 255  # Pillow rounds to bytes after each of its two passes


@pytest.mark.parametrize("filter", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(133, 200), (41, 451), (500, 700)])
def test_it_agrees_with_torchs_antialiased_interpolation(filter: str, size: tuple[int, int], chelsea: Tensor) -> None:
    theirs = torch.nn.functional.interpolate(chelsea, size, mode=filter, antialias=True, align_corners=False)
    ours = resize(chelsea, width=size[1], height=size[0], filter=filter)
    places = 2 * 2**-24 * max(*size, *chelsea.shape[2:])  # px: torch says where it looks in float32, of 512 px and more
    torch.testing.assert_close(ours, theirs.clamp(0, 1), rtol=0, atol=places)  # a pixel away all may be different


@pytest.mark.parametrize("filter", FILTERS)
@pytest.mark.parametrize("linear", [False, True])
def test_the_same_size_is_nothing_and_plain_stays_plain(filter: str, linear: bool, astronaut: Tensor) -> None:
    assert torch.equal(resize(astronaut, scale=1.0, filter=filter, linear=linear), astronaut)
    for scale in (0.13, 0.5, 2.3):
        plain = resize(torch.full((1, 3, 37, 53), 0.3), scale=scale, filter=filter, linear=linear)
        torch.testing.assert_close(plain, torch.full_like(plain, 0.3), rtol=0, atol=1e-5)


def test_box_halving_is_the_mean_of_four(astronaut: Tensor) -> None:
    half = resize(astronaut, scale=0.5, filter="box")
    torch.testing.assert_close(half, torch.nn.functional.avg_pool2d(astronaut, 2), rtol=0, atol=1e-6)
    assert float(half.double().mean()) == pytest.approx(float(astronaut.double().mean()), abs=2**-24)  # half's rounding


@pytest.mark.parametrize("filter", ["box", "bilinear", "bicubic", "lanczos"])
def test_a_pattern_too_fine_to_show_becomes_grey(filter: str) -> None:
    stripes = (torch.arange(256) % 2).float().expand(1, 1, 256, 256)
    shrunk = resize(stripes, width=50, filter=filter)[..., 3:-3]
    assert float((shrunk - 0.5).abs().max()) < 0.11
    assert float((shrunk.mean() - 0.5).abs()) < 0.01


def test_linear_light_keeps_the_light_of_fine_detail() -> None:
    """Black and white in turn send half the light of white, which sRGB writes as 188, not 128."""
    board = ((torch.arange(64)[:, None] + torch.arange(64)) % 2).float()[None, None]
    assert float(resize(board, scale=0.25, filter="box", linear=True).mean() * 255) == pytest.approx(187.5, abs=0.1)
    assert float(resize(board, scale=0.25, filter="box").mean() * 255) == pytest.approx(127.5, abs=0.1)


@pytest.mark.parametrize("filter", FILTERS[1:])
def test_mirroring_before_or_after_is_the_same(filter: str, chelsea: Tensor) -> None:
    one, other = flip(resize(chelsea, width=100, filter=filter)), resize(flip(chelsea), width=100, filter=filter)
    torch.testing.assert_close(one, other, rtol=0, atol=1e-6)


@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 120))
@settings(max_examples=60)
def test_one_side_keeps_the_proportions(height: int, width: int, new: int) -> None:
    x = torch.zeros(1, 1, height, width)
    assert resize(x, width=new).shape[2:] == (max(1, int(height * new / width + 0.5)), new)
    assert resize(x, height=new).shape[2:] == (new, max(1, int(width * new / height + 0.5)))


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({}, "no size is given. Give width, height or scale"),
        ({"scale": 2.0, "width": 10}, "scale: is given together with a width or a height"),
        ({"scale": 100.0}, "scale: 51200×51200 px is more than 268 megapixels"),
        ({"width": 90_000}, "width: 90000×90000 px is more than 268 megapixels"),
    ],
)
def test_a_size_that_cannot_be_is_refused(wish: dict[str, float], words: str, astronaut: Tensor) -> None:
    with pytest.raises(ParameterError, match=words):
        resize(astronaut, **wish)
