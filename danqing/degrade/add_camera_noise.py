"""The operator add_camera_noise."""

from __future__ import annotations

from typing import Annotated, Literal

import torch

from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.core.progress import Job
from danqing.maths.camera import WELL, Shot, photographing

GAINS = (2.0, 1.6)  # of red and blue, as under a clear sky
OVERLAP = 0.5  # of the colour filters
ROWS = 0.2  # error that a row shares, as a share of that of reading
FINISHES = {
    "plain": Shot(),
    "camera": Shot(curve=True, sharpening=0.5),
    "phone": Shot(curve=True, sharpening=1.0, chroma_blur=2.0, coring=0.015),
}


@operator
def add_camera_noise(
    x: Images,
    iso: Annotated[float, Range(50, 409600)] = 12800,
    read: Annotated[float, Range(0, 100, "electrons")] = 3,
    demosaic: Literal["bilinear", "gradient", "directed", "none"] = "gradient",
    finish: Literal["plain", "camera", "phone"] = "camera",
    quality: Annotated[int, Range(0, 100)] = 90,
    seed: Seed = 0,
) -> Job[Images]:
    """Take pictures again with a camera, and the noise that comes with it.

    Unlike white noise it is stronger in some brightnesses and colours than in others, and has a grain of several
    pixels. The picture itself stays: what the camera does to light is undone first.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        iso: how sensitive the camera is set: a pixel that holds 30,000 electrons at ISO 100 gathers as many fewer. The
            smaller pixels of a phone are as noisy at an eighth or less of it.
        read: standard deviation of the sensor's reading; a fifth of it is shared by each row.
        demosaic: how the colours between the sensor's coloured filters are guessed; "none": no filters, no grain.
        finish: "plain" only encodes the light as sRGB; "camera" has a tone curve, and sharpens; "phone" also blurs
            colours, wipes fine detail away and sharpens more.
        quality: of the JPEG file that the camera writes; 0 writes none.
        seed: another one draws other noise.

    Returns:
        Pictures of the same size; grey ones as a camera sees them, made grey again.

    Source: :mod:`danqing.maths.camera` and :mod:`danqing.maths.demosaic`: T. Brooks et al., "Unprocessing images for
        learned raw denoising", 2019; A. Foi et al., "Practical Poissonian-Gaussian noise modeling and fitting for
        single-image raw-data", 2008; H. Malvar et al. 2004 ("gradient"); J. Hamilton, J. Adams 1997 ("directed").

    Examples:
        danqing add_camera_noise photo.png --iso 25600 --out noisy.png
        danqing add_camera_noise photo.png --iso 6400 --read 6 --finish phone --quality 80 --seed 4 --out phone.png
    """
    shot = FINISHES[finish]._replace(
        photons=WELL * 100 / iso,
        read=read,
        rows=ROWS * read,
        gains=GAINS,
        overlap=OVERLAP,
        demosaic=None if demosaic == "none" else demosaic,
        qualities=(quality,) if quality else (),
    )
    taken = yield from photographing(x.expand(-1, 3, -1, -1), shot, torch.Generator().manual_seed(seed))
    return taken if x.shape[1] == 3 else taken.mean(1, keepdim=True)
