"""The operator palette."""

from __future__ import annotations

from typing import Annotated, Any

import torch
from torch import Generator, Tensor

from danqing.core.artefacts.figures import Figures
from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images, Mask
from danqing.maths.colour import from_oklab, to_oklab
from danqing.maths.opacity import opacity_of, weights_of

BINS = 32  # a channel: colours closer than 8 of 255 levels are taken together before they are grouped
ALIKE = 0.02  # OKLab distance under which two groups look the same
STRIP = (128, 512)  # height and width of the strip of swatches, px


@operator
def palette(x: Images, count: Annotated[int, Range(1, 32)] = 6, seed: Seed = 0, alpha: Mask | None = None) -> Figures:
    """Name the dominant colours of pictures and the share of each.

    Colours are grouped by k-means where equal distances look equally different (OKLab). A colour counts by the square
    root of its pixels while groups are sought, so that a small bright spot is not lost in a large plain ground; the
    shares are those of the pixels. Groups that look alike are joined, so there may be fewer colours than asked for.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        count: the largest number of colours.
        seed: where the search for groups starts.
        alpha: opacity (B, 1, H, W), by default the pictures' own; each pixel counts as much as is seen of it.

    Returns:
        For each picture ``colours``, the largest share first: ``hex``, ``rgb`` (0–255) and ``proportion`` (they sum to
        1); and a strip of swatches (B, C, 128, 512), as wide as their shares.

    Source: D. Arthur, S. Vassilvitskii, "k-means++: the advantages of careful seeding", 2007; B. Ottosson, "A
    perceptual color space for image processing", 2020.

    Examples:
        danqing palette photo.png --count 5 --out swatches.png
    """
    weights = weights_of(x, opacity_of(x, alpha))
    found = [_dominant(*pair, count, seed) for pair in zip(x.expand(-1, 3, -1, -1), weights, strict=True)]
    numbers = [{"colours": [_described(*pair) for pair in zip(*each, strict=True)]} for each in found]
    return Figures(numbers, torch.stack([_strip(*each)[: x.shape[1]] for each in found]))


def _dominant(picture: Tensor, weight: Tensor, count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Dominant sRGB colours (K, 3) of a picture (3, H, W) and their shares (K,), the largest first; float64."""
    colours, pixels = _binned(picture, weight)
    points = to_oklab(colours)
    rng = Generator().manual_seed(seed)
    attempts = [_grouped(points, pixels.sqrt(), count, rng) for _ in range(4)]
    group = min(attempts, key=lambda attempt: attempt[0])[1]
    centres, shares = _joined(*_centres(points, pixels, group))
    order = shares.argsort(descending=True, stable=True)
    return from_oklab(centres[order]), shares[order] / pixels.sum()


def _binned(picture: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Mean colour (N, 3) and weight of the pixels (N,) of each occupied cell of the colour cube; float64."""
    pixels, sums = torch.zeros(BINS**3).double(), torch.zeros(BINS**3, 3).double()
    pieces = (plane.flatten(1).split(2**22, dim=1) for plane in (picture, weight[None]))
    for values, own in zip(*pieces, strict=True):  # (3, pixels) and (1, pixels), so that memory stays bounded
        cell = (values * BINS).long().clamp_(max=BINS - 1)
        index = (cell[0] * BINS + cell[1]) * BINS + cell[2]
        share = own[0].double()
        pixels += torch.bincount(index, share, BINS**3)
        sums += torch.stack([torch.bincount(index, plane * share, BINS**3) for plane in values], 1)
    there = pixels > 0
    return sums[there] / pixels[there, None], pixels[there]


def _grouped(points: Tensor, weight: Tensor, count: int, rng: Generator) -> tuple[float, Tensor]:
    """One run of k-means from a k-means++ start: its weighted squared error, and the group (N,) of each point."""
    centres = points[torch.multinomial(weight, 1, generator=rng)]
    for _ in range(min(count, len(points)) - 1):
        error = weight * _distances(points, centres).amin(1)
        centres = torch.cat((centres, points[torch.multinomial(error, 1, generator=rng)]))
    error, group = _distances(points, centres).min(1)
    for _ in range(50):
        centres, _shares = _centres(points, weight, group)
        error, new = _distances(points, centres).min(1)
        if torch.equal(new, group):
            break
        group = new
    return float((weight * error).sum()), group


def _distances(points: Tensor, centres: Tensor) -> Tensor:
    return (points[:, None] - centres[None]).square().sum(2)  # (N, K)


def _centres(points: Tensor, weight: Tensor, group: Tensor) -> tuple[Tensor, Tensor]:
    """Weighted mean (K, 3) and total weight (K,) of every group that has points."""
    total = torch.bincount(group, weight)
    sums = torch.zeros(len(total), 3, dtype=points.dtype).index_add_(0, group, points * weight[:, None])
    return sums[total > 0] / total[total > 0, None], total[total > 0]


def _joined(centres: Tensor, shares: Tensor) -> tuple[Tensor, Tensor]:
    """Join the two nearest groups as long as they look alike."""
    while len(centres) > 1:
        distance = _distances(centres, centres).fill_diagonal_(torch.inf)
        one, other = divmod(int(distance.argmin()), len(centres))
        if distance[one, other] >= ALIKE**2:
            break
        group = torch.arange(len(centres))
        group[max(one, other)] = min(one, other)
        centres, shares = _centres(centres, shares, group)
    return centres, shares


def _described(colour: Tensor, share: Tensor) -> dict[str, Any]:
    rgb = [round(value * 255) for value in colour.tolist()]
    return {"hex": "#{:02x}{:02x}{:02x}".format(*rgb), "rgb": rgb, "proportion": float(share)}


def _strip(colours: Tensor, shares: Tensor) -> Tensor:
    """Swatches side by side, (3, height, width)."""
    height, width = STRIP
    ends = (shares.cumsum(0) * width).round().long()
    columns = torch.searchsorted(ends, torch.arange(width), right=True).clamp(max=len(colours) - 1)
    return colours[columns].T[:, None].expand(3, height, width).float().clamp(0, 1)
