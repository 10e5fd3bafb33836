import json
import runpy
from pathlib import Path

import pytest
import torch

from danqing.core.errors import ParameterError
from danqing.maths.fidelity import luma, ms_ssim, mse, psnr, ssim

GOLDEN = Path(__file__).parents[1] / "golden"
PAIRS = runpy.run_path(str(GOLDEN / "record.py"))["pairs"]()
RECORDED = json.loads((GOLDEN / "fidelity.json").read_text())["pairs"]
MEASURES = {"psnr": (psnr, 1e-5), "ssim": (ssim, 1e-6), "ms-ssim": (ms_ssim, 1e-6)}  # float32 luma costs 1e-6 dB


def tensors(name):
    return [torch.from_numpy(part).permute(2, 0, 1)[None] for part in PAIRS[name]]


@pytest.mark.parametrize("name", RECORDED)
@pytest.mark.parametrize("what", next(iter(RECORDED.values())))
def test_others_agree(name, what):
    measure, tolerance = MEASURES[what.split()[0]]
    x, y = tensors(name)
    if what.endswith("y"):
        x, y = luma(x), luma(y)
    assert measure(x, y).item() == pytest.approx(RECORDED[name][what], abs=tolerance)


def test_a_batch_is_measured_one_by_one():
    x, noisy = tensors("coffee with noise")
    dark = tensors("coffee darker")[1]
    for measure in (mse, psnr, ssim, ms_ssim):
        both = measure(torch.cat([x, x]), torch.cat([noisy, dark]))
        assert both.dtype == torch.float64
        assert torch.allclose(both, torch.cat([measure(x, noisy), measure(x, dark)]))


def test_closed_forms():
    x = torch.full((1, 3, 20, 20), 0.5)
    assert psnr(x, x + 0.1).item() == pytest.approx(20, abs=1e-5)
    assert psnr(x, x).item() == float("inf")
    # flat pictures have no structure: SSIM is its luminance term (2ab + C1) / (a² + b² + C1)
    assert ssim(x, x + 0.1).item() == pytest.approx((2 * 0.3 + 1e-4) / (0.25 + 0.36 + 1e-4), abs=1e-6)
    assert ssim(x, x).item() == pytest.approx(1)


def test_luma_of_white_and_black_keeps_the_studio_range():
    assert torch.allclose(luma(torch.ones(1, 3, 1, 1)) * 255, torch.tensor(235.0))
    assert torch.allclose(luma(torch.zeros(1, 1, 1, 1)) * 255, torch.tensor(16.0))
    assert torch.allclose(luma(torch.full((1, 3, 1, 1), 0.3)), luma(torch.full((1, 1, 1, 1), 0.3)))


def test_small_pictures_are_refused_with_the_size_needed():
    assert -1 < ssim(torch.rand(1, 1, 11, 11), torch.rand(1, 1, 11, 11)).item() < 1
    with pytest.raises(ParameterError, match="SSIM needs pictures of at least 11×11 px, not 12×10"):
        ssim(torch.rand(1, 1, 10, 12), torch.rand(1, 1, 10, 12))
    assert torch.isfinite(ms_ssim(torch.rand(1, 1, 176, 177), torch.rand(1, 1, 176, 177)))
    with pytest.raises(ParameterError, match="at least 176×176 px"):
        ms_ssim(torch.rand(1, 1, 175, 200), torch.rand(1, 1, 175, 200))
