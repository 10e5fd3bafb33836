"""The operator colour_transfer."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
import torch
from torch import Generator, Tensor

from danqing.core.errors import ParameterError
from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.operators.operator import operator
from danqing.core.pictures.alpha import filled
from danqing.core.pictures.contract import Images, Mask
from danqing.core.progress import Job, Progress, shared
from danqing.maths.colour import brightness, from_linear, into_gamut, linear_from_oklab, to_oklab
from danqing.maths.guided import linear_in
from danqing.maths.opacity import opacity_of, weights_of

Plane = np.ndarray[Any, np.dtype[Any]]
SAMPLE = 2**15  # pixels that a transport is found from; more change nothing to be seen
LEVELS = 1024  # of the monotone map along one axis
CALM = 1e-3  # variance of lightness below which the change of colours is smoothed away
FLOOR = 1e-6  # variance that a picture of one colour is taken to have, in OKLab


@operator(version=2)
def colour_transfer(
    x: Images,
    reference: Images,
    method: Literal["reinhard", "linear", "sliced"] = "linear",
    strength: Annotated[float, Range(0, 1)] = 1.0,
    steps: Annotated[int, Range(1, 100)] = 20,
    seed: Seed = 0,
    alpha: Mask | None = None,
    reference_alpha: Mask | None = None,
) -> Job[Images]:
    """Give pictures the colours of another picture.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        reference: the picture whose colours are wanted, of any size: one for all, or one for each.
        method: reinhard matches mean and spread of lightness and of the two colour axes; linear also how they go
            together, with the least change that does it; sliced matches the whole distribution of colours.
        strength: how far the colours move to the new ones.
        steps: turns of the colour axes tried by sliced; more match better.
        seed: where the turns of sliced start.
        alpha: opacity (B, 1, H, W), by default the pictures' own; what is not seen at all does not count.
        reference_alpha: that of the reference, likewise.

    Returns:
        Pictures of the same size; a grey picture stays grey and takes on the brightness of the reference.

    Raises:
        ParameterError: if there are several references, but not as many as pictures.

    Source: E. Reinhard et al., "Color transfer between images", 2001 (here in OKLab); F. Pitié, A. Kokaram, "The linear
    Monge-Kantorovitch linear colour mapping for example-based colour transfer", 2007, eq. 4; F. Pitié et al.,
    "Automated colour grading using colour distribution transfer", 2007 (sliced), its change smoothed along the picture
    as J. Rabin et al. propose, "Regularization of transportation maps for color and contrast transfer", 2010, by the
    guided filter of K. He et al., "Guided image filtering", 2010.

    Examples:
        danqing colour_transfer photo.png painting.png --out painted.png
        danqing colour_transfer photo.png painting.png --method sliced --strength 0.7 --out painted.png
    """
    if len(reference) not in (1, len(x)):
        what = f"{len(reference)} references do not pair up with {len(x)} pictures"
        raise ParameterError(what, where="reference")
    reference = brightness(reference) if x.shape[1] == 1 else reference
    opacity = opacity_of(x, alpha)
    x = x if opacity is None else filled(x, opacity)
    counts = weights_of(x, opacity).flatten(1) > 0
    others = weights_of(reference, opacity_of(reference, reference_alpha, "reference_alpha")).flatten(1) > 0
    out = torch.empty_like(x)
    rows = zip(x, counts, reference.expand(len(x), -1, -1, -1), others.expand(len(x), -1), out, strict=True)
    for at, (picture, here, wanted, there, target) in enumerate(rows):
        yield Progress(at, len(x))
        lab, other = _colours(picture), _sampled(_colours(wanted)[there])
        rng = Generator().manual_seed(seed)
        if method == "sliced":
            sliced = yield from shared(_sliced(lab, here, other, steps, rng), at, 1, total=len(x))
            moved = lab + _calmed(sliced - lab, lab[:, 0], *picture.shape[1:])
        else:
            moved = _affine(lab, here, other, method)
        rgb = from_linear(into_gamut(linear_from_oklab(torch.lerp(lab, moved, strength).float())))
        target.copy_(rgb.T.reshape(3, *picture.shape[1:])[: len(picture)])
    return out.clamp_(0, 1)


def _colours(picture: Tensor) -> Tensor:
    """The pixels (N, 3) of a picture (C, H, W) in OKLab."""
    return to_oklab(picture.expand(3, -1, -1).flatten(1).T)


def _sampled(lab: Tensor) -> Tensor:
    """At most SAMPLE pixels, evenly spread over the picture."""
    return lab if len(lab) <= SAMPLE else lab[torch.linspace(0, len(lab) - 1, SAMPLE, dtype=torch.float64).long()]


def _affine(lab: Tensor, counts: Tensor, other: Tensor, method: str) -> Tensor:
    """Map pixels (N, 3) so that mean and (co)variances of those that count (N,) become those of the others."""
    here, there = _sampled(lab[counts]).double(), other.double()
    one, two = (_covariance(each) for each in (here, there))
    if method == "reinhard":
        matrix = torch.diag((two.diagonal() / one.diagonal()).sqrt())
    else:
        root, inverse = _root(one), torch.linalg.inv(_root(one))
        matrix = inverse @ _root(root @ two @ root) @ inverse
    moved: Tensor = (lab - here.mean(0).to(lab)) @ matrix.T.to(lab) + there.mean(0).to(lab)
    return moved


def _covariance(points: Tensor) -> Tensor:
    away = points - points.mean(0)
    return away.T @ away / len(points) + FLOOR * torch.eye(3, dtype=points.dtype, device=points.device)


def _root(matrix: Tensor) -> Tensor:
    """The square root of a symmetric positive matrix."""
    values, vectors = torch.linalg.eigh(matrix)
    root: Tensor = vectors * values.clamp(min=0).sqrt() @ vectors.T
    return root


def _sliced(lab: Tensor, counts: Tensor, other: Tensor, steps: int, rng: Generator) -> Job[Tensor]:
    """Move pixels (N, 3), of which some count (N,), along the axes of turned frames until both look alike."""
    moved = lab
    for step in range(steps):
        yield Progress(step, steps)
        axes: Tensor = torch.linalg.qr(torch.randn(3, 3, generator=rng)).Q.to(lab)
        along, wanted = moved @ axes, other @ axes
        moved = torch.stack([_matched(a, counts, b) for a, b in zip(along.T, wanted.T, strict=True)], 1) @ axes.T
    return moved


def _matched(values: Tensor, counts: Tensor, wanted: Tensor) -> Tensor:
    """Move values (N,) by the monotone map, linear between LEVELS places, that gives those that count (N,) the wanted
    distribution.
    """
    old, new = _quantiles(values[counts]), _quantiles(wanted)
    low, step = old[0], (old[-1] - old[0]).clamp(min=1e-9) / (LEVELS - 1)
    places = low + step * torch.arange(LEVELS, device=old.device)
    after = torch.searchsorted(old, places).clamp(1, LEVELS - 1)
    part = ((places - old[after - 1]) / (old[after] - old[after - 1]).clamp(min=1e-9)).clamp(0, 1)
    table = torch.lerp(new[after - 1], new[after], part)
    place = ((values - low) / step).clamp(0, LEVELS - 1)
    before = place.long().clamp(max=LEVELS - 2)
    return torch.lerp(table[before], table[before + 1], place - before)


def _quantiles(values: Tensor) -> Tensor:
    ranked = _sampled(values).sort().values
    return ranked[torch.linspace(0, len(ranked) - 1, LEVELS, dtype=torch.float64).round().long()]


def _calmed(change: Tensor, light: Tensor, height: int, width: int) -> Tensor:
    """Smooth the change (N, 3) of colours where the lightness (N,) is smooth, so that no grain or step is torn open."""
    import cv2

    reach = 2 * max(1, max(height, width) // 64) + 1

    def mean(planes: Plane) -> Plane:
        return np.asarray(cv2.blur(planes, (reach, reach), borderType=cv2.BORDER_REFLECT)).reshape(planes.shape)

    guide: Plane = light.reshape(height, width, 1).double().cpu().numpy()
    slope, offset = linear_in(guide, change.reshape(height, width, 3).double().cpu().numpy(), mean, CALM)
    return torch.from_numpy(slope * guide + offset).to(change).flatten(0, 1)
