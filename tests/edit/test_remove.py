"""remove takes the object away and leaves the rest alone."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from danqing import remove
from danqing.core.errors import ParameterError


def meadow() -> Tensor:
    """Green noise with a red disc at (40, 50), radius 12."""
    rng = torch.Generator().manual_seed(0)
    grain = torch.nn.functional.avg_pool2d(torch.randn(1, 1, 102, 122, generator=rng), 3, 1)
    x = (torch.tensor([0.3, 0.5, 0.25]).view(1, 3, 1, 1) + 0.15 * grain).clamp(0, 1)
    y, z = torch.meshgrid(torch.arange(100) - 40, torch.arange(120) - 50, indexing="ij")
    return torch.where(y.square() + z.square() < 144, torch.tensor([0.8, 0.1, 0.1]).view(1, 3, 1, 1), x)


def red(x: Tensor) -> Tensor:
    return x[:, 0] - x[:, 1] > 0.1


def test_the_object_in_the_box_goes_and_its_ground_comes() -> None:
    x = meadow()
    out = remove(x, box="30,20,40,40")
    assert int(red(x).sum()) > 400
    assert int(red(out).sum()) == 0
    far = torch.ones(100, 120, dtype=torch.bool)
    far[15:65, 25:75] = False
    assert torch.equal(out[..., far], x[..., far])
    assert torch.equal(out[..., 21:24, 31:34], x[..., 21:24, 31:34])  # in the box, but not the object
    assert float(out[..., 32:48, 42:58].std()) > 0.5 * float(x[..., 70:90, 20:100].std())


def test_the_whole_box_or_a_mask_or_a_mask_in_a_box() -> None:
    x, mask = meadow(), torch.zeros(1, 1, 100, 120)
    assert not torch.equal(remove(x, box="30,20,40,40", whole=True)[..., 21:24, 31:34], x[..., 21:24, 31:34])
    mask[..., 25:56, 35:66] = 1
    assert int(red(remove(x, mask=mask)).sum()) == 0
    half = remove(x, mask=mask, box="0,0,50,100", margin=0)
    assert torch.equal(half[..., 50:], x[..., 50:])


@pytest.mark.xfail(strict=True, reason="what stays of the object beyond the box is continued into it")
def test_half_an_object_leaves_no_trace_in_the_box() -> None:
    x, mask = meadow(), torch.zeros(1, 1, 100, 120)
    mask[..., 25:56, 35:66] = 1
    assert int(red(remove(x, mask=mask, box="0,0,50,100", margin=0)[..., :48]).sum()) == 0


def test_nothing_marked_changes_nothing_and_bad_input_is_refused() -> None:
    x = meadow()
    assert torch.equal(remove(x, mask=torch.zeros(1, 1, 100, 120)), x)
    with pytest.raises(ParameterError, match="mask: covers the whole picture"):
        remove(x, mask=torch.ones(1, 1, 100, 120))
    with pytest.raises(ParameterError, match=r"box: .*leaves the picture of 120×100 px"):
        remove(x, box="100,0,30,30")
    with pytest.raises(ParameterError, match="mask: its 9×9 px"):
        remove(x, mask=torch.zeros(1, 1, 9, 9))
