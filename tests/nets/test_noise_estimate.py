"""The estimate of noise: right for white noise, near for that of cameras, little for texture."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from danqing import add_camera_noise, denoise
from danqing.core.artefacts.pictures import recipe_in
from danqing.core.learned.weights import load
from danqing.core.operators.operator import operator_named
from danqing.core.pictures.writing import write
from danqing.core.progress import finish
from danqing.core.runs.folders import Folders
from danqing.core.runs.run import run
from danqing.maths.colour import brightness
from danqing.maths.noise import by_statistics, not_told_from_afar
from danqing.nets.noise_estimate import METER, MORE, estimate_noise


def noisy(x: Tensor, sigma: float) -> Tensor:
    return (x + sigma / 255 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)


def camera_noise(x: Tensor, **values: object) -> tuple[Tensor, float]:
    """A photograph with a camera's noise, and the root mean square of that, of 255."""
    taken, calm = (add_camera_noise(x, iso=iso, read=0, **values) for iso in (12800, 50))
    return taken, 255 * float((taken - calm).square().mean().sqrt())


@pytest.mark.parametrize("sigma", [5, 15, 25, 50])
def test_white_noise_is_left_to_the_statistics(sigma: float, astronaut: Tensor, chelsea: Tensor) -> None:
    for x in (astronaut[..., :256, :256], chelsea[..., :256, :256]):
        spoilt = noisy(x, sigma)
        found = estimate_noise(spoilt)
        assert bool(found.white)
        torch.testing.assert_close(found.level, by_statistics(spoilt).float())
        assert torch.equal(found.told, found.level)


@pytest.mark.parametrize("finish", ["plain", "camera", "phone"])
def test_noise_of_cameras_is_found_which_statistics_miss(finish: str, astronaut: Tensor, chelsea: Tensor) -> None:
    for x in (astronaut[..., :256, :256], chelsea[..., :256, :256]):
        spoilt, sigma = camera_noise(x, finish=finish)
        found = estimate_noise(spoilt)
        assert not bool(found.white)
        assert 255 * float(found.level) == pytest.approx(sigma, rel=0.4)
        torch.testing.assert_close(found.told, MORE * found.level)
        assert 255 * float(by_statistics(spoilt)) < 0.6 * sigma


def test_texture_is_not_taken_for_noise(astronaut: Tensor, chelsea: Tensor) -> None:
    for x in (astronaut, chelsea, brightness(chelsea)):
        assert 255 * float(estimate_noise(x).told) < 2.5


def stripes() -> Tensor:
    """A fabric: hard stripes across, soft ones along, and both."""
    down, across = torch.meshgrid(torch.arange(256.0), torch.arange(256.0), indexing="ij")
    hard = 0.5 + 0.35 * torch.sign(torch.sin(math.tau * (0.9 * across + 0.3 * down) / 7.3))
    soft = 0.5 + 0.3 * torch.sin(math.tau * (0.2 * across + down) / 5.1)
    return torch.stack([hard, soft, (hard + soft) / 2])[None]


@pytest.mark.parametrize("sigma", [0, 5, 15, 25, 50])
def test_stripes_are_not_taken_for_noise(sigma: float) -> None:
    """They go on, as noise does not: with and without noise on them, only that is told."""
    found = estimate_noise(noisy(stripes(), sigma))
    assert bool(found.white)
    assert 255 * float(found.told) == pytest.approx(sigma, rel=0.1, abs=1)
    if not sigma:
        assert torch.equal(denoise(stripes()), stripes())


@pytest.mark.parametrize("white", [0.0, 0.8])
def test_noise_is_never_more_than_what_cannot_be_told_from_afar(white: float, astronaut: Tensor) -> None:
    """Of white and of a camera's noise, on a photograph and on one that is mostly blown out."""
    x = astronaut.clone()
    x[..., : int(white * x.shape[-2]), :] = 1.0
    sigma = 10.0
    for spoilt, strength in ((noisy(x, sigma), sigma), camera_noise(x)):
        assert 255 * float(not_told_from_afar(spoilt)) > strength
    assert float(not_told_from_afar(x[..., :13, :13])) == math.inf


def test_the_grain_of_cameras_is_coarser(chelsea: Tensor) -> None:
    white, taken = noisy(chelsea, 20), camera_noise(chelsea, finish="phone")[0]
    assert float(estimate_noise(white).noise.grain) < 0.15 < float(estimate_noise(taken).noise.grain)


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 1, 1), (3, 2, 9)])
def test_pictures_too_small_to_tell_are_not_said_to_be_noisy(shape: tuple[int, int, int]) -> None:
    found = estimate_noise(torch.rand(2, *shape, generator=torch.Generator().manual_seed(0)))
    assert found.level.isnan().all()
    assert found.told.tolist() == [0, 0]


def test_what_is_not_seen_does_not_count(chelsea: Tensor) -> None:
    """Half of a picture that is seen is said to be as noisy as it is alone, whatever lies in the other."""
    spoilt, _ = camera_noise(chelsea[..., :192, :192])
    seen = torch.ones(1, 192, 192, dtype=torch.bool)
    seen[..., 96:] = False
    alone = estimate_noise(spoilt[..., :96].contiguous())
    for beside in (spoilt, noisy(spoilt, 60), torch.where(seen[:, None], spoilt, 0.5)):
        found = estimate_noise(torch.where(seen[:, None], spoilt, beside), seen)
        torch.testing.assert_close(found.told, alone.told)
        torch.testing.assert_close(found.noise.grain, alone.noise.grain)
    nothing_whole = torch.zeros_like(seen)
    nothing_whole[:, ::5, ::5] = True
    assert estimate_noise(spoilt, nothing_whole).told.tolist() == [0]


@pytest.mark.parametrize(
    ("name", "values", "asked"),
    [
        ("denoise", {"weights": "denoise-tiny"}, True),
        ("denoise", {"weights": "denoise-tiny", "sigma": 20.0}, False),
        ("repair", {"size": "tiny"}, True),
        ("enhance", {}, True),
        ("enhance", {"method": "clahe"}, False),
        ("noise_level", {}, True),
        ("noise_level", {"method": "patches"}, False),
    ],
)
def test_whoever_asks_the_meter_says_so_in_the_recipe(
    name: str, values: dict[str, Any], asked: bool, tmp_path: Path, chelsea: Tensor
) -> None:
    photo, out = tmp_path / "photo.png", tmp_path / ("out.json" if name == "noise_level" else "out.png")
    write(noisy(0.3 * chelsea[..., :96, :96], 10), photo)  # dark enough to be brightened
    finish(run(operator_named(name), values, Folders([photo], out=out)))
    recipe = recipe_in(out)
    assert recipe is not None
    assert recipe[-1].uses.get(METER) == ({"sha256": load(METER).card["sha256"]} if asked else None)


def test_letters_and_outlines_are_no_noise(page: Tensor, cartoon: Tensor) -> None:
    for x in (page, cartoon, brightness(page)):
        found = estimate_noise(x)
        assert found.level.tolist() == found.told.tolist() == [0]
    assert 255 * float(estimate_noise(noisy(page * 0.8 + 0.1, 10)).told) == pytest.approx(10, rel=0.4)


def test_a_thumbnail_is_fine_and_not_noisy(chelsea: Tensor) -> None:
    small = torch.nn.functional.interpolate(chelsea, size=(40, 60), mode="area")
    assert bool(estimate_noise(small).white)
