"""Run a call on the pictures in its files; here it is decided, once for all operators, what transparency means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor
from torch.nn.functional import interpolate

from danqing.core.artefacts.artefact import Artefact
from danqing.core.fields.colour import ColourKind
from danqing.core.fields.mask import MaskKind
from danqing.core.fields.weights import WeightsKind
from danqing.core.learned.model import Recogniser
from danqing.core.learned.painting import Autoencoder
from danqing.core.notes import note
from danqing.core.operators import tiles
from danqing.core.operators.operator import Operator
from danqing.core.pictures.alpha import filled, laid_on, premultiplied, unpremultiplied
from danqing.core.pictures.contract import Images, Mask, Picture
from danqing.core.progress import Job, shared
from danqing.core.runs.order import Call

OPAQUE = (1.0, 1.0, 1.0)
GROUND = (1.0, 1.0, 1.0)  # what training lays transparent pictures on
MOSTLY = 0.9  # share of the progress that the colours of a transparent picture take


class Loaded(NamedTuple):
    """The pictures of a call, read: the one worked on (None where there is none), and all values of the operator."""

    picture: Picture | None
    values: dict[str, Any]


def load(call: Call, inputs: Mapping[str, Path], most: int | None = None) -> Loaded:
    """Read the files of a call; a mask parameter ``NAME_alpha`` that is not given is the alpha plane of ``NAME``.

    Args:
        call: what is to be run.
        inputs: the files it reads, by parameter.
        most: pixels that a picture may have.

    Raises:
        PictureError: for a picture that cannot be read.
    """
    operator = call.operator
    kinds = {field.name: field.kind for field in operator.fields}
    picture, values = None, dict(call.values)
    for name, file in inputs.items():
        found = kinds[name].load(file, most)
        if name == operator.subject:
            picture = found
        elif not isinstance(found, Picture):
            values[name] = found
        else:
            opacity = f"{name}_alpha"
            takes_it = isinstance(kinds.get(opacity), MaskKind)
            if takes_it and opacity not in inputs:
                values[opacity] = found.alpha
            apart = takes_it or found.alpha is None
            values[name] = found.pixels if apart or found.alpha is None else _without_holes(operator, found)
    return Loaded(picture, values)


def compute(call: Call, loaded: Loaded) -> Job[tuple[Artefact, Picture | None]]:
    """Run a call; its result, and what the picture it worked on lends to the file of the result."""
    operator, picture = call.operator, loaded.picture
    if picture is None:
        return operator.makes.of((yield from operator.run(loaded.values))), None
    if picture.alpha is None:
        values = {**loaded.values, operator.subject: picture.pixels}
        result = yield from tiles.run(operator, values)
        return operator.makes.of(result), _lent(picture, None)
    result, alpha = yield from _with_alpha(operator, picture.pixels, picture.alpha, loaded.values)
    return operator.makes.of(result), _lent(picture, alpha)


def _lent(picture: Picture, alpha: Mask | None) -> Picture:
    """What a file of the result takes over; of the pixels, which may be many, nothing is held on to."""
    return replace(picture, pixels=picture.pixels[..., :1, :1], alpha=alpha)


def _with_alpha(operator: Operator[..., Any], x: Images, alpha: Mask, values: dict[str, Any]) -> Job[tuple[Any, Any]]:
    """Run an operator on a transparent picture: the result, and the opacity that belongs to it.

    An operator that asks for the opacity gets it, beside the colours as they are. One that moves pixels works on
    premultiplied colours, and moves the opacity likewise. Every other one sees the visible colours continued under
    what is transparent; recognisers and autoencoders see the ground that training lays pictures on.
    """
    subject = operator.subject
    if any(field.name == "alpha" and isinstance(field.kind, MaskKind) for field in operator.form):
        own = alpha if values.get("alpha") is None else values["alpha"]
        result = yield from tiles.run(operator, {**values, subject: x, "alpha": own})
        return result, _fitting(operator, alpha, values, result)
    if not operator.geometry:
        result = yield from tiles.run(operator, {**values, subject: _without_holes(operator, Picture(x, alpha))})
        return result, _fitting(operator, alpha, values, result)
    opaque = {
        field.name: OPAQUE
        for field in operator.form
        if isinstance(field.kind, ColourKind) and values[field.name] is not None
    }
    work = tiles.run(operator, {**values, subject: premultiplied(x, alpha)})
    colours = yield from shared(work, 0, MOSTLY)
    moved = yield from shared(tiles.run(operator, {**values, **opaque, subject: alpha}), MOSTLY, 1 - MOSTLY)
    return unpremultiplied(colours, moved), moved


def _without_holes(operator: Operator[..., Any], picture: Picture) -> Images:
    """The colours that an operator sees where it is not told of the opacity."""
    assert picture.alpha is not None
    wanted = [field.kind.base for field in operator.form if isinstance(field.kind, WeightsKind)]
    if any(issubclass(base, Recogniser | Autoencoder) for base in wanted):
        return laid_on(picture.pixels, picture.alpha, GROUND)
    return filled(picture.pixels, picture.alpha)


def _fitting(operator: Operator[..., Any], alpha: Mask, values: dict[str, Any], result: Any) -> Mask | None:
    """The opacity of a result that lies on the picture, enlarged as it was; None, and said, where it does not."""
    if not isinstance(result, Tensor):
        return None
    scale = operator.scale_for(values)
    if result.shape[-2:] != (alpha.shape[-2] * scale, alpha.shape[-1] * scale):
        note(f"the result of {operator.name} has no transparency: it does not lie on the picture any more")
        return None
    return alpha if scale == 1 else interpolate(alpha, scale_factor=scale, mode="bilinear").clamp(0, 1)


__all__ = ["Loaded", "compute", "load"]
