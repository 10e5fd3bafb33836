"""The operator sharpness."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import torch

from danqing.core.artefacts.figures import Figures
from danqing.core.fields.number import Range
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images, Mask
from danqing.core.progress import Job, Progress
from danqing.maths.colour import brightness, heat
from danqing.maths.edge_widths import FEWEST, edge_widths
from danqing.maths.opacity import opacity_of, unhidden, weights_of

SMALLEST = 3  # px
Plane = np.ndarray[Any, np.dtype[Any]]


@operator
def sharpness(x: Images, radius: Annotated[int, Range(1, 100, "px")] = 8, alpha: Mask | None = None) -> Job[Figures]:
    """Measure how sharp pictures are, and where.

    Args:
        x: pictures (B, C, H, W) in [0, 1]; colour pictures are seen in their brightness.
        radius: of the neighbourhood over which the map of sharpness is averaged.
        alpha: opacity (B, 1, H, W), by default the pictures' own; each pixel counts as much as is seen of it.

    Returns:
        For each picture ``blur``, the width (sigma) of its edges in px, by the median over all edges, and ``sharpest``,
        the width that a tenth of them stay below (null where there are no edges); ``laplacian``, the variance of the
        Laplacian, and ``tenengrad``, the mean square of the Sobel gradient, both on the 0–255 scale and larger in
        sharp pictures, but also in pictures rich in detail; ``blur_effect``, from 0 sharp to 1 blurred; and a map
        (B, 3, H, W) from black (blurred or plain) over red and yellow to white (sharp).

    Source: S. Zhuo, T. Sim, "Defocus map estimation from a single image", 2011, eq. 6 (blur); J. Pech-Pacheco et al.,
    "Diatom autofocusing in brightfield microscopy", 2000 (laplacian); J. Tenenbaum 1970 (tenengrad); F. Crété et al.,
    "The blur effect", 2007.

    Examples:
        danqing sharpness photo.png --json
        danqing sharpness photo.png --radius 16 --out focus.png
    """
    opacity = opacity_of(x, alpha)
    planes = brightness(unhidden(x, opacity))[:, 0].double().cpu().numpy()
    weights = weights_of(x, opacity).double().cpu().numpy()
    shown, numbers = [], []
    for number, (plane, weight) in enumerate(zip(planes, weights, strict=True)):
        yield Progress(number, len(planes))
        shown.append(_map(plane, weight, radius))
        yield Progress(number + 1 / 3, len(planes))
        seen = _measured(plane, weight)
        yield Progress(number + 2 / 3, len(planes))
        numbers.append({**seen, "blur_effect": _blur_effect(plane)})
    return Figures(numbers, heat(torch.from_numpy(np.stack(shown)).float()[:, None].to(x.device)))


def _measured(plane: Plane, weight: Plane) -> dict[str, float | None]:
    from scipy import ndimage

    slopes = [ndimage.sobel(plane, axis, mode="nearest") for axis in (0, 1)]
    laplacian, share = ndimage.laplace(plane, mode="mirror") * 255, weight / weight.sum()
    widths = edge_widths(plane, weight > 0)
    enough = widths.size >= FEWEST
    return {
        "blur": float(np.median(widths)) if enough else None,
        "sharpest": float(np.quantile(widths, 0.1)) if enough else None,
        "laplacian": float(((laplacian - (laplacian * share).sum()) ** 2 * share).sum()),
        "tenengrad": float((sum((slope * 255) ** 2 for slope in slopes) * share).sum()),
    }


def _blur_effect(plane: Plane) -> float | None:
    from skimage.measure import blur_effect

    if min(plane.shape) < SMALLEST or np.ptp(plane) < 1e-6:
        return None
    with np.errstate(invalid="ignore", divide="ignore"):  # a picture that changes along one axis only
        found = float(blur_effect(plane, h_size=11))
    return found if np.isfinite(found) else None


def _map(plane: Plane, weight: Plane, radius: int) -> Plane:
    """How strong fine detail is in each neighbourhood; 1 at the strongest."""
    from scipy import ndimage

    detail = ndimage.gaussian_filter(ndimage.laplace(plane, mode="mirror") ** 2, radius / 2, mode="nearest")
    shown = np.sqrt(np.maximum(detail, 0)) * weight
    return shown / max(shown.max(), 1 / 255)  # type: ignore[no-any-return]
