"""In which manner this thread computes: always in the same blocks, or as many at once as are asked for; and by which
convolutions. Set within a ``with`` alone, and seen by nobody else.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

import torch

Way = Literal["rule", "own"]  # of convolutions: with few multiplications where a rule says so, or as torch does them

_FREELY: ContextVar[bool] = ContextVar("danqing_freely", default=False)
_WAY: ContextVar[Way] = ContextVar("danqing_way", default="rule")


@functools.cache
def computes_bf16(device: str) -> bool:
    """Whether there are instructions for bf16; processors without them emulate it, up to a hundred times slower."""
    if device != "cpu":
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


@functools.cache
def multiplies_tiles() -> bool:
    """Whether the processor multiplies tiles of bf16 (AMX), many times as quickly as it multiplies float32."""
    return bool(torch.cpu._is_amx_tile_supported())


def paints_freely() -> bool:
    """Whether painters need not fill up a block, so that the last bits of a picture depend on its company."""
    return _FREELY.get()


def convolution_way() -> Way:
    """How convolutions are to be computed."""
    return _WAY.get()


@contextmanager
def freely() -> Iterator[None]:
    """Paint exactly as many pictures at a time as are asked for: for sliders and searches, not for recipes."""
    token = _FREELY.set(True)
    try:
        yield
    finally:
        _FREELY.reset(token)


@contextmanager
def convolving(way: Way) -> Iterator[None]:
    """Compute convolutions in one way."""
    token = _WAY.set(way)
    try:
        yield
    finally:
        _WAY.reset(token)


@contextmanager
def live() -> Iterator[None]:
    """Paint for the eye, as quickly as a single picture can be had: no block is filled up, no recipe comes of it.

    Few multiplications pay from about 20 pictures at a time, so that convolutions are torch's own.
    """
    with freely(), convolving("own"):
        yield


__all__ = [
    "Way",
    "computes_bf16",
    "convolution_way",
    "convolving",
    "freely",
    "live",
    "multiplies_tiles",
    "paints_freely",
]
