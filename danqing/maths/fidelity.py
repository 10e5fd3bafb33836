"""How much one picture differs from another that it should equal; (B, C, H, W) in [0, 1] gives one figure a picture."""

from __future__ import annotations

from torch import Tensor

from danqing.core.errors import ParameterError
from danqing.core.images import Images

SSIM_SIDE = 11  # the Gaussian window of SSIM, sigma 1.5, cut at 3.5 sigma
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
    from torchmetrics.functional.image import structural_similarity_index_measure as measure

    _need(x, SSIM_SIDE, "SSIM")
    return _each(measure(x.double(), y.double(), data_range=1.0, reduction="none"))


def ms_ssim(x: Images, y: Images) -> Tensor:
    """Multi-scale structural similarity (B,), float64, 0…1, over five scales.

    Raises:
        ParameterError: for pictures with a side below 176 px.

    Source: Wang, Simoncelli & Bovik 2003, Multi-scale structural similarity, eq. 7; negative terms are raised to 0.
    """
    from torchmetrics.functional.image import multiscale_structural_similarity_index_measure as measure

    _need(x, MS_SSIM_SIDE, "MS-SSIM")
    return _each(measure(x.double(), y.double(), data_range=1.0, reduction="none", normalize="relu"))


def _need(x: Images, side: int, name: str) -> None:
    if min(x.shape[-2:]) < side:
        raise ParameterError(f"{name} needs pictures of at least {side}×{side} px, not {x.shape[-1]}×{x.shape[-2]}")


def _each(result: Tensor | tuple[Tensor, ...]) -> Tensor:
    return (result if isinstance(result, Tensor) else result[0]).reshape(-1)
