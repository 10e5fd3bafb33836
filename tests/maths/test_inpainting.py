"""Holes are filled and nothing else; the membrane is harmonic; texture is repeated, not smeared."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from scipy.sparse import lil_matrix
from scipy.sparse.linalg import spsolve
from skimage import data
from skimage.restoration import inpaint_biharmonic
from torch import Tensor

from danqing.core.errors import ParameterError
from danqing.core.progress import finish
from danqing.maths.exemplar import exemplar
from danqing.maths.inpainting import filled
from danqing.maths.membrane import halved, membrane
from danqing.maths.patches import grid_of, searched, unlikeness

METHODS = ("exemplar", "biharmonic", "telea", "navier-stokes")


def holes(height: int, width: int, *boxes: tuple[int, int, int, int]) -> Tensor:
    marked = torch.zeros(1, height, width, dtype=torch.bool)
    for top, left, down, right in boxes:
        marked[0, top : top + down, left : left + right] = True
    return marked


def harmonic(values: np.ndarray, unknown: np.ndarray) -> np.ndarray:
    """The exact solution of Laplace's equation with mirrored borders."""
    rank = np.full(unknown.shape, -1)
    rank[unknown] = np.arange(unknown.sum())
    matrix, right = lil_matrix((unknown.sum(),) * 2), np.zeros(unknown.sum())
    for y, x in zip(*np.nonzero(unknown), strict=True):
        for ny, nx in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
            if 0 <= ny < unknown.shape[0] and 0 <= nx < unknown.shape[1]:
                matrix[rank[y, x], rank[y, x]] += 1
                if unknown[ny, nx]:
                    matrix[rank[y, x], rank[ny, nx]] -= 1
                else:
                    right[rank[y, x]] += values[ny, nx]
    out = values.copy()
    out[unknown] = spsolve(matrix.tocsr(), right)
    return out


@pytest.mark.parametrize("box", [(10, 12, 30, 40), (0, 0, 35, 40), (1, 1, 58, 68)])
def test_the_membrane_is_the_harmonic_function(box: tuple[int, int, int, int]) -> None:
    y, x = np.mgrid[:60, :70] / 70
    values, unknown = x * (1 - y) ** 2 + 0.1 * np.sin(9 * x), holes(60, 70, box)[0].numpy()
    found = membrane(values[..., None].astype(np.float32), unknown)[..., 0]
    np.testing.assert_allclose(found, harmonic(values, unknown), atol=0.01)
    assert np.array_equal(found[~unknown], values.astype(np.float32)[~unknown])


def test_the_membrane_carries_a_plane_through() -> None:
    y, x = np.mgrid[:40, :50]
    plane = (0.2 + 0.01 * x + 0.005 * y)[..., None].astype(np.float32)
    np.testing.assert_allclose(membrane(plane, holes(40, 50, (5, 5, 28, 35))[0].numpy()), plane, atol=0.005)


def test_halving_takes_the_mean_of_what_is_known() -> None:
    values = np.arange(15, dtype=np.float32).reshape(3, 5, 1)
    unknown = np.zeros((3, 5), bool)
    unknown[0, 0] = unknown[2, 4] = True
    small, hidden = halved(values, unknown)
    assert small.shape == (2, 3, 1)
    assert small[0, 0, 0] == pytest.approx((1 + 5 + 6) / 3)
    assert hidden.tolist() == [[False, False, False], [False, False, True]]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("channels", [1, 3])
def test_known_pixels_come_back_exactly(method: str, channels: int, astronaut: Tensor) -> None:
    x = astronaut[:, :channels, 100:190, 100:200] * 0.9876543
    marked = holes(90, 100, (20, 30, 9, 25), (0, 80, 30, 4), (70, 0, 3, 50))
    out = finish(filled(x, marked, method, 3, 0))
    kept = ~marked[:, None].expand_as(x)
    assert torch.equal(out[kept], x[kept])
    assert not torch.equal(out, x)
    assert 0 <= float(out.min()) <= float(out.max()) <= 1


@pytest.mark.parametrize(("method", "flag"), [("telea", cv2.INPAINT_TELEA), ("navier-stokes", cv2.INPAINT_NS)])
def test_fast_methods_are_those_of_opencv_finer_than_its_bytes(method: str, flag: int, chelsea: Tensor) -> None:
    x, marked = chelsea[..., 50:250, 50:250], holes(200, 200, (90, 60, 6, 70), (30, 40, 40, 5))
    out = finish(filled(x, marked, method, 3, 0))[0].permute(1, 2, 0).numpy()
    whole = np.rint(x[0].permute(1, 2, 0).numpy() * 65535).astype(np.uint16)
    theirs = [cv2.inpaint(np.ascontiguousarray(whole[..., c]), marked[0].byte().numpy(), 3, flag) for c in range(3)]
    np.testing.assert_allclose(out, np.stack(theirs, 2) / 65535, atol=2e-3)
    assert len(np.unique(out[marked[0].numpy()])) > 300


def test_biharmonic_is_that_of_scikit_image(chelsea: Tensor) -> None:
    x, marked = chelsea[..., 50:200, 50:200], holes(150, 150, (60, 20, 7, 100))
    out = finish(filled(x, marked, "biharmonic", 3, 0))[0].permute(1, 2, 0).numpy()
    theirs = inpaint_biharmonic(x[0].permute(1, 2, 0).double().numpy(), marked[0].numpy(), channel_axis=-1)
    np.testing.assert_allclose(out, theirs.clip(0, 1), atol=1e-7)  # the same sums in float64, then rounded to float32


def saddle() -> Tensor:
    y, x = torch.meshgrid(torch.linspace(-1, 1, 260), torch.linspace(-1, 1, 260), indexing="ij")
    return (0.5 + 0.2 * x * y + 0.15 * (x.square() - y.square()))[None, None]  # bends nowhere: Δ² = 0


def test_a_biharmonic_hole_is_the_exact_surface() -> None:
    """The slope at the rim, from two pixels rounded by 2⁻²⁵, is continued over 80 px: by 5e-6 at most."""
    out = finish(filled(saddle(), holes(260, 260, (50, 50, 160, 160)), "biharmonic", 3, 0))
    assert float((out - saddle()).abs().max()) < 5e-6


def test_a_large_biharmonic_hole_is_about_the_exact_surface() -> None:
    out = finish(filled(saddle(), holes(260, 260, (30, 30, 200, 200)), "biharmonic", 3, 0))
    assert float((out - saddle()).abs().max()) < 1e-3


@pytest.mark.parametrize("method", METHODS)
def test_a_plain_picture_stays_plain(method: str) -> None:
    x = torch.full((1, 3, 40, 50), 0.3)
    out = finish(filled(x, holes(40, 50, (10, 10, 20, 25)), method, 3, 0))
    torch.testing.assert_close(out, x, rtol=0, atol=2e-4)


def test_a_repeated_pattern_is_continued_exactly() -> None:
    y, x = torch.meshgrid(torch.arange(96), torch.arange(96), indexing="ij")
    tiles = (((y // 4) % 3 + (x // 6) % 2) / 4)[None, None].float()
    out = finish(filled(tiles, holes(96, 96, (36, 40, 24, 20)), "exemplar", 3, 0))
    assert float((out - tiles).abs().mean() / (24 * 20 / 96**2)) < 0.02


def test_texture_keeps_its_contrast_where_surfaces_lose_it() -> None:
    gravel = torch.from_numpy(data.gravel()[100:260, 100:260] / 255).float()[None, None]
    marked = holes(160, 160, (55, 55, 50, 50))

    def detail(x: Tensor) -> float:
        return float(x[0, 0, 56:104, 56:104].diff(dim=1).abs().mean())

    surface, texture = (detail(finish(filled(gravel, marked, m, 3, 0))) for m in ("biharmonic", "exemplar"))
    assert texture > 0.75 * detail(gravel)
    assert surface < 0.5 * detail(gravel)


def test_the_search_never_gets_worse_and_finds_an_exact_copy(camera: Tensor) -> None:
    picture = camera[0, 0, 200:264, 200:264].numpy()
    picture = np.concatenate([picture, picture], 1)[..., None]  # everything is there twice, 64 columns apart
    grid = grid_of(picture, holes(64, 128, (20, 20, 8, 8))[0].numpy(), 3)
    grid.pixels[:] = picture.reshape(-1, 1)  # what stands in the hole is right
    rng = np.random.default_rng(0)
    there = rng.choice(np.flatnonzero(grid.known), grid.here.size)
    before = unlikeness(grid, grid.here, there)
    for _ in range(8):
        there = searched(grid, there, rng)
        after = unlikeness(grid, grid.here, there)
        assert (after <= before + 1e-5).all()
        before = after
    assert np.mean(there == grid.here + 64) > 0.9


def test_holes_far_apart_are_filled_as_if_alone(astronaut: Tensor) -> None:
    big = torch.cat([astronaut, astronaut], 3)[:, :, :300]
    one, two = holes(300, 1024, (100, 100, 12, 12)), holes(300, 1024, (100, 900, 12, 12))
    both = finish(filled(big, one | two, "exemplar", 3, 0))
    for each in (one, two):
        alone = finish(filled(big, each, "exemplar", 3, 0))
        inside = each[:, None].expand_as(big)
        assert torch.equal(both[inside], alone[inside])


def test_nothing_marked_changes_nothing_and_all_marked_is_refused(chelsea: Tensor) -> None:
    x = chelsea[..., :30, :40]
    assert torch.equal(finish(filled(x, holes(30, 40), "exemplar", 3, 0)), x)
    with pytest.raises(ParameterError, match="mask: covers the whole picture"):
        finish(filled(x, holes(30, 40, (0, 0, 30, 40)), "telea", 3, 0))


def test_a_hole_without_whole_patches_around_it_is_filled_all_the_same() -> None:
    marked = torch.ones(1, 30, 30, dtype=torch.bool)
    marked[0, ::5, ::5] = False
    out = finish(filled(torch.full((1, 1, 30, 30), 0.7), marked, "exemplar", 3, 0))
    torch.testing.assert_close(out, torch.full((1, 1, 30, 30), 0.7), rtol=0, atol=1e-3)


def test_progress_ends_where_it_should(chelsea: Tensor) -> None:
    marked, seen = holes(120, 120, (30, 30, 20, 20)), []
    for step in filled(chelsea[..., :120, :120], marked, "exemplar", 3, 0):
        seen.append(step.done / step.total)
    assert seen == sorted(seen)
    assert 0 <= seen[0] < seen[-1] <= 1


def test_the_exemplar_gives_values_in_range_for_extreme_pictures() -> None:
    picture = (np.random.default_rng(0).random((50, 50, 3)) > 0.5).astype(np.float32)
    out = finish(exemplar(picture, holes(50, 50, (15, 15, 20, 20))[0].numpy(), 3, np.random.default_rng(0)))
    assert out.dtype == np.float32
    assert 0 <= out.min() <= out.max() <= 1
