"""How strong the noise in pictures is, found from the pictures alone: three estimators for white Gaussian noise.

Each takes pictures (B, C, H, W) in [0, 1] and returns the standard deviation (B,), float64, in image units: NaN where a
picture is too small to tell. Noise that is clipped at black and white, or that a camera has smoothed, seems weaker.
Where pixels are not ``seen`` (B, H, W), bool, what touches them is left out.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from danqing.core.pictures.contract import Images
from danqing.maths.full_precision import full_precision

PATCH = {1: 8, 3: 6}  # side of a patch by channels: 64 and 108 numbers
ENOUGH = 4  # patches a number of one: below, their covariance says little
MOST = 2**15  # patches
CLEAR = 2.5  # standard deviations that a patch must lie off black and white
CALM = 3.5  # standard deviations that the variance of a patch may exceed that of noise alone
CALM_SHARE = 0.15  # of patches that must be so calm for them to tell
ROUNDS = 4  # of leaving out what is not calm
LAGS, PLACES = 96, 2**13  # places that one is told from, and places that are told
NEAR, FAR = 6, 24  # px between them: beyond the grain of any noise
TONE, AROUND = 0.05, 9  # so near to black or white on average over so many px, a place has not all of its noise
_DB2 = (-0.12940952255092145, -0.22414386804185735, 0.836516303737469, -0.48296291314469025)


def by_laplacians(x: Images, seen: Tensor | None = None) -> Tensor:
    """Average the size of the difference of two Laplacians, which no slope and no bend of the picture answers.

    Source: J. Immerkær, "Fast noise variance estimation", 1996, eq. 2 and 9.
    """
    if min(x.shape[-2:]) < 3:
        return _unknown(x)
    sizes, inside = laplacian_difference(x.double()).abs(), wholly(_all(x) if seen is None else seen, 3)[:, None]
    size = (sizes * inside).sum((2, 3)) / inside.sum((2, 3)) * math.sqrt(math.pi / 2) / 6  # NaN where nothing is left
    return size.square().mean(1).sqrt()


@full_precision
def laplacian_difference(x: Tensor) -> Tensor:
    """The response (B, C, H - 2, W - 2) to the mask 1 -2 1, -2 4 -2, 1 -2 1."""
    line = torch.tensor([1.0, -2.0, 1.0]).to(x)
    return _filtered(x, line)


def by_wavelets(x: Images, seen: Tensor | None = None) -> Tensor:
    """Take the median size of the finest diagonal wavelet coefficients, which few edges reach.

    Source: D. Donoho, I. Johnstone, "Ideal spatial adaptation by wavelet shrinkage", 1994, section 4.2; Daubechies
    wavelet with two vanishing moments; flat places, of exactly zero, are left out as scikit-image does.
    """
    if min(x.shape[-2:]) < 4:
        return _unknown(x)
    detail = _filtered(x.double(), torch.tensor(_DB2).double()).abs()
    inside = wholly(_all(x) if seen is None else seen, 4)
    medians = [
        [float(plane[there & (plane > 1e-9)].median()) for plane in picture]
        for picture, there in zip(detail, inside, strict=True)
    ]
    sizes = torch.tensor(medians, dtype=torch.float64).nan_to_num(0) / 0.6744897501960817  # the normal quartile
    return torch.where(inside.flatten(1).any(1).cpu(), sizes.square().mean(1).sqrt(), torch.nan)


@full_precision
def by_patches(x: Images, seen: Tensor | None = None) -> Tensor:
    """Find the level that the small eigenvalues of the patches' covariance have in common: directions of noise alone.

    Source: G. Chen, F. Zhu, P. A. Heng, "An efficient statistical method for image noise level estimation", 2015,
    algorithm 1; patches so dark or bright that noise is clipped are left out; three equal channels count as one. In
    grey, where fine texture fills all directions, only calm patches count, if there are enough: X. Liu, M. Tanaka, M.
    Okutomi, "Single-image noise level estimation for blind denoising", 2013 (there by gradients).
    """
    there = _all(x) if seen is None else seen
    one = (each[:1] if bool((each == each[:1]).all()) else each for each in x)
    return torch.stack([_by_patches(*each) for each in zip(one, there, strict=True)])


def by_statistics(x: Images, seen: Tensor | None = None) -> Tensor:
    """Estimate by :func:`by_patches`, and by :func:`by_laplacians` where there are too few patches."""
    levels = by_patches(x, seen)
    if not bool(levels.isnan().any()):
        return levels
    return torch.where(levels.isnan(), by_laplacians(x, seen).to(levels), levels)


def wholly(seen: Tensor, side: int) -> Tensor:
    """Of which squares of ``side`` pixels (B, H - side + 1, W - side + 1) all is seen."""
    return -functional.max_pool2d(-seen[:, None].float(), side, 1)[:, 0] > 0


def _all(x: Images) -> Tensor:
    return torch.ones(len(x), *x.shape[-2:], dtype=torch.bool, device=x.device)


def _by_patches(picture: Tensor, seen: Tensor) -> Tensor:
    side = PATCH[len(picture)]
    while side > 1 and not _enough(picture, side, seen):
        side -= 1
    if side == 1:
        return torch.tensor(math.nan, dtype=torch.float64)
    patches = _seen_patches(picture, side, seen)
    first = _common_level(patches)
    middle = patches.mean(0)
    inside = (middle > CLEAR * first) & (middle < 1 - CLEAR * first)
    if not bool(inside.all()) and inside.sum() >= ENOUGH * len(patches):
        patches = patches[:, inside]
        first = _common_level(patches)
    return first if len(picture) == 3 else _in_calm(patches, first)


def _in_calm(patches: Tensor, level: Tensor) -> Tensor:
    """Leave out, again and again, grey patches (D, N) that vary more than noise of the level found so far does."""
    spread = patches.var(0)
    bound = 1 + CALM * math.sqrt(2 / (len(patches) - 1))
    for _ in range(ROUNDS):
        calm = spread < level.square() * bound
        if calm.sum() < max(CALM_SHARE * patches.shape[1], ENOUGH * len(patches)):
            break
        level = _common_level(patches[:, calm])
    return level


def _common_level(patches: Tensor) -> Tensor:
    """The standard deviation that patches (D, N) have in most directions, float64."""
    values = torch.linalg.eigvalsh(patches.cov().double())  # rising
    means = values.cumsum(0) / torch.arange(1, len(values) + 1)
    for last in range(len(values) - 1, -1, -1):
        if means[last] <= values[: last + 1].quantile(0.5):  # as many above as below: what is left is one level
            break
    level: Tensor = means[last].clamp(min=0).sqrt()
    return level


def _enough(picture: Tensor, side: int, seen: Tensor) -> bool:
    channels, height, width = picture.shape
    if min(height, width) < side:
        return False
    needed = ENOUGH * channels * side**2
    if not bool(seen.all()):
        return _seen_patches(picture, side, seen).shape[1] >= needed
    return (height - side + 1) * (width - side + 1) >= needed


def _seen_patches(picture: Tensor, side: int, seen: Tensor) -> Tensor:
    """As :func:`_patches`, without those of which a part is not seen."""
    patches = _patches(picture, side)
    return patches if bool(seen.all()) else patches[:, _patches(seen[None].to(picture), side).amin(0) > 0]


def _patches(picture: Tensor, side: int) -> Tensor:
    """Overlapping patches (C · side², N), evenly spread; at most about MOST of them."""
    _, height, width = picture.shape
    surplus = (height - side + 1) * (width - side + 1) / MOST
    down = max(1, math.ceil(surplus**0.5))
    right = max(1, math.ceil(surplus / down))
    views = picture.unfold(1, side, down).unfold(2, side, right)  # (C, rows, columns, side, side)
    return views.permute(0, 3, 4, 1, 2).flatten(3).flatten(0, 2)


def _filtered(x: Tensor, line: Tensor) -> Tensor:
    """Correlate with a line of weights across and down, where it fits."""
    planes = x.flatten(0, 1)[:, None]
    out = functional.conv2d(functional.conv2d(planes, line.view(1, 1, 1, -1)), line.view(1, 1, -1, 1))
    return out.view(*x.shape[:2], *out.shape[-2:])


def _unknown(x: Images) -> Tensor:
    return torch.full((len(x),), math.nan, dtype=torch.float64)


def not_told_from_afar(x: Images, seen: Tensor | None = None) -> Tensor:
    """Measure how much of a pixel cannot be told from pixels far from it: noise is never more than that.

    Noise is independent beyond its grain, while stripes, weave and print go on: a linear prediction from many places at
    6…24 px leaves all of the one and little of the other. Infinite where a picture is too small to tell.

    Source: danqing; the least squares are those of a linear predictor, as in Makhoul, "Linear prediction", 1975.
    """
    height, width = x.shape[-2:]
    reach = min(FAR, (min(height, width) - 2) // 2)
    if reach <= NEAR:
        return x.new_full((len(x),), math.inf)
    rng = torch.Generator().manual_seed(0)
    angles, radii = torch.rand(2, LAGS, generator=rng)
    radii = NEAR + (reach - NEAR) * radii
    lags = ((radii * (math.tau * angles).sin()).round() * width + (radii * (math.tau * angles).cos()).round()).long()
    mean = functional.avg_pool2d(x, AROUND, 1, AROUND // 2, count_include_pad=False)
    noisy = ((mean > TONE) & (mean < 1 - TONE)).all(1)
    noisy = noisy if seen is None else noisy & seen
    return torch.stack([_left_over(each, where, lags, reach, rng) for each, where in zip(x, noisy, strict=True)])


def _left_over(x: Tensor, noisy: Tensor, lags: Tensor, reach: int, rng: torch.Generator) -> Tensor:
    """The root mean square of what the lags leave of places of one picture (C, H, W) that are noisy (H, W)."""
    inner = torch.zeros_like(noisy)
    inner[reach:-reach, reach:-reach] = noisy[reach:-reach, reach:-reach]
    places = inner.flatten().nonzero()[:, 0].cpu()
    if len(places) < 4 * LAGS:
        return x.new_tensor(math.inf)
    places = places[torch.randint(len(places), (PLACES,), generator=rng)]
    left = []
    for plane in x.flatten(1).double().cpu():
        told, known = plane[places], functional.pad(plane[places[:, None] + lags], (0, 1), value=1.0)
        products = known.T @ known
        products += 1e-9 * products.diagonal().mean() * torch.eye(len(products))
        weights = torch.linalg.solve(products, known.T @ told)
        left.append((told - known @ weights).square().sum() / (len(told) - LAGS - 1))
    return torch.stack(left).mean().sqrt().to(x)
