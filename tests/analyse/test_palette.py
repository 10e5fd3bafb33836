"""palette names the colours that are there, with exact shares."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from danqing import palette


def of_colours(*colours: tuple[str, int]) -> Tensor:
    """A picture of so many pixels of each colour, shuffled."""
    pixels = [[int(name[at : at + 2], 16) / 255 for at in (1, 3, 5)] for name, count in colours for _ in range(count)]
    order = torch.randperm(len(pixels), generator=torch.Generator().manual_seed(0))
    return torch.tensor(pixels)[order].T.reshape(1, 3, 10, -1)


def found(x: Tensor, **params: int) -> list[tuple[str, float]]:
    return [(colour["hex"], colour["proportion"]) for colour in palette(x, **params).numbers[0]["colours"]]


@pytest.mark.parametrize("count", [2, 6, 32])
def test_two_colours_are_found_exactly(count: int) -> None:
    x = of_colours(("#c8102e", 270), ("#00247d", 130))
    assert found(x, count=count) == [("#c8102e", 0.675), ("#00247d", 0.325)]


def test_a_full_set_of_distinct_colours_is_found_exactly_from_any_start() -> None:
    colours = [
        ("#ffffff", 250),
        ("#ff0000", 200),
        ("#00ff00", 180),
        ("#0000ff", 150),
        ("#000000", 120),
        ("#ffd700", 100),
    ]
    for seed in range(5):
        assert found(of_colours(*colours), count=6, seed=seed) == [(name, n / 1000) for name, n in colours]


def test_one_colour_asked_for_is_between_the_two_there() -> None:
    ((name, share),) = found(of_colours(("#404040", 500), ("#c0c0c0", 500)), count=1)
    assert share == 1
    assert 0x70 < int(name[1:3], 16) < 0x90


def test_colours_that_look_alike_are_one() -> None:
    assert len(found(of_colours(("#7f8081", 500), ("#818181", 300), ("#ff0000", 200)))) == 2


def test_a_small_bright_spot_is_not_lost() -> None:
    """One pixel in 250 is red on a ground of three dozen greys."""
    greys = [(f"#{value:02x}{value:02x}{value:02x}", 69) for value in range(40, 220, 5)]
    red = [share for name, share in found(of_colours(*greys, ("#ff0000", 16)), count=5) if name == "#ff0000"]
    assert red == [pytest.approx(16 / 2500)]


def test_shares_are_sorted_and_sum_to_one(astronaut: Tensor, camera: Tensor) -> None:
    for x in (astronaut, camera):
        shares = [share for _, share in found(x, count=8)]
        assert shares == sorted(shares, reverse=True)
        assert sum(shares) == pytest.approx(1)
        assert 3 < len(shares) <= 8


def test_where_pixels_are_does_not_matter(chelsea: Tensor) -> None:
    scrambled = chelsea.flatten(2)[..., torch.randperm(300 * 451, generator=torch.Generator().manual_seed(0))]
    for (name, share), (other, equal) in zip(found(chelsea), found(scrambled.view(1, 3, 300, 451)), strict=True):
        assert name == other
        assert share == pytest.approx(equal)


def test_swatches_are_as_wide_as_their_shares() -> None:
    picture = palette(of_colours(("#ff0000", 500), ("#0000ff", 250), ("#ffffff", 250))).picture
    assert picture.shape == (1, 3, 128, 512)
    red, white = torch.tensor([1.0, 0, 0]), torch.ones(3)
    widths = [int((picture[0, :, 64] - colour[:, None]).abs().amax(0).lt(1e-3).sum()) for colour in (red, white)]
    assert widths == [256, 128]
    assert palette(torch.rand(2, 1, 9, 9)).picture.shape == (2, 1, 128, 512)
