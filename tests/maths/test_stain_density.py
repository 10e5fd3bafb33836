"""Stains on prints of one tone are measured where they are, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Generator, Tensor

from danqing.maths.colour import luma
from danqing.maths.degradation import faded_by
from danqing.maths.stain_density import Stains, plausible, stains_on_one_tone
from danqing.maths.stains import unstained

BROWN = torch.tensor([0.35, 0.6, 1.0]).view(1, 3, 1, 1)


def print_of(x: Tensor, sepia: bool) -> Tensor:
    """A photograph in black and white, whose dyes and paper have gone different ways or not."""
    grey = luma(x).clamp(0, 1).expand_as(x).contiguous()
    kept, paper = torch.tensor([[0.8, 0.7, 0.6]]), torch.tensor([[0.95, 0.9, 0.75]])
    made = faded_by(grey, torch.ones(1), kept, paper) if sepia else grey
    noise = torch.randn(made.shape, generator=Generator().manual_seed(0))
    return (made + 2 / 255 * noise).clamp(0, 1)


def disc(size: tuple[int, int], middle: tuple[int, int], radius: int) -> Tensor:
    row, column = np.mgrid[: size[0], : size[1]]
    return torch.from_numpy(np.hypot(row - middle[0], column - middle[1]) < radius)[None, None].float()


@pytest.mark.parametrize("sepia", [False, True])
@pytest.mark.parametrize("depth", [0.2, 0.6])
def test_a_stain_is_found_and_its_light_given_back(chelsea: Tensor, sepia: bool, depth: float) -> None:
    clean = print_of(chelsea[..., :220, :260].contiguous(), sepia)
    there = disc((220, 260), (100, 120), 45)
    x = clean * (-depth * BROWN * there).exp()
    found = stains_on_one_tone(x)
    assert float((found.sure * there).sum() / there.sum()) > 0.95
    assert float((found.sure * there).sum() / found.sure.sum()) > 0.9
    before, after = ((each - clean).abs().mean() for each in (x, unstained(x, found.density)))
    assert after < 0.35 * before


@pytest.mark.parametrize("sepia", [False, True])
def test_a_print_without_stains_has_none(chelsea: Tensor, sepia: bool) -> None:
    assert stains_on_one_tone(print_of(chelsea[..., :220, :260].contiguous(), sepia)).sure.mean() < 1e-3


def test_of_colours_and_of_one_channel_nothing_is_said(chelsea: Tensor) -> None:
    part = chelsea[..., :220, :260].contiguous()
    stained = part * (-0.5 * BROWN * disc((220, 260), (100, 120), 45)).exp()
    for x in (part, stained, stained[:, :1], torch.rand(1, 3, 1, 1), torch.zeros(1, 3, 5, 9)):
        found = stains_on_one_tone(x)
        assert found.density.shape == x.shape
        assert found.sure.sum() == found.density.sum() == 0


def test_what_is_blue_is_no_stain(chelsea: Tensor) -> None:
    clean = print_of(chelsea[..., :220, :260].contiguous(), sepia=False)
    x = clean * (-0.5 * BROWN.flip(1) * disc((220, 260), (100, 120), 45)).exp()
    assert stains_on_one_tone(x).sure.sum() == 0


def test_a_stain_can_lie_on_a_print_and_the_tone_of_all_of_it_cannot(chelsea: Tensor) -> None:
    clean = print_of(chelsea[..., :220, :260].contiguous(), sepia=False)
    there = disc((220, 260), (100, 120), 60)
    density = 0.4 * BROWN * there
    assert plausible(clean * (-density).exp(), Stains(density, there))
    assert plausible(clean, Stains(torch.zeros_like(clean), torch.zeros_like(there)))
    light = (luma(clean) > 0.3).float()
    toned = clean * (-0.4 * BROWN * light).exp()
    assert not plausible(toned, Stains(0.4 * BROWN * light, light))


def test_what_would_be_brighter_than_white_or_took_nearly_all_light_is_a_thing(chelsea: Tensor) -> None:
    x, there = chelsea[..., :220, :260].contiguous(), disc((220, 260), (100, 120), 60)
    assert not plausible(x, Stains(1.4 * there.expand(-1, 3, -1, -1), there))
    dark = x * (1 - 0.9 * there)
    assert not plausible(dark, Stains(2 * BROWN * there, there))
