"""A first estimate under noise: laws of the filter, and what it gains on photographs."""

import pytest
import torch
from scipy import fft

from danqing.maths.borders import mirrored
from danqing.maths.shrinkage import SIDE, STEP, THRESHOLD, shrunk


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("size", [(1, 1), (3, 50), (8, 8), (17, 30), (64, 65)])
@pytest.mark.parametrize("channels", [1, 3])
def test_nothing_changes_without_noise_and_size_stays(size, channels):
    x = torch.rand(2, channels, *size, generator=torch.Generator().manual_seed(1))
    assert torch.equal(shrunk(x, torch.zeros(2)), x)
    assert shrunk(x, torch.full((2,), 0.1)).shape == x.shape


def test_it_is_the_mean_of_filtered_blocks():
    """A second way to the same result: SciPy's transform, block after block."""
    x, sigma = torch.rand(1, 1, 24, 22, generator=torch.Generator().manual_seed(2)), 0.15
    padded = mirrored(x, SIDE)[0, 0].double().numpy()
    total, norm = padded * 0, padded * 0
    for top in range(0, padded.shape[0] - SIDE + 1, STEP):
        for left in range(0, padded.shape[1] - SIDE + 1, STEP):
            place = slice(top, top + SIDE), slice(left, left + SIDE)
            found = fft.dctn(padded[place], norm="ortho")
            kept = abs(found) > THRESHOLD * sigma
            kept[0, 0] = True
            total[place] += fft.idctn(found * kept, norm="ortho") / kept.sum()
            norm[place] += 1 / kept.sum()
    theirs = torch.from_numpy(total / norm)[SIDE:-SIDE, SIDE:-SIDE]
    assert torch.allclose(shrunk(x, torch.tensor([sigma]))[0, 0].double(), theirs, atol=1e-5)


def test_pictures_of_a_batch_are_filtered_by_their_own_level():
    x = torch.rand(3, 3, 20, 28, generator=torch.Generator().manual_seed(3))
    levels = torch.tensor([0.02, 0.0, 0.2])
    together = shrunk(x, levels)
    for at in range(3):
        assert torch.allclose(together[at : at + 1], shrunk(x[at : at + 1], levels[at : at + 1]), atol=1e-5)


def test_twice_the_picture_and_twice_the_noise_is_twice_the_result():
    x = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(4))
    assert torch.allclose(shrunk(2 * x, torch.tensor([0.2])), 2 * shrunk(x, torch.tensor([0.1])), atol=1e-5)


def test_most_of_white_noise_goes():
    left = shrunk(0.5 + 0.1 * noise(1, 3, 128, 128), torch.tensor([0.1])) - 0.5
    assert left.std() < 0.25 * 0.1


def test_an_edge_stays():
    x = torch.zeros(1, 1, 64, 64)
    x[..., 29:] = 1
    left = shrunk(x + 0.05 * noise(1, 1, 64, 64, seed=5), torch.tensor([0.05]))
    assert (left - x).square().mean().sqrt() < 0.02
    assert left[..., 29].mean() - left[..., 28].mean() > 0.9
