"""inpaint paints where the mask says, and refuses masks that do not fit."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import torch
from torch import Tensor

from danqing import Folders, inpaint, read, write
from danqing import run as run_task
from danqing.core.errors import ParameterError
from danqing.core.notes import PictureWarning
from danqing.core.operators.operator import operator_named
from danqing.core.pictures.contract import Picture
from danqing.core.progress import finish
from danqing.maths import masks


def marked(height: int, width: int, *boxes: tuple[int, int, int, int]) -> Tensor:
    mask = torch.zeros(1, 1, height, width)
    for top, left, down, right in boxes:
        mask[..., top : top + down, left : left + right] = 1
    return mask


def error(out: Tensor, x: Tensor, mask: Tensor) -> float:
    return float((out - x).square()[mask.expand_as(x) > 0.5].mean())


def test_scratches_are_mended_better_than_by_the_mean_of_the_picture(astronaut: Tensor) -> None:
    x = astronaut[..., 20:180, 150:310]
    mask = marked(160, 160, (0, 40, 160, 2), (60, 0, 2, 160), (110, 20, 1, 120))
    spread = error(x.mean((2, 3), keepdim=True).expand_as(x), x, mask)
    for method in ("biharmonic", "telea", "navier-stokes", "exemplar"):
        assert error(inpaint(x.masked_fill(mask > 0.5, 1), mask, method=method), x, mask) < 0.1 * spread


def test_what_stands_in_the_hole_does_not_count(chelsea: Tensor) -> None:
    x, mask = chelsea[..., :90, :120], marked(90, 120, (30, 40, 25, 30))
    for method in ("exemplar", "biharmonic", "telea", "navier-stokes"):
        one, other = (inpaint(x.masked_fill(mask > 0.5, level), mask, method=method) for level in (0.0, 1.0))
        torch.testing.assert_close(one, other, rtol=0, atol=1e-6)


def test_one_mask_serves_all_pictures_or_each_has_its_own(chelsea: Tensor) -> None:
    x = chelsea[..., :60, :70]
    batch, mask = torch.cat([x, x.flip(3)]), marked(60, 70, (20, 10, 10, 12))
    out = inpaint(batch, torch.cat([mask, mask.flip(3)]), method="biharmonic")
    torch.testing.assert_close(out[:1], inpaint(x, mask, method="biharmonic"))
    torch.testing.assert_close(out[1:], out[:1].flip(3), rtol=0, atol=1e-4)
    assert torch.equal(inpaint(batch, mask, method="telea")[:1], inpaint(x, mask, method="telea"))


def test_seeds_give_other_fillings_of_the_same_kind(chelsea: Tensor) -> None:
    x, mask = chelsea[..., 100:200, 100:220], marked(100, 120, (30, 40, 40, 40))
    one, again, other = (inpaint(x, mask, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (torch.zeros(1, 1, 30, 41), r"mask: its 41×30 px do not fit pictures of 40×30 px"),
        (torch.zeros(3, 1, 30, 40), r"mask: 3 masks do not pair up with 1 pictures"),
        (torch.ones(1, 1, 30, 40), r"mask: covers the whole picture.*the wrong way round"),
    ],
)
def test_masks_that_do_not_fit_are_refused(mask: Tensor, words: str, chelsea: Tensor) -> None:
    with pytest.raises(ParameterError, match=words):
        inpaint(chelsea[..., :30, :40], mask)


def test_an_empty_mask_leaves_the_picture_as_it_is(chelsea: Tensor) -> None:
    assert torch.equal(inpaint(chelsea, torch.zeros(1, 1, 300, 451)), chelsea)


def test_sixteen_bits_and_alpha_survive_in_files(tmp_path: Path, chelsea: Tensor) -> None:
    x = (chelsea[..., :64, :80] * 0.77 + 0.1).mul(65535).round() / 65535
    alpha = torch.linspace(0, 1, 80).mul(65535).round().div(65535).expand(1, 1, 64, 80).contiguous()
    write(Picture(x, alpha=alpha, depth=16), tmp_path / "photo.png")
    write(marked(64, 80, (20, 30, 10, 15)), tmp_path / "mask.png")
    values = {"mask": tmp_path / "mask.png", "method": "telea"}
    finish(run_task(operator_named("inpaint"), values, Folders([tmp_path / "photo.png"], out=tmp_path / "out.png")))
    out = read(tmp_path / "out.png")
    assert out.depth == 16
    torch.testing.assert_close(out.alpha, alpha, rtol=0, atol=1e-6)
    known = ((marked(64, 80, (20, 30, 10, 15)) < 0.5) & (alpha > 0)).expand_as(x)  # what nobody sees is not kept
    torch.testing.assert_close(out.pixels[known], x[known], rtol=0, atol=1e-6)


def test_scratches_need_no_mask_and_are_mended(chelsea: Tensor) -> None:
    """Lines drawn over a photograph are found and painted over, beside what a mask marks."""
    x, lines = chelsea[..., :224, :224], masks.scratch_lines(1, 224, 224, 0.01, torch.Generator().manual_seed(0))
    spoilt, mask = x.masked_fill(lines > 0.5, 0.95), marked(224, 224, (100, 150, 8, 20))
    for method in ("learned", "telea"):
        mended = inpaint(spoilt, method=method, scratches=True)
        assert error(mended, x, lines) < 0.25 * error(spoilt, x, lines)
        assert torch.equal(inpaint(x * 0 + 0.5, method=method, scratches=True), x * 0 + 0.5)
    both = inpaint(spoilt, mask, method="telea", scratches=True)
    assert not torch.equal(both[mask.expand_as(both) > 0.5], mended[mask.expand_as(both) > 0.5])


def test_it_asks_where_to_paint(chelsea: Tensor) -> None:
    with pytest.raises(ParameterError, match="nothing says where to paint"):
        inpaint(chelsea[..., :32, :32])


def test_a_net_says_when_a_hole_is_too_wide_for_it() -> None:
    x, mask = torch.full((1, 3, 64, 64), 0.5), torch.zeros(1, 1, 64, 64)
    mask[..., 10:14, 10:50] = 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        inpaint(x, mask, method="learned")
    mask[..., 20:50, 15:50] = 1
    with pytest.warns(PictureWarning, match="wider than 24 px"):
        inpaint(x, mask, method="learned")
