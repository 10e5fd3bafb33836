"""The noise from which a flow paints a picture: its way back, mended until the way there arrives."""

from __future__ import annotations

import math
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
        error: the mean squared error of what is painted from it.
    """

    noise: Tensor
    error: float


def reached(model: FlowPainter, picture: Images, y: Tensor | None, enough: float) -> Job[Arrival]:
    """Look for the noise that a flow paints a picture from, as it paints: in its steps, with its guidance.

    The way back by Euler's steps ends near it. From there the flow paints; the way back from what it painted says how
    far off that was, and half of it is mended, less where that made it worse.

    Args:
        model: the flow.
        picture: (1, channels, size, size), of the model's own.
        y: the class, int64 (1,), where there are classes.
        enough: the mean squared error at which a way arrives.

    Returns:
        the best of all rounds.

    Source: defect correction, as in Stetter 1978, Numerische Mathematik 29; danqing.
    """
    wanted = noise = _back(model, picture, y)
    best, amiss, gain = Arrival(noise, math.inf), torch.zeros_like(noise), GAIN
    for done in range(ROUNDS):
        painted = _painted(model, noise, y)
        error = float((painted - picture).square().mean())
        if error <= enough:
            return Arrival(noise, error)
        if error < best.error:
            best, amiss = Arrival(noise, error), wanted - _back(model, painted, y)
        else:
            gain /= 2
        noise = best.noise + gain * amiss
        yield Progress(done + 1, ROUNDS, "projecting")
    return best


@torch.no_grad()
def codec_error(model: FlowPainter, picture: Images) -> float:
    """The mean squared error of what a flow could paint of a picture at best: of its codec, where it has one."""
    return float((model.decode(model.encode(picture)) - picture).square().mean())


@torch.no_grad()
def _painted(model: FlowPainter, noise: Tensor, y: Tensor | None) -> Images:
    with freely(), convolving("own"):  # quicker for so few pictures
        return model.paint(noise, y)


@torch.no_grad()
def _back(model: FlowPainter, picture: Images, y: Tensor | None) -> Tensor:
    """Where a picture comes from, roughly: Euler's steps, each with the speed of its end."""
    with convolving("own"):
        return returned(
            model.led(y, float(model.config["guidance"])), model.encode(picture), model.config["steps"], "euler", 1
        )


__all__ = ["Arrival", "codec_error", "reached"]
