"""What styles stand on: pyramids add up, colours take on moments, patches their distribution, flow follows a shift."""

from __future__ import annotations

import pytest
import torch
from skimage import data
from torch import Generator, Tensor

from danqing.core.errors import ParameterError
from danqing.core.notes import noted
from danqing.core.progress import finish
from danqing.maths.colour_match import STRONGEST, colour_map, colour_moments, colours_matched, mapped
from danqing.maths.moments import Moments, discrepancy, moments, pixel_maps, spread_distance
from danqing.maths.optical_flow import flicker, motion, warped
from danqing.maths.patch_distribution import patches_matched
from danqing.maths.pyramid import composed, pyramid, with_calm_colours
from danqing.maths.style_choice import styles_for

U = 2.0**-24  # float32 rounds by this share at most


def photograph(top: int = 60, left: int = 100, height: int = 97, width: int = 130) -> Tensor:
    pixels = data.chelsea()[top : top + height, left : left + width].copy()
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255


def test_a_pyramid_adds_up_to_its_picture() -> None:
    x = photograph()
    levels = pyramid(x)
    assert len(levels) == 4
    torch.testing.assert_close(composed(levels), x, rtol=0, atol=8 * U * len(levels))


def test_without_fine_colours_brightness_is_kept() -> None:
    x = photograph()
    calm = composed(with_calm_colours(pyramid(x)))
    weights = torch.tensor([0.2126, 0.7152, 0.0722]).view(1, 3, 1, 1)
    torch.testing.assert_close((calm * weights).sum(1), (x * weights).sum(1), rtol=0, atol=32 * U)
    assert not torch.allclose(calm, x, atol=1 / 255)


def test_colours_take_on_the_moments_that_are_wanted() -> None:
    x, wanted = 0.4 + 0.2 * photograph(), 0.3 + 0.2 * photograph(0, 0).flip(1)
    matched = colours_matched(x, wanted)
    for found, other in zip(colour_moments(matched), colour_moments(wanted), strict=True):
        torch.testing.assert_close(
            found, other, rtol=0.03, atol=1e-4
        )  # 1e-4: the least variance colours are taken to have


def test_a_colour_map_is_the_identity_for_the_same_colours_and_never_too_strong() -> None:
    x = photograph()
    matrix, offset = colour_map(x, x.flip(3))
    torch.testing.assert_close(matrix[0], torch.eye(3), rtol=0, atol=1e-4)
    torch.testing.assert_close(mapped(x, matrix, offset), x, rtol=0, atol=1e-4)
    plain = 0.5 + 0.001 * (x - 0.5)
    assert torch.linalg.matrix_norm(colour_map(plain, x)[0][0], 2) <= STRONGEST + 1e-3


def test_discrepancy_is_nought_for_the_same_and_scales_away() -> None:
    a, b = moments(torch.rand(2, 5, 8, 9)), moments(torch.rand(2, 5, 8, 9))
    assert discrepancy(a, a).eq(0).all()
    scaled = discrepancy(Moments(3 * a.mean, 3 * a.spread), Moments(3 * b.mean, 3 * b.spread))
    torch.testing.assert_close(scaled, discrepancy(a, b))
    nothing = Moments(0 * a.mean, 0 * a.spread)
    torch.testing.assert_close(discrepancy(nothing, a, mutual=True), torch.full((2,), 4.0))
    torch.testing.assert_close(spread_distance(nothing, a), torch.ones(2))


def test_roots_draw_what_is_nearly_right_as_strongly_as_what_is_far_off() -> None:
    a = moments(torch.rand(1, 5, 8, 9, generator=Generator().manual_seed(0)))

    def off(by: float, rooted: bool) -> float:
        return float(discrepancy(Moments(a.mean * (1 + by), a.spread * (1 + by)), a, rooted=rooted))

    assert off(0.0, rooted=True) == 0
    assert off(0.2, rooted=True) - off(0.1, rooted=True) == pytest.approx(off(0.6, True) - off(0.5, True), rel=0.02)
    assert off(0.4, rooted=True) == pytest.approx(2 * 0.4, rel=0.05)  # means and spreads, each 0.4 of its own norm
    assert off(0.4, rooted=False) == pytest.approx(2 * 0.4**2, rel=1e-4)


def test_pixel_maps_hold_slopes() -> None:
    ramp = (torch.arange(8.0)[None, None, None] / 10).expand(1, 3, 5, 8)
    maps = pixel_maps(ramp)
    torch.testing.assert_close(maps[:, 3:6, :, :-1], torch.full((1, 3, 5, 7), 0.4))
    assert maps[:, 6:].eq(0).all()


def test_the_mutual_discrepancy_is_bounded_whatever_is_wanted() -> None:
    rng, x = Generator().manual_seed(0), torch.rand(1, 4, 8, 8, generator=Generator().manual_seed(1))
    plain = moments(1e-3 * torch.rand(1, 4, 8, 8, generator=rng))
    assert float(discrepancy(moments(x), plain)) > 100
    for other in (plain, moments(x + 5), moments(0 * x)):
        assert float(discrepancy(moments(x), other, mutual=True)) <= 4
    opposite = discrepancy(moments(x), moments(-x.flip(3)), mutual=True)  # 4 by the means, and nothing by the spreads
    assert float(opposite) == pytest.approx(4, rel=1e-4)


def test_patches_of_a_very_large_picture_are_matched_in_a_smaller_one() -> None:
    x = torch.rand(1, 3, 16, 70_000, generator=Generator().manual_seed(0))
    notes: list[str] = []
    with noted(notes):
        made = finish(patches_matched(x, x[..., :90], Generator().manual_seed(0), 1))
    assert made.shape == x.shape
    assert notes == ["patches were matched in a picture 2 times smaller; finer detail is the photograph's own"]


def test_patches_take_on_a_distribution() -> None:
    """Stripes come into noise: how values differ to the right comes near to what it is among the stripes."""
    stripes = ((torch.arange(128) // 4) % 2).float()[None, None, None].expand(1, 3, 128, 128) * 0.6 + 0.2
    noise = torch.rand(1, 3, 128, 128, generator=Generator().manual_seed(0))
    made = finish(patches_matched(noise, stripes, Generator().manual_seed(1), 20))

    def slopes(x: Tensor) -> Tensor:
        return (x[..., 1:] - x[..., :-1]).abs().mean() / (x[..., 1:, :] - x[..., :-1, :]).abs().mean().clamp(min=0.01)

    assert slopes(noise) < 1.1
    assert slopes(made) > 1.5


def test_flow_follows_a_shift() -> None:
    before, now = photograph(40, 80), photograph(43, 85)  # what is seen moves 3 px up and 5 px to the left
    moved = motion(before, now)
    trusted = moved.trust[0, 0] > 0
    assert trusted.float().mean() > 0.7
    steps = moved.back[0][:, trusted].median(1).values
    torch.testing.assert_close(steps, torch.tensor([5.0, 3.0]), rtol=0, atol=0.3)
    assert flicker(before, now, moved) < 2
    assert flicker(before, 1 - now, moved) > 20


def test_what_is_cut_is_not_trusted() -> None:
    moved = motion(photograph(), 1 - photograph(0, 0))
    assert moved.trust.mean() < 0.3


def test_warping_by_nothing_changes_nothing() -> None:
    x = photograph()
    torch.testing.assert_close(warped(x, torch.zeros(1, 2, *x.shape[2:])), x, rtol=0, atol=1e-5)


def test_shares_of_paintings_add_up_and_masks_cover() -> None:
    x, painting = torch.rand(2, 3, 20, 30), torch.rand(1, 3, 40, 40)
    found = styles_for(x, 1, [painting, painting], [None, None], (0.6, 0.2))
    assert [round(each.share, 6) for each in found.wanted] == [0.75, 0.25]
    assert found.strength == pytest.approx(0.8)
    assert found.cover is None
    assert abs(found.wanted[0].picture.shape[2] * found.wanted[0].picture.shape[3] - 600) < 40
    mask = torch.zeros(1, 1, 20, 30)
    mask[..., :10] = 1
    covered = styles_for(x, 0, [painting], [mask], (1.0,)).cover
    assert covered is not None
    assert covered.equal(mask)
    with pytest.raises(ParameterError, match="do not pair up with 2 pictures"):
        styles_for(x, 0, [torch.rand(3, 3, 20, 20)], [None], (1.0,))
