"""What is computed of pictures does not see the autocast of the net around it: not in its values, nor in its types."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, get_args

import pytest
import torch
from torch import Generator, Tensor

from danqing.maths import (
    bases,
    blocks,
    calm_bands,
    camera,
    colour,
    convolution,
    damage,
    degradation,
    demosaic,
    noise,
    shrinkage,
    sketch,
    snapshots,
    winograd,
)
from danqing.maths.full_precision import full_precision


def rng() -> Generator:
    return Generator().manual_seed(0)


X = torch.rand(2, 3, 40, 48, generator=rng())
COLOURS = X.movedim(1, -1)
ROWS = torch.rand(16, 12, generator=rng())
BASIS = bases.plane(bases.cosine(8)).float()
TABLE = torch.rand(33 * 41, 3 * 64, generator=rng())

FORMULAS: dict[str, Callable[[], Any]] = {
    "shrunk": lambda: shrinkage.shrunk(X, torch.tensor([0.1, 0.2])),
    "by_patches": lambda: noise.by_patches(X),
    "by_laplacians": lambda: noise.by_laplacians(X),
    "by_wavelets": lambda: noise.by_wavelets(X),
    "laplacian_difference": lambda: noise.laplacian_difference(X),
    "by_statistics": lambda: noise.by_statistics(X),
    "defocus": lambda: degradation.defocus(X, torch.tensor([2.0, 3.0])),
    "defocus, wide": lambda: degradation.defocus(X, torch.tensor([12.0])),
    "low_light": lambda: degradation.low_light(X, *(torch.tensor([value]) for value in (0.1, 1.1, 0.01)), rng()),
    "to_oklab": lambda: colour.to_oklab(COLOURS),
    "from_oklab": lambda: colour.from_oklab(colour.to_oklab(COLOURS)),
    "into_gamut": lambda: colour.into_gamut(2 * COLOURS - 0.5),
    "to_opponent": lambda: colour.to_opponent(X),
    "from_opponent": lambda: colour.from_opponent(X),
    "correlate_small": lambda: convolution.correlate_small(X[..., :8, :8], torch.ones(3, 2, 3, 3)),
    "convolve_small": lambda: convolution.convolve_small(X[..., :8, :8], torch.ones(3, 2, 3, 3)),
    "convolved": lambda: winograd.convolved(X, torch.ones(4, 3, 3, 3)),
    "convolved, learning": lambda: winograd.convolved(X, torch.ones(4, 3, 3, 3, requires_grad=True)).detach(),
    "coefficients": lambda: blocks.coefficients(X[0], BASIS, torch.empty_like(TABLE)),
    "overlaid": lambda: blocks.overlaid(TABLE, TABLE[:, :3].contiguous(), BASIS.T.contiguous(), torch.ones(8, 8), 41),
    "alike": lambda: blocks.alike(COLOURS[0].contiguous(), slice(0, 12), 4, 3, 6),
    "into_haar": lambda: bases.into_haar(ROWS),
    "from_haar": lambda: bases.from_haar(ROWS.clone()),
    "sketch_features": lambda: sketch.sketch_features(X),
    "calm_bands": lambda: calm_bands.calm_bands(X),
    **{f"demosaiced, {way}": partial(demosaic.demosaiced, X[:, :1], way) for way in get_args(demosaic.Demosaic)},
    "photographed, halved": lambda: camera.photographed(X, camera.Shot(100, scale=2, qualities=(90, 80)), rng()),
    "snapshots": lambda: tuple(snapshots.snapshots(X, rng())),
}


def same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, tuple):
        return all(map(same, one, other))
    return bool(one == other)


@pytest.mark.parametrize("name", FORMULAS)
def test_a_formula_keeps_its_precision(name: str) -> None:
    alone = FORMULAS[name]()
    with torch.autocast("cpu", torch.bfloat16):
        assert same(FORMULAS[name](), alone)


@pytest.mark.parametrize("task", get_args(damage.Task))
def test_pictures_are_damaged_alike_whatever_learns_from_them(task: damage.Task) -> None:
    for seed in range(4):  # each draws its damage at random
        alone = damage.damage(task, X, Generator().manual_seed(seed))
        with torch.autocast("cpu", torch.bfloat16):
            assert same(damage.damage(task, X, Generator().manual_seed(seed)), alone)


def test_autocast_goes_on_after_a_formula_that_fails() -> None:
    @full_precision
    def fails(x: Tensor) -> Tensor:
        raise ZeroDivisionError

    with torch.autocast("cpu", torch.bfloat16):
        with pytest.raises(ZeroDivisionError):
            fails(X)
        assert (ROWS @ ROWS.T).dtype == torch.bfloat16
