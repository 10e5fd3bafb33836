"""stains says how much of a photograph is stained, and where; what is not seen does not count; ink hides."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage import data
from torch import Generator, Tensor
from torch.nn.functional import avg_pool2d, interpolate

from danqing import age, repair, scratches, stains
from danqing.maths.ageing import Wear, worn
from danqing.maths.colour import luma
from danqing.maths.stains import INKS
from danqing.nets.stain_estimate import inked

NEW = {"fading": 0.3, "scratches": 0, "folds": 0}


def printed(x: Tensor) -> Tensor:
    return luma(x[..., :200, :240]).clamp(0, 1).expand(-1, 3, -1, -1).contiguous()


def test_it_marks_what_age_stained(chelsea: Tensor) -> None:
    clean = printed(chelsea)
    old, there = (age(clean, seed=3, stains=2, output=output, **NEW) for output in ("picture", "stains"))
    found = stains(torch.cat([old, age(clean, seed=3, stains=0, **NEW)]))
    assert float((found.picture[:1] * there).sum() / there.sum()) > 0.9
    assert float((found.picture[:1] * there).sum() / found.picture[:1].sum()) > 0.7
    assert abs(found.numbers[0]["share"] - float(found.picture[0].mean())) < 1e-6
    assert 0.1 < found.numbers[0]["density"] < 2
    assert found.numbers[1]["share"] < 1e-3


def test_what_is_cut_out_does_not_count(chelsea: Tensor) -> None:
    old = age(printed(chelsea), seed=3, stains=2, **NEW)
    alpha = torch.ones(1, 1, 200, 240)
    alpha[..., 200:] = 0
    found, whole = stains(old, alpha=alpha), stains(old)
    assert found.numbers[0]["share"] > 0.01
    for under in (torch.zeros_like(old), torch.rand_like(old)):
        again = stains(old.where(alpha > 0, under), alpha=alpha)
        assert torch.equal(again.picture, found.picture)
        assert again.numbers == found.numbers
    assert found.picture[..., 200:].sum() == 0
    assert (found.picture - whole.picture)[..., :190].abs().mean() < 0.03  # its line of colours is of what is seen
    assert abs(found.numbers[0]["share"] - float(found.picture[..., :200].mean())) < 1e-6


def sky() -> Tensor:
    """A slope of blues with a little grain, (1, 3, 200, 240)."""
    down, across = torch.linspace(0, 1, 200)[:, None], torch.linspace(0, 1, 240)
    planes = [0.35 + 0.3 * down + 0 * across, 0.5 + 0.2 * down + 0.05 * across, 0.75 - 0.05 * down + 0 * across]
    grain = torch.randn(1, 3, 200, 240, generator=Generator().manual_seed(0)) * 2 / 255
    return (torch.stack(planes)[None] + grain).clamp(0, 1)


@pytest.mark.parametrize("seed", [5, 6, 8, 13])
def test_what_lies_on_a_photograph_in_colours_is_seen_and_given_back(seed: int) -> None:
    clean = sky()
    made = worn(clean, [Wear(stains=1)], Generator().manual_seed(seed))
    there = (made.stained.amax(1, keepdim=True) > 0.05).float()
    marked = stains(made.x).picture
    assert float((marked * there).sum() / there.sum()) > 0.7
    assert float((marked * there).sum() / marked.sum()) > 0.6
    mended = repair(made.x, never="compression,shading,scratches,noise,fading,blur")
    assert mended.numbers[0]["steps"] == ["stains"]
    assert (mended.picture - clean).abs().mean() < 0.5 * (made.x - clean).abs().mean()


def test_photographs_in_colours_have_no_stains_of_their_own(chelsea: Tensor) -> None:
    for clean in (sky(), chelsea):
        assert stains(clean).numbers == [{"share": 0.0, "density": 0.0}]


def test_a_large_scan_is_seen_at_a_size_that_the_net_knows() -> None:
    made = worn(sky(), [Wear(stains=1)], Generator().manual_seed(8))
    large = interpolate(made.x, scale_factor=4.0, mode="bicubic").clamp(0, 1)
    small, whole = stains(made.x).numbers[0]["share"], stains(large).numbers[0]["share"]
    assert 0.5 * small < whole < 1.5 * small


def test_blots_of_ink_are_marked_as_scratches_are_and_painted_over() -> None:
    clean = sky()
    blot = ((torch.arange(200)[:, None] - 90) ** 2 + (torch.arange(240) - 120) ** 2 < 14**2).float()[None, None]
    soft = avg_pool2d(blot, 3, 1, 1)
    old = clean * (1 - 0.95 * soft) + 0.95 * soft * torch.tensor(INKS[0]).view(1, 3, 1, 1)
    marked = scratches(old).picture
    assert float((marked * blot).sum() / blot.sum()) > 0.9
    assert float(marked.sum() / blot.sum()) < 2
    mended = repair(old, never="compression,shading,stains,noise,fading,blur")
    assert mended.numbers[0]["steps"] == ["scratches"]
    assert ((mended.picture - clean).abs() * blot).sum() < 0.2 * ((old - clean).abs() * blot).sum()
    assert scratches(clean).numbers[0]["share"] == 0


@pytest.mark.parametrize("name", ["page", "text", "camera", "logo"])
def test_writing_and_dark_things_are_no_blots(name: str) -> None:
    pixels = torch.from_numpy(np.atleast_3d(getattr(data, name)())[..., :3].copy()).permute(2, 0, 1)[None] / 255
    assert inked(pixels).sum() == 0
