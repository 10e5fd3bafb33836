"""What restorers are shown: every task's damage, and the maps that tell of it."""

from __future__ import annotations

import typing

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from danqing.maths.colour import brightness, luma
from danqing.maths.damage import (
    CAMERA,
    CAMERA_DOUBT,
    DOUBT,
    GREY,
    LIT,
    MIXED,
    MOST_GAIN,
    TOLD,
    Task,
    damage,
    enlarged,
    filled,
    first_estimate,
    gain_for,
    hint_of,
)
from danqing.maths.shrinkage import shrunk

TASKS = typing.get_args(Task)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def photographs(count=8, side=48):
    photo = torch.from_numpy(data.astronaut()).permute(2, 0, 1) / 255
    return torch.stack([photo[:, 40 * at : 40 * at + side, 150 : 150 + side] for at in range(count)])


@pytest.mark.parametrize("task", TASKS)
def test_damage_keeps_the_size_and_is_fixed_by_the_seed(task):
    x = photographs()
    clean, damaged = damage(task, x, seeded())
    again = damage(task, x, seeded())
    assert clean.shape == x.shape == damaged.x.shape
    assert damaged.hint.shape == (8, 1, 48, 48)
    assert torch.equal(damaged.x, again[1].x)
    assert torch.equal(damaged.hint, again[1].hint)
    assert not torch.equal(damaged.x, damage(task, x, seeded(1))[1].x)
    assert torch.isfinite(damaged.x).all()
    assert (damaged.x - clean).abs().mean() > 1e-3
    assert torch.equal(x, photographs()), "the clean pictures were changed"


@pytest.mark.parametrize("task", MIXED)
def test_mixed_damage_is_noisy_and_compressed_besides(task):
    """Of plain colours that do not change by blurring or shrinking, all that is left is what else was done to them."""
    x = torch.rand(96, 3, 1, 1, generator=seeded(2)).mul(0.6).add(0.2).expand(-1, -1, 48, 48).contiguous()

    def rough(mixed):
        clean, damaged = damage(task, x, seeded(), mixed=mixed)
        return (damaged.x - clean)[..., 8:-8, 8:-8].flatten(1).std(1)

    alone, besides = rough(False), rough(True)
    assert besides.mean() > 1.5 * alone.mean()
    assert (besides > 2 / 255).float().mean() > 0.5


@pytest.mark.parametrize("task", MIXED)
def test_mixed_damage_is_fixed_by_the_seed_and_keeps_grey_pictures_grey(task):
    x = photographs(8).repeat(4, 1, 1, 1)
    clean, damaged = damage(task, x, seeded(), mixed=True)
    assert torch.equal(damaged.x, damage(task, x, seeded(), mixed=True)[1].x)
    grey = (clean == clean[:, :1]).flatten(1).all(1)
    assert grey.any()
    assert (damaged.x[grey] == damaged.x[grey][:, :1]).all()
    assert torch.isfinite(damaged.x).all()


def test_grey_pictures_are_damaged_alike_in_all_channels():
    clean, damaged = damage("denoise", photographs(8).repeat(16, 1, 1, 1), seeded())
    grey = (clean.amax(1) - clean.amin(1)).flatten(1).amax(1) < 1e-6
    assert 0.5 * GREY < grey.float().mean() < 2 * GREY
    assert torch.equal(damaged.x[grey], damaged.x[grey][:, :1].expand(-1, 3, -1, -1))


def test_the_noise_has_about_the_level_that_is_told():
    clean, damaged = damage("denoise", torch.full((64, 3, 32, 32), 0.5), seeded(3))
    told = damaged.hint[:, 0, 0, 0]
    gentle = (told > 0.01) & (told < 0.15)  # what neither rounding nor clipping changes
    found = (damaged.x - clean)[gentle].square().mean((1, 2, 3)).sqrt()
    doubt = (found / told[gentle]).log()
    assert doubt.abs().max() < 5 * CAMERA_DOUBT
    assert DOUBT < doubt.std() < 1.3 * CAMERA_DOUBT
    assert doubt.mean().abs() < 4 * CAMERA_DOUBT / len(doubt) ** 0.5


def test_half_of_the_noisy_pictures_are_taken_by_a_camera():
    """Whose noise is alike in neighbours."""
    clean, damaged = damage("denoise", torch.full((64, 3, 32, 32), 0.5), seeded(3))
    noise = damaged.x - clean
    noise = noise - noise.mean((2, 3), keepdim=True)
    alike = (noise[..., 1:] * noise[..., :-1]).mean((1, 2, 3)) / noise.square().mean((1, 2, 3))
    assert 0.6 * CAMERA < (alike > 0.1).float().mean() < 1.4 * CAMERA


def test_the_strength_of_blur_is_told_for_half_of_the_pictures():
    told = damage("deblur", torch.full((64, 3, 32, 32), 0.5), seeded(3))[1].hint[:, 0, 0, 0]
    assert 0.6 * TOLD < (told > 0).float().mean() < 1.4 * TOLD


def test_noisy_pictures_come_with_an_estimate_that_is_nearer():
    clean, damaged = damage("denoise", photographs(), seeded())
    strong = damaged.hint[:, 0, 0, 0] > 0.05
    error, before = ((each - clean)[strong].square().mean() for each in (damaged.first, damaged.x))
    assert error < 0.5 * before
    assert damage("dejpeg", photographs(), seeded())[1].first is None


def test_equal_channels_are_filtered_as_one():
    """Their noise is the same in all three, so that grey pictures must fare as pictures of one channel do."""
    noisy = 0.5 + 0.1 * torch.randn(2, 1, 40, 40, generator=seeded(4))
    alone = shrunk(noisy, torch.tensor([0.1, 0.1]))
    together = first_estimate(noisy.expand(-1, 3, -1, -1), torch.full((2, 1, 40, 40), 0.1))
    torch.testing.assert_close(together, alone.expand_as(together), atol=1e-5, rtol=0)


def test_only_the_holes_are_damaged():
    clean, damaged = damage("inpaint", photographs(), seeded())
    assert torch.equal(damaged.x[(damaged.hint == 0).expand_as(clean)], clean[(damaged.hint == 0).expand_as(clean)])
    assert 0 < damaged.hint.mean() < 0.55
    assert set(damaged.hint.unique().tolist()) == {0.0, 1.0}


def test_a_colourless_picture_keeps_its_brightness_and_the_hints_their_colour():
    clean, damaged = damage("colourise", photographs(), seeded())
    there = (damaged.hint > 0).expand_as(clean)
    assert there.any()
    assert torch.equal(damaged.x[there], clean[there])
    torch.testing.assert_close(damaged.x[~there], luma(clean).expand_as(clean)[~there])
    torch.testing.assert_close(luma(clean), brightness(clean), atol=1e-6, rtol=0)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (7, 1), (5, 8), (33, 64)])
def test_holes_are_filled_with_what_is_around(shape):
    mask = torch.zeros(1, 1, *shape)
    mask[..., shape[0] // 2, shape[1] // 2] = 1 if shape != (1, 1) else 0
    plain = torch.full((1, 3, *shape), 0.3)
    torch.testing.assert_close(filled(plain, mask), plain)
    x = torch.rand(1, 3, *shape, generator=seeded())
    made = filled(x * (1 - mask), mask)
    assert torch.equal(made[(mask == 0).expand_as(x)], x[(mask == 0).expand_as(x)])
    assert made.min() >= 0
    assert made.max() <= 1 + 1e-6


def test_a_hole_is_filled_between_its_borders():
    ramp = torch.linspace(0, 1, 64).expand(1, 1, 64, 64)
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., 20:40, 20:40] = 1
    made = filled(ramp * (1 - mask), mask)
    assert (made - ramp).abs().max() < 0.15
    assert torch.equal(filled(ramp, torch.ones(1, 1, 64, 64)), torch.zeros(1, 1, 64, 64)), "nothing is known"


def test_enlarging_is_that_of_pillow():
    small = np.random.default_rng(0).random((12, 17)).astype(np.float32)
    wanted = np.asarray(Image.fromarray(small).resize((51, 36), Image.Resampling.BICUBIC)).clip(0, 1)
    made = enlarged(torch.from_numpy(small)[None, None], 36, 51)[0, 0].numpy()
    np.testing.assert_allclose(made, wanted, atol=2 * 2**-24 * 51)  # places along 51 px in float32; see test_resize.py


def test_a_hint_is_one_number_a_picture():
    hint = hint_of(torch.tensor([0.1, 0.2]), torch.zeros(2, 3, 4, 5))
    assert hint.shape == (2, 1, 4, 5)
    assert hint[1].unique().tolist() == pytest.approx([0.2])


def test_dark_pictures_are_brightened_to_one_mean_and_the_map_says_how_much():
    _, damaged = damage("lowlight", photographs(), seeded())
    means = luma(damaged.x).mean((1, 2, 3))
    gain = 1 / damaged.hint[:, 0, 0, 0]
    assert (gain >= 1).all()
    assert (gain <= MOST_GAIN * 1.001).all()
    assert gain.max() > 1.5
    inside = (gain > 1.001) & (gain < MOST_GAIN * 0.999)
    torch.testing.assert_close(means[inside], torch.full_like(means[inside], LIT), rtol=5e-3, atol=0)


@pytest.mark.parametrize(("value", "gain"), [(0.0, MOST_GAIN), (0.001, MOST_GAIN), (0.1, 4.0), (0.4, 1.0), (1.0, 1.0)])
def test_how_much_a_picture_is_brightened(value, gain):
    for channels in (1, 3):
        assert float(gain_for(torch.full((1, channels, 4, 4), value))) == pytest.approx(gain)
