"""What a channel of a model waits for."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from torch import Tensor

from danqing.core.errors import ParameterError
from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.learned.model import Model
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images
from danqing.core.progress import Job, Progress
from danqing.nets.layers import chosen_layer, heard, layers_of, look

RATE = 0.05  # of Adam, on the amplitudes
JITTER = 1 / 16  # of the side, by which the picture is moved before each look
SIDE = 64  # px of the picture, for models that look at any size
FAINT = 0.3  # of the amplitudes at first


@operator
def activation_maximisation(
    weights: Model,
    layer: str = "",
    channel: Annotated[int, Range(0, 65_535)] = 0,
    size: Annotated[int, Range(16, 512, "px")] | None = None,
    steps: Annotated[int, Range(1, 4096)] = 160,
    seed: Seed = 0,
) -> Job[Images]:
    """Paint the picture that one channel of a model answers to most.

    The picture is written as waves, coarse ones first, and is moved a little before every look, so that no single pixel
    decides.

    Args:
        weights: what looks at pictures, such as a classifier, a detector or a restorer: a run folder, a .safetensors
            file, or a bundled name.
        layer: the layer, by its name in the model; by default the last that gives maps.
        channel: which of its channels, from 0.
        size: side of the picture; by default the model's own, of what looks at any size 64.
        steps: how often it is improved.
        seed: chooses the picture to begin with.

    Returns:
        one picture of the model's channels.

    Raises:
        ParameterError: for a model that looks at nothing, a layer or a channel that it does not have, or one that
            does not answer.

    Source: Erhan et al. 2009, Visualizing higher-layer features of a deep network; Olah et al. 2017, Feature
    visualization, for waves and moving.

    Examples:
        danqing activation_maximisation digits --layer trunk.0 --channel 3 --out waits-for.png
    """
    side, rng = size or int(weights.config.get("size", SIDE)), torch.Generator().manual_seed(seed)
    waves = FAINT * torch.randn(weights.config.get("channels", 3), side, side // 2 + 1, 2, generator=rng)
    waves.requires_grad_()
    with torch.no_grad():
        layers = layers_of(weights, lambda: look(weights, _painted(waves, side)))
    name = chosen_layer(layer, layers)
    if channel >= layers[name][1]:
        raise ParameterError(f"{name} has channels 0 to {layers[name][1] - 1}", where="channel")
    optimiser = torch.optim.Adam([waves], RATE)
    for step in range(steps):
        optimiser.zero_grad()
        answer, waves.grad = _sloped(weights, name, channel, waves, rng)
        if step == 0 and not waves.grad.any():
            what = "the channel does not answer to the picture to begin with"
            raise ParameterError(what, where="channel", remedy="Give another one, or another --seed")
        optimiser.step()
        yield Progress(step + 1, steps, f"answer {answer.item():.3g}", _painted(waves.detach(), side))
    return _painted(waves.detach(), side)


def _painted(waves: Tensor, side: int) -> Images:
    """Waves (C, side, side // 2 + 1, 2) as a picture (1, C, side, side); a wave weighs as much as it is long."""
    down, across = torch.fft.fftfreq(side)[:, None], torch.fft.rfftfreq(side)[None]
    weight = 1 / torch.hypot(down, across).clamp_min(1 / side)
    spectrum = torch.view_as_complex(waves) * weight
    x: Images = torch.fft.irfft2(spectrum, s=(side, side), norm="ortho")[None].div(math.sqrt(side)).sigmoid()
    return x


def _moved(x: Images, rng: torch.Generator) -> Images:
    most = max(1, round(x.shape[2] * JITTER))
    by = torch.randint(-most, most + 1, (2,), generator=rng).tolist()
    return x.roll(by, (2, 3))


def _sloped(model: Model, name: str, channel: int, waves: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """What a channel answers, and which way waves make it answer less.

    Raises:
        ParameterError: for a model part of which has no slopes.
    """
    try:
        with torch.enable_grad():
            answer = _answer(model, name, channel, _moved(_painted(waves, waves.shape[1]), rng))
            return answer.detach(), torch.autograd.grad(-answer, waves)[0]
    except RuntimeError as error:  # such as a first estimate, or a measurement, that was never meant to be improved
        what = f"a {model.family} looks at pictures in a way that cannot be followed back"
        raise ParameterError(what, where="weights", remedy="feature_maps shows what its layers make of one") from error


def _answer(model: Model, name: str, channel: int, x: Images) -> Tensor:
    with heard(model.get_submodule(name)) as maps:
        look(model, x)
    answer: Tensor = maps[0][0, channel].float().mean()
    return answer
