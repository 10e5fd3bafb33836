"""A photograph taken again by a camera: from the picture back to light, through a sensor, and to a picture as before.

Noise of cameras is not that of benchmarks: it is made in linear light, where it grows with the light; white balance
raises it in red and blue, demosaicing spreads it to neighbours, the tone curve raises it in the dark, sharpening and
phones' smoothing give it grain, and JPEG takes the finest of it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn import functional

from danqing.core.pictures.contract import Images
from danqing.core.progress import Job, Progress, finish
from danqing.maths.borders import mirrored
from danqing.maths.colour import from_linear, luma, to_linear
from danqing.maths.degradation import Chroma, jpeg, poisson_gaussian
from danqing.maths.demosaic import Demosaic, demosaiced, mosaic
from danqing.maths.resampling import resampled

WELL = 30000.0  # electrons that white is worth at ISO 100
BITS = 12  # of the sensor's converter
PEDESTAL = 1 / 16  # share of the converter's range below black, where noise may go
STEPS = 5  # of taking a picture, as progress is told
MARGIN = 16  # px around a picture that are taken with it: a block of JPEG with halved colours
DETAIL = 1.0  # px: σ of the blur that parts brightness into what is sharpened and what is not


class Shot(NamedTuple):
    """How a photograph is taken; as it stands, without any noise, so that nothing but rounding is left of it.

    Attributes:
        photons: electrons that white is worth; infinity: no shot noise.
        read: standard deviation of the reading, in electrons.
        rows: standard deviation of what all pixels of a row share, in electrons.
        gains: what red and blue are multiplied by to balance white, at least 1.
        overlap: how far the colour filters overlap; 0: not at all. Colours are made so much stronger afterwards.
        demosaic: how colours are guessed; None: each pixel sees all three.
        curve: whether a tone curve lifts the contrast.
        chroma_blur: px, σ of the blur of colours against coloured noise; 0: none.
        coring: detail of brightness so small is wiped away, and what is larger loses as much.
        sharpening: how many times the detail of brightness is added.
        scale: how many times larger the picture is taken than it is shown, at least 1.
        qualities: of the JPEG files it goes through; the last is written at its final size.
        chroma: of those files.
        place: rows and columns from the sensor's corner to the picture's, 0…15 each.
        cut: rows and columns that are cut off before the last file is written, 0…15 each.
    """

    photons: float = math.inf
    read: float = 0.0
    rows: float = 0.0
    gains: tuple[float, float] = (1.0, 1.0)
    overlap: float = 0.0
    demosaic: Demosaic | None = None
    curve: bool = False
    chroma_blur: float = 0.0
    coring: float = 0.0
    sharpening: float = 0.0
    scale: float = 1.0
    qualities: tuple[float, ...] = ()
    chroma: Chroma = "4:2:0"
    place: tuple[int, int] = (0, 0)
    cut: tuple[int, int] = (0, 0)

    @property
    def noiseless(self) -> Shot:
        """The same without noise: what it makes of a picture differs only by the noise."""
        return self._replace(photons=math.inf)


def photographed(x: Images, shot: Shot, rng: Generator) -> Images:
    """Take pictures again.

    Args:
        x: (B, 3, H, W).
        shot: how.
        rng: draws the noise.

    Returns:
        (B, 3, H, W).

    Source: the order of steps is that of T. Brooks et al., "Unprocessing images for learned raw denoising", 2019,
        sections 3.1–3.6, backwards and forwards again.
    """
    return finish(photographing(x, shot, rng))


def photographing(x: Images, shot: Shot, rng: Generator) -> Job[Images]:
    """:func:`photographed` as a job, step by step."""
    yield Progress(0, STEPS)
    height, width = x.shape[-2:]
    down, right = (MARGIN + at for at in shot.place)
    scene = mirrored(x, (down, MARGIN, right, MARGIN))
    tall, wide = scene.shape[-2:]
    if shot.scale > 1:
        scene = resampled(scene, round(tall * shot.scale), round(wide * shot.scale), "bicubic").clamp_(0, 1)
    light = exposed(scene, shot)
    yield Progress(1, STEPS)
    raw = sensed(light, shot, rng)
    yield Progress(2, STEPS)
    taken = developed(raw, shot)
    yield Progress(3, STEPS)
    taken = finished(taken, shot)
    yield Progress(4, STEPS)
    for quality in shot.qualities[:-1]:
        taken = jpeg(taken, torch.tensor([quality]), shot.chroma)
    if shot.scale > 1:
        taken = resampled(taken, tall, wide, "bicubic").clamp_(0, 1)
    taken = taken[..., shot.cut[0] :, shot.cut[1] :]
    if shot.qualities:
        taken = jpeg(taken, torch.tensor(shot.qualities[-1:]), shot.chroma)
    down, right = down - shot.cut[0], right - shot.cut[1]
    return taken[..., down : down + height, right : right + width].contiguous()


def exposed(x: Images, shot: Shot) -> Tensor:
    """The light (B, 3, H, W) that a sensor's three colours gather, 1 at most.

    Source: T. Brooks et al. 2019, eq. 7 (the tone curve x² (3 - 2 x), inverted) and sections 3.3–3.5; overlap:
        danqing, c' = m + (c - m) / (1 + overlap) with m the mean of the three, which keeps light positive and greys
        grey, in place of a matrix for each camera.
    """
    encoded = 0.5 - torch.sin(torch.asin(1 - 2 * x) / 3) if shot.curve else x
    light = to_linear(encoded.clamp(0, 1))
    grey = light.mean(1, keepdim=True)
    return torch.lerp(grey, light, 1 / (1 + shot.overlap)) / _gains(shot, x)


def sensed(light: Tensor, shot: Shot, rng: Generator) -> Tensor:
    """What the sensor says: (B, 1, H, W) behind a mosaic, or (B, 3, H, W) without one.

    Source: A. Foi et al. 2008, as :func:`danqing.maths.degradation.poisson_gaussian` has it; rows share an error of
        their own (K. Wei et al., "A physics-based noise formation model for extreme low-light raw denoising", 2020, eq.
        9); rounded to steps of a converter of 12 bits.
    """
    seen = light if shot.demosaic is None else mosaic(light)
    if math.isfinite(shot.photons):
        read, rows = (torch.tensor(each / shot.photons) for each in (shot.read, shot.rows))
        seen = poisson_gaussian(seen, torch.tensor(shot.photons), read, rng, clip=False)
        seen = seen + rows * torch.randn(len(seen), 1, seen.shape[-2], 1, generator=rng, device=rng.device).to(seen)
    steps = 2**BITS - 1
    return seen.mul(steps).round_().div_(steps).clamp_(-PEDESTAL, 1)


def developed(seen: Tensor, shot: Shot) -> Images:
    """A picture (B, 3, H, W) of what the sensor said.

    Source: T. Brooks et al. 2019, sections 3.2–3.6, forwards.
    """
    planes = (seen if shot.demosaic is None else demosaiced(seen, shot.demosaic)) * _gains(shot, seen)
    grey = planes.mean(1, keepdim=True)
    encoded = from_linear(torch.lerp(grey, planes, 1 + shot.overlap).clamp(0, 1))
    return encoded.square() * (3 - 2 * encoded) if shot.curve else encoded


def finished(x: Images, shot: Shot) -> Images:
    """What a camera does to please: less coloured noise, less of the finest grain, sharper edges.

    Source: colours are blurred apart from brightness; coring: J. Rossi, "Digital techniques for reducing television
        noise", 1978: detail d becomes sign(d) max(|d| - t, 0); sharpening: unsharp masking of what coring leaves.
    """
    if not (shot.chroma_blur or shot.coring or shot.sharpening):
        return x
    light = luma(x)
    colours = x - light
    if shot.chroma_blur:
        colours = blurred(colours, shot.chroma_blur)
    if shot.coring or shot.sharpening:
        soft = blurred(light, DETAIL)
        light = soft + (1 + shot.sharpening) * functional.softshrink(light - soft, shot.coring)
    return (light + colours).clamp(0, 1)


def blurred(x: Tensor, sigma: float) -> Tensor:
    """Blur (B, C, H, W) by a Gaussian of ``sigma`` px, cut off at three of them; mirrored beyond the borders."""
    import cv2

    side = 2 * math.ceil(3 * sigma) + 1
    planes = [
        cv2.GaussianBlur(plane.contiguous().numpy(), (side, side), sigma, borderType=cv2.BORDER_REFLECT)
        for plane in x.cpu().flatten(0, 1)
    ]
    return torch.from_numpy(np.stack(planes)).to(x.device).view(x.shape)


def _gains(shot: Shot, like: Tensor) -> Tensor:
    return torch.tensor([shot.gains[0], 1.0, shot.gains[1]]).to(like).view(1, 3, 1, 1)
