"""Nets that come with danqing trained: loaded once a process, and noted as used by the run that asks."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

from danqing.core.disk import hash_of
from danqing.core.learned.weights import load_tensors
from danqing.core.menu import PACKAGE
from danqing.core.uses import used

FOLDER = PACKAGE / "nets" / "weights"
N = TypeVar("N", bound=nn.Module)


def ready_made(name: str, make: Callable[[], N]) -> N:
    """A bundled net by the name of its file, in evaluation mode and without gradients; never to be changed.

    Args:
        name: of the file in ``nets/weights``, without its suffix.
        make: builds the net that the weights are for.

    Raises:
        ModelFileError: if the file is missing or damaged.
    """
    file = FOLDER / f"{name}.safetensors"
    used(name, sha256=_hash(file))
    net: N = _loaded(file, make)  # type: ignore[assignment]  # a cache forgets of what type
    return net


@functools.cache
def _loaded(file: Path, make: Callable[[], nn.Module]) -> nn.Module:
    _, tensors = load_tensors(file)
    with torch.inference_mode(False):  # others ask for gradients through it, whoever asked first
        with torch.random.fork_rng(devices=[]):
            net = make()
        net.load_state_dict({name: each.float() for name, each in tensors.items()})
        net.eval().requires_grad_(False)
        return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]  # a fifth faster


@functools.cache
def _hash(file: Path) -> str:
    return hash_of(file)


__all__ = ["FOLDER", "ready_made"]
