"""The operator inpaint."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from danqing.core.images import Images, Mask
from danqing.core.model import Restorer
from danqing.core.params import Range, Seed, WeightsOf
from danqing.core.progress import Job, Progress
from danqing.core.registry import operator
from danqing.maths import damage
from danqing.maths.inpainting import filled, something_is_known
from danqing.maths.selection import fitting


def _reach(method: str, weights: Restorer) -> int | None:
    return weights.reach if method == "learned" else None


def _settled(x: Images, mask: Mask, method: str) -> dict[str, Any]:
    """For the net, holes are first filled smoothly, from as far away as it takes."""
    if method != "learned":
        return {}
    holes = fitting(mask, x)
    something_is_known(holes)
    holes = holes[:, None].to(x)
    return {"x": damage.filled(x, holes), "mask": holes}


@operator(reach=_reach, settle=_settled)
def inpaint(
    x: Images,
    mask: Mask,
    method: Literal["exemplar", "learned", "biharmonic", "telea", "navier-stokes"] = "exemplar",
    radius: Annotated[int, Range(1, 10, "px")] = 3,
    seed: Seed = 0,
    weights: Annotated[Restorer, WeightsOf("restorer/inpaint")] = "inpaint-small",  # type: ignore[assignment]
) -> Job[Images]:
    """Paint over what a mask marks, so that it looks as if nothing had been there.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        mask: what is painted over, 1 (white) means "here": one for all pictures, or one for each, of their size. Where
            nothing is marked, pictures stay as they are.
        method: exemplar repeats what the rest of the picture is made of, edges and texture, for objects and large
            holes; learned is a neural network's guess, for strokes, writing and scratches; biharmonic is smooth and
            exact for the same; telea and navier-stokes are fastest.
        radius: how far a patch reaches that is compared (exemplar), or how far known pixels are looked at (telea,
            navier-stokes).
        seed: where the random search of exemplar starts.
        weights: the bundled inpaint-small, or a restorer of one's own; for learned.

    Returns:
        A job with pictures of the same size; what is not marked keeps its values exactly.

    Raises:
        ModelFileError: if the weights are for another task.
        ParameterError: if the mask has another size, there are several but not as many as pictures, or it covers all.

    Source: Y. Wexler et al. 2007 and C. Barnes et al. 2009 (exemplar), S. Damelin, N. Hoang 2018 (biharmonic), A. Telea
    2004, M. Bertalmio et al. 2001 (navier-stokes), as ``danqing.maths.inpainting`` has them; learned:
    the net of danqing.models.restorer.

    Examples:
        danqing inpaint photo.png --mask hole.png --method telea --out whole.png
        danqing inpaint photo.png --mask hole.png --method learned --out whole.png
    """
    if method != "learned":
        return (yield from filled(x, fitting(mask, x), method, radius, seed))
    yield Progress(0, 1, "painting")
    return weights.restore(x, mask=mask, begin=x)
