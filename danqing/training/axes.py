"""Along which axes a model's weights belong to its classes or to the channels of its pictures, and how they are recast.

They are found by building the family with one class more, or with another number of channels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from danqing.core.learned.model import Model

COLOURS = 3  # channels, where they are not one


def class_axes(model: Model) -> dict[str, int]:
    """Find the axis along which weights belong to classes: that which one class more would lengthen by one."""
    longer = _built(model, classes=model.config["classes"] + 1)
    return dict(_single(model, longer, lambda mine, theirs: theirs == mine + 1))


def channel_axes(model: Model) -> dict[str, int]:
    """Find the axis along which weights belong to the channels of pictures: grey ones have a third of colour ones."""
    grey = model.config["channels"] == 1
    other = _built(model, channels=COLOURS if grey else 1)
    times = (lambda mine, theirs: theirs == COLOURS * mine) if grey else (lambda mine, theirs: mine == COLOURS * theirs)
    return dict(_single(model, other, times))


def by_class(
    theirs: Tensor, mine: Tensor, axis: int, before: Sequence[str], now: Sequence[str], first: int = 0
) -> Tensor:
    """A table whose rows are those of the classes' names; of new classes, the mean.

    Args:
        theirs: a table of the classes ``before``.
        mine: one of the classes ``now``.
        axis: along which its rows stand.
        before: names of classes.
        now: names of classes.
        first: how many rows stand before those of the classes; they and those after these are of no class.
    """
    rows, end = theirs.unbind(axis), first + len(before)
    known = dict(zip(before, rows[first:], strict=False))
    mean = torch.stack(rows[first:end], axis).mean(axis)
    return torch.stack([*rows[:first], *(known.get(name, mean) for name in now), *rows[end:]], axis).to(mine)


def in_colour(value: Tensor, axis: int, seen: bool) -> Tensor:
    """Weights of a net of grey pictures as those of one of colour pictures, whose channels are all the grey one.

    Args:
        value: of the grey net.
        axis: that belongs to channels.
        seen: whether the net sees pictures there (each channel then counts a third), or paints them.
    """
    return torch.cat([value / COLOURS if seen else value] * COLOURS, axis)


def in_grey(value: Tensor, axis: int, seen: bool) -> Tensor:
    """Weights of a net of colour pictures as those of one of grey pictures: what it makes of three equal channels.

    Args:
        value: of the colour net.
        axis: that belongs to channels.
        seen: whether the net sees pictures there, or paints them (the mean of the channels).
    """
    channels: Tensor = value.unflatten(axis, (COLOURS, -1))
    return channels.sum(axis) if seen else channels.mean(axis)


def sees(model: Model, name: str, axis: int) -> bool:
    """Whether an axis of a weight is that of what comes in."""
    path, _, kind = name.rpartition(".")
    turned = isinstance(model.get_submodule(path), nn.ConvTranspose2d) and kind == "weight"
    return axis == (0 if turned else 1)


def fits_but_for(theirs: Tensor, mine: Tensor, axis: int) -> bool:
    """Whether two weights have the same shape but along one axis."""
    one, other = list(theirs.shape), list(mine.shape)
    return len(one) == len(other) and one[:axis] + one[axis + 1 :] == other[:axis] + other[axis + 1 :]


def floats(model: nn.Module) -> dict[str, Tensor]:
    """The weights and statistics of a model; no counters."""
    return {name: value for name, value in model.state_dict().items() if value.is_floating_point()}


def _built(model: Model, **changes: Any) -> Mapping[str, Tensor]:
    with torch.random.fork_rng(devices=[]):
        return floats(type(model)(**{**model.config, **changes}))


def _single(model: Model, other: Mapping[str, Tensor], differ: Any) -> Iterator[tuple[str, int]]:
    """Weights that differ so from another model's along one axis, and are alike along all others."""
    for name, value in floats(model).items():
        if name not in other or other[name].ndim != value.ndim:
            continue
        axes = [at for at in range(value.ndim) if differ(value.shape[at], other[name].shape[at])]
        if len(axes) == 1 and fits_but_for(other[name], value, axes[0]):
            yield name, axes[0]


__all__ = ["by_class", "channel_axes", "class_axes", "fits_but_for", "floats", "in_colour", "in_grey", "sees"]
