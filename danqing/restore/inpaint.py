"""The operator inpaint."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np

from danqing.core.errors import ParameterError
from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.fields.weights import ForTask
from danqing.core.learned.model import Restorer
from danqing.core.notes import note
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images, Mask
from danqing.core.progress import Job, Progress
from danqing.maths import damage
from danqing.maths.inpainting import filled, something_is_known
from danqing.maths.selection import fitting
from danqing.nets.stain_estimate import hidden_or_inked
from danqing.nets.wear import LENIENT, radius_for

STROKE = 12.0  # px: half the width of a hole from which a net's guess is seen to be smooth


def _reach(method: str, weights: Restorer) -> int | None:
    return weights.reach if method == "learned" else None


def _settled(x: Images, mask: Mask | None, method: str, scratches: bool) -> dict[str, Any]:
    """Find the scratches; for the net, fill holes smoothly first, from as far away as it takes."""
    if mask is None and not scratches:
        remedy = "Give a mask, white where it is to paint, or scratches for what looks like scratches and dust"
        raise ParameterError("nothing says where to paint", where="mask", remedy=remedy)
    holes = x.new_zeros(len(x), *x.shape[-2:]).bool() if mask is None else fitting(mask, x)
    if scratches:
        holes = holes | (hidden_or_inked(x, radius_for(x), LENIENT)[:, 0] > 0.5)
    something_is_known(holes)
    holes = holes[:, None].to(x)
    if method == "learned" and _deepest(holes) > STROKE:
        note(f"a hole is wider than {2 * STROKE:g} px: a net fills it smoothly, and exemplar with texture")
    return {"mask": holes, "x": damage.filled(x, holes) if method == "learned" else x}


def _deepest(holes: Mask) -> float:
    """How far in pixels the innermost pixel of holes (B, 1, H, W) is from their rims."""
    import cv2

    planes = holes[:, 0].cpu().numpy().astype(np.uint8)
    return max(float(cv2.distanceTransform(plane, cv2.DIST_L2, 3).max()) for plane in planes)


@operator(reach=_reach, settle=_settled, version=3)
def inpaint(
    x: Images,
    mask: Mask | None = None,
    method: Literal["exemplar", "learned", "biharmonic", "telea", "navier-stokes"] = "exemplar",
    radius: Annotated[int, Range(1, 10, "px")] = 3,
    scratches: bool = False,
    seed: Seed = 0,
    weights: Annotated[Restorer, ForTask("inpaint")] = "inpaint-small",  # type: ignore[assignment]
) -> Job[Images]:
    """Paint over what a mask marks, or over scratches and dust, so that it looks as if nothing had been there.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        mask: what is painted over, 1 (white) means "here": one for all pictures, or one for each, of their size. Where
            nothing is marked, pictures stay as they are. Needed unless scratches are looked for.
        method: exemplar repeats what the rest of the picture is made of, edges and texture, for objects and large
            holes; learned is a neural network's guess, for writing and scratches, smooth in wide holes; biharmonic is
            smooth and exact for the same; telea and navier-stokes are fastest.
        radius: how far a patch reaches that is compared (exemplar), or how far known pixels are looked at (telea,
            navier-stokes).
        scratches: also paint over what looks like scratches, dust, folds and ink; wires and glints may look like them,
            too: the operator scratches shows beforehand what would be found at a strength of 0.33.
        seed: where the random search of exemplar starts.
        weights: the bundled inpaint-small, or a restorer of one's own; for learned.

    Returns:
        A job with pictures of the same size; what is not marked keeps its values exactly.

    Raises:
        ModelFileError: if the weights are for another task.
        ParameterError: if there is neither a mask nor ``scratches``, the mask has another size, there are several but
            not as many as pictures, or it covers all.

    Source: Y. Wexler et al. 2007 and C. Barnes et al. 2009 (exemplar), S. Damelin, N. Hoang 2018 (biharmonic), A. Telea
    2004, M. Bertalmio et al. 2001 (navier-stokes), as ``danqing.maths.inpainting`` has them; learned:
    the net of danqing.models.restorer.

    Examples:
        danqing inpaint photo.png --mask hole.png --method telea --out whole.png
        danqing inpaint photo.png --mask hole.png --method learned --out whole.png
        danqing inpaint old.png --scratches --method learned --out whole.png
    """
    assert mask is not None  # settled
    if method != "learned":
        return (yield from filled(x, mask[:, 0] > 0.5, method, radius, seed))
    yield Progress(0, 1, "painting")
    return weights.restore(x, mask=mask, begin=x)
