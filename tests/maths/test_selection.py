"""Boxes and points are read or refused in words; objects are found where they are drawn, and their edges."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from danqing.core.errors import ParameterError
from danqing.core.fields.box import BoxKind, Rectangle
from danqing.core.fields.point import PointKind
from danqing.maths.cutout import guided, like_colour, matte, object_in, unmixed
from danqing.maths.selection import box_in, covering, fitting, grown, point_in, surrounding

X = torch.zeros(1, 3, 40, 60)


def disc(radius: float = 30, side: int = 120) -> Tensor:
    y, x = torch.meshgrid(*[torch.arange(side) - (side - 1) / 2] * 2, indexing="ij")
    return y.square() + x.square() < radius**2


def scene(rng: torch.Generator) -> Tensor:
    """A reddish disc on bluish ground, both with noise."""
    colours = torch.where(
        disc()[None], torch.tensor([0.7, 0.3, 0.2])[:, None, None], torch.tensor([0.2, 0.4, 0.6])[:, None, None]
    )
    return (colours + 0.05 * torch.randn(3, 120, 120, generator=rng)).clamp(0, 1)


def overlap(one: Tensor, other: Tensor) -> float:
    return float((one & other).sum() / (one | other).sum())


def test_a_box_is_read_and_the_middle_is_the_default() -> None:
    assert box_in(X, BoxKind().check("5, 6,20,30", "box")) == Rectangle(5, 6, 20, 30)
    assert box_in(X, BoxKind().check("0,0,60,40", "box")).place == (slice(0, 40), slice(0, 60))
    assert box_in(X, None) == Rectangle(6, 4, 48, 32)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("5,6,20", r"box: '5,6,20' is not a box of the form left,top,width,height.*40,30,200,150"),
        ("a,b,c,d", "is not a box of the form"),
        ("1.5,2,3,4", "whole numbers"),
        ("", "is not a box of the form"),
        ("-1,0,5,5", "is not a box"),
        ("3,3,0,5", "is not a box"),
        ("50,0,11,40", r"leaves the picture of 60×40 px.*At most 10 wide and 40 high"),
        ("70,0,5,5", "leaves the picture"),
    ],
)
def test_what_is_no_box_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        box_in(X, BoxKind().check(text, "box"))


def test_points_are_read_as_column_and_row() -> None:
    assert point_in(X, PointKind().check("59,39", "point")) == (39, 59)
    with pytest.raises(ParameterError, match=r"point: 60,0 lies outside the picture of 60×40 px. Column 0…59"):
        point_in(X, PointKind().check("60,0", "point"))
    with pytest.raises(ParameterError, match="is not a point of the form column,row"):
        point_in(X, PointKind().check("6", "point"))


def test_masks_must_have_the_size_of_the_pictures() -> None:
    assert fitting(torch.ones(1, 1, 40, 60), X.repeat(3, 1, 1, 1)).shape == (3, 40, 60)
    with pytest.raises(ParameterError, match="mask: its 60×41 px do not fit pictures of 60×40 px"):
        fitting(torch.ones(1, 1, 41, 60), X)


def test_growing_adds_the_margin_on_all_sides() -> None:
    marked = torch.zeros(1, 21, 31, dtype=torch.bool)
    marked[0, 10, 15] = True
    assert surrounding(grown(marked, 4)[0]) == Rectangle(11, 6, 9, 9)
    assert torch.equal(grown(marked, 0), marked)


@pytest.mark.parametrize("size", [(30, 30), (10, 80), (200, 50)])
def test_a_picture_covers_a_size_without_being_bent(size: tuple[int, int]) -> None:
    y, x = torch.meshgrid(torch.linspace(0, 1, 60), torch.linspace(0, 1, 60), indexing="ij")
    out = covering(torch.stack([x, y, x])[None], *size)
    assert out.shape == (1, 3, *size)
    middle = out[0, :, size[0] // 2 - 3 : size[0] // 2 + 3, size[1] // 2 - 3 : size[1] // 2 + 3]
    assert float(middle[0].diff(dim=1).mean()) == pytest.approx(float(middle[1].diff(dim=0).mean()), rel=1e-3)
    assert float(middle.mean()) == pytest.approx(0.5, abs=0.01)


def test_an_object_is_found_by_a_box_or_by_strokes() -> None:
    picture = scene(torch.Generator().manual_seed(0))
    assert overlap(object_in(picture, Rectangle(20, 20, 80, 80)), disc()) > 0.97
    inside, outside = torch.zeros(2, 120, 120, dtype=torch.bool)
    inside[58:62, 45:75] = True
    outside[5:8, 5:115] = True
    assert overlap(object_in(picture, None, inside, outside), disc()) > 0.97
    outside[60:80, 60:80] = True
    assert not object_in(picture, Rectangle(20, 20, 80, 80), None, outside)[outside].any()


def test_a_large_picture_is_cut_as_finely_as_a_small_one() -> None:
    small = scene(torch.Generator().manual_seed(0))
    large = torch.nn.functional.interpolate(small[None], scale_factor=6, mode="bilinear")[0]
    whole = torch.nn.functional.interpolate(disc()[None, None].float(), scale_factor=6, mode="bilinear")[0, 0] > 0.5
    assert overlap(object_in(large, Rectangle(120, 120, 480, 480)), whole) > 0.97


def test_where_nothing_stands_out_the_box_is_the_object() -> None:
    found = object_in(torch.full((3, 50, 60), 0.4), Rectangle(10, 12, 20, 25))
    assert surrounding(found) == Rectangle(10, 12, 20, 25)
    assert int(found.sum()) == 20 * 25


def test_a_colour_is_found_everywhere_or_where_it_hangs_together() -> None:
    picture = torch.full((3, 30, 40), 0.2)
    picture[:, 5:10, 5:10] = picture[:, 20:25, 30:38] = torch.tensor([0.9, 0.5, 0.1])[:, None, None]
    assert int(like_colour(picture, (0.9, 0.5, 0.1), None, 0.02).sum()) == 25 + 40
    assert int(like_colour(picture, None, (7, 7), 0.02).sum()) == 25
    assert int(like_colour(picture, (0.9, 0.5, 0.1), (0, 0), 0.02).sum()) == 0
    assert int(like_colour(picture, None, (0, 0), 1.0).sum()) == 30 * 40


def test_the_guided_filter_keeps_what_is_a_linear_function_of_the_guide() -> None:
    guide = np.random.default_rng(0).random((40, 50, 3)).astype(np.float32)
    plane = (0.3 * guide[..., 0] - 0.2 * guide[..., 1] + 0.5).astype(np.float32)
    np.testing.assert_allclose(guided(plane, guide, 4, 1e-9), plane, atol=1e-4)
    flat = np.full((40, 50, 3), 0.5, np.float32)
    assert guided(plane, flat, 30).std() < 0.1 * plane.std()


def test_edges_become_soft_near_the_edge_only() -> None:
    picture = scene(torch.Generator().manual_seed(1))
    alpha = matte(picture, disc(), 5)
    assert bool((alpha[disc(24)] == 1).all())
    assert bool((alpha[~disc(36)] == 0).all())
    assert torch.equal(matte(picture, disc(), 0), disc().float())


def test_the_colours_of_a_mixture_are_found_back() -> None:
    y, x = torch.meshgrid(*[torch.arange(120) - 59.5] * 2, indexing="ij")
    alpha = ((34 - (y.square() + x.square()).sqrt()) / 8).clamp(0, 1)
    front, back = torch.tensor([0.8, 0.3, 0.2])[:, None, None], torch.tensor([0.1, 0.5, 0.9])[:, None, None]
    found = unmixed(alpha * front + (1 - alpha) * back, alpha)
    visible = alpha > 0.05
    assert float((found - front).abs()[:, visible].max()) < 0.02
