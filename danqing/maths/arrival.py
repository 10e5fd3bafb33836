"""The noise from which a flow paints a picture: its way back, mended until the way there arrives."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from danqing.core.learned.manner import convolving, freely
from danqing.core.learned.painting import FlowPainter
from danqing.core.pictures.contract import Images
from danqing.core.progress import Job, Progress
from danqing.maths.flows import returned

ROUNDS = 8  # of going there, comparing, and going back
GAIN = 0.5  # how much of what is amiss is mended at once; all of it overshoots where the way bends


class Arrival(NamedTuple):
    """Where a way begins, and how far from the picture it ends.

    Attributes:
        noise: (1, *latent).
        painted: the picture that it becomes.
        error: the mean squared error of that.
    """

    noise: Tensor
    painted: Images
    error: float


def reached(model: FlowPainter, picture: Images, y: Tensor | None, enough: float) -> Job[Arrival]:
    """Look for the noise that a flow paints a picture from, as it paints: in its steps, with its guidance.

    The way back by Euler's steps ends near it. From there the flow paints; the way back from what it painted says how
    far off that was, and half of it is mended, less where that made it worse. A way that hardly bends arrives at once:
    the fixed points of its steps lead on to the last digits.

    Args:
        model: the flow.
        picture: (1, channels, size, size), of the model's own.
        y: the class, int64 (1,), where there are classes.
        enough: the mean squared error at which a way arrives.

    Returns:
        the best of all rounds.

    Source: defect correction, as in Stetter 1978, Numerische Mathematik 29; danqing.
    """
    wanted = _back(model, picture, y)
    best = _arrival(model, picture, y, wanted)
    if best.error <= enough:
        with torch.no_grad():
            return min(best, _arrival(model, picture, y, model.way_back(picture, y)), key=lambda each: each.error)
    gain, amiss = GAIN, wanted - _back(model, best.painted, y)
    for done in range(1, ROUNDS):
        yield Progress(done, ROUNDS, "projecting")
        here = _arrival(model, picture, y, best.noise + gain * amiss)
        if here.error >= best.error:
            gain /= 2
            continue
        best = here
        if best.error <= enough:
            break
        amiss = wanted - _back(model, best.painted, y)
    return best


@torch.no_grad()
def codec_error(model: FlowPainter, picture: Images) -> float:
    """The mean squared error of what a flow could paint of a picture at best: of its codec, where it has one."""
    return float((model.decode(model.encode(picture)) - picture).square().mean())


@torch.no_grad()
def _arrival(model: FlowPainter, picture: Images, y: Tensor | None, noise: Tensor) -> Arrival:
    with freely(), convolving("own"):  # quicker for so few pictures
        painted = model.paint(noise, y)
    return Arrival(noise, painted, float((painted - picture).square().mean()))


@torch.no_grad()
def _back(model: FlowPainter, picture: Images, y: Tensor | None) -> Tensor:
    """Where a picture comes from, roughly: Euler's steps, each with the speed of its end."""
    with convolving("own"):
        return returned(
            model.led(y, float(model.config["guidance"])), model.encode(picture), model.config["steps"], "euler", 1
        )


__all__ = ["Arrival", "codec_error", "reached"]
