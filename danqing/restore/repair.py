"""The operator repair."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import torch

from danqing.core.artefacts.mended import Mended
from danqing.core.errors import ParameterError
from danqing.core.fields.number import Range
from danqing.core.learned.model import Restorer
from danqing.core.operators import tiles
from danqing.core.operators.operator import operator
from danqing.core.operators.use import use
from danqing.core.pictures.alpha import filled as filled_under
from danqing.core.pictures.alpha import seen_in
from danqing.core.pictures.contract import Images, Mask
from danqing.core.progress import Job, Progress
from danqing.maths.damage import filled
from danqing.maths.drawn import drawn
from danqing.maths.fading import unfaded
from danqing.maths.opacity import opacity_of
from danqing.maths.roughness import through_texture
from danqing.maths.stains import unstained
from danqing.nets.ailments import Found, look
from danqing.nets.noise_estimate import CAMERA
from danqing.nets.stain_estimate import hidden_or_inked
from danqing.nets.wear import radius_for

COARSE = 15.0  # σ above which marks are looked for when the noise is gone: the net has learned none stronger
ANY = 0.5  # strength at which marks are looked for where it is told that there are some
OF_YEARS = ("shading", "scratches", "stains")  # steps for photographs alone: in drawings, what looks alike was drawn
KEYS = {
    "compression": "jpeg",
    "noise": "noise",
    "shading": "shaded",
    "scratches": "scratches",
    "stains": "stained",
    "fading": "faded",
    "blur": "blur",
}


@operator(version=10)
def repair(
    x: Images,
    strength: Annotated[float, Range(0, 1)] = 1.0,
    always: str = "",
    never: str = "",
    output: Literal["picture", "steps"] = "picture",
    size: Literal["tiny", "base"] = "base",
    alpha: Mask | None = None,
) -> Job[Mended]:
    """Look what ails a photograph and mend it: compression, folds, scratches, stains, noise, faded colours, blur.

    Each is looked for in what the steps before have left, and done only if it is needed. A camera's noise goes first,
    together with what its file did to it; otherwise compression does, since it came last, and strong white noise before
    scratches, which are then better seen; the shadows of folds before what is beside the crease is filled from there;
    fading when nothing is left that deeper colours would deepen, too. Shadows and stains that light goes through are
    not filled but given the light back that they took. A page, a chart or a cartoon, drawn on even ground, has neither
    noise nor scratches: only its compression and blur are looked for.

    Args:
        x: pictures (B, C, H, W) in [0, 1].
        strength: share of every change that is made.
        always: steps that are taken whatever is found, separated by commas: compression, shading (of folds), scratches
            (dust, creases and ink, too), stains, noise, fading, blur. Without that, compression is mended below quality
            80, shading if a crease is darker on one side all along, scratches if 0.6 % of the picture and a fifth of
            what may be hidden surely are, or ink hides any of it, stains if they lie on more than a 500th of it, noise
            from σ = 3 of 255 on if no compression was mended, fading if bleached dyes or yellow paper are found, blur
            if edges are wider than 1.2 px.
        never: steps that are not taken, likewise.
        output: the mended pictures, or for each one the steps side by side, from the first state to the last.
        size: of the net that takes away noise: base, or the faster tiny.
        alpha: opacity (B, 1, H, W), by default the pictures' own; what is not seen at all does not count.

    Returns:
        A job with what was found in each picture, when it was looked for: ``jpeg`` (quality, null if there is no
        trace), ``noise`` (σ on the 0–255 scale), ``shaded`` (density of the deepest shadow), ``scratches`` and
        ``stained`` (shares of the pixels), ``faded``, ``blur`` (px), and the ``steps`` taken, in their order; and the
        pictures, which stay as they are where nothing ails them.

    Raises:
        ParameterError: for a step that there is not, or that is to be taken always and never.

    Source: danqing, from ``jpeg_quality``, ``noise_level``, ``scratches``, ``stains``, ``unfade`` and ``sharpness``,
    and the learned ``dejpeg``, ``denoise``, ``inpaint`` and ``deblur``; shadows of folds: :mod:`danqing.maths.folds`;
    marks that are wider than a line and lie in texture are filled with patches (``inpaint --method exemplar``).

    Examples:
        danqing repair old.png --out mended.png
        danqing repair old.png --never fading,blur --output steps --out steps.png
    """
    wanted, unwanted = _steps(always, "always"), _steps(never, "never")
    if both := wanted & unwanted:
        raise ParameterError(f"{sorted(both)[0]} is to be done always, too", where="never", remedy="Name it once")
    numbers, shown = [], []
    opacity = opacity_of(x, alpha)
    x = x if opacity is None else filled_under(x, opacity)
    for at in range(len(x)):
        seen = None if opacity is None else seen_in(opacity[at : at + 1])
        states, steps = [x[at : at + 1]], []
        figures: dict[str, Any] = {}
        noise, aged = look("noise", states[0], seen), not bool(drawn(states[0], seen))
        for number, step in enumerate(_order(noise)):
            yield Progress(at + number / len(KEYS), len(x), step)
            found = noise if step == "noise" and len(states) == 1 else look(step, states[-1], seen)
            figures[KEYS[step]] = found.figure
            if step == "noise" and "compression" in steps and step not in wanted:
                continue  # what JPEG leaves is not white noise
            ill = found.ill and (aged or step not in OF_YEARS)
            if step in unwanted or not (ill or step in wanted):
                continue
            anyway = step == "scratches" and step in wanted
            needs = hidden_or_inked(states[-1], radius_for(states[-1]), ANY) if anyway else found.needs
            made = yield from _mended(step, states[-1], needs, size)
            states.append(torch.lerp(states[-1], made, strength))
            steps.append(step)
        numbers.append({**figures, "steps": steps})
        shown.append(torch.cat(states, -1) if output == "steps" else states[-1])
    return Mended(numbers, _side_by_side(shown))


def _steps(said: str, name: str) -> set[str]:
    """The steps that are named."""
    steps = {each.strip() for each in said.split(",")} - {""}
    for each in sorted(steps - KEYS.keys()):
        raise ParameterError(f"there is no step “{each}”", where=name, remedy=f"Steps are {', '.join(KEYS)}")
    return steps


def _order(noise: Found) -> Iterator[str]:
    """In which order the ills of a picture with such noise are mended."""
    marks = ("shading", "scratches", "stains")
    if noise.ill and noise.needs.remover == CAMERA:
        yield from ("noise", "compression", *marks)
    elif (noise.figure or 0) > COARSE:
        yield from ("compression", "noise", *marks)
    else:
        yield from ("compression", *marks, "noise")
    yield from ("fading", "blur")


def _mended(step: str, x: Images, needs: Any, size: str) -> Job[Images]:
    """A job with the picture after a step."""
    if step == "scratches":
        return _painted_over(x, needs)
    if step in ("shading", "stains"):
        return _ready(unstained(x, needs))
    if step == "fading":
        return _ready(unfaded(x, needs))
    if step == "noise":
        return _restored(needs.remover if size == "base" else "denoise-tiny", x, level=needs.told)
    return _restored("dejpeg-small", x, level=needs) if step == "compression" else _restored("deblur-small", x)


def _painted_over(x: Images, holes: Mask) -> Job[Images]:
    """Paint over marks: lines by the net, with patches what is wider and lies in texture."""
    if not bool((holes > 0).any()) or bool((holes > 0).all()):
        return x
    made = yield from _restored("inpaint-small", filled(x, holes), holes)
    rough = through_texture(made, holes)
    if bool((rough > 0).any()):
        made = yield from use("inpaint").job(made, rough)
    return made


def _ready(x: Images) -> Job[Images]:
    yield from ()
    return x


def _restored(name: str, x: Images, mask: Mask | None = None, **known: torch.Tensor) -> Job[Images]:
    """Restore a picture with bundled weights, tile by tile; holes are filled already."""
    model = use(name, Restorer)

    def net(x: Images, mask: Mask | None = None) -> Images:
        return model.restore(x, **known, **({} if mask is None else {"mask": mask, "begin": x}))

    return tiles.local(net, x, model.reach, mask=mask)


def _side_by_side(pictures: list[Images]) -> Images:
    """One batch; strips of different lengths are filled up with white."""
    widest = max(picture.shape[-1] for picture in pictures)
    channels = max(picture.shape[1] for picture in pictures)
    rows = [torch.ones(1, channels, picture.shape[-2], widest).to(picture) for picture in pictures]
    for row, picture in zip(rows, pictures, strict=True):
        row[..., : picture.shape[-1]] = picture
    return torch.cat(rows)
