"""Colour: sRGB to linear light, OKLab and opponent axes and back; brightness, gamut, grey, heat, colour as a pixel."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from danqing.maths.full_precision import full_precision

COLOURLESS = 1e-3  # difference of channels up to which a pixel is grey: a quarter of a level of 8 bits
BRIGHTNESS = (0.2126, 0.7152, 0.0722)  # ITU-R BT.709-6, item 3.2
_LMS_FROM_RGB = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
_LAB_FROM_LMS = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)
_OPPONENT_FROM_RGB = (
    (3**-0.5, 3**-0.5, 3**-0.5),
    (2**-0.5, 0, -(2**-0.5)),
    (6**-0.5, -2 * 6**-0.5, 6**-0.5),
)


def to_linear(x: Tensor) -> Tensor:
    """Decode sRGB values to linear light.

    Args:
        x: any shape, values in [0, 1].

    Returns:
        The same shape, values in [0, 1].

    Source: IEC 61966-2-1, section 5.2.
    """
    return torch.where(x <= 0.04045, x / 12.92, ((x.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4)


def from_linear(x: Tensor) -> Tensor:
    """Encode linear light as sRGB values.

    Args:
        x: any shape, values in [0, 1].

    Returns:
        The same shape, values in [0, 1].

    Source: IEC 61966-2-1, section 5.2.
    """
    return torch.where(x <= 0.0031308, x * 12.92, 1.055 * x.clamp(min=0.0031308) ** (1 / 2.4) - 0.055)


@full_precision
def to_oklab(rgb: Tensor) -> Tensor:
    """Turn sRGB colours into OKLab, where equal distances look about equally different.

    Args:
        rgb: (..., 3), values in [0, 1].

    Returns:
        (..., 3): lightness in [0, 1], then green–red and blue–yellow, about ±0.4.

    Source: B. Ottosson, "A perceptual color space for image processing", 2020.
    """
    lms = to_linear(rgb) @ _matrix(_LMS_FROM_RGB, rgb).T
    return lms ** (1 / 3) @ _matrix(_LAB_FROM_LMS, rgb).T


def from_oklab(lab: Tensor) -> Tensor:
    """Turn OKLab colours into sRGB; what no screen can show is clipped.

    Args:
        lab: (..., 3), as from :func:`to_oklab`.

    Returns:
        (..., 3), values in [0, 1].

    Source: B. Ottosson, "A perceptual color space for image processing", 2020.
    """
    return from_linear(linear_from_oklab(lab).clamp(0, 1))


@full_precision
def linear_from_oklab(lab: Tensor) -> Tensor:
    """Turn OKLab colours (..., 3) into linear light (..., 3), unclipped: what no screen can show leaves [0, 1].

    Source: B. Ottosson, "A perceptual color space for image processing", 2020.
    """
    lms = (lab @ torch.linalg.inv(_matrix(_LAB_FROM_LMS, lab)).T) ** 3
    linear: Tensor = lms @ torch.linalg.inv(_matrix(_LMS_FROM_RGB, lab)).T
    return linear


@full_precision
def into_gamut(linear: Tensor) -> Tensor:
    """Bring colours that no screen can show inside, straight towards the grey of their own luminance.

    Clipping each channel for itself would change hue and brightness; this gives up saturation, no more than needed.

    Args:
        linear: (..., 3), linear light, any values.

    Returns:
        (..., 3), values in [0, 1]; what was inside is unchanged.

    Source: danqing.
    """
    grey = (linear @ torch.tensor(BRIGHTNESS, dtype=linear.dtype, device=linear.device))[..., None].clamp(0, 1)
    away = linear - grey
    room = torch.where(away > 0, 1 - grey, grey) / away.abs().clamp(min=1e-12)  # how far it may go, per channel
    pulled = (grey + away * room.amin(-1, keepdim=True).clamp(max=1)).clamp(0, 1)
    return torch.where(((linear >= 0) & (linear <= 1)).all(-1, keepdim=True), linear, pulled)


def brightness(x: Tensor) -> Tensor:
    """Reduce pictures to their brightness as seen (luma).

    Args:
        x: (B, C, H, W), C in {1, 3}, values in [0, 1].

    Returns:
        (B, 1, H, W), values in [0, 1].

    Source: ITU-R BT.709-6, item 3.2.
    """
    if x.shape[1] == 1:
        return x
    return luma(x).clamp(0, 1)


def luma(x: Tensor) -> Tensor:
    """The brightness (B, 1, H, W) of colour pictures, linear in their values.

    Source: ITU-R BT.709-6, item 3.2.
    """
    return (x * x.new_tensor(BRIGHTNESS).view(1, 3, 1, 1)).sum(1, keepdim=True)


def tinted(grey: Tensor, colours: Tensor) -> Tensor:
    """Grey pictures (B, 1, H, W) with colours (B, 3, H, W), differences from grey, as far as they are to be had there.

    What is too light or too dark for a colour gets as much of it as keeps the brightness: white stays white.
    """
    room = torch.where(colours > 0, 1 - grey, grey) / colours.abs().clamp(min=1e-6)
    return (grey + colours * room.amin(1, keepdim=True).clamp(max=1)).clamp(0, 1)


def is_grey(x: Tensor) -> bool:
    """Whether pictures (B, C, H, W) have no colour anywhere."""
    return not bool((x.amax(1) - x.amin(1) > COLOURLESS).any())


def still_grey(made: Tensor, seen: Tensor, reach: int) -> Tensor:
    """Take the colour from what was made of grey: with no colour within ``reach``, none can have come from there.

    So a grey photograph in three channels stays grey, and whether a picture is worked on as a whole or tile by tile,
    the same pixels do.

    Args:
        made: pictures (B, 3, H, W).
        seen: what they were made of (B, 3, H, W).
        reach: how far around a pixel was looked, in px.

    Source: danqing.
    """
    coloured = (seen.amax(1) - seen.amin(1) > COLOURLESS).cpu()
    if not bool(coloured.any()):
        return made.mean(1, keepdim=True).expand_as(made)
    import cv2

    window = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    near = [cv2.dilate(plane, window) for plane in coloured.byte().numpy()]
    may_be = torch.from_numpy(np.stack(near)).to(made.device)[:, None] > 0
    return torch.where(may_be, made, made.mean(1, keepdim=True))


def heat(values: Tensor) -> Tensor:
    """Show values (B, 1, H, W) in [0, 1] in the colours of a glowing body: black, red, yellow, white; (B, 3, H, W)."""
    return torch.cat([3 * values, 3 * values - 1, 3 * values - 2], 1).clamp(0, 1)


@full_precision
def to_opponent(x: Tensor) -> Tensor:
    """Turn RGB into brightness and two differences of colour, an orthonormal change of axes: white noise stays white.

    Args:
        x: (B, 3, H, W).

    Returns:
        (B, 3, H, W): √3 times the mean; red against blue; green against both.

    Source: K. Dabov, A. Foi, V. Katkovnik, K. Egiazarian, "Color image denoising via sparse 3D collaborative filtering
        with grouping constraint in luminance-chrominance space", 2007, eq. 1, the rows made of length one.
    """
    return torch.einsum("oc,bchw->bohw", _matrix(_OPPONENT_FROM_RGB, x), x)


@full_precision
def from_opponent(x: Tensor) -> Tensor:
    """Turn brightness and two differences of colour back into RGB; see :func:`to_opponent`.

    Args:
        x: (B, 3, H, W).

    Returns:
        (B, 3, H, W).

    Source: as there; the inverse of an orthonormal matrix is its transpose.
    """
    return torch.einsum("oc,bohw->bchw", _matrix(_OPPONENT_FROM_RGB, x), x)


def pixel(colour: tuple[float, float, float], like: Tensor) -> Tensor:
    """Make a colour a pixel (1, C, 1, 1) that fits the pictures ``like`` (B, C, H, W); grey ones get its brightness."""
    one = torch.tensor(colour, dtype=like.dtype, device=like.device).view(1, 3, 1, 1)
    return one if like.shape[1] == 3 else brightness(one)


def _matrix(rows: tuple[tuple[float, ...], ...], like: Tensor) -> Tensor:
    return torch.tensor(rows, dtype=like.dtype, device=like.device)
