"""What can be done in the latent space of a painter, whatever its family: the codes that it paints from."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from danqing.core.errors import ParameterError
from danqing.core.learned.manner import freely
from danqing.core.pictures.contract import Images

SHORTEST = 1e-8  # square below which a code has no direction


class LatentSpace:
    """A point of the latent space as numbers that can be mixed, moved and looked for: its *code*.

    A code is (levels, numbers): what every level of the net is given, from coarse to fine. Where a mapping network
    makes styles of latents, codes are these styles; elsewhere they are latents with weights of classes behind them. A
    family whose latents or classes enter at several levels says so by ``levels``; one with a mapping network overrides
    ``mapping``, ``synthesise`` and ``centre``.
    """

    config: dict[str, Any]

    @property
    @abstractmethod
    def family(self) -> str:
        """The name of the family."""

    @property
    @abstractmethod
    def latent(self) -> tuple[int, ...]:
        """The shape of one latent."""

    @abstractmethod
    def paint(self, z: Tensor, label: Tensor | None = None) -> Images:
        """Paint from latents ``z`` (B, *latent) drawn from a unit Gaussian; ``label``: int64 (B,) when conditional.

        Where nothing is mapped, weights of classes (B, classes), float, may stand for labels.
        """

    @property
    def levels(self) -> int:
        """Into how many levels a code falls, from coarse to fine; 1: it is not told apart by level."""
        return 1

    def mapping(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        """Turn latents (B, *latent) into styles w (B, levels, D), which may be mixed by level, moved and projected to.

        ``paint(z, label)`` is ``synthesise(mapping(z, label), label)``. Where nothing is mapped, w is z itself.
        """
        return z.flatten(1)[:, None].expand(-1, self.levels, -1)

    def synthesise(self, w: Tensor, label: Tensor | None = None) -> Images:
        """Paint from styles (B, levels, D); gradients reach w. ``label`` as in :meth:`paint`."""
        return self.paint(w[:, 0].unflatten(1, self.latent), label)

    def centre(self, label: Tensor | None = None) -> Tensor:
        """The mean style, which truncation draws to: (1, levels, D), or (B, levels, D) where classes have their own."""
        return torch.zeros(1, self.levels, math.prod(self.latent))

    @property
    def mapped(self) -> bool:
        """Whether codes come out of a mapping network: they hold their class, and need not be Gaussian."""
        return type(self).mapping is not LatentSpace.mapping

    @property
    def weighs(self) -> int:
        """How many numbers of a code, its last, are weights of classes."""
        return 0 if self.mapped else int(self.config["classes"])

    @property
    def code_shape(self) -> tuple[int, int]:
        """How many levels and numbers a code has."""
        label = torch.zeros(1, dtype=torch.int64) if self.config["classes"] else None
        with torch.no_grad():
            levels, numbers = self.codes(torch.zeros(1, *self.latent), label).shape[1:]
        return levels, numbers

    def codes(self, z: Tensor, label: Tensor | None = None, truncation: float = 1.0) -> Tensor:
        """The codes (B, levels, numbers) of latents; ``label`` as of :meth:`paint`.

        Args:
            z: (B, *latent).
            label: int64 (B,) when conditional.
            truncation: 0 is the centre, 1 leaves codes where they are.
        """
        w = self.mapping(z, label)
        if truncation != 1:
            w = self.centre(label).to(w).lerp(w, truncation)
        if not self.weighs:
            return w
        if label is None:
            raise ParameterError(f"this model needs one of its {self.weighs} classes", where="label")
        weights = label if label.is_floating_point() else F.one_hot(label, self.weighs)
        return torch.cat([w, weights.to(w)[:, None].expand(-1, self.levels, -1)], 2)

    def paint_codes(self, codes: Tensor) -> Images:
        """Paint from codes, differentiably and exactly so many at a time; company may round the last bits."""
        numbers = codes.shape[2] - self.weighs
        with freely():
            return self.synthesise(codes[..., :numbers], self.label_of(codes[..., numbers:]))

    def label_of(self, weights: Tensor) -> Tensor | None:
        """What :meth:`synthesise` takes for the weights (B, levels, classes) in codes: those of the first level."""
        return weights[:, 0] if self.weighs else None

    def on_the_way(self, a: Tensor, b: Tensor, share: Tensor) -> Tensor:
        """Go ``share`` (of a shape that stretches to theirs) of the way between codes, where the net knows its way.

        Latents lie on a sphere and go along it; what a mapping network gives goes straight.
        """
        return a.lerp(b, share) if self.mapped else arc(a, b, share, a.shape[-1] - self.weighs)

    @property
    def blends(self) -> int:
        """Into how many levels, from coarse to fine, codes can be taken apart to be blended; 1: they cannot."""
        return self.levels

    def blended(self, coarse: Tensor, fine: Tensor, level: int) -> Tensor:
        """Codes (..., levels, numbers): the levels before ``level`` are those of ``coarse``, the others of ``fine``."""
        return torch.where((torch.arange(self.levels, device=fine.device) >= level)[:, None], fine, coarse)

    def swaying(self, codes: Tensor) -> Tensor:
        """What of the latents in codes (B, levels, numbers) sways a picture as a whole: (B, numbers); all of it."""
        return codes[:, 0, : codes.shape[2] - self.weighs]

    def entrances(self) -> list[Tensor]:
        """The weights (outputs, D) that the style of each level meets first; empty if a family does not tell."""
        return []

    def judge(self, x: Images, label: Tensor | None = None) -> Tensor:
        """How real pictures (B, C, size, size) look to the model's own critic, for their labels: (B,), more is better.

        Raises:
            ParameterError: if the family has no critic, or whatever stands for one.
        """
        remedy = "Take a family that learns against one, such as a dcgan, or a flow with classes"
        raise ParameterError(f"a {self.family} has no critic", where="weights", remedy=remedy)


def arc(a: Tensor, b: Tensor, share: Tensor, movable: int) -> Tensor:
    """Go ``share`` of the way between codes: latents along the sphere that they lie on, weights of classes straight.

    Args:
        a: (..., numbers).
        b: as ``a``.
        share: 0 (a) … 1 (b), of a shape that stretches to ``a``.
        movable: how many of the numbers are latents.

    Returns:
        as ``a``; on the straight line where the two directions are the same or opposite. Lengths go straight.

    Source: Shoemake 1985, Animating rotation with quaternion curves; White 2016, arXiv:1609.04468, section 2.1.
    """
    one, other = a[..., :movable], b[..., :movable]
    lengths = [each.square().sum(-1, keepdim=True).clamp_min(SHORTEST).sqrt() for each in (one, other)]
    cosine = (one * other).sum(-1, keepdim=True) / (lengths[0] * lengths[1])
    angle = cosine.clamp(-1, 1).acos()
    sine = angle.sin()
    flat = sine < 1e-4
    weights = [((1 - share) * angle).sin() / sine, (share * angle).sin() / sine]
    weights = [torch.where(flat, straight, each) for each, straight in zip(weights, (1 - share, share), strict=True)]
    turned = weights[0] * one / lengths[0] + weights[1] * other / lengths[1]
    round_way = turned * (lengths[0] * (1 - share) + lengths[1] * share)
    moved = torch.where(flat, one * (1 - share) + other * share, round_way)
    return torch.cat([moved, a[..., movable:].lerp(b[..., movable:], share)], -1)


__all__ = ["LatentSpace", "arc"]
