"""Transparency: what lies under it is nobody's colour, and must not come out of a filter, a turn or a net.

Whatever mixes neighbouring pixels works between :func:`premultiplied` and :func:`unpremultiplied`; a net that expects
a picture without holes gets one from :func:`filled`; whoever needs one picture without alpha lays it on a ground with
:func:`laid_on`. An opaque picture goes through all of them unchanged, bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, pad

from danqing.core.pictures.contract import Images, Mask

TRAINING_GROUND = (1.0,)  # white: what training lays transparent pictures on
HIDDEN = 0.5 / 65535  # opacity below this is none at all in any file


def premultiplied(pixels: Images, alpha: Mask) -> Images:
    """Multiply colours by their opacity, so that what is hidden weighs nothing where pixels are mixed.

    Args:
        pixels: (B, C, H, W).
        alpha: opacity (B or 1, 1, H, W).
    """
    return pixels * alpha


def unpremultiplied(pixels: Images, alpha: Mask) -> Images:
    """Divide colours by their opacity: the way back; black where nothing can be seen.

    Args:
        pixels: premultiplied colours (B, C, H, W), a little beyond [0, alpha] where a filter overshot.
        alpha: opacity (B or 1, 1, H, W), moved and mixed as the colours were.
    """
    colours = (pixels / alpha.clamp(min=HIDDEN)).clamp(0, 1)
    return colours.masked_fill(alpha < HIDDEN, 0)


def filled(pixels: Images, alpha: Mask) -> Images:
    """Replace colours that nobody sees by a smooth continuation of those that are seen.

    Visible pixels keep their colours, however transparent. A picture of which nothing is visible becomes black.

    Args:
        pixels: (B, C, H, W).
        alpha: opacity (B or 1, 1, H, W).

    Source: S. J. Gortler et al., "The Lumigraph", 1996, 3.4 (pull and push), with opacity as the weight.
    """
    hidden = alpha < HIDDEN
    if not bool(hidden.any()):
        return pixels
    weight = alpha.masked_fill(hidden, 0).expand(len(pixels), -1, -1, -1)
    return torch.where(hidden, _continued(pixels * weight, weight).clamp(0, 1), pixels)


def seen_in(alpha: Mask | None) -> Tensor | None:
    """Which pixels are seen at all (B, H, W), bool, for what measures pictures; None: all, or none."""
    if alpha is None or not bool((alpha < HIDDEN).any()) or bool((alpha < HIDDEN).all()):
        return None
    return alpha[:, 0] >= HIDDEN


def _continued(sums: Tensor, weight: Tensor) -> Tensor:
    """Weighted averages of colours: of a pixel itself where it weighs, of ever larger surroundings where it does not.

    Args:
        sums: colours times weights (B, C, H, W).
        weight: (B, 1, H, W).
    """
    height, width = weight.shape[-2:]
    here = sums / weight.clamp(min=1e-12)
    if height == width == 1:
        return here
    odd = (0, width % 2, 0, height % 2)
    coarse = _continued(avg_pool2d(pad(sums, odd), 2), avg_pool2d(pad(weight, odd), 2))
    around = interpolate(coarse, scale_factor=2, mode="bilinear", align_corners=False)[..., :height, :width]
    return torch.where(weight > 0, here, around)


def laid_on(pixels: Images, alpha: Mask | None, colour: Sequence[float] = TRAINING_GROUND) -> Images:
    """Lay pictures on a ground of one colour; grey pictures stay grey on a grey ground.

    Args:
        pixels: (B, C, H, W).
        alpha: opacity (B or 1, 1, H, W); None: they are opaque.
        colour: of the ground, one grey or RGB in [0, 1].
    """
    if alpha is None:
        return pixels
    ground = pixels.new_tensor(list(colour)).view(1, -1, 1, 1)
    if bool((ground == ground[:, :1]).all()):
        ground = ground[:, :1]
    return pixels * alpha + ground * (1 - alpha)


__all__ = ["HIDDEN", "TRAINING_GROUND", "filled", "laid_on", "premultiplied", "seen_in", "unpremultiplied"]
