"""Degradations: closed forms, what they must not change, and that each picture has its own strength."""

from __future__ import annotations

import io
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage
from torch import Generator, Tensor

from danqing.core.pictures.contract import to_uint8
from danqing.maths import degradation as d
from danqing.maths.point_spread import point_spread

ALL = {
    "gaussian": lambda x, s, rng: d.gaussian_noise(x, 0.3 * s, rng),
    "poisson": lambda x, s, rng: d.poisson_gaussian(x, 20 / s.clamp(min=0), 0.01 * s, rng),
    "salt and pepper": lambda x, s, rng: d.salt_and_pepper(x, 0.2 * s, rng),
    "jpeg": lambda x, s, rng: d.jpeg(x, 95 - 90 * s),
    "defocus": lambda x, s, rng: d.defocus(x, 9 * s),
    "motion": lambda x, s, rng: d.motion(x, 20 * s, 70 * s),
    "low light": lambda x, s, rng: d.low_light(x, 1 - 0.9 * s, 1 + s, 0.02 * s, rng),
    "faded": lambda x, s, rng: d.faded(x, s, rng),
}
RANDOM = ("gaussian", "poisson", "salt and pepper", "low light", "faded")
Degrade = Callable[[Tensor, Tensor, Generator], Tensor]


def rng(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def flat(level: float, side: int = 400) -> Tensor:
    return torch.full((1, 1, side, side), level)


@pytest.mark.parametrize("name", [name for name in ALL if name != "jpeg"])
def test_no_strength_is_no_change(name: str, chelsea: Tensor) -> None:
    x = chelsea[..., :64, :80]
    torch.testing.assert_close(ALL[name](x, torch.zeros(1), rng()), x, rtol=0, atol=2e-6)


@pytest.mark.parametrize("name", ALL)
def test_each_picture_has_its_own_strength(name: str, chelsea: Tensor) -> None:
    x = chelsea[..., :64, :80].repeat(3, 1, 1, 1)
    y = ALL[name](x, torch.tensor([0.0, 0.4, 1.0]), rng())
    change = (y - x).square().mean((1, 2, 3))
    assert change[0] < change[1] < change[2]
    assert y.dtype == torch.float32
    assert y.shape == x.shape
    assert float(y.min()) >= 0
    assert float(y.max()) <= 1


@pytest.mark.parametrize("name", ALL)
def test_one_strength_is_for_all_and_the_input_is_left_alone(name: str, chelsea: Tensor) -> None:
    x = chelsea[..., :64, :80].repeat(2, 1, 1, 1)
    before = x.clone()
    one, both = (ALL[name](x, strength, rng()) for strength in (torch.tensor(0.5), torch.full((2,), 0.5)))
    assert torch.equal(one, both)
    assert torch.equal(x, before)


@pytest.mark.parametrize("name", RANDOM)
def test_chance_comes_from_the_generator_alone(name: str, chelsea: Tensor) -> None:
    x, s = chelsea[..., :64, :80], torch.tensor(0.8)
    assert torch.equal(ALL[name](x, s, rng(3)), ALL[name](x, s, rng(3)))
    assert not torch.equal(ALL[name](x, s, rng(3)), ALL[name](x, s, rng(4)))


@pytest.mark.parametrize("sigma", [0.02, 0.1, 0.3])
def test_gaussian_noise_has_the_variance_asked_for_and_is_white(sigma: float) -> None:
    y = d.gaussian_noise(flat(0.5), torch.tensor(sigma), rng(), clip=False) - 0.5
    assert float(y.std()) == pytest.approx(sigma, rel=0.01)
    assert abs(float(y.mean())) < 4 * sigma / 400
    assert abs(float((y[..., 1:] * y[..., :-1]).mean())) < 4 * sigma**2 / 400
    assert float(d.gaussian_noise(flat(1.0), torch.tensor(sigma), rng()).max()) == 1


@pytest.mark.parametrize("photons", [0.5, 3.0, 5.9, 6.1, 40.0, 1000.0])
def test_photons_keep_the_mean_and_have_their_variance_and_skewness(photons: float) -> None:
    """160,000 draws: the mean is known to 1/400 of the deviation, the variance to about 0.4 %."""
    counts = photons * d.poisson_gaussian(flat(1.0), torch.tensor(photons), torch.tensor(0.0), rng(), clip=False)
    assert float(counts.mean()) == pytest.approx(photons, abs=5 * math.sqrt(photons) / 400)
    assert float(counts.var()) == pytest.approx(photons, rel=0.03)
    skew = float(((counts - photons) ** 3).mean()) / photons**1.5
    assert skew == pytest.approx(photons**-0.5, abs=0.12 * photons**-0.5 + 0.03)
    assert float(counts.min()) >= 0


def test_few_photons_are_whole_and_have_poissons_probabilities() -> None:
    counts = 4 * d.poisson_gaussian(flat(0.5), torch.tensor(4.0), torch.tensor(0.0), rng(), clip=False)
    torch.testing.assert_close(counts, counts.round(), rtol=0, atol=1e-5)
    for number in range(6):
        expected = math.exp(-2) * 2**number / math.factorial(number)
        assert float((counts.round() == number).float().mean()) == pytest.approx(expected, abs=0.005)


def test_the_noise_of_reading_adds_to_that_of_photons() -> None:
    y = d.poisson_gaussian(flat(0.5), torch.tensor(100.0), torch.tensor(0.05), rng(), clip=False)
    assert float(y.var()) == pytest.approx(0.5 / 100 + 0.05**2, rel=0.02)


def test_salt_and_pepper_hit_whole_pixels_equally_often() -> None:
    y = d.salt_and_pepper(torch.full((1, 3, 400, 400), 0.5), torch.tensor(0.3), rng())
    assert float((y == 0).float().mean()) == pytest.approx(0.15, abs=0.004)
    assert float((y == 1).float().mean()) == pytest.approx(0.15, abs=0.004)
    assert torch.equal(y[:, 0], y[:, 1])


@pytest.mark.parametrize(("chroma", "subsampling"), [("4:2:0", 2), ("4:2:2", 1), ("4:4:4", 0)])
@pytest.mark.parametrize("quality", [5, 30, 95])
def test_jpeg_is_pillows(chroma: d.Chroma, subsampling: int, quality: int, chelsea: Tensor) -> None:
    x = chelsea[..., :77, :90]
    file = io.BytesIO()
    Image.fromarray(to_uint8(x)[0]).save(file, "JPEG", quality=quality, subsampling=subsampling)
    assert np.array_equal(to_uint8(d.jpeg(x, torch.tensor(quality), chroma))[0], np.asarray(Image.open(file)))


def test_a_grey_jpeg_is_grey(camera: Tensor) -> None:
    x = camera[..., 200:300, 200:300]
    file = io.BytesIO()
    Image.fromarray(to_uint8(x)[0, ..., 0]).save(file, "JPEG", quality=20)
    assert np.array_equal(to_uint8(d.jpeg(x, torch.tensor(20.0)))[0, ..., 0], np.asarray(Image.open(file)))


@pytest.mark.parametrize("radius", [0.3, 2.5, 6.0, 12.0])
def test_defocus_is_scipys_convolution_with_a_disk(radius: float, camera: Tensor) -> None:
    x = camera[..., 200:270, 200:290]
    expected = ndimage.convolve(x[0, 0].double().numpy(), point_spread("disk", radius).numpy(), mode="reflect")
    torch.testing.assert_close(d.defocus(x, torch.tensor(radius))[0, 0].double(), torch.from_numpy(expected).clip(0, 1),
                               rtol=0, atol=2e-6)  # fmt: skip


@pytest.mark.parametrize("side", [3, 15, 17, 31])
def test_any_kernel_is_convolved_not_correlated(side: int, camera: Tensor) -> None:
    x = camera[..., 200:260, 200:275].repeat(2, 1, 1, 1)
    kernels = torch.rand(2, side, side, generator=rng())
    kernels /= kernels.sum((1, 2), keepdim=True)
    for y, kernel in zip(d.kernel_blur(x, kernels), kernels, strict=True):
        expected = ndimage.convolve(x[0, 0].double().numpy(), kernel.double().numpy(), mode="reflect")
        torch.testing.assert_close(y[0].double(), torch.from_numpy(expected), rtol=0, atol=2e-6)


def test_motion_goes_its_way_and_no_other() -> None:
    """A bright dot becomes a line of the asked length and angle; no light is lost."""
    x = torch.zeros(3, 1, 61, 61)
    x[:, :, 30, 30] = 1
    y = d.motion(x, torch.tensor(21.0), torch.tensor([0.0, 90.0, 30.0]))
    torch.testing.assert_close(y.sum((1, 2, 3)), torch.ones(3))
    assert (y[0, 0].sum(1) > 1e-4).sum() == 1
    assert (y[1, 0].sum(0) > 1e-4).sum() == 1
    place = torch.arange(61.0) - 30
    down, across = (y[2, 0] * place[:, None]), (y[2, 0] * place[None])
    covariance = (down * place[None]).sum()
    slope = -covariance / (across * place[None]).sum()  # rows count downwards
    assert float(slope) == pytest.approx(math.tan(math.radians(30)), rel=0.05)
    assert float((across * place[None]).sum() + (down * place[:, None]).sum()) == pytest.approx(21**2 / 12, rel=0.1)


@pytest.mark.parametrize("name", ["defocus", "motion"])
def test_blur_leaves_plain_pictures_plain(name: str) -> None:
    x = torch.full((1, 3, 40, 50), 0.6)
    for strength in (0.2, 1.0):
        torch.testing.assert_close(ALL[name](x, torch.tensor(strength), rng()), x, rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", ["bicubic", "lanczos"])
@pytest.mark.parametrize("factor", [2, 3, 4])
def test_shrinking_is_that_of_resize(kind: d.Shrinking, factor: int, chelsea: Tensor) -> None:
    from danqing import resize

    x = chelsea[..., : 24 * factor, : 36 * factor]
    expected = resize(x, width=36, height=24, filter=kind)
    assert torch.equal(d.shrink(x, factor, kind), expected)


def test_area_is_the_mean_and_nearest_takes_pixels(chelsea: Tensor) -> None:
    x = chelsea[..., :90, :120]
    mean = torch.nn.functional.avg_pool2d(x, 3)
    torch.testing.assert_close(d.shrink(x, 3, "area"), mean, rtol=0, atol=1e-6)
    assert torch.equal(d.shrink(x, 3, "nearest"), x[..., 1::3, 1::3])
    assert d.shrink(x[..., :1, :4], 8).shape == (1, 3, 1, 1)
    assert torch.equal(d.shrink(x, 1), x)


def test_bicubic_shrinking_does_not_alias() -> None:
    """Stripes too fine for the small picture become grey."""
    x = (torch.arange(96) % 2).float().expand(1, 1, 96, 96)
    assert float((d.shrink(x, 4) - 0.5)[..., 2:-2].abs().max()) < 0.02


def test_low_light_without_noise_is_less_linear_light(chelsea: Tensor) -> None:
    from danqing.maths.colour import to_linear

    dark = d.low_light(chelsea, torch.tensor(0.2), torch.tensor(1.5), torch.tensor(0.0), rng())
    torch.testing.assert_close(to_linear(dark), 0.2 * to_linear(chelsea) ** 1.5, rtol=1e-4, atol=1e-6)


def test_low_light_noise_is_that_of_a_camera() -> None:
    from danqing.maths.colour import from_linear, to_linear

    light, sigma = 0.4, 0.004
    x = from_linear(flat(light))
    noisy = to_linear(d.low_light(x, torch.tensor(0.5), torch.tensor(1.0), torch.tensor(sigma), rng()))
    shot = (sigma**2 / math.exp(1.2)) ** (1 / 2.18)
    assert float(noisy.var()) == pytest.approx(0.2 * shot + sigma**2, rel=0.03)
    assert float(noisy.mean()) == pytest.approx(0.2, rel=0.01)


def test_fading_lifts_blacks_yellows_whites_and_lowers_contrast() -> None:
    ramp = torch.linspace(0, 1, 50).expand(8, 3, 4, 50)
    y = d.faded(ramp, torch.tensor(1.0), rng())
    assert (y[..., 0] > 0.06).all()
    white = y[..., -1].mean(2)
    assert (white[:, 0] >= white[:, 2]).float().mean() > 0.8  # yellow paper: less blue than red, but for odd draws
    assert (y.diff(dim=-1) >= 0).all()
    assert (y.amax(-1) - y.amin(-1) < 0.9).all()
    casts = y.mean((2, 3))
    assert (casts - casts.mean(1, keepdim=True)).abs().amax(1).min() > 0.003  # each has a cast of its own


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (3, 200)])
def test_tiny_pictures(name: str, size: tuple[int, int]) -> None:
    for channels in (1, 3):
        x = torch.rand(2, channels, *size, generator=rng())
        y = ALL[name](x, torch.tensor(1.0), rng())
        assert y.shape == x.shape
        assert bool(y.isfinite().all())
