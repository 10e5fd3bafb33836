"""background keeps the object and nothing of what was behind it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from danqing import background
from danqing.core.errors import ParameterError

RED, BLUE = torch.tensor([0.8, 0.2, 0.1]).view(1, 3, 1, 1), torch.tensor([0.1, 0.3, 0.7]).view(1, 3, 1, 1)


def disc(radius: float, soft: float = 1.0) -> Tensor:
    y, x = torch.meshgrid(torch.arange(90) - 44.5, torch.arange(110) - 54.5, indexing="ij")
    return ((radius - (y.square() + x.square()).sqrt()) / soft).clamp(0, 1)[None, None]


def test_the_object_stays_and_the_rest_is_new() -> None:
    x = torch.lerp(BLUE.expand(1, 3, 90, 110), RED, disc(25))
    out = background(x, box="20,10,70,70", colour=(0.0, 1.0, 0.0))
    inside, beyond = (disc(18) == 1).expand_as(x), (disc(32) == 0)[0, 0]
    assert torch.equal(out[inside], x[inside])
    assert float((out[..., beyond] - torch.tensor([0.0, 1.0, 0.0]).view(1, 3, 1)).abs().max()) < 1e-5


def test_no_fringe_of_the_old_background_is_left() -> None:
    x = torch.lerp(BLUE.expand(1, 3, 90, 110), RED, disc(25, 3.0))
    out = background(x, mask=(disc(25, 3.0) > 0.5).float(), colour=(1.0, 1.0, 1.0), softness=4)
    blueness = (out[:, 2] - out[:, 0]).amax()
    assert float(blueness) < 0.05  # on the way from red to white blue never leads; in the old fringe it does


def test_softness_0_cuts_hard() -> None:
    x = torch.lerp(BLUE.expand(1, 3, 90, 110), RED, disc(25))
    mask = (disc(25) > 0.5).float()
    out = background(x, mask=mask, colour=(0.0, 0.0, 0.0), softness=0)
    assert torch.equal(out, x * mask)


def test_a_backdrop_fills_the_picture(chelsea: Tensor, astronaut: Tensor) -> None:
    mask = torch.zeros(1, 1, 300, 451)
    mask[..., 100:200, 150:300] = 1
    out = background(chelsea, astronaut, mask=mask)
    assert out.shape == chelsea.shape
    scaled = torch.nn.functional.interpolate(astronaut, (451, 451), mode="bilinear", antialias=True)[..., 75:375, :]
    assert float((out - scaled)[..., :80, :].abs().max()) < 1e-5


def test_grey_stays_grey_unless_colour_comes(camera: Tensor, chelsea: Tensor) -> None:
    x = camera[..., :100, :120]
    assert background(x, colour="#808080").shape[1] == 1
    assert background(x, colour="#208080").shape[1] == 3
    assert background(x, camera).shape[1] == 1
    assert background(x, chelsea).shape[1] == 3


def test_bad_input_is_refused(chelsea: Tensor) -> None:
    with pytest.raises(ParameterError, match="mask: marks nothing"):
        background(chelsea, mask=torch.zeros(1, 1, 300, 451))
    with pytest.raises(ParameterError, match="backdrop: 2 backdrops do not pair up with 1 pictures"):
        background(chelsea, torch.zeros(2, 3, 8, 8))
    with pytest.raises(ParameterError, match="mask: its 8×8 px"):
        background(chelsea, mask=torch.ones(1, 1, 8, 8))
