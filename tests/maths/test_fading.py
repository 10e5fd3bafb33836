"""Fading is undone as it was done, and what tells of it does not depend on where in the picture it is."""

from __future__ import annotations

import torch
from torch import Tensor

from danqing.maths.degradation import faded_by
from danqing.maths.fading import COUNT, Fade, of_one_tone, traits, unfaded


def test_what_is_known_is_undone(chelsea: Tensor) -> None:
    kept, paper = torch.tensor([[0.8, 0.6, 0.7]]), torch.tensor([[0.98, 0.95, 0.85]])
    strength = (1 - kept.mean(1)) / 0.45
    old = faded_by(chelsea, strength, kept, paper)
    made = unfaded(old, Fade(kept, paper))
    torch.testing.assert_close(made, chelsea, atol=2e-5, rtol=0)  # powers of 1/0.6 of float32 near black


def test_no_fading_changes_nothing(chelsea: Tensor) -> None:
    none = Fade(torch.ones(1, 3), torch.ones(1, 3))
    torch.testing.assert_close(unfaded(chelsea, none), chelsea, atol=1e-6, rtol=0)
    torch.testing.assert_close(unfaded(chelsea[:, :1], none), chelsea[:, :1], atol=1e-6, rtol=0)


def test_traits_are_those_of_the_tones_alone(chelsea: Tensor) -> None:
    x = chelsea[..., :96, :96].contiguous()
    seen = traits(x)
    assert seen.shape == (1, COUNT)
    torch.testing.assert_close(traits(x.flip(2, 3)), seen, atol=2e-3, rtol=0)  # pixels of equal density change groups
    assert not torch.allclose(traits(x**0.5), seen, atol=0.05)


def test_the_smallest_picture_has_traits() -> None:
    for shape in ((1, 1), (1, 7), (300, 2)):
        assert torch.isfinite(traits(torch.rand(2, 3, *shape))).all()


def test_a_print_in_black_and_white_gets_no_colour_whatever_is_guessed(camera: Tensor) -> None:
    grey = camera.expand(-1, 3, -1, -1)
    kept, paper = torch.tensor([[0.8, 0.6, 0.7]]), torch.tensor([[0.98, 0.95, 0.85]])
    old = faded_by(grey, torch.tensor([0.6]), kept, paper)
    guess = Fade(torch.tensor([[0.6, 0.8, 0.7]]), torch.tensor([[0.9, 0.9, 0.9]]))
    made = unfaded(old, of_one_tone(old, guess))
    spread = (made.amax(1) - made.amin(1)).mean()
    assert spread < 0.1 * (old.amax(1) - old.amin(1)).mean()
    torch.testing.assert_close(of_one_tone(grey, guess).kept, torch.full((1, 3), 0.7))


def test_the_fading_of_a_photograph_in_colours_is_left_as_it_was_guessed(chelsea: Tensor) -> None:
    guess = Fade(torch.tensor([[0.6, 0.8, 0.7]]), torch.tensor([[0.9, 0.9, 0.9]]))
    assert torch.equal(of_one_tone(chelsea, guess).kept, guess.kept)
