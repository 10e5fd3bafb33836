"""Which cells are to find what, how far off they are, and where the tops of heat lie: closed forms."""

from __future__ import annotations

import math

import pytest
import torch

from danqing.nets.finding import (
    assigned,
    boxes_at,
    cells_of,
    gaussians,
    generalised_overlap,
    peaks,
    quality_focal,
)

STRIDES = (8, 16, 32)


def cells(side: int = 128, strides: tuple[int, ...] = STRIDES) -> object:
    return cells_of([torch.zeros(1, 1, side // each, side // each) for each in strides], strides)


@pytest.mark.parametrize("size", [8, 12, 40, 41, 80, 81, 128])
def test_every_thing_of_8_px_or_more_is_to_be_found_on_one_level(size: int) -> None:
    places = cells()
    for left in (0.0, 3.3, 7.9):
        box = torch.tensor([[[left, left, left + size, left + size]]])
        finds, which = assigned(places, box, torch.zeros(1, 1, dtype=torch.int64))
        assert finds.any()
        assert set(which[finds].tolist()) == {0}
        strides = set(places.stride[finds[0]].tolist())
        assert strides == {8 if size <= 40 else 16 if size <= 80 else 32}


def test_of_two_things_the_smaller_is_found_and_what_fills_up_never() -> None:
    boxes = torch.tensor([[[10.0, 10, 50, 50], [20, 20, 40, 40], [math.nan] * 4]])
    finds, which = assigned(cells(64, (4,)), boxes, torch.tensor([[0, 1, -1]]))
    here = which[finds].tolist()
    assert set(here) == {1}  # both have their middle in the same place
    none, _ = assigned(cells(64, (4,)), torch.full((1, 2, 4), math.nan), torch.full((1, 2), -1))
    assert not none.any()


def test_boxes_lie_around_their_cells() -> None:
    places = cells(16, (8,))
    boxes = boxes_at(places, torch.tensor([1.0, 0.5, 2.0, 0.25]).expand(1, 4, 4))
    assert boxes[0, 3].tolist() == [12 - 8, 12 - 4, 12 + 16, 12 + 2]


@pytest.mark.parametrize(
    ("other", "overlap", "generalised"),
    [([0, 0, 2, 2], 1.0, 1.0), ([1, 0, 3, 2], 1 / 3, 1 / 3), ([2, 2, 4, 4], 0.0, -0.5), ([6, 0, 8, 2], 0.0, -0.5)],
)
def test_giou_is_that_of_its_formula(other: list[float], overlap: float, generalised: float) -> None:
    found = generalised_overlap(torch.tensor([0.0, 0, 2, 2]), torch.tensor(other, dtype=torch.float32))
    assert [float(each) for each in found] == pytest.approx([overlap, generalised], abs=1e-6)


def test_quality_focal_loss_is_that_of_its_formula() -> None:
    logits, target = torch.tensor([0.3, -1.2, 2.0]), torch.tensor([0.0, 0.4, 1.0])
    chance = logits.sigmoid()
    wanted = -((target - chance) ** 2) * ((1 - target) * (1 - chance).log() + target * chance.log())
    torch.testing.assert_close(quality_focal(logits, target), wanted)
    assert float(quality_focal(torch.logit(torch.tensor(0.4)), torch.tensor(0.4))) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("place", [(5.5, 5.5), (5.9, 7.2), (3.05, 9.95)])
def test_the_top_of_a_bell_is_found_between_cells(place: tuple[float, float]) -> None:
    """To within 1e-3 of a cell: the logarithm of a bell is a parabola, in 24 bits."""
    side = 14
    spots = cells(side, (1,))
    heat = gaussians(spots, torch.tensor([[place]]), torch.tensor([[1.5]]))[0, :, 0].view(side, side)
    found, heights = peaks(0.8 * heat, 0.1, 5)
    assert len(found) == 1
    torch.testing.assert_close(found[0], torch.tensor(place), atol=1e-3, rtol=0)
    assert 0.6 < float(heights[0]) < 0.8001


def test_points_that_nobody_knows_give_no_heat_and_borders_no_shift() -> None:
    spots = cells(8, (1,))
    assert not gaussians(spots, torch.full((1, 1, 2), math.nan), torch.ones(1, 1)).any()
    heat = gaussians(spots, torch.tensor([[[0.5, 3.5]]]), torch.ones(1, 1))[0, :, 0].view(8, 8)
    torch.testing.assert_close(peaks(heat, 0.1, 5)[0][0], torch.tensor([0.5, 3.5]), atol=1e-3, rtol=0)
    assert len(peaks(torch.zeros(8, 8), 0.1, 5)[0]) == 0
