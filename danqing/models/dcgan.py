"""Convolutional painter and critic."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from danqing.core.fields.number import Range
from danqing.core.learned.model import Painter, Samples
from danqing.core.learned.proposals import Optimiser
from danqing.core.pictures.contract import Images, check_channels
from danqing.maths.adversarial import LossName, PenaltyName
from danqing.nets.adversary import (
    Rules,
    Verdict,
    adversarial_losses,
    judge_pictures,
    verdict_readings,
)
from danqing.nets.blocks import paint_in_blocks
from danqing.nets.class_change import with_classes, without_classes
from danqing.nets.convolution import Down
from danqing.nets.doubling_painter import WIDEST, DoublingName, DoublingPainter, doublings_to, initialise
from danqing.nets.dropout import dropout
from danqing.nets.he import SLOPE
from danqing.nets.norms import ClassNorm, NormName
from danqing.nets.projected import ProjectedCritic
from danqing.nets.usual_rules import RATE, usual_gamma, usual_rate


class DCGAN(Painter):
    """Learn to paint with convolutions, from noise and, if there are classes, a label.

    Args:
        size: side of the pictures: 28, or a power of two from 16 to 256.
        channels: 1 (grey) or 3 (RGB).
        classes: of the labels; 0: unconditional.
        latents: length of a latent.
        width: channels of the painter at half size; they double towards the small end, up to eight times.
        critic_width: channels of the critic at half size; they double towards the small end, up to eight times.
        norm: how the painter normalises its maps.
        doubling: how the painter enlarges its maps: smooth, between their pixels, or free, by transposed convolutions,
            as in the paper: faster, and with a lattice on what is painted.
        critic_norm: how the critic normalises its maps, or its weights (spectral).
        dropout: share of the critic's activations set to zero.
        loss: the rule of the game between painter and critic.
        penalty: which slope of the critic is penalised.
        gamma: strength of the penalty; by default 0.1 for 28×28 grey pictures, and as many times that as pictures have
            more numbers, since a critic's squared slope is as many times smaller there; below 28 px it is more again.
        lazy: steps between two penalties, each of which then counts that many times (lazy regularisation).
        smoothing: how far the critic's target for real pictures is from 1.
        critic_steps: steps of the critic for one of the painter.
        naming: how much both also learn from the critic naming the class, where there are classes; 0: not at all.
        projected: how strongly the painter also follows a critic that sees pictures through a net trained on
            photographs (EfficientNet-Lite0), beside the critic of pixels; 1: as strongly as that; 0: not at all.

    Raises:
        ParameterError: for a size that cannot be, or a number of channels that is neither 1 nor 3.

    Source: nets: Radford et al. 2016 (DCGAN); projection critic: Miyato & Koyama 2018, eq. 3; naming:
    Odena et al. 2017; rules: see danqing.maths.adversarial.
    """

    parts: ClassVar[tuple[str, ...]] = ("critic", "painter")
    optimiser: ClassVar[Optimiser] = Optimiser(lr=RATE, betas=(0.0, 0.99))
    batch_size: ClassVar[int] = 64
    former: ClassVar[dict[str, str]] = {"doubling": "free"}
    played: Tensor

    def __init__(
        self,
        size: Annotated[int, Range(1, unit="px")] = 32,
        channels: Annotated[int, Range(1, 3)] = 1,
        classes: Annotated[int, Range(0, 100_000)] = 0,
        latents: Annotated[int, Range(1, 4096)] = 32,
        width: Annotated[int, Range(1, 512)] = 48,
        critic_width: Annotated[int, Range(1, 512)] = 32,
        norm: NormName = "batch",
        doubling: DoublingName = "smooth",
        critic_norm: Literal["none", "batch", "spectral"] = "none",
        dropout: Annotated[float, Range(0, 0.9)] = 0.0,
        loss: LossName = "relativistic",
        penalty: PenaltyName = "r1+r2",
        gamma: Annotated[float, Range(0, 1000)] | None = None,
        lazy: Annotated[int, Range(1, 64, "steps")] = 4,
        smoothing: Annotated[float, Range(0, 0.5)] = 0.0,
        critic_steps: Annotated[int, Range(1, 20)] = 1,
        naming: Annotated[float, Range(0, 100)] = 0.5,
        projected: Annotated[float, Range(0, 4)] = 0.0,
    ) -> None:
        super().__init__()
        check_channels(channels)
        base, doublings = doublings_to(size)
        self.optimiser = DCGAN.optimiser._replace(lr=usual_rate(size))  # type: ignore[misc]  # the class's, for 28 px
        strength = usual_gamma(size, channels) if gamma is None else gamma
        self.rules = Rules(loss, penalty, strength, lazy, smoothing, critic_steps, naming)
        self.painter = DoublingPainter(base, doublings, channels, classes, latents, width, norm, doubling)
        self.critic = _Critic(base, doublings, channels, classes, critic_width, critic_norm, dropout, naming > 0)
        self.projected = ProjectedCritic(classes, projected) if projected else None
        if projected:
            self.parts = ("critic", "projected", "painter")  # type: ignore[misc]  # of the class, for those without
        self.register_buffer("played", torch.zeros((), dtype=torch.int64))
        self.verdict: tuple[Tensor, Tensor] | None = None
        self.anchors: tuple[float, ...] = ()

    @property
    def latent(self) -> tuple[int, ...]:
        return (int(self.config["latents"]),)

    def paint(self, z: Tensor, label: Tensor | None = None) -> Images:
        return paint_in_blocks(self.painter, z, label)

    @property
    def levels(self) -> int:
        """Latents enter at the first level; classes there and, where they scale the maps, at each level's norm."""
        return 1 + len(self.painter.norms) if self.config["classes"] else 1

    def label_of(self, weights: Tensor) -> Tensor | None:
        return weights if self.weighs else None

    def entrances(self) -> list[Tensor]:
        return [self.painter.dense.weight[:, : self.latent[0]]]

    def for_classes(self, count: int) -> dict[str, Tensor]:
        dense, classes = self.painter.dense, self.painter.classes
        if classes is None:
            return with_classes(self, {"painter.dense": self.latent[0]}, count)
        middle = F.normalize(classes.weight.detach().mean(0), dim=0) * self.latent[0] ** 0.5
        weights = without_classes(self, {"painter.dense": middle})
        if dense.bias is None:  # a norm follows, which takes off what the class would add
            name = "painter.first_norm.norm.running_mean"
            weights[name] = weights[name] - dense.weight.detach()[:, self.latent[0] :] @ middle
        return weights

    def judge(self, x: Images, label: Tensor | None = None) -> Tensor:
        return judge_pictures(self.critic, x, label)

    def losses(self, batch: Samples, rng: Generator) -> Iterator[tuple[str, Tensor]]:
        return adversarial_losses(self, batch, rng, beside=self.projected)

    def readings(self) -> dict[str, float]:
        return verdict_readings(self)


class _Critic(nn.Module):
    def __init__(
        self, base: int, doublings: int, channels: int, classes: int, width: int, norm: str, drop: float, naming: bool
    ) -> None:
        super().__init__()
        widths = [channels, *(width * min(WIDEST, 2**level) for level in range(doublings))]
        self.drop = drop
        self.layers = nn.ModuleList(map(Down, widths, widths[1:]))
        self.norms = nn.ModuleList(ClassNorm("batch" if norm == "batch" else "none", out) for out in widths[1:])
        features = widths[-1] * base * base
        self.head = nn.Linear(features, 1)
        self.classes = nn.Embedding(classes, features) if classes else None
        self.names = nn.Linear(features, classes) if classes and naming else None
        initialise(self)
        if norm == "spectral":
            for module in [*self.layers, self.head, *filter(None, (self.classes, self.names))]:
                nn.utils.parametrizations.spectral_norm(module)

    def forward(self, x: Tensor, label: Tensor | None, rng: Generator) -> Verdict:
        x = x.contiguous(memory_format=torch.channels_last)
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = dropout(F.leaky_relu(norm(layer(x)), SLOPE), self.drop if self.training else 0.0, rng)
        features = x.permute(0, 2, 3, 1).flatten(1)
        logits: Tensor = self.head(features).squeeze(1)
        if self.classes is not None:
            logits = logits + (self.classes(label) * features).sum(1)
        if self.names is None or label is None:
            return Verdict(logits)
        return Verdict(logits, F.cross_entropy(self.names(features), label, reduction="none"))
