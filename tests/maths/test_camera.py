"""A camera without noise gives the picture back; with noise, that of cameras: stronger with light, and with a grain."""

from __future__ import annotations

import math
import typing

import pytest
import torch
from torch import Tensor

from danqing.maths.camera import BITS, MARGIN, Shot, blurred, developed, exposed, finished, photographed, sensed
from danqing.maths.demosaic import Demosaic, demosaiced, mosaic
from danqing.maths.snapshots import GRAINY, drawn, grainy, snapshots

METHODS = typing.get_args(Demosaic)
SETTINGS = Shot(gains=(2.0, 1.6), overlap=0.5, curve=True)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def likeness(noise: Tensor) -> float:
    """The correlation of neighbours in a row."""
    noise = noise - noise.mean((2, 3), keepdim=True)
    return float((noise[..., 1:] * noise[..., :-1]).mean() / noise.square().mean())


@pytest.mark.parametrize("shot", [Shot(), SETTINGS, SETTINGS._replace(place=(3, 8), cut=(5, 0))])
def test_a_camera_without_noise_or_mosaic_gives_the_picture_back(shot: Shot, chelsea: Tensor) -> None:
    light = exposed(chelsea, shot)
    assert light.min() >= 0
    assert light.max() <= 1
    torch.testing.assert_close(developed(light, shot), chelsea, atol=1e-5, rtol=0)  # what float32 leaves of two powers
    steepest = 12.92 * 1.5 * (1 + shot.overlap) * max(shot.gains)  # of sRGB at black, and of the tone curve
    rounding = steepest / 2 / (2**BITS - 1)
    torch.testing.assert_close(photographed(chelsea, shot, seeded()), chelsea, atol=rounding, rtol=0)


@pytest.mark.parametrize("method", METHODS)
def test_plain_colours_and_grey_slopes_go_through_the_mosaic(method: Demosaic) -> None:
    plain = torch.tensor([0.7, 0.4, 0.1]).view(1, 3, 1, 1).expand(1, 3, 12, 9)
    torch.testing.assert_close(demosaiced(mosaic(plain), method), plain, atol=1e-6, rtol=0)
    down, right = torch.linspace(0.1, 0.5, 20)[:, None], torch.linspace(0, 0.4, 22)[None]
    slope = (down + right).expand(1, 3, 20, 22)
    inside = (..., slice(3, -3), slice(3, -3))
    torch.testing.assert_close(demosaiced(mosaic(slope), method)[inside], slope[inside], atol=1e-6, rtol=0)


@pytest.mark.parametrize("method", METHODS)
def test_what_a_pixel_saw_stays(method: Demosaic) -> None:
    x = torch.rand(2, 3, 9, 8, generator=seeded())
    torch.testing.assert_close(mosaic(demosaiced(mosaic(x), method)), mosaic(x), atol=1e-6, rtol=0)


def test_better_demosaicing_is_nearer(chelsea: Tensor) -> None:
    errors = [float((demosaiced(mosaic(chelsea), method) - chelsea).square().mean()) for method in METHODS]
    assert errors[0] > 1.3 * max(errors[1:])


def test_the_edges_of_a_black_and_white_pattern_are_found_by_direction() -> None:
    """Stripes one pixel off a grating that bilinear interpolation turns into coloured fringes."""
    stripes = ((torch.arange(24) // 4) % 2).float().expand(1, 3, 24, 24)
    inside = (..., slice(3, -3), slice(3, -3))
    fringes = [
        float((x.amax(1) - x.amin(1))[inside].mean())
        for x in (demosaiced(mosaic(stripes), each) for each in ("bilinear", "directed"))
    ]
    assert fringes[1] < 0.3 * fringes[0]


def test_the_variance_of_photons_grows_with_light_and_that_of_reading_is_added() -> None:
    photons, read = 800.0, 6.0
    for level in (0.1, 0.3, 0.8):
        seen = sensed(torch.full((1, 3, 300, 300), level), Shot(photons=photons, read=read), seeded())
        expected = level / photons + (read / photons) ** 2 + 1 / 12 / (2**BITS - 1) ** 2
        spread = 6 * math.sqrt(2 / seen.numel())  # six standard deviations of a variance
        assert float(seen.var()) == pytest.approx(expected, rel=spread)


def test_a_row_shares_its_error() -> None:
    seen = sensed(torch.full((1, 3, 400, 64), 0.5), Shot(photons=1e7, rows=2e5), seeded())
    assert float(seen.mean(3).std()) == pytest.approx(0.02, rel=0.1)
    assert float(seen.std(3).max()) < 0.002


@pytest.mark.parametrize("method", METHODS)
def test_demosaicing_makes_noise_alike_in_neighbours(method: Demosaic) -> None:
    grey = torch.full((1, 3, 128, 128), 0.5)
    shot = SETTINGS._replace(photons=500.0, read=3.0)
    alone = photographed(grey, shot, seeded()) - grey
    spread = photographed(grey, shot._replace(demosaic=method), seeded()) - grey
    assert abs(likeness(alone)) < 4 / math.sqrt(alone.numel())
    assert likeness(spread) > 0.15


def test_white_balance_makes_red_and_blue_noisier() -> None:
    shot = Shot(photons=500.0, read=3.0, gains=(2.4, 1.6))
    red, green, blue = (photographed(torch.full((1, 3, 200, 200), 0.5), shot, seeded()) - 0.5).square().mean((0, 2, 3))
    assert red > 1.2 * blue > 1.2 * green


def test_jpeg_takes_the_finest_noise_and_phones_the_coloured() -> None:
    grey = torch.full((1, 3, 128, 128), 0.5)
    shot = SETTINGS._replace(photons=500.0, read=3.0, demosaic="gradient")
    raw, filed, phone = (
        photographed(grey, each, seeded()) - grey
        for each in (shot, shot._replace(qualities=(70,)), shot._replace(chroma_blur=2.0))
    )
    fine = [float((each[..., 1:] - each[..., :-1]).square().mean()) for each in (raw, filed)]
    assert fine[1] < 0.5 * fine[0]
    coloured = [float((each - each.mean(1, keepdim=True)).square().mean()) for each in (raw, phone)]
    assert coloured[1] < 0.2 * coloured[0]


def test_finishing_nothing_changes_nothing_and_blur_keeps_the_mean(chelsea: Tensor) -> None:
    assert finished(chelsea, Shot()) is chelsea
    torch.testing.assert_close(finished(chelsea, Shot(coring=1e-9)), chelsea, atol=1e-6, rtol=0)
    plain = torch.full((1, 2, 5, 3), 0.3)
    torch.testing.assert_close(blurred(plain, 2.0), plain)
    point = torch.zeros(1, 1, 41, 41)
    point[..., 20, 20] = 1
    where = torch.arange(41.0) - 20
    assert float((blurred(point, 2.0)[0, 0].sum(0) * where.square()).sum()) == pytest.approx(4, rel=0.03)


def test_the_grids_of_mosaic_and_file_begin_where_the_picture_does_unless_it_is_moved(chelsea: Tensor) -> None:
    shot = Shot(qualities=(20,), demosaic="bilinear")
    steps = []
    for place in ((0, 0), (3, 5)):
        made = photographed(chelsea[..., :160, :160], shot._replace(place=place), seeded())
        jumps = (made[..., 1:] - made[..., :-1]).abs().mean((0, 1, 2))
        steps.append(int(torch.stack([jumps[at::8].mean() for at in range(8)]).argmax()))
    assert steps == [7, 2]


def test_snapshots_are_fixed_by_the_seed_and_part_noise_from_the_rest(chelsea: Tensor) -> None:
    clean = chelsea[..., :64, :128].unfold(3, 64, 64).permute(0, 3, 1, 2, 4).flatten(0, 1).repeat(8, 1, 1, 1)
    clean[::4] = clean[::4].mean(1, keepdim=True)
    one, two = snapshots(clean, seeded()), snapshots(clean, seeded())
    assert torch.equal(one.x, two.x)
    assert torch.equal(one.x[::4], one.x[::4, :1].expand(-1, 3, -1, -1)), "grey stays grey"
    assert torch.isfinite(one.noise).all()
    assert one.x.min() >= 0
    assert one.x.max() <= 1
    without = one.x - one.noise  # what mosaics, phones and files make of the picture alone
    nearer = ((without - clean).square().mean((1, 2, 3)) < (one.x - clean).square().mean((1, 2, 3))).float().mean()
    assert nearer > 0.85


def test_one_photograph_in_five_is_a_bit_noisy(chelsea: Tensor) -> None:
    clean = chelsea[..., :32, :32].repeat(100, 1, 1, 1)
    x = grainy(clean, seeded())
    changed = (x != clean).flatten(1).any(1)
    assert float(changed.float().mean()) == pytest.approx(GRAINY, abs=0.12)
    assert float((x - clean)[changed].square().mean().sqrt()) < 20 / 255


def test_every_choice_is_drawn() -> None:
    rng = seeded()
    shots = [drawn(rng) for _ in range(200)]
    assert {shot.demosaic for shot in shots} == {*METHODS, None}
    assert {len(shot.qualities) for shot in shots} == {0, 1, 2}
    assert {shot.chroma for shot in shots} == {"4:2:0", "4:4:4"}
    assert {shot.place[0] for shot in shots} == set(range(MARGIN))
    assert all(any(getattr(shot, name) for shot in shots) for name in ("rows", "curve", "chroma_blur", "coring"))
