"""Painting many pictures so that each is the same whatever company it was painted in; and painters that can look."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from copy import copy
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from danqing.core.errors import ParameterError
from danqing.core.learned.manner import paints_freely
from danqing.core.learned.model import Model, Painter, PictureSpace
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


class Autoencoder(PictureSpace):
    """Learns to write pictures as latents and to paint them again; one that paints new ones is a Painter, too."""

    called: ClassVar[str] = "vae or codec"

    @abstractmethod
    def reconstruct(self, x: Images, label: Tensor | None = None) -> Images:
        """Write pictures as latents and paint them again, (B, channels, size, size)."""

    @abstractmethod
    def locate(self, x: Images, label: Tensor | None = None) -> Tensor:
        """The latents (B, …) that pictures of any size are most likely painted from."""

    def likeliest(self, x: Images) -> Tensor:
        """Name each picture by the class that it most likely has; int64 (B,).

        Raises:
            ParameterError: if the model knows no classes.
        """
        raise ParameterError(f"this {self.family} knows no classes", where="weights")

    @abstractmethod
    def between(self, x: Images, y: Images, shares: Tensor) -> Images:
        """Paint what lies ``shares`` (T,) of the way between two pictures (1, C, H, W): (T, channels, size, size)."""


class MapAutoencoder(Autoencoder):
    """Learns to write pictures as small maps of unit deviation, in which others can learn to paint.

    Its config holds ``size`` and ``channels``.
    """

    called: ClassVar[str] = "codec"
    used_by: ClassVar[str] = "A flow learns to paint in its latents: danqing train flow PICTURES --codec MODEL"

    @property
    @abstractmethod
    def latent(self) -> tuple[int, int, int]:
        """The shape of a picture's map."""

    @abstractmethod
    def decode(self, z: Tensor) -> Images:
        """Paint the pictures (B, channels, size, size) of maps (B, *latent); gradients reach the maps."""


class FlowPainter(Painter):
    """Learns the velocity at which noise becomes what stands for pictures: they themselves, or their latents.

    Its config holds how its way is gone: ``steps``, ``solver`` and ``guidance``.
    """

    called: ClassVar[str] = "flow"

    def going(self, **way: Any) -> Self:
        """The same painter, with the same weights, that goes another way: other ``steps``, ``solver`` or ``guidance``.

        Raises:
            ParameterError: for a guidance of an unconditional model.
        """
        if "guidance" in way and not self.config["classes"]:
            raise ParameterError(
                "this model is unconditional: there is no class to follow",
                where="guidance",
                remedy="Leave guidance out",
            )
        other = copy(self)
        other.config = {**self.config, **way}
        return other

    def encode(self, x: Images) -> Tensor:
        """What stands for pictures (B, channels, size, size) in [0, 1]: (B, *latent)."""
        return x * 2 - 1

    def decode(self, z: Tensor) -> Images:
        """The pictures that it stands for."""
        return z.add(1).div(2).clamp(0, 1).contiguous()

    @abstractmethod
    def velocity(self, x: Tensor, t: float, label: Tensor | None = None, guidance: float = 1.0) -> Tensor:
        """The velocity of what is on its way (B, *latent) at a time from 0 (noise) to 1 (what stands for pictures).

        ``guidance`` above 1 goes further the way that the class leads than the class would.
        """

    @abstractmethod
    def unlikeliness(self, x: Images) -> Tensor:
        """How badly each class explains pictures (B, channels, size, size): (B, classes), less is likelier."""

    @abstractmethod
    def way_back(self, x: Images, label: Tensor | None = None) -> Tensor:
        """The noise (B, *latent) that :meth:`paint` makes pictures (B, channels, size, size) of, as well as it can."""

    def led(self, label: Tensor | None, guidance: float) -> Callable[[Tensor, float], Tensor]:
        """The velocity at a time, for these classes."""
        return lambda x, t: self.velocity(x, t, label, guidance)


class Translator(Model):
    """Learns to paint a picture anew: as its pair, or as one of another set."""

    called: ClassVar[str] = "pix2pix or cyclegan"

    @property
    @abstractmethod
    def reach(self) -> int:
        """How many pixels of the result away it looks, so that a picture may be painted tile by tile, evened alike."""

    @abstractmethod
    def evenness(self, x: Images, back: bool = False) -> Sequence[Any]:
        """What a picture (1, C, H, W) tells of the whole, by which all its tiles are painted.

        Raises:
            ParameterError: if the other way was not learned.
        """

    @abstractmethod
    def translate(self, x: Images, back: bool = False, even: Sequence[Any] | None = None) -> Images:
        """Paint pictures (B, C, H, W) of any size anew.

        Args:
            x: pictures, or a tile of one.
            back: the other way, where it was learned.
            even: of a tile: the evenness of the whole; else each picture has its own.

        Raises:
            ParameterError: if the other way was not learned.
        """


def paint_numbered(
    model: Painter,
    count: int,
    latent: Callable[[int], Tensor],
    label: Callable[[int], int] | None,
    truncation: float = 1.0,
) -> Job[Images]:
    """Paint the pictures 0 … count − 1, in chunks of a fixed size; the last is filled with the numbers that follow.

    Args:
        model: what paints, in float32.
        count: how many pictures.
        latent: the latent of a number; asked for up to CHUNK − 1 numbers too many.
        label: the class of a number, for a conditional model.
        truncation: 0 is the mean picture, 1 leaves them as they are. Where a mapping network makes styles of latents,
            styles are drawn to their mean; elsewhere latents to zero.

    Returns:
        (count, C, H, W).
    """
    return (yield from _gathered(painted_by_chunks(model, count, latent, label, truncation), count, "painting"))


def painted_by_chunks(
    model: Painter,
    count: int,
    latent: Callable[[int], Tensor],
    label: Callable[[int], int] | None,
    truncation: float = 1.0,
) -> Iterator[Images]:
    """The same pictures, a chunk at a time, as they are asked for."""
    device = next(model.parameters()).device

    def drawn(numbers: Sequence[int]) -> tuple[Tensor, Tensor | None]:
        z = torch.stack([latent(number) for number in numbers]).to(device)
        return z, torch.tensor([label(number) for number in numbers], device=device) if label else None

    if model.mapped and truncation != 1:
        yield from coded_by_chunks(model, count, lambda numbers: model.codes(*drawn(numbers), truncation))
        return
    for start in range(0, count, CHUNK):
        z, y = drawn(_chunk(start, count))
        yield PAINT.get()(model, z * truncation, y, min(count - start, CHUNK))


def paint_coded(model: Painter, codes: Tensor, words: str = "painting") -> Job[Images]:
    """Paint codes (N, levels, numbers), in chunks of a fixed size.

    Returns:
        (N, C, H, W).
    """
    chunks = coded_by_chunks(model, len(codes), lambda numbers: codes[list(numbers)])
    return (yield from _gathered(chunks, len(codes), words))


@torch.no_grad()
def coded_by_chunks(model: Painter, count: int, codes: Callable[[Sequence[int]], Tensor]) -> Iterator[Images]:
    """Paint the numbers 0 … count − 1, whose ``codes`` are (N, levels, numbers), a chunk at a time.

    The last chunk is filled up with the last number.
    """
    device = next(model.parameters()).device
    for start in range(0, count, CHUNK):
        numbers = [min(at, count - 1) for at in _chunk(start, count)]
        painted = model.paint_codes(codes(numbers).to(device)).float().cpu()
        yield painted[: count - start]


def _chunk(start: int, count: int) -> range:
    """The numbers of a chunk: always as many, or those that are wanted where nobody minds the last bits."""
    return range(start, min(start + CHUNK, count) if paints_freely() else start + CHUNK)


def _gathered(chunks: Iterator[Images], count: int, words: str) -> Job[Images]:
    parts: list[Images] = []
    done = 0
    for part in chunks:
        parts.append(part)
        done += len(part)
        yield Progress(done, count, words, part)
    return torch.cat(parts)
