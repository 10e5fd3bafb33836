"""The operator inpaint."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from danqing.core.errors import ParameterError
from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.fields.weights import ForTask
from danqing.core.learned.model import Restorer
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images, Mask
from danqing.core.progress import Job, Progress
from danqing.maths import damage
from danqing.maths.inpainting import filled, something_is_known
from danqing.maths.scratches import LENIENT
from danqing.maths.scratches import scratches as marked
from danqing.maths.selection import fitting


def _reach(method: str, weights: Restorer) -> int | None:
    return weights.reach if method == "learned" else None


def _settled(x: Images, mask: Mask | None, method: str, scratches: bool) -> dict[str, Any]:
    """Find the scratches; for the net, fill holes smoothly first, from as far away as it takes."""
    if mask is None and not scratches:
        remedy = "Give a mask, white where it is to paint, or scratches for what looks like scratches and dust"
        raise ParameterError("nothing says where to paint", where="mask", remedy=remedy)
    holes = x.new_zeros(len(x), *x.shape[-2:]).bool() if mask is None else fitting(mask, x)
    if scratches:
        holes = holes | (marked(x, strength=LENIENT)[:, 0] > 0.5)
    something_is_known(holes)
    holes = holes[:, None].to(x)
    return {"mask": holes, "x": damage.filled(x, holes) if method == "learned" else x}


@operator(reach=_reach, settle=_settled)
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
            holes; learned is a neural network's guess, for strokes, writing and scratches; biharmonic is smooth and
            exact for the same; telea and navier-stokes are fastest.
        radius: how far a patch reaches that is compared (exemplar), or how far known pixels are looked at (telea,
            navier-stokes).
        scratches: also paint over what looks like scratches and dust; wires and wood grain look like them, too: the
            operator scratches shows beforehand what would be found at a strength of 0.8.
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
