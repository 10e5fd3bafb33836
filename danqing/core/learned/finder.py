"""Models that find things in pictures: where they are, of which class, with which pixels or points."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Generator, Tensor

from danqing.core.learned.classes import class_names
from danqing.core.learned.model import Samples, Viewer
from danqing.core.pictures.contract import Images
from danqing.core.pictures.found import Found
from danqing.core.pictures.marking import marked

Needs = Literal["points", "masks", "boxes"]  # the rarest first

UNSURE = 0.05  # how sure things must be to be scored: average precision asks for the unsure ones, too
SURE = 0.4  # and to be drawn in
SHOWN = 16  # pictures of a look
CHUNK = 16  # pictures looked at once


class Places(NamedTuple):
    """What is said of the places of pictures, whose gradients lead back to these; what an explanation is of.

    Attributes:
        odds: logarithms of the odds (B, N, names) that a place shows what a name says, float32; -inf where it tells
            nothing of that name.
        boxes: (N, 4), or (B, N, 4): the thing or the pixels that a place speaks of, in pixels of the pictures.
    """

    odds: Tensor
    boxes: Tensor


class Finder(Viewer):
    """Learns to find things. Its config holds ``size``, ``channels`` and ``classes``, and ``points`` if it needs them.

    Of its Samples, ``boxes`` are the things of a picture, ``y`` their classes, ``points`` all named points of the
    first, then of the second and so on; ``mask`` has a plane for each class.

    Attributes:
        needs: what of a set's labels it learns from.
        sees_by: the part whose last maps say where it looks.
        output_names: what other programs are given by :meth:`outputs`.
        outputs_mean: what that is, in words for their users.
    """

    fit: ClassVar[Literal["crop", "pad", "stretch", "tiles"]] = "pad"
    picture_size: ClassVar[int] = 256
    batch_size: ClassVar[int] = 8
    augment: ClassVar[str] = "crop=0.3,rotate=8,affine=0.15,jitter=0.3"
    rates: ClassVar[str] = "trunk=0.1"  # at the rate of what is new, what it knows of ImageNet would be lost
    needs: ClassVar[Needs] = "boxes"
    sees_by: ClassVar[str] = "trunk"
    output_names: ClassVar[tuple[str, ...]] = ("chances", "boxes")
    outputs_mean: ClassVar[str] = (
        "chances (B, N, classes) that a cell has found something, its boxes (B, N, 4) as left, top, right, bottom in"
        " px: of boxes of one class that overlap by more than 'overlap', of any that do by more than 'crowd', the"
        " surest counts"
    )
    called: ClassVar[str] = "detector, segmenter or keypoints"
    used_by: ClassVar[str] = "danqing detect and danqing assess use it"

    @property
    def names(self) -> Sequence[str]:
        """Of its classes, in order."""
        return class_names(self)

    @property
    def asked_names(self) -> Sequence[str]:
        """What places tell of: its classes, in order, and then its points."""
        return self.names

    @abstractmethod
    def features(self, x: Images) -> Tensor:
        """What pictures (B, C, H, W) look like to it, (B, D), float32: what distances between them are measured in."""

    @abstractmethod
    def places(self, x: Images) -> Places:
        """What it says of each place of pictures (B, C, H, W) of any size, of which it sees the whole, filled up."""

    @abstractmethod
    def outputs(self, x: Images) -> tuple[Tensor, ...]:
        """What it says of pictures of the size that it sees, as other programs are given it."""

    @abstractmethod
    def find(self, x: Images, threshold: float, count: int = 100, side: int | None = None) -> list[Found]:
        """What is in pictures (B, C, H, W) of any size, for each the surest things first.

        Args:
            x: the pictures.
            threshold: how sure it must be, 0…1.
            count: things a picture, at most.
            side: longer side in pixels that it looks at; None: as it learned.
        """

    def found_in(self, x: Images, threshold: float) -> list[Found]:
        """What is in pictures, some at a time."""
        return [found for part in x.split(CHUNK) for found in self.find(part, threshold)]

    @torch.no_grad()
    def preview(self, batch: Samples, rng: Generator) -> Images:
        """The first pictures with what was found drawn in, (B, 3, H, W)."""
        x = batch.x[:SHOWN]
        return torch.cat([marked(*each) for each in zip(x.cpu().split(1), self.found_in(x, SURE), strict=True)])


class Parser(Finder):
    """Learns to say of every pixel which class it belongs to."""

    needs: ClassVar[Needs] = "masks"
    called: ClassVar[str] = "segmenter"
    used_by: ClassVar[str] = "danqing segment, danqing detect and danqing assess use it"

    @abstractmethod
    def shares(self, x: Images, side: int | None = None) -> Tensor:
        """How sure it is that pixels belong to nothing and to each class, (B, 1 + classes, H, W); they add up to 1."""


__all__ = ["SURE", "UNSURE", "Finder", "Needs", "Parser", "Places"]
