"""scratches counts what it marks, and its mask is what inpaint takes."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from danqing import inpaint, scratches
from danqing.maths.ageing import Wear, worn


def plain() -> Tensor:
    return torch.linspace(0.3, 0.6, 200).expand(1, 3, 160, 200).contiguous()


def scratched(seed: int = 4) -> tuple[Tensor, Tensor]:
    made = worn(plain(), [Wear(scratches=3, dust=6)], Generator().manual_seed(seed))
    return made.x, made.hidden


def test_it_marks_what_is_hidden_and_little_else() -> None:
    x, hidden = scratched()
    found = scratches(x)
    assert found.picture.shape == (1, 1, 160, 200)
    assert float((found.picture * hidden).sum() / hidden.sum()) > 0.8
    near = torch.nn.functional.max_pool2d(hidden, 5, 1, 2)
    assert float((found.picture * near).sum() / found.picture.sum()) > 0.9
    assert found.numbers[0]["count"] >= 3
    assert 20 <= found.numbers[0]["largest"] <= 200
    assert scratches(plain()).numbers == [{"share": 0.0, "count": 0, "largest": 0}]


def test_strength_marks_more() -> None:
    x, _ = scratched()
    shares = [scratches(x, strength=strength).numbers[0]["share"] for strength in (0.0, 0.5, 1.0)]
    assert shares[0] < shares[1] < shares[2]


def test_the_mask_mends_the_picture() -> None:
    x, hidden = scratched()
    mended = inpaint(x, scratches(x, strength=1.0).picture, method="biharmonic")
    there = (hidden > 0).expand_as(x)
    assert (mended - plain())[there].square().mean() < 0.1 * (x - plain())[there].square().mean()


def test_wide_marks_are_found_in_a_reduced_picture() -> None:
    x, hidden = scratched()
    large, wide = (torch.nn.functional.interpolate(each, scale_factor=4, mode="nearest") for each in (x, hidden))
    found = scratches(large, radius=8).picture
    assert found.shape[-2:] == (640, 800)
    assert float((found * wide).sum() / wide.sum()) > 0.7
