"""The place of a real picture in a model's latent space."""

from __future__ import annotations

import math
from typing import Annotated, Any

import torch
from torch import Tensor

from danqing.core.artefacts.latents import FoundLatents
from danqing.core.fields.label import Label
from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.learned.classes import class_names
from danqing.core.learned.kept import Latents
from danqing.core.learned.model import Painter
from danqing.core.learned.painting import paint_coded
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.core.pictures.sheet import contact_sheet
from danqing.core.progress import Job
from danqing.maths.fitting import fit
from danqing.maths.projection import note_missed, projected, share, unexplained


@operator(version=7)
def project(
    x: Images,
    weights: Painter,
    label: Label | None = None,
    steps: Annotated[int, Range(0, 10_000)] | None = None,
    seed: Seed = 0,
) -> Job[FoundLatents]:
    """Find the latent from which a model paints a real picture as well as it can.

    The latents go into a file that ``steer`` and ``more_like`` start from. The sheet beside shows, a row each, the
    picture, what the model makes of it, and the difference around grey. Where much is left unexplained a note says
    whether the search did not arrive, so that more steps may, or the picture is of a kind that the model has not
    learned: what is edited then is another picture.

    Args:
        x: pictures of any size; their middle square is resized to the model's size.
        weights: a trained generator: a run folder, a .safetensors file, or the name of a bundled one, such as emoji.
        label: the class of the pictures, by name or number; left out: found like the latent.
        steps: of the search; 0 takes the nearest sample, or where an encoder or a flow's way back leads; left out: 0
            for a flow, 200 for others.
        seed: chooses the samples that the search begins with.

    Returns:
        the latents, with the residual of each picture: psnr in dB, and the share of the picture left unexplained (its
        mean squared error over its variance).

    Raises:
        ParameterError: for a label that the model does not know.

    Source: Zhu et al. 2016, arXiv:1609.03552, section 3.2; Karras et al. 2020, arXiv:1912.04958, section 5; the loss,
    squared differences at several scales with a prior on the latent: danqing.

    Examples:
        danqing project seven.png --weights runs/dcgan-1 --out seven.latents
    """
    target = fit(x, weights.config["size"], weights.config["channels"])
    found = yield from projected(weights, target, label, steps, seed)
    painted = yield from paint_coded(weights, found.codes)
    rows = [_told(weights, *each) for each in zip(target, painted, found.codes, strict=True)]
    note_missed([row["unexplained"] for row in rows], found.kin)
    shown = torch.stack([target, painted, (target - painted) / 2 + 0.5], 1).flatten(0, 1)
    lines = [f"{row['psnr']:.1f} dB, {share(row['unexplained'])} unexplained{_named(row)}" for row in rows]
    return FoundLatents(Latents.of(weights, found.codes, pictures=rows), contact_sheet(shown, 3), rows, lines)


def _told(model: Painter, picture: Tensor, painted: Tensor, code: Tensor) -> dict[str, Any]:
    """The residual of one picture."""
    error = float((picture - painted).square().mean())
    names = class_names(model)
    named = {"class": names[int(code[0, -model.weighs :].argmax())]} if model.weighs else {}
    return {"psnr": -10 * math.log10(max(error, 1e-12)), "unexplained": unexplained(picture, painted), **named}


def _named(row: dict[str, Any]) -> str:
    return f", class {row['class']}" if "class" in row else ""
