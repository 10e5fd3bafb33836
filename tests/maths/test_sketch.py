import pytest
import torch
from torch.nn import functional

from danqing.data.digits import digits
from danqing.maths.sketch import DIM, _patterns, diversity, sketch_distance, sketch_features

COUNT = 256


@pytest.fixture(scope="module")
def pictures():
    return torch.from_numpy(digits("train")[0][: 2 * COUNT].copy()).float()[:, None] / 255


def noise_like(x, sigma):
    return sigma * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("shape", [(3, 1, 28, 28), (2, 3, 32, 32), (1, 3, 64, 50), (4, 1, 16, 16), (1, 3, 1, 1)])
def test_describes_any_size_by_the_same_number_of_features_one_picture_at_a_time(shape):
    x = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    found = sketch_features(x)
    assert found.shape == (shape[0], DIM)
    assert torch.isfinite(found).all()
    assert torch.allclose(found[:1], sketch_features(x[:1]), atol=1e-6)


def test_patterns_are_orthonormal_and_blind_to_flat_pictures():
    flat = _patterns().flatten(1)
    assert torch.allclose(flat @ flat.T, torch.eye(8), atol=1e-6)
    assert sketch_features(torch.full((1, 3, 32, 32), 0.4))[0, 16:80].abs().max() < 1e-5


def test_grey_shown_in_colour_is_described_alike(pictures):
    colour = pictures[:5].expand(-1, 3, -1, -1)
    assert torch.allclose(sketch_features(colour), sketch_features(pictures[:5]), atol=1e-6)


def test_collapsed_sets_are_far_less_diverse_than_real_ones(pictures):
    real = diversity(sketch_features(pictures[:64]))
    one = pictures[:1].expand(64, -1, -1, -1)
    assert diversity(sketch_features((one + noise_like(one, 0.03)).clamp(0, 1))) < 0.1 * real
    assert diversity(sketch_features(one)) == pytest.approx(0, abs=1e-6)
    assert diversity(sketch_features(pictures[64:128])) == pytest.approx(real, rel=0.1)


def test_its_distance_orders_misfits_as_a_person_would(pictures):
    seen, fresh = pictures[:COUNT], pictures[COUNT:]
    sets = [
        fresh,
        (fresh + noise_like(fresh, 0.05)).clamp(0, 1),
        functional.avg_pool2d(fresh, 3, 1, 1),
        functional.avg_pool2d(fresh, 5, 1, 2),
        fresh[:1].expand(COUNT, -1, -1, -1),
        torch.rand(fresh.shape, generator=torch.Generator().manual_seed(1)),
    ]
    found = [sketch_distance(sketch_features(seen), sketch_features(x)) for x in sets]
    assert found == sorted(found)
    assert found[-1] > 50 * found[0]
    eight = fresh[:8].repeat(COUNT // 8, 1, 1, 1)  # as diverse as ever, by pairs; the distance sees it
    assert sketch_distance(sketch_features(seen), sketch_features(eight)) > 5 * found[0]
