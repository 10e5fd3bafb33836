"""What can be done in the latent space of a painter, whatever its family: the codes that it paints from."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from danqing.core.errors import ParameterError
from danqing.core.pictures.contract import Images

SHORTEST = 1e-8  # square below which a code has no direction


class LatentSpace:
    """A point of the latent space as numbers that can be mixed, moved and looked for: its *code*.

    A code is (levels, numbers): what every level of the net is given, from coarse to fine. By default there is one
    level, and a code is the latent with the weights of the classes behind it. A family whose latents or classes enter
    at several levels, or pass a mapping network first, overrides ``levels``, ``codes`` and ``paint_codes``, and with a
    mapping network ``mapped``, ``movable`` and ``centre``.

    Attributes:
        mapped: whether codes come out of a mapping network, so that they need not be Gaussian.
    """

    config: dict[str, Any]
    mapped: ClassVar[bool] = False

    @property
    @abstractmethod
    def latent(self) -> tuple[int, ...]:
        """The shape of one latent."""

    @abstractmethod
    def paint(self, z: Tensor, label: Tensor | None = None) -> Images:
        """Paint from latents ``z`` (B, *latent) drawn from a unit Gaussian; ``label``: int64 (B,) when conditional.

        Weights of classes (B, classes), float, may stand for labels.
        """

    @property
    def levels(self) -> int:
        """At how many places, coarse to fine, a code enters the net."""
        return 1

    @property
    def movable(self) -> int:
        """How many numbers of a level, its first, are free to move; those behind them are weights of classes."""
        return math.prod(self.latent)

    def codes(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        """The codes (B, levels, numbers) of latents; ``label`` as of :meth:`paint`."""
        classes, code = int(self.config["classes"]), z.flatten(1)
        if classes:
            if label is None:
                raise ParameterError(f"this model needs one of its {classes} classes", where="label")
            weights = label if label.is_floating_point() else F.one_hot(label, classes)
            code = torch.cat([code, weights.to(code)], 1)
        return code[:, None].repeat(1, self.levels, 1)

    def paint_codes(self, codes: Tensor) -> Images:
        """Paint from codes, exactly so many at a time: quick for a few, differentiable; company may round the last bits."""
        z = codes[:, 0, : self.movable].unflatten(1, self.latent)
        return self.paint(z, codes[:, 0, self.movable :] if self.config["classes"] else None)

    def centre(self, codes: Tensor) -> Tensor:
        """The codes that truncation draws ``codes`` towards: latents of zero, of the same classes."""
        free = torch.arange(codes.shape[2], device=codes.device) < self.movable
        return codes.masked_fill(free, 0.0)

    def truncated(self, codes: Tensor, share: float) -> Tensor:
        """Draw codes towards their centre: ``share`` 1 leaves them, 0 is the centre, more than 1 goes beyond."""
        return codes if share == 1 else self.centre(codes).lerp(codes, share)

    def entrances(self) -> list[Tensor]:
        """The weights (outputs, movable) that the code of each level meets first; empty if a family does not tell."""
        return []

    def judge(self, x: Images, label: Tensor | None = None) -> Tensor:
        """How real pictures (B, C, size, size) look to the model's own critic, for their labels: (B,), more is better.

        Raises:
            ParameterError: if the family has no critic.
        """
        family = type(self).__module__.rpartition(".")[2]
        raise ParameterError(f"a {family} has no critic", where="weights", remedy="Take a dcgan or mlpgan")


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
