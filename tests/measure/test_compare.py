import json

import pytest
import torch
from skimage import data

from danqing.core.errors import ParameterError
from danqing.core.pictures.contract import from_uint8
from danqing.measure.compare import compare


@pytest.fixture(scope="module")
def photo():
    return from_uint8(data.astronaut()[None, :200, 100:300])


def noisy(x, sigma=0.1):
    return (x + sigma * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)


def test_more_noise_is_worse_by_every_measure(photo):
    some, more = (compare(noisy(photo, sigma), photo).numbers[0] for sigma in (0.05, 0.2))
    assert some["mse"] < more["mse"]
    for better_if_large in ("psnr", "ssim", "ms_ssim"):
        assert some[better_if_large] > more[better_if_large]
    assert some["refused"] == ""


def test_equal_pictures_have_no_psnr_and_full_similarity(photo):
    found = compare(photo, photo)
    numbers, picture = found.numbers, found.picture
    assert numbers[0]["mse"] == numbers[0]["max_difference"] == 0
    assert numbers[0]["psnr"] is None
    assert numbers[0]["ssim"] == pytest.approx(1)
    assert not picture.any()


def test_luma_and_rgb_differ_and_say_so(photo):
    rgb, y = (compare(noisy(photo), photo, channel=channel).numbers[0] for channel in ("rgb", "y"))
    assert y["psnr"] > rgb["psnr"] + 1
    assert rgb["recipe"].startswith("RGB")
    assert y["recipe"].startswith("Y of BT.601")
    assert "data range 1" in y["recipe"]
    assert "border 0 px" in y["recipe"]


def test_a_border_is_left_out(photo):
    spoilt = photo.clone()
    spoilt[..., :4] = 0
    assert compare(spoilt, photo).numbers[0]["mse"] > 0
    assert compare(spoilt, photo, border=4).numbers[0]["mse"] == 0
    with pytest.raises(ParameterError, match="30 px leave nothing of 50×60"):
        compare(photo[..., :60, :50], photo[..., :60, :50], border=30)


def test_small_pictures_are_refused_what_does_not_fit_them_with_the_reason(photo):
    tiny = compare(noisy(photo)[..., :8, :8], photo[..., :8, :8]).numbers[0]
    assert tiny["psnr"] is not None
    assert tiny["ssim"] is tiny["ms_ssim"] is None
    assert tiny["refused"] == "SSIM needs 11×11 px and MS-SSIM needs 176×176 px; these are 8×8"
    small = compare(noisy(photo)[..., :99], photo[..., :99]).numbers[0]
    assert small["ssim"] is not None
    assert small["refused"].startswith("MS-SSIM needs 176")


def test_one_original_serves_all_and_grey_is_seen_as_colour(photo):
    judged = torch.cat([noisy(photo, 0.05), noisy(photo, 0.1)])
    together = compare(judged, photo).numbers
    assert len(together) == 2
    assert together[1]["psnr"] == pytest.approx(compare(judged[1:], photo).numbers[0]["psnr"])
    grey = photo.mean(1, keepdim=True)
    assert compare(grey, photo).numbers[0]["mse"] == pytest.approx(
        compare(grey.expand_as(photo), photo).numbers[0]["mse"]
    )


def test_the_map_is_brightest_where_the_pictures_differ_most(photo):
    spoilt = photo.clone()
    spoilt[..., 40:60, 80:90] = 1 - spoilt[..., 40:60, 80:90].round()
    picture = compare(spoilt, photo).picture
    assert picture.shape == photo.shape
    assert picture[..., 40:60, 80:90].mean() > 0.3
    assert not picture[..., :40, :].any()


def test_pictures_that_do_not_pair_up_are_refused(photo):
    with pytest.raises(ParameterError, match="200×200 and 100×200 px cannot be compared"):
        compare(photo, photo[..., :100])
    with pytest.raises(ParameterError, match="2 originals do not pair up with 1"):
        compare(photo, photo.repeat(2, 1, 1, 1))


def test_numbers_are_json(photo):
    json.dumps(compare(photo, photo).numbers, allow_nan=False)
