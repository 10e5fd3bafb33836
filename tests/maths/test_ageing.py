"""What years do to photographs: each mark hides what it says, and nothing else changes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from danqing import age
from danqing.maths.ageing import _MARKS, Wear, Worn, unit_of, worn
from danqing.maths.stains import _DRAWN, unstained
from danqing.maths.surface import Surface


def drawn(x: Tensor, wear: Wear, seed: int = 0) -> Worn:
    return worn(x, [wear] * len(x), Generator().manual_seed(seed))


@pytest.mark.parametrize("kind", ["scratches", "dust", "folds", "stains"])
@pytest.mark.parametrize("shape", [(3, 96, 130), (1, 64, 40), (3, 1, 9)])
def test_every_mark_is_drawn_on_pictures_of_any_size(kind: str, shape: tuple[int, ...]) -> None:
    x = torch.full((2, *shape), 0.5)
    made = drawn(x, Wear(**{kind: 6}))
    assert made[0].shape == x.shape
    assert made.hidden.shape == made.inked.shape == made.shaded.shape == (2, 1, *shape[1:])
    assert made.stained.shape == x.shape
    assert set(made.hidden.unique().tolist()) <= {0.0, 1.0}
    assert torch.equal(made[0], drawn(x, Wear(**{kind: 6}))[0])
    assert (made[0] - x).abs().max() > 0.02
    assert torch.equal(x, torch.full((2, *shape), 0.5)), "the clean pictures were changed"


def test_what_is_not_hidden_is_as_it_was() -> None:
    x = torch.full((1, 3, 200, 200), 0.5)
    aged, hidden = drawn(x, Wear(scratches=8, dust=20))[:2]
    seen = (hidden == 0).expand_as(x)
    assert (aged - x)[seen].abs().max() < 0.15 * 0.5 + 1e-6  # an opacity that does not count, of the farthest colour
    assert (aged - x)[~seen].abs().mean() > 0.1
    assert torch.equal(drawn(x, Wear())[0], x)


@pytest.mark.parametrize("draw", _DRAWN)
@pytest.mark.parametrize("channels", [1, 3])
def test_stains_are_brown_and_are_undone_but_for_ink(draw: Callable[[Surface], None], channels: int) -> None:
    ground = np.full((200, 200, channels), 0.8, np.float32)
    surface = Surface(ground, 1.0, np.random.default_rng(1))
    for _ in range(3):
        draw(surface)
    density, x = (torch.from_numpy(each).permute(2, 0, 1)[None] for each in (surface.stained, surface.pixels))
    if draw is _DRAWN[-1]:
        assert density.max() == 0
        assert (surface.pixels[surface.inked > 0.8] < 0.36).all()
        assert np.array_equal(surface.inked, surface.hidden)
    else:
        assert surface.hidden.max() == 0
        assert density.min() == 0 < density.max()
        torch.testing.assert_close(unstained(x, density), torch.full_like(x, 0.8))
    if channels == 3 and draw is not _DRAWN[-1]:
        red, green, blue = x[0][:, density[0, 2] > 0.05].mean(1).tolist()
        assert blue < green < red < 0.8


def test_beside_a_fold_lie_a_shadow_and_a_shine() -> None:
    x = torch.full((1, 3, 200, 200), 0.5)
    made = drawn(x, Wear(folds=1))
    assert made.shaded.min() < -0.02 < 0.02 < made.shaded.max()
    seen = (made.hidden == 0).expand_as(x)
    light = unstained(made.x, made.shaded)
    assert (light - x)[seen].abs().max() < 0.15  # what is left is the crack's edge, of an opacity that does not count
    assert (light - x)[seen].abs().mean() < 0.1 * (made.x - x)[seen].abs().mean()


def test_what_shone_to_white_keeps_its_colour() -> None:
    """A shine of 20 % makes the red of orange white: undone alike in all channels, orange would grow green."""
    orange = torch.tensor([0.9, 0.55, 0.2]).view(1, 3, 1, 1).expand(1, 3, 40, 40).contiguous()
    density = torch.zeros(1, 1, 40, 40)
    density[..., 15:25, :] = -0.2
    shining = (orange * (-density).exp()).clamp(max=1)
    assert shining[:, 0, 20].min() == 1
    torch.testing.assert_close(unstained(shining, density), orange, atol=0.02, rtol=0)
    white = torch.ones(1, 3, 40, 40)
    assert unstained(white, density).min() > 0.99, "white paper stays white where nothing is known but that it shines"


def test_sizes_grow_with_the_picture() -> None:
    assert unit_of(100, 300) == 1
    assert unit_of(1200, 4000) == 3


def test_the_operator_draws_the_same_marks_on_the_picture_and_the_mask(chelsea: Tensor) -> None:
    x = chelsea[..., :128, :160].contiguous()
    new = {"fading": 0.0, "stains": 0, "folds": 0}
    made, mask = age(x, seed=3, **new), age(x, seed=3, output="mask", **new)
    far = (made - x).abs().amax(1, keepdim=True) > 0.2
    assert mask[far].min() == 1
    assert not torch.equal(made, age(x, seed=4, **new))
    grain = age(x, scratches=0, **new) - x
    assert 1.5 / 255 < grain.std() < 3.1 / 255  # some is clipped


class Whole(Surface):
    """Draws every mark on all of the picture."""

    def window(self, points: NDArray[np.float64], margin: float) -> tuple[slice, slice]:
        height, width = self.size
        return slice(0, height), slice(0, width)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 90), (70, 110), (300, 40)])
def test_marks_are_the_same_drawn_where_they_lie_or_on_all_of_the_picture(height: int, width: int) -> None:
    pixels = np.random.default_rng(0).random((height, width, 3), np.float32)
    for seed in range(5):
        near, far = (kind(pixels, 1.0, np.random.default_rng(seed)) for kind in (Surface, Whole))
        for draw in 3 * (*_MARKS, *_DRAWN):
            draw(near)
            draw(far)
        for name in ("pixels", "hidden", "inked", "stained", "shaded"):
            assert np.array_equal(getattr(near, name), getattr(far, name)), name
