"""The error that nobody sees is told rightly, and of two ways to remove noise each counts where it errs less."""

from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor
from torch.nn import functional

from danqing.maths.stein import Remover, _error, _signs, merged

SIGMA = 20 / 255


def noisy(clean: Tensor) -> Tensor:
    return clean + SIGMA * torch.randn(clean.shape, generator=Generator().manual_seed(1))


def blurred(x: Tensor, side: int = 5) -> Tensor:
    return functional.avg_pool2d(x, side, 1, side // 2, count_include_pad=False)


def left(x: Tensor) -> Tensor:
    return 0.8 * x + 0.1


def pictures() -> tuple[Tensor, Tensor]:
    """Flat on the left, stripes of two pixels on the right; and with noise."""
    clean = torch.full((1, 3, 128, 256), 0.5)
    clean[..., 128:] += 0.2 * (torch.arange(128) % 4 < 2) - 0.1
    return clean, noisy(clean)


@pytest.mark.parametrize("way", [blurred, left])
def test_the_error_is_told_without_the_picture(way: Remover) -> None:
    clean, y = pictures()
    made = way(y)
    told = _error(y, made, way, 0.3 * SIGMA * _signs(y), torch.ones_like(y), SIGMA)
    for half in (slice(20, 108), slice(148, 236)):
        wanted = float((made - clean)[..., half].square().mean())
        assert float(told[..., half].mean()) == pytest.approx(wanted, rel=0.25)


def test_each_way_counts_where_it_errs_less() -> None:
    clean, y = pictures()
    made = merged(y, blurred, left, SIGMA)
    errors = [[float((x - clean)[..., half].square().mean()) for x in (made, blurred(y), left(y))]
              for half in (slice(0, 108), slice(148, 256))]  # fmt: skip
    (flat, smooth, rough), (fine, lost, kept) = errors
    assert smooth < rough
    assert kept < lost, "of stripes a blur leaves nothing"
    assert flat < 1.5 * smooth
    assert fine < 1.1 * kept


def test_what_is_clipped_is_left_to_the_first() -> None:
    """There the noise is not whole, and nothing is told: the weights are those of two that seem as good."""
    y = torch.ones(1, 1, 64, 64)
    made = merged(y, lambda x: torch.zeros_like(x), lambda x: torch.ones_like(x), SIGMA)
    assert 0 < float(made.amin()) == float(made.amax()) < 0.3


def test_the_probe_looks_random_and_is_that_of_the_numbers() -> None:
    y = noisy(torch.full((1, 1, 200, 200), 0.5))
    signs = _signs(y)
    assert set(signs.unique().tolist()) == {-1.0, 1.0}
    assert abs(float(signs.mean())) < 0.03
    assert abs(float((signs[..., 1:] * signs[..., :-1]).mean())) < 0.03
    assert torch.equal(signs[..., 50:100, 50:100], _signs(y[..., 50:100, 50:100]))
