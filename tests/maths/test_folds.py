"""Creases are lines through the whole picture; their shadows are measured, and edges of things are none."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Generator, Tensor
from torch.nn.functional import avg_pool2d

from danqing.maths.ageing import Wear, worn
from danqing.maths.folds import creases, fold_shadows
from danqing.maths.stains import unstained


def line(angle: float, offset: float, size: tuple[int, int] = (200, 240)) -> Tensor:
    """The signed distance of each pixel from a line x cos + y sin = offset."""
    row, column = np.mgrid[: size[0], : size[1]]
    return torch.from_numpy(column * math.cos(angle) + row * math.sin(angle) - offset).float()[None, None]


@pytest.mark.parametrize(("angle", "offset"), [(0.0, 110.0), (math.pi / 2, 90.0), (0.3, 120.0), (2.5, -60.0)])
def test_a_broken_line_through_the_picture_is_a_crease(angle: float, offset: float) -> None:
    away = line(angle, offset)
    broken = torch.rand(away.shape, generator=Generator().manual_seed(0)) < 0.6
    (found,) = creases(((away.abs() < 1.5) & broken).float(), 1.0)
    row, column = np.nonzero((away[0, 0].abs() < 0.5).numpy())
    far = found.distances(column.astype(float), row.astype(float))[1]
    assert np.abs(far).max() < 1.5


def test_what_is_short_or_scattered_is_none() -> None:
    away = line(0.2, 120.0)
    short = (away.abs() < 1.5) & (line(0.2 + math.pi / 2, 80.0).abs() < 20)
    assert creases(short.float(), 1.0) == []
    assert creases((torch.rand(away.shape, generator=Generator().manual_seed(0)) < 0.003).float(), 1.0) == []
    assert creases(torch.zeros(1, 1, 5, 7), 1.0) == []


def test_a_small_picture_has_too_few_places_to_know_a_crease() -> None:
    away = line(0.0, 30.0, (64, 64))
    assert creases((away.abs() < 1.5).float(), 1.0) == []
    assert creases((away.abs() < 1.5).float(), 0.5) != []


@pytest.mark.parametrize(("angle", "offset"), [(0.1, 90.0), (1.5, 90.0), (1.5, 60.0)])
@pytest.mark.parametrize("depth", [-0.15, 0.15])
def test_a_shadow_is_measured_and_its_light_given_back(
    chelsea: Tensor, angle: float, offset: float, depth: float
) -> None:
    clean = avg_pool2d(chelsea[..., :200, :240], 15, 1, 7, count_include_pad=False)
    away = line(angle, offset)
    shaded = depth * away.tanh() * (-away.abs() / 12).exp()
    x, hidden = clean * (-shaded).exp(), (away.abs() < 1.5).float()
    found = fold_shadows(x, hidden, 1.0)
    beside = (away.abs() > 1.5) & (away.abs() < 8)
    assert (found - shaded)[beside].abs().mean() < 0.4 * shaded[beside].abs().mean()
    seen = beside.expand_as(x)
    errors = [float((each - clean)[seen].abs().mean()) for each in (x, unstained(x, found))]
    assert errors[1] < 0.4 * errors[0]


def test_a_crease_without_a_shadow_has_none_nor_have_edges(chelsea: Tensor) -> None:
    clean = chelsea[..., :200, :240].contiguous()
    for at in range(6):
        away = line(0.5 * at, 100.0 * math.cos(0.5 * at) + 90.0 * math.sin(0.5 * at))
        assert fold_shadows(clean, (away.abs() < 1.5).float(), 1.0).abs().max() == 0


def test_most_of_drawn_shadows_is_undone(chelsea: Tensor) -> None:
    clean = chelsea[..., :256, :300].contiguous()
    before = after = 0.0
    for seed in range(6):
        made = worn(clean, [Wear(folds=1)], Generator().manual_seed(seed))
        seen, flat = 1 - made.hidden, unstained(made.x, made.shaded)
        mended = unstained(made.x, fold_shadows(made.x, made.hidden, 1.0))
        before += float(((made.x - flat).abs() * seen).mean())
        after += float(((mended - flat).abs() * seen).mean())
    assert after < 0.6 * before
