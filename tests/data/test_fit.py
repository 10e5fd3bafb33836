"""Pictures of any shape become squares as the policy says."""

import numpy as np
import pytest
import torch

from danqing.core.pictures.contract import Picture, to_uint8
from danqing.data.fit import square, squares


def halves(height: int, width: int) -> Picture:
    """Left half black, right half white."""
    pixels = torch.zeros(1, 1, height, width)
    pixels[..., width // 2 :] = 1
    return Picture(pixels)


def test_what_fits_already_is_left_alone() -> None:
    values = torch.arange(256).view(1, 1, 16, 16) / 255
    for fit in ("crop", "pad", "stretch"):
        assert square(Picture(values), 16, 1, fit).ravel().tolist() == list(range(256))


def test_crop_takes_the_middle() -> None:
    pixels = torch.zeros(1, 3, 4, 8)
    pixels[..., 2:6] = torch.rand(1, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    wanted = (pixels[0, :, :, 2:6] * 255 + 0.5).byte().permute(1, 2, 0).numpy()
    assert np.array_equal(square(Picture(pixels), 4, 3, "crop"), wanted)


def test_pad_keeps_all_and_centres() -> None:
    wide = square(Picture(torch.ones(1, 1, 8, 16)), 8, 1, "pad")[..., 0]
    assert (wide[2:6] == 255).all()
    assert wide[:2].max() == wide[6:].max() == 0
    tall = square(Picture(torch.ones(1, 1, 100, 1)), 8, 1, "pad")[..., 0]  # never thinner than a pixel
    assert (tall == 255).sum() == 8


def test_transparency_shows_white() -> None:
    picture = Picture(torch.zeros(1, 1, 4, 8), torch.zeros(1, 1, 4, 8))
    assert (square(picture, 4, 3, "pad") == 255).all()


def test_stretch_keeps_the_halves() -> None:
    out = square(halves(10, 40), 8, 1, "stretch")[..., 0]
    assert out[:, :3].max() < 30
    assert out[:, 5:].min() > 225


@pytest.mark.parametrize("large", [64, 500])
def test_shrinking_is_antialiased(large: int) -> None:
    stripes = torch.arange(large).remainder(2).float().expand(1, 1, large, large).contiguous()
    middle = square(Picture(stripes), 16, 1, "crop")[2:-2, 2:-2].astype(int)
    assert np.abs(middle - 128).max() <= 6


def test_channels_are_made_or_mixed() -> None:
    red = torch.zeros(1, 3, 2, 2)
    red[:, 0] = 1
    assert (square(Picture(red), 2, 1, "crop") == 76).all()  # 0.299 · 255
    assert (square(Picture(red[:, :1]), 2, 3, "crop") == 255).all()


def test_tiles_are_the_picture_in_pieces():
    pixels = torch.rand(1, 3, 70, 100, generator=torch.Generator().manual_seed(0))
    tiles = squares(Picture(pixels), 32, 3, "tiles")
    whole = to_uint8(pixels)[0]
    assert tiles.shape == (6, 32, 32, 3)
    np.testing.assert_array_equal(tiles[0], whole[3:35, 2:34])
    np.testing.assert_array_equal(tiles[5], whole[35:67, 66:98])


@pytest.mark.parametrize(("height", "width", "count"), [(10, 10, 1), (20, 90, 4), (32, 31, 1)])
def test_a_picture_too_small_for_a_tile_is_enlarged(height, width, count):
    tiles = squares(Picture(torch.full((1, 1, height, width), 0.5)), 32, 1, "tiles")
    assert tiles.shape == (count, 32, 32, 1)
    assert set(tiles.ravel().tolist()) == {128}


def test_the_other_ways_give_one_square():
    picture = Picture(torch.rand(1, 3, 40, 60))
    np.testing.assert_array_equal(squares(picture, 16, 3, "crop")[0], square(picture, 16, 3, "crop"))
