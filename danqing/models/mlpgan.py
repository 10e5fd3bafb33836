"""Dense painter and critic."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar

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
from danqing.nets.dropout import dropout as drop
from danqing.nets.he import SLOPE
from danqing.nets.norms import chosen


class MLPGAN(Painter):
    """Learn to paint small pictures with dense layers, from noise and, if there are classes, a label.

    Args:
        size: side of the pictures.
        channels: 1 (grey) or 3 (RGB).
        classes: of the labels; 0: unconditional.
        latents: length of a latent.
        width: of the painter's first hidden layer and the critic's last; the other is twice as wide.
        dropout: share of the critic's activations set to zero.
        loss: the rule of the game between painter and critic.
        penalty: which slope of the critic is penalised.
        gamma: strength of the penalty.
        lazy: steps between two penalties, each of which then counts that many times (lazy regularisation).
        smoothing: how far the critic's target for real pictures is from 1.
        critic_steps: steps of the critic for one of the painter.

    Raises:
        ParameterError: for a number of channels that is neither 1 nor 3.

    Source: Goodfellow et al. 2014, with the layers of the field's tutorials; rules: see danqing.maths.adversarial.
    """

    parts: ClassVar[tuple[str, ...]] = ("critic", "painter")
    optimiser: ClassVar[Optimiser] = Optimiser(lr=1e-3, betas=(0.0, 0.99))
    batch_size: ClassVar[int] = 128
    played: Tensor

    def __init__(
        self,
        size: Annotated[int, Range(4, 256, "px")] = 28,
        channels: Annotated[int, Range(1, 3)] = 1,
        classes: Annotated[int, Range(0, 100_000)] = 0,
        latents: Annotated[int, Range(1, 4096)] = 100,
        width: Annotated[int, Range(1, 4096)] = 128,
        dropout: Annotated[float, Range(0, 0.9)] = 0.0,
        loss: LossName = "relativistic",
        penalty: PenaltyName = "r1+r2",
        gamma: Annotated[float, Range(0, 1000)] = 1.0,
        lazy: Annotated[int, Range(1, 64, "steps")] = 4,
        smoothing: Annotated[float, Range(0, 0.5)] = 0.0,
        critic_steps: Annotated[int, Range(1, 20)] = 1,
    ) -> None:
        super().__init__()
        check_channels(channels)
        self.rules = Rules(loss, penalty, gamma, lazy, smoothing, critic_steps)
        self.painter = _Painter((channels, size, size), classes, latents, width)
        self.critic = _Critic(channels * size * size, classes, width, dropout)
        self.register_buffer("played", torch.zeros((), dtype=torch.int64))
        self.verdict: tuple[Tensor, Tensor] | None = None
        self.anchors: tuple[float, ...] = ()

    @property
    def latent(self) -> tuple[int, ...]:
        return (int(self.config["latents"]),)

    def paint(self, z: Tensor, label: Tensor | None = None) -> Images:
        return paint_in_blocks(self.painter, z, label)

    def entrances(self) -> list[Tensor]:
        first = self.painter.layers[0]
        assert isinstance(first, nn.Linear)
        return [first.weight[:, : self.latent[0]]]

    def for_classes(self, count: int) -> dict[str, Tensor]:
        classes = self.painter.classes
        if classes is None:
            return with_classes(self, {"painter.layers.0": self.latent[0]}, count)
        return without_classes(self, {"painter.layers.0": classes.weight.detach().mean(0)})

    def judge(self, x: Images, label: Tensor | None = None) -> Tensor:
        return judge_pictures(self.critic, x, label)

    def losses(self, batch: Samples, rng: Generator) -> Iterator[tuple[str, Tensor]]:
        return adversarial_losses(self, batch, rng)

    def readings(self) -> dict[str, float]:
        return verdict_readings(self)


class _Painter(nn.Module):
    def __init__(self, shape: tuple[int, int, int], classes: int, latents: int, width: int) -> None:
        super().__init__()
        self.shape = shape
        self.classes = nn.Embedding(classes, latents) if classes else None
        pixels = shape[0] * shape[1] * shape[2]
        widths = [latents * (2 if classes else 1), width, 2 * width, pixels]
        self.layers = nn.ModuleList(map(nn.Linear, widths, widths[1:]))

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        x = z if self.classes is None or label is None else torch.cat([z, chosen(self.classes, label)], 1)
        for layer in self.layers[:-1]:
            x = F.leaky_relu(layer(x), SLOPE)
        painted: Tensor = torch.tanh(self.layers[-1](x)).unflatten(1, self.shape)
        return painted


class _Critic(nn.Module):
    def __init__(self, pixels: int, classes: int, width: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        widths = [pixels, 2 * width, width]
        self.layers = nn.ModuleList(map(nn.Linear, widths, widths[1:]))
        self.head = nn.Linear(width, 1)
        self.classes = nn.Embedding(classes, width) if classes else None

    def forward(self, x: Tensor, label: Tensor | None, rng: Generator) -> Verdict:
        x = x.flatten(1)
        for layer in self.layers:
            x = drop(F.leaky_relu(layer(x), SLOPE), self.dropout if self.training else 0.0, rng)
        logits: Tensor = self.head(x).squeeze(1)
        return Verdict(logits if self.classes is None else logits + (self.classes(label) * x).sum(1))
