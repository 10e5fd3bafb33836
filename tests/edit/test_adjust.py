"""adjust does to light and colour what each slider's name says."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from danqing import adjust
from danqing.core.pictures.contract import from_uint8, to_uint8
from danqing.maths.colour import brightness, to_linear, to_oklab


def lab(x: Tensor) -> Tensor:
    return to_oklab(x.movedim(1, -1))


def test_defaults_change_nothing(chelsea: Tensor) -> None:
    assert torch.equal(adjust(chelsea), chelsea)


def test_a_stop_doubles_the_light_until_it_is_full(astronaut: Tensor) -> None:
    light = to_linear(adjust(astronaut, exposure=1.0))
    torch.testing.assert_close(light, (2 * to_linear(astronaut)).clamp(max=1), rtol=0, atol=1e-5)
    dark = adjust(adjust(astronaut, exposure=-2.0), exposure=2.0)
    torch.testing.assert_close(dark, astronaut, rtol=0, atol=1e-5)


@pytest.mark.parametrize("gamma", [0.5, 2.2])
def test_gamma_agrees_with_scikit_image(gamma: float, chelsea: Tensor) -> None:
    from skimage.exposure import adjust_gamma

    np.testing.assert_allclose(adjust(chelsea, gamma=gamma), adjust_gamma(chelsea.numpy(), 1 / gamma), atol=1e-6)


@pytest.mark.parametrize(("brightness", "ground"), [(0.3, 255), (-0.4, 0)])
def test_brightness_agrees_with_pillow(brightness: float, ground: int, chelsea: Tensor) -> None:
    from PIL import Image

    pixels = to_uint8(chelsea)[0]
    blended = Image.blend(Image.fromarray(pixels), Image.fromarray(np.full_like(pixels, ground)), abs(brightness))
    error = adjust(chelsea, brightness=brightness) - from_uint8(np.asarray(blended)[None])
    assert float(error.abs().max()) <= 1.01 / 255


@pytest.mark.parametrize("contrast", [0.0, 0.5, 1.5, 3.0])
def test_contrast_is_the_slope_at_middle_grey_and_keeps_order(contrast: float) -> None:
    ramp = torch.linspace(0, 1, 1025).view(1, 1, 1, -1)
    out = adjust(ramp, contrast=contrast)[0, 0, 0]
    slope = float(out[514] - out[510]) / float(ramp[..., 514] - ramp[..., 510])
    assert slope == pytest.approx(contrast, abs=0.02)
    assert out[512] == 0.5
    assert bool((out.diff() >= 0).all())
    if contrast > 1:
        assert (out[0], out[-1]) == (0, 1)
        assert len(out.unique()) > 900  # no tones are lost


def test_no_saturation_is_grey_of_the_same_lightness(astronaut: Tensor) -> None:
    grey = adjust(astronaut, saturation=0.0)
    assert float((grey.amax(1) - grey.amin(1)).max()) < 1e-3
    torch.testing.assert_close(lab(grey)[..., 0], lab(astronaut)[..., 0], rtol=0, atol=1e-3)


def test_saturation_scales_colour_where_a_screen_can_show_it(chelsea: Tensor) -> None:
    old, new = lab(chelsea), lab(adjust(chelsea, saturation=0.5))
    torch.testing.assert_close(new[..., 1:], 0.5 * old[..., 1:], rtol=0, atol=1e-3)
    strong = adjust(chelsea, saturation=4.0)
    torch.testing.assert_close(
        brightness(to_linear(strong)).mean(), brightness(to_linear(chelsea)).mean(), rtol=0.1, atol=0
    )


def test_hue_goes_round(chelsea: Tensor) -> None:
    soft = adjust(chelsea, saturation=0.3)  # so that every hue can be shown
    turned = soft
    for _ in range(3):
        turned = adjust(turned, hue=120.0)
    torch.testing.assert_close(turned, soft, rtol=0, atol=2e-3)
    red = adjust(torch.tensor([0.8, 0.3, 0.3]).view(1, 3, 1, 1), hue=120.0).flatten()
    assert int(red.argmax()) == 1  # green


def test_a_grey_picture_has_no_hue(camera: Tensor) -> None:
    assert torch.equal(adjust(camera, hue=90.0, saturation=3.0), camera)
