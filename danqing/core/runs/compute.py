"""Run a call on the pictures in its files, transparency included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from danqing.core.operators import tiles
from danqing.core.operators.operator import Operator
from danqing.core.pictures.contract import Images, Mask, Picture
from danqing.core.pictures.reading import read
from danqing.core.progress import Job
from danqing.core.runs.call import Call

MEGA = 1_000_000
OPAQUE = (1.0, 1.0, 1.0)


class Loaded(NamedTuple):
    """The pictures of a call, read: the one worked on (None where there is none), and all values of the operator."""

    picture: Picture | None
    values: dict[str, Any]


def load(call: Call, inputs: Mapping[str, Path], limit: float | None = None) -> Loaded:
    """Read the files of a call; a mask parameter ``NAME_alpha`` that is not given is the alpha plane of ``NAME``.

    Args:
        call: what is to be run.
        inputs: the files it reads, by parameter.
        limit: largest picture, in megapixels.

    Raises:
        PictureError: for a picture that cannot be read.
    """
    kinds = {field.name: field.kind for field in call.operator.fields}
    most = None if limit is None else int(limit * MEGA)
    picture, values = None, dict(call.values)
    for name, file in inputs.items():
        if kinds[name] == "path":
            values[name] = file
        elif name == call.subject:
            picture = read(file, limit=most)
        else:
            other = read(file, limit=most)
            values[name] = _as_mask(other.pixels) if kinds[name] == "mask" else other.pixels
            own = f"{name}_alpha"
            if kinds.get(own) == "mask" and own not in inputs:
                values[own] = other.alpha
    return Loaded(picture, values)


def compute(call: Call, loaded: Loaded) -> Job[tuple[Any, Picture | None]]:
    """Run a call; its result, and what the picture it worked on lends to the file of the result."""
    operator, picture = call.operator, loaded.picture
    if picture is None:
        return (yield from operator.job(**loaded.values)), None
    values = _with_alpha(operator, loaded.values, picture.alpha)
    result = yield from tiles.run(operator, picture.pixels, values)
    alpha = None
    if picture.alpha is not None and isinstance(result, Tensor):
        alpha = yield from _alpha(call, picture.alpha, loaded.values, result)
    return result, replace(picture, pixels=picture.pixels[..., :1, :1], alpha=alpha, recipe=None)


def _with_alpha(operator: Operator, values: dict[str, Any], alpha: Mask | None) -> dict[str, Any]:
    """The values, and the picture's own alpha plane for an operator that takes one and was given none."""
    asks = any(field.name == "alpha" and field.kind == "mask" for field in operator.form)
    return {**values, "alpha": alpha} if asks and values.get("alpha") is None else values


def _alpha(call: Call, alpha: Mask, values: dict[str, Any], result: Images) -> Job[Mask | None]:
    """The alpha plane of a result, None where that does not lie on the picture any more.

    It is moved as the picture was moved (a fill colour that was given is opaque), or enlarged as it was enlarged.
    """
    if call.operator.geometry:
        colours = [field.name for field in call.operator.form if field.kind == "colour"]
        opaque = {name: OPAQUE for name in colours if values[name] is not None}
        moved: Mask = yield from tiles.run(call.operator, alpha, {**values, **opaque})
        return moved
    scale = call.operator.scale_for(values)
    if result.shape[-2:] != (alpha.shape[-2] * scale, alpha.shape[-1] * scale):
        return None
    return alpha if scale == 1 else interpolate(alpha, scale_factor=scale, mode="bilinear").clamp(0, 1)


def _as_mask(x: Images) -> Mask:
    """The brightness of a picture, as a mask."""
    if x.shape[1] == 1:
        return x
    weights = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)  # ITU-R BT.601 luma
    return (x * weights).sum(1, keepdim=True).clamp(0, 1)


__all__ = ["Loaded", "compute", "load"]
