"""Bases are what their names say: those of SciPy and of closed forms, orthonormal or with rows of length one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from danqing.maths.bases import cosine, from_haar, haar, haar_order, into_haar, plane, spline_wavelet


@pytest.mark.parametrize("size", [2, 8, 32])
def test_the_cosine_transform_is_that_of_scipy(size: int) -> None:
    from scipy.fft import dct

    np.testing.assert_allclose(cosine(size).numpy(), dct(np.eye(size), axis=0, norm="ortho"), atol=1e-12)


@pytest.mark.parametrize("basis", [cosine(8), haar(8), haar(32), cosine(5)], ids=["dct8", "haar8", "haar32", "dct5"])
def test_orthonormal_bases_are(basis: Tensor) -> None:
    torch.testing.assert_close(basis @ basis.T, torch.eye(len(basis)).double(), rtol=0, atol=1e-12)


def test_haar_wavelets_have_their_closed_form() -> None:
    root = 0.5**0.5
    expected = [[0.5, 0.5, 0.5, 0.5], [-0.5, -0.5, 0.5, 0.5], [-root, root, 0, 0], [0, 0, -root, root]]
    torch.testing.assert_close(haar(4), torch.tensor(expected).double(), rtol=0, atol=1e-7)


def test_spline_wavelets_have_length_one_and_their_vanishing_moment() -> None:
    """The coarse row sees a constant, no other does; two scales down, away from the seam, the rows are shifts."""
    rows = spline_wavelet(16)
    torch.testing.assert_close(rows.norm(dim=1), torch.ones(16).double(), rtol=0, atol=1e-12)
    seen = rows @ torch.ones(16).double()
    torch.testing.assert_close(seen[1:], torch.zeros(15).double(), rtol=0, atol=1e-12)
    assert float(seen[0]) == pytest.approx(4)
    torch.testing.assert_close(rows[9], rows[8].roll(2), rtol=0, atol=1e-12)
    assert torch.linalg.cond(rows) < 3


def test_a_plane_basis_transforms_lines_and_columns() -> None:
    block = torch.rand(8, 8, generator=torch.Generator().manual_seed(0)).double()
    rows = cosine(8)
    found = plane(rows) @ block.flatten()
    expected = rows @ block @ rows.T
    torch.testing.assert_close(found.sort()[0], expected.flatten().sort()[0])
    for coarse in (1, 2, 5):  # the first n² coefficients are the n x n coarsest
        torch.testing.assert_close(found[: coarse**2].sort()[0], expected[:coarse, :coarse].flatten().sort()[0])


@pytest.mark.parametrize("size", [8, 16, 32, 64])
def test_haar_in_two_steps_is_haar(size: int) -> None:
    x = torch.rand(size, 11, generator=torch.Generator().manual_seed(0)).double()
    found = into_haar(x[haar_order(size)])
    expected = haar(size) @ x
    torch.testing.assert_close(found[0], expected[0])
    torch.testing.assert_close(found.sort(0)[0], expected.sort(0)[0])
    torch.testing.assert_close(from_haar(found), x[haar_order(size)])
