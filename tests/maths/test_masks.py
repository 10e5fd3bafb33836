"""Masks: of the asked share, of chance from the generator alone, and shaped as they are called."""

from __future__ import annotations

import pytest
import torch
from scipy import ndimage
from torch import Generator

from danqing.core.errors import ParameterError
from danqing.core.notes import noted
from danqing.core.pictures.contract import check_mask
from danqing.maths.masks import boxes, free_form, marked_by, scratch_lines, text_mask

ALL = (free_form, boxes, text_mask, scratch_lines)


def rng(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


@pytest.mark.parametrize("draw", ALL)
@pytest.mark.parametrize("share", [0.0, 0.01, 0.2, 0.5, 0.9])
def test_the_share_is_exact_to_the_pixel(draw: object, share: float) -> None:
    mask = check_mask(draw(3, 70, 101, share, rng()))
    assert mask.shape == (3, 1, 70, 101)
    assert mask.sum((1, 2, 3)).tolist() == [round(share * 70 * 101)] * 3
    assert set(mask.unique().tolist()) <= {0.0, 1.0}


@pytest.mark.parametrize("draw", ALL)
def test_each_mask_has_its_share_and_its_own_shape(draw: object) -> None:
    mask = draw(3, 64, 64, torch.tensor([0.1, 0.3, 0.3]), rng())
    assert mask.mean((1, 2, 3)).tolist() == pytest.approx([0.1, 0.3, 0.3], abs=0.0002)
    assert not torch.equal(mask[1], mask[2])


@pytest.mark.parametrize("draw", ALL)
def test_the_seed_decides(draw: object) -> None:
    assert torch.equal(draw(2, 64, 64, 0.2, rng(5)), draw(2, 64, 64, 0.2, rng(5)))
    assert not torch.equal(draw(2, 64, 64, 0.2, rng(5)), draw(2, 64, 64, 0.2, rng(6)))
    assert torch.equal(draw(1, 64, 64, 0.2, rng(5))[0], draw(2, 64, 64, 0.2, rng(5))[0])


@pytest.mark.parametrize("draw", ALL)
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (9, 1), (3, 1000)])
def test_any_size(draw: object, size: tuple[int, int]) -> None:
    mask = draw(2, *size, 0.6, rng())
    assert mask.sum((1, 2, 3)).tolist() == [round(0.6 * size[0] * size[1])] * 2


@pytest.mark.parametrize("share", [-0.1, 0.91, float("nan")])
def test_a_share_out_of_range_is_refused(share: float) -> None:
    with pytest.raises(ParameterError, match=r"0…0\.9"):
        boxes(1, 8, 8, share, rng())


def widest(mask: torch.Tensor) -> float:
    """The radius of the largest disk inside."""
    return max(float(ndimage.distance_transform_edt(each[0]).max()) for each in mask.numpy())


def test_strokes_are_thicker_than_letters_and_letters_than_scratches() -> None:
    strokes, letters, scratches = (draw(2, 200, 200, 0.06, rng()) for draw in (free_form, text_mask, scratch_lines))
    assert widest(strokes) > 2 * widest(letters)
    assert widest(letters) >= 2
    assert widest(scratches) <= 2.3  # one pixel wide, but where two cross


def test_holes_lie_everywhere() -> None:
    """Averaged over many masks, no part of the picture is spared or preferred much."""
    for draw in ALL:
        often = draw(60, 48, 48, 0.2, rng()).mean(0)[0]
        parts = torch.nn.functional.avg_pool2d(often[None, None], 16)[0, 0]
        assert float(parts.min()) > 0.06, draw.__name__
        assert float(parts.max()) < 0.45, draw.__name__


def test_what_is_marked_is_above_one_half() -> None:
    mask = torch.tensor([0.0, 0.5, 0.51, 1.0]).view(1, 1, 2, 2)
    with noted([]) as notes:
        assert marked_by(mask).tolist() == [[[False, False], [True, True]]]
    assert not notes


def test_an_empty_and_a_full_mask_are_worth_a_note() -> None:
    with noted([]) as notes:
        assert not marked_by(torch.zeros(1, 1, 4, 4)).any()
        assert marked_by(torch.ones(1, 1, 4, 4), "outside").all()
    assert notes == ["the mask is empty: it marks nothing", "the outside is full: it marks everything"]


@pytest.mark.parametrize(("value", "remedy"), [(1 / 255, "Multiply its values by 255"), (0.299, "Paint in white")])
def test_a_mask_that_marks_nothing_without_being_empty_is_refused(value: float, remedy: str) -> None:
    mask = torch.zeros(2, 1, 8, 8)
    mask[:, :, 2:4, 2:4] = value
    mask[1] *= 1 / value  # the other one is well
    with pytest.raises(ParameterError, match=f"hole: marks nothing: its brightest value is .* of 255.*{remedy}"):
        marked_by(mask, "hole")
