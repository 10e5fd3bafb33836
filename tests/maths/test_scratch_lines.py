"""Scratches and dust drawn on pictures are found, bright or dark, and edges are none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from danqing.maths.scratches import scratches
from torch import Tensor


def ground(seed: int = 0, side: int = 160) -> np.ndarray:
    """Soft shades with a little grain."""
    rng = np.random.default_rng(seed)
    shades = cv2.resize(rng.random((5, 5)).astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC)
    return (0.35 + 0.3 * shades + 0.01 * rng.standard_normal((side, side))).astype(np.float32).clip(0, 1)


def line(side: int, ends: tuple[int, int, int, int], width: int) -> np.ndarray:
    canvas = np.zeros((side, side), np.uint8)
    return cv2.line(canvas, ends[:2], ends[2:], 1, width) > 0


def pictures(plane: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(plane, np.float32))[None, None]


def found(plane: np.ndarray, **values: float) -> np.ndarray:
    return scratches(pictures(plane), **values)[0, 0].numpy() > 0


ENDS = [(20, 30, 140, 40), (80, 5, 90, 150), (20, 20, 130, 140), (140, 15, 30, 120)]


@pytest.mark.parametrize("ends", ENDS)
@pytest.mark.parametrize("width", [1, 2, 3])
@pytest.mark.parametrize("level", [0.95, 0.05])
def test_a_scratch_is_found_whatever_its_direction(ends: tuple[int, int, int, int], width: int, level: float) -> None:
    plane, drawn = ground(), line(160, ends, width)
    marked = found(np.where(drawn, level, plane))
    assert marked[drawn].mean() > 0.9
    assert (cv2.dilate(drawn.astype(np.uint8), np.ones((9, 9)))[marked] > 0).mean() > 0.95


def test_crossing_scratches_are_both_found() -> None:
    one, other = line(160, (20, 30, 140, 120), 2), line(160, (30, 130, 130, 20), 2)
    marked = found(np.where(one | other, 0.95, ground()))
    assert marked[one].mean() > 0.85
    assert marked[other].mean() > 0.85


def test_wide_scratches_of_large_scans_are_found_with_a_larger_radius() -> None:
    drawn = line(480, (60, 90, 420, 300), 11)
    plane = np.where(drawn, 0.95, ground(side=480))
    assert found(plane, radius=8)[drawn].mean() > 0.9
    assert found(plane)[drawn].mean() < 0.1


def test_edges_and_soft_shades_are_no_scratches() -> None:
    plane = ground()
    step = np.where(np.arange(160) > 70, 0.3, 0.0) + 0.7 * plane
    for each in (plane, step, np.full((60, 70), 0.5)):
        assert not found(each).any()


@pytest.mark.parametrize("level", [0.95, 0.02])
def test_dust_is_found_on_calm_ground(level: float) -> None:
    plane, specks = np.full((120, 120), 0.5, np.float32), np.zeros((120, 120), np.uint8)
    for at in ((30, 40), (70, 90), (100, 20)):
        cv2.circle(specks, at, 2, 1, -1)
    marked = found(np.where(specks > 0, level, plane))
    assert marked[specks > 0].all()
    assert marked.sum() < 4 * specks.sum()


def test_more_strength_marks_more() -> None:
    plane = np.where(line(160, (20, 30, 140, 50), 1), ground() + 0.12, ground())
    shares = [found(plane, strength=strength).mean() for strength in (0.0, 0.5, 1.0)]
    assert shares[0] <= shares[1] <= shares[2]
    assert shares[2] > 0


def test_a_clean_photograph_stays_nearly_clean_and_its_scratches_are_found(astronaut: Tensor, chelsea: Tensor) -> None:
    for x, centre in ((astronaut, (100, 420)), (chelsea, (330, 60))):
        assert float(scratches(x).mean()) < 0.003
        canvas = np.zeros(x.shape[-2:], np.uint8)
        cv2.line(canvas, (centre[0] - 60, centre[1] - 50), (centre[0] + 50, centre[1] + 55), 1, 2)
        drawn = torch.from_numpy(canvas > 0)
        marked = scratches(x.masked_fill(drawn, 1.0))[0, 0] > 0
        assert float(marked[drawn].float().mean()) > 0.6


def test_negatives_have_the_same_scratches() -> None:
    plane = np.where(line(160, (20, 30, 140, 110), 2), 0.95, ground())
    assert (found(plane) != found(1 - plane)).mean() < 1e-3
