"""Augmentations do what their names say, and only with the generator they are given."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from danqing.core.errors import ParameterError
from danqing.core.learned.model import Samples
from danqing.core.pictures.contract import check_images
from danqing.data.augment import KINDS, augmentations

ALL = ",".join(KINDS)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def augmented(x: torch.Tensor, text: str, generator: torch.Generator) -> torch.Tensor:
    return augmentations(text)(Samples(x), generator).x


def noise(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=rng(99))


@given(st.dictionaries(st.sampled_from(sorted(KINDS)), st.floats(0, 0.5)))
@settings(max_examples=40)
def test_text_round_trips(strengths: dict[str, float]) -> None:
    augment = augmentations(",".join(f"{name}={value!r}" for name, value in strengths.items()))
    assert augmentations(str(augment)) == augment
    assert dict(augment.strengths) == strengths


def test_defaults_and_spaces() -> None:
    assert str(augmentations(" rotate , flip = 1")) == "flip=1,rotate=10"
    assert str(augmentations("")) == ""
    assert not augmentations("")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("spin=3", "no augmentation 'spin'.*Known: flip=0.5, crop=0.1"),
        ("flip=2", "'2' is not a strength of flip, a number from 0 to 1"),
        ("rotate=fast", "'fast' is not a strength of rotate"),
        ("rotate=nan", "'nan' is not a strength"),
        ("noise=", "'' is not a strength of noise"),
        ("flip,flip=1", "flip is given twice"),
        ("crop=-0.1", "'-0.1' is not a strength"),
    ],
)
def test_wrong_text_is_explained(text: str, words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        augmentations(text)


@pytest.mark.parametrize("text", [*KINDS, ALL])
@pytest.mark.parametrize("shape", [(5, 1, 28, 28), (3, 3, 16, 24), (2, 3, 1, 1)])
def test_contract(text: str, shape: tuple[int, ...]) -> None:
    x = noise(*shape)
    before = x.clone()
    out = augmented(x, text, rng())
    assert check_images(out).shape == x.shape
    assert torch.equal(x, before)
    assert torch.equal(out, augmented(x, text, rng()))


@pytest.mark.parametrize("text", [*(name for name in KINDS if name != "flip"), ALL])
def test_each_picture_goes_its_own_way(text: str) -> None:
    same = noise(1, 3, 16, 16).expand(6, -1, -1, -1)
    out = augmented(same, text, rng())
    assert all(not torch.equal(out[at], out[at + 1]) for at in range(5))


@pytest.mark.parametrize("text", KINDS)
def test_strength_zero_changes_nothing(text: str) -> None:
    x = noise(4, 3, 12, 12)
    torch.testing.assert_close(augmented(x, f"{text}=0", rng()), x, atol=2e-6, rtol=0)


def test_no_augmentation_gives_the_batch_itself() -> None:
    x = noise(2, 1, 4, 4)
    assert augmented(x, "", rng()) is x


def test_flip_mirrors_exactly_and_half_of_the_time() -> None:
    x = noise(400, 1, 6, 7)
    assert torch.equal(augmented(x, "flip=1", rng()), x.flip(3))
    out = augmented(x, "flip", rng())
    mirrored = (out == x.flip(3)).all((1, 2, 3))
    assert torch.equal(out[~mirrored], x[~mirrored])
    assert abs(int(mirrored.sum()) - 200) < 4 * 10  # four standard deviations


def test_flip_within_a_warp_is_the_same_flip() -> None:
    x = noise(8, 3, 9, 9)
    together = augmented(x, "flip=1,rotate=0", rng())
    torch.testing.assert_close(together, x.flip(3), atol=2e-6, rtol=0)


def dot(height: int, width: int, row: int, column: int) -> torch.Tensor:
    x = torch.zeros(1, 1, height, width)
    x[0, 0, row, column] = 1
    return x


def centroid(x: torch.Tensor) -> tuple[float, float]:
    """Where the light is, in pixels from the middle, to the right and up."""
    rows = (x.shape[2] - 1) / 2 - torch.arange(x.shape[2])
    columns = torch.arange(x.shape[3]) - (x.shape[3] - 1) / 2
    mass = x[0, 0] / x.sum()
    return float((mass.sum(0) * columns).sum()), float((mass.sum(1) * rows).sum())


@pytest.mark.parametrize(("height", "width"), [(41, 41), (41, 61), (61, 41)])
def test_rotation_turns_by_at_most_its_angle_and_keeps_distances(height: int, width: int) -> None:
    x = dot(height, width, height // 2, width // 2 + 12)
    angles = []
    for seed in range(40):
        right, up = centroid(augmented(x, "rotate=30", rng(seed)))
        assert math.hypot(right, up) == pytest.approx(12, abs=0.3)
        angles.append(math.degrees(math.atan2(up, right)))
    assert max(map(abs, angles)) <= 31.5
    assert min(angles) < -15 < 15 < max(angles)


def test_crop_magnifies_and_never_looks_outside() -> None:
    x = torch.full((64, 1, 32, 32), 0.25)
    x[:, :, 4:-4, 4:-4] = 1  # a frame, of which crop=0.5 can only show less
    share = augmented(x, "crop=0.5", rng()).mean((1, 2, 3))
    whole = float(x[0].mean())
    assert float(share.min()) >= whole - 0.13  # a crop in a corner shows more of two sides of the frame
    assert float(share.max()) > 0.99
    ramp = torch.linspace(0, 1, 32).expand(64, 1, 32, 32)
    cropped = augmented(ramp, "crop=0.5", rng())
    slope = cropped[..., 20] - cropped[..., 12]
    assert float(slope.min()) >= 8 / 31 * 0.5 - 1e-4
    assert float(slope.max()) <= 8 / 31 + 1e-4


def test_jitter_leaves_grey_grey_and_order_alone() -> None:
    ramp = torch.linspace(0.3, 0.6, 16).expand(8, 3, 4, 16)
    out = augmented(ramp, "jitter=0.3", rng())
    torch.testing.assert_close(out[:, 0], out[:, 2])
    assert bool((out.diff(dim=3) >= 0).all())
    assert float(out.mean((1, 2, 3)).std()) > 0.02


def test_cutout_covers_a_square_of_its_size() -> None:
    x = noise(200, 1, 20, 20)
    changed = (augmented(x, "cutout=0.25", rng()) != x).flatten(1).sum(1)
    assert int(changed.max()) == 25
    assert int(changed.min()) >= 4  # a corner covers a quarter, rounded to pixels


def test_noise_has_the_strength_it_says() -> None:
    x = torch.full((300, 1, 32, 32), 0.5)
    deviation = augmented(x, "noise=51", rng()).std((1, 2, 3))
    assert float(deviation.max()) == pytest.approx(0.2, abs=0.01)
    assert float(deviation.mean()) == pytest.approx(0.1, abs=0.01)
