"""recolour replaces a colour and its shades, and nothing else."""

from __future__ import annotations

import torch
from torch import Tensor

from danqing import recolour
from danqing.maths.colour import from_linear, to_linear

ORANGE, BLUE, GREEN = (0.8, 0.35, 0.15), (0.15, 0.35, 0.8), (0.2, 0.6, 0.3)


def plain(colour: tuple[float, float, float]) -> Tensor:
    return torch.tensor(colour).view(1, 3, 1, 1).expand(1, 3, 4, 4).contiguous()


def test_the_colour_itself_becomes_the_new_one() -> None:
    torch.testing.assert_close(recolour(plain(ORANGE), old=ORANGE, new=BLUE), plain(BLUE), rtol=0, atol=1e-4)


def test_other_colours_keep_their_values(astronaut: Tensor) -> None:
    assert torch.equal(recolour(plain(GREEN), old=ORANGE, new=BLUE), plain(GREEN))
    out = recolour(astronaut, old="#d0562b", new="#2a8a3a")
    same = (out == astronaut).all(1)[0]
    assert float(same[:60, 290:330].float().mean()) > 0.98  # the wall behind her
    assert float(same[300:480, 100:130].float().mean()) < 0.1  # the suit


def test_a_surface_in_shade_takes_the_new_colour_in_shade() -> None:
    shade = from_linear(0.4 * to_linear(plain(ORANGE)))
    expected = from_linear(0.4 * to_linear(plain(BLUE)))
    out = recolour(shade, old=ORANGE, new=BLUE, tolerance=0.3, softness=0.0)
    assert float((out - expected).abs().max()) < 0.05


def test_there_and_back(chelsea: Tensor) -> None:
    there = recolour(plain(ORANGE), old=ORANGE, new=GREEN)
    torch.testing.assert_close(recolour(there, old=GREEN, new=ORANGE), plain(ORANGE), rtol=0, atol=1e-3)
    assert torch.equal(recolour(chelsea, old=BLUE, new=GREEN, tolerance=0.0), chelsea)


def test_change_fades_out_over_the_soft_part() -> None:
    ramp = torch.lerp(plain(ORANGE)[..., :1, :1], plain((0.5, 0.5, 0.5))[..., :1, :1], torch.linspace(0, 1, 200))
    change = {s: (recolour(ramp, old=ORANGE, new=BLUE, softness=s) - ramp).abs().sum(1)[0, 0] for s in (0.0, 1.0)}
    assert float(change[0.0].diff().abs().max()) > 0.3  # a cut
    assert float(change[1.0].diff().abs().max()) < 0.05
    assert float(change[1.0][-1]) == 0


def test_grey_becomes_coloured_only_if_asked(camera: Tensor) -> None:
    assert recolour(camera, old="#202020", new="#402020").shape[1] == 3
    assert recolour(camera, old="#202020", new="#404040").shape[1] == 1
