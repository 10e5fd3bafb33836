"""Painting many pictures so that each is the same whatever company it was painted in; and painters that can look."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextvars import ContextVar

import torch
from torch import Tensor

from danqing.core.learned.manner import paints_freely
from danqing.core.learned.model import Model, Painter
from danqing.core.pictures.contract import Images
from danqing.core.progress import Job, Progress

Paint = Callable[[Painter, Tensor, Tensor | None, int], Tensor]
CHUNK = 16  # pictures painted at once; always as many, since another number may change the last bits of each


def paint_chunk(model: Painter, z: Tensor, y: Tensor | None, wanted: int) -> Tensor:
    """Paint a chunk of latents with their classes, and give its first ``wanted`` pictures.

    A chunk is (CHUNK, …), or (wanted, …) within :func:`danqing.core.learned.manner.freely`.
    """
    with torch.no_grad():
        return model.paint(z, y).float().cpu()[:wanted]


PAINT: ContextVar[Paint] = ContextVar("danqing_paint", default=paint_chunk)  # a server paints for several at once


class Autoencoder(Painter):
    """Learns to write pictures as latents and to paint them again."""

    @abstractmethod
    def reconstruct(self, x: Images, label: Tensor | None = None) -> Images:
        """Write pictures as latents and paint them again, (B, channels, size, size)."""

    @abstractmethod
    def locate(self, x: Images, label: Tensor | None = None) -> Tensor:
        """The latents (B, D) that pictures of any size are most likely painted from."""

    @abstractmethod
    def likeliest(self, x: Images) -> Tensor:
        """Name each picture by the class that it most likely has; int64 (B,), of a model with classes."""

    @abstractmethod
    def between(self, x: Images, y: Images, shares: Tensor) -> Images:
        """Paint what lies ``shares`` (T,) of the way between two pictures (1, C, H, W): (T, channels, size, size)."""


class FlowPainter(Painter):
    """Learns the velocity at which noise becomes pictures; latents are pictures of noise (channels, size, size)."""

    @abstractmethod
    def velocity(self, x: Tensor, t: float, label: Tensor | None = None, guidance: float = 1.0) -> Tensor:
        """The velocity of pictures (B, C, H, W) in [-1, 1] at a time from 0 (noise) to 1 (pictures).

        ``guidance`` above 1 goes further the way that the class leads than the class would.
        """

    def led(self, label: Tensor | None, guidance: float) -> Callable[[Tensor, float], Tensor]:
        """The velocity of pictures at a time, for these classes."""
        return lambda x, t: self.velocity(x, t, label, guidance)


class Translator(Model):
    """Learns to paint a picture anew: as its pair, or as one of another set."""

    @abstractmethod
    def translate(self, x: Images, back: bool = False) -> Images:
        """Paint pictures (B, C, H, W) of any size anew; ``back``: the other way, where it was learned.

        Raises:
            ParameterError: if the other way was not learned.
        """


def paint_numbered(
    model: Painter, count: int, latent: Callable[[int], Tensor], label: Callable[[int], int] | None
) -> Job[Images]:
    """Paint the pictures 0 … count − 1, in chunks of a fixed size; the last is filled with the numbers that follow.

    Args:
        model: what paints, in float32.
        count: how many pictures.
        latent: the latent of a number; asked for up to CHUNK − 1 numbers too many.
        label: the class of a number, for a conditional model.

    Returns:
        (count, C, H, W).
    """
    parts: list[Images] = []
    done = 0
    for part in painted_by_chunks(model, count, latent, label):
        parts.append(part)
        done += len(part)
        yield Progress(done, count, "painting", part)
    return torch.cat(parts)


def painted_by_chunks(
    model: Painter, count: int, latent: Callable[[int], Tensor], label: Callable[[int], int] | None
) -> Iterator[Images]:
    """The same pictures, a chunk at a time, as they are asked for."""
    device = next(model.parameters()).device
    for start in range(0, count, CHUNK):
        numbers = _chunk(start, count)
        z = torch.stack([latent(number) for number in numbers]).to(device)
        y = torch.tensor([label(number) for number in numbers], device=device) if label else None
        yield PAINT.get()(model, z, y, min(count - start, CHUNK))


def paint_coded(model: Painter, codes: Tensor, words: str = "painting") -> Job[Images]:
    """Paint codes (N, levels, numbers), in chunks of a fixed size.

    Returns:
        (N, C, H, W).
    """
    parts: list[Images] = []
    done = 0
    for part in coded_by_chunks(model, len(codes), lambda at: codes[at]):
        parts.append(part)
        done += len(part)
        yield Progress(done, len(codes), words, part)
    return torch.cat(parts)


def coded_by_chunks(model: Painter, count: int, code: Callable[[int], Tensor]) -> Iterator[Images]:
    """Paint the codes of the numbers 0 … count − 1, a chunk at a time; the last is filled up with the last code."""
    device = next(model.parameters()).device
    for start in range(0, count, CHUNK):
        codes = torch.stack([code(min(at, count - 1)) for at in _chunk(start, count)]).to(device)
        with torch.no_grad():
            painted = model.paint_codes(codes).float().cpu()
        yield painted[: count - start]


def _chunk(start: int, count: int) -> range:
    """The numbers of a chunk: always as many, or those that are wanted where nobody minds the last bits."""
    return range(start, min(start + CHUNK, count) if paints_freely() else start + CHUNK)
