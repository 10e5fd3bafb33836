"""How much one picture differs from another that it should equal; (B, C, H, W) in [0, 1] gives one figure a picture.

SSIM is taken where its window fits, as its authors and scikit-image take it. torchmetrics lets the window overlap the
border, on reflected pixels, which moves the third digit; hence our own.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from danqing.core.errors import ParameterError
from danqing.core.pictures.contract import Images

SSIM_SIDE = 11  # the Gaussian window of SSIM, sigma 1.5, cut at 3.5 sigma
K1, K2 = 0.01, 0.03
MS_SSIM_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # one a scale, the finest first
MS_SSIM_SIDE = SSIM_SIDE << 4  # the window must fit the picture after four halvings


def luma(x: Images) -> Images:
    """The Y of ITU-R BT.601 in its studio range, 16/255 … 235/255: the channel that super-resolution papers report on.

    Source: ITU-R BT.601-7, section 2.5; as MATLAB's rgb2ycbcr has it.
    """
    if x.shape[1] == 1:
        return (16 + 219 * x) / 255
    red, green, blue = x.unbind(1)
    return ((16 + 65.481 * red + 128.553 * green + 24.966 * blue) / 255).unsqueeze(1)


def mse(x: Images, y: Images) -> Tensor:
    """Mean squared error (B,), float64, over all pixels and channels."""
    return (x.double() - y.double()).square().mean((1, 2, 3))


def psnr(x: Images, y: Images) -> Tensor:
    """Peak signal-to-noise ratio (B,) in dB, float64, for a peak of 1; infinite for equal pictures.

    Source: -10 log10 of the mean squared error over all pixels and channels.
    """
    return -10 * mse(x, y).log10()


def ssim(x: Images, y: Images) -> Tensor:
    """Structural similarity (B,), float64: at most 1, the mean over channels and over windows that fit in the picture.

    Raises:
        ParameterError: for pictures smaller than the window.

    Source: Wang et al. 2004, Image quality assessment, eq. 13: Gaussian window 11×11, sigma 1.5, K1 = 0.01, K2 = 0.03.
    """
    _need(x, SSIM_SIDE, "SSIM")
    light, contrast = _terms(x.double(), y.double())
    return (light * contrast).mean((1, 2, 3))


def ms_ssim(x: Images, y: Images) -> Tensor:
    """Multi-scale structural similarity (B,), float64, 0…1, over five scales; the mean over channels.

    Raises:
        ParameterError: for pictures with a side below 176 px.

    Source: Wang, Simoncelli & Bovik 2003, Multi-scale structural similarity, eq. 7; negative terms are raised to 0.
    """
    _need(x, MS_SSIM_SIDE, "MS-SSIM")
    x, y = x.double(), y.double()
    product = torch.ones(x.shape[:2], dtype=torch.float64)
    for scale, weight in enumerate(MS_SSIM_WEIGHTS, 1):
        light, contrast = _terms(x, y)
        term = light * contrast if scale == len(MS_SSIM_WEIGHTS) else contrast
        product = product * term.mean((2, 3)).clamp_min(0) ** weight
        x, y = functional.avg_pool2d(x, 2), functional.avg_pool2d(y, 2)
    return product.mean(1)


def _terms(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Luminance term and contrast-structure term of SSIM (B, C, H - 10, W - 10), at windows that fit in the picture."""
    m, n = _windowed(x), _windowed(y)
    light = (2 * m * n + K1**2) / (m * m + n * n + K1**2)
    spread = _windowed(x * x) - m * m + _windowed(y * y) - n * n
    return light, (2 * (_windowed(x * y) - m * n) + K2**2) / (spread + K2**2)


def _windowed(x: Tensor) -> Tensor:
    """Gaussian means at windows that fit; by OpenCV, which is many times faster here than a convolution layer."""
    import cv2

    at = np.arange(SSIM_SIDE) - SSIM_SIDE // 2
    taps = np.exp(-(at**2) / (2 * 1.5**2))
    taps /= taps.sum()
    planes = [cv2.sepFilter2D(plane.contiguous().numpy(), -1, taps, taps) for plane in x.cpu().flatten(0, 1)]
    edge = SSIM_SIDE // 2
    return torch.from_numpy(np.stack(planes)).to(x.device).view(x.shape)[..., edge:-edge, edge:-edge]


def _need(x: Images, side: int, name: str) -> None:
    if min(x.shape[-2:]) < side:
        raise ParameterError(f"{name} needs pictures of at least {side}×{side} px, not {x.shape[-1]}×{x.shape[-2]}")
