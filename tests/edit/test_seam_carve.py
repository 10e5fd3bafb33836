"""seam_carve gives up what is least seen, and keeps the rest as it is."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from danqing import seam_carve
from danqing.core.errors import ParameterError
from danqing.core.operators.operator import operator_named
from danqing.core.progress import finish
from danqing.core.runs.folders import Folders
from danqing.core.runs.run import run
from danqing.edit.seam_carve import _cheapest


def with_things() -> Tensor:
    """Two textured things on a plain ground."""
    x = torch.full((1, 3, 40, 60), 0.3)
    x[..., 10:30, 5:20] = torch.rand(3, 20, 15, generator=torch.Generator().manual_seed(0))
    x[..., 15:35, 40:55] = torch.rand(3, 20, 15, generator=torch.Generator().manual_seed(1))
    return x


def test_a_plain_ground_goes_and_things_stay() -> None:
    x = with_things()
    out = seam_carve(x, width=42)
    assert out.shape == (1, 3, 40, 42)
    first, second = x[..., 10:30, 5:20], x[..., 15:35, 40:55]
    assert any(torch.equal(out[..., 10:30, at : at + 15], first) for at in range(28))
    assert any(torch.equal(out[..., 15:35, at : at + 15], second) for at in range(28))


def test_every_row_keeps_its_pixels_in_their_order(chelsea: Tensor) -> None:
    x = chelsea[..., 100:130, 100:160].contiguous()
    out = seam_carve(x, width=50)
    for old, new in zip(x[0].unbind(1), out[0].unbind(1), strict=True):
        rest = iter(old.T.tolist())
        assert all(pixel in rest for pixel in new.T.tolist())  # a subsequence


def test_the_seam_is_the_cheapest_of_all() -> None:
    """Against every seam of a small picture, by the forward energy of the paper."""
    light = np.random.default_rng(0).random((4, 5)).astype(np.float32)
    wide = np.pad(light, ((0, 0), (1, 1)), mode="edge")

    def energy(seam: tuple[int, ...]) -> float:
        total = 0.0
        for row, column in enumerate(seam):
            left, right = wide[row, column], wide[row, column + 2]
            total += abs(right - left)
            if row and seam[row - 1] != column:
                above = light[row - 1, column]
                total += abs(above - (left if seam[row - 1] < column else right))
        return total

    seams = [s for s in itertools.product(range(5), repeat=4) if all(abs(a - b) <= 1 for a, b in itertools.pairwise(s))]
    best = min(energy(seam) for seam in seams)
    assert energy(tuple(_cheapest(light, np.zeros_like(light)))) == pytest.approx(best, abs=1e-5)


def test_both_sides_at_once_and_turned(chelsea: Tensor) -> None:
    x = chelsea[..., 100:140, 100:160].contiguous()
    assert seam_carve(x, width=50, height=36).shape == (1, 3, 36, 50)
    turned = seam_carve(x.transpose(2, 3).contiguous(), height=50).transpose(2, 3)
    assert torch.equal(turned, seam_carve(x, width=50))


def test_a_mask_is_kept_and_what_is_discarded_goes_first() -> None:
    x = torch.rand(1, 1, 24, 40, generator=torch.Generator().manual_seed(2))
    left = torch.zeros(1, 1, 24, 40)
    left[..., :20] = 1
    assert torch.equal(seam_carve(x, width=22, mask=left)[..., :20], x[..., :20])
    assert torch.equal(seam_carve(x, width=20, discard=left), x[..., 20:])


@pytest.mark.parametrize("width", [70, 100, 190])
def test_wider_keeps_every_old_pixel(width: int) -> None:
    x = with_things()
    out = seam_carve(x, width=width)
    assert out.shape == (1, 3, 40, width)
    if width == 70:
        assert any(torch.equal(out[..., 10:30, at : at + 15], x[..., 10:30, 5:20]) for at in range(55))
    for old, new in zip(x[0].unbind(1), out[0].unbind(1), strict=True):
        rest = iter(new.T.tolist())
        if width == 70:
            assert all(pixel in rest for pixel in old.T.tolist())


def test_progress_counts_every_seam() -> None:
    seen = []
    finish(seam_carve.job(with_things(), width=56, height=43), seen.append)
    assert [progress.done for progress in seen] == list(range(1, 8))
    assert {progress.total for progress in seen} == {7}


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ParameterError, match="mask: its 5×5 px do not fit pictures of 8×9 px"):
        seam_carve(torch.rand(1, 1, 9, 8), width=6, mask=torch.zeros(1, 1, 5, 5))
    with pytest.raises(ParameterError, match="no seam"):
        seam_carve(torch.rand(1, 1, 9, 1), width=6)


def test_what_is_transparent_moves_with_its_colours_and_goes_first(tmp_path: Path) -> None:
    pixels = np.full((30, 50, 4), 255, np.uint8)
    pixels[..., :3] = np.random.default_rng(0).integers(0, 256, (30, 50, 3))
    pixels[:, 20:35] = 0
    Image.fromarray(pixels).save(tmp_path / "thing.png")
    places = Folders([tmp_path / "thing.png"], out=tmp_path / "narrow.png")
    assert not finish(run(operator_named("seam_carve"), {"width": 41}, places)).outcomes[0].notes
    made = np.asarray(Image.open(tmp_path / "narrow.png"))
    np.testing.assert_array_equal(made, np.concatenate([pixels[:, :20], pixels[:, 29:]], 1))
