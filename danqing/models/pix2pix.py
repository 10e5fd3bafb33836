"""Translation learned from pairs: a picture becomes what its pair looks like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar

import torch
from torch import Generator, Tensor

from danqing.core.errors import ParameterError
from danqing.core.fields.number import Range
from danqing.core.learned.model import Samples
from danqing.core.learned.painting import Translator
from danqing.core.learned.proposals import Optimiser
from danqing.core.pictures.contract import Images, check_channels
from danqing.maths.adversarial import critic_loss, flatness_penalty, painter_loss, slope
from danqing.maths.parts import parts_of
from danqing.nets.conditioned_unet import PART, ConditionedUNet
from danqing.nets.critic import PatchCritic
from danqing.nets.group_evening import GroupEvenness


class Pix2Pix(Translator):
    """Learn to paint pictures as their pairs: a set with the folders ``input`` and ``target``.

    Args:
        size: side of the pictures, px.
        channels: 1 (grey) or 3 (RGB), of both pictures of a pair.
        width: channels of the painter at half size, a multiple of 16.
        blocks: residual blocks of each level.
        critic_width: channels of the critic at half size.
        likeness: how much the mean difference from the pair counts beside the critic, which asks for sharpness.
        gamma: strength of the penalty on the critic's slope at real pairs (R1).
        lazy: steps between two penalties, each of which then counts that many times.

    Raises:
        ParameterError: for a number of channels that is neither 1 nor 3, or a width that is no multiple of 16.

    Source: Isola et al. 2017, arXiv:1611.07004, eq. 4 and section 3.2.2; least squares: Mao et al. 2017; the penalty:
    Mescheder et al. 2018, eq. 9.
    """

    parts: ClassVar[tuple[str, ...]] = ("critic", "painter")
    optimiser: ClassVar[Optimiser] = Optimiser(lr=5e-4, betas=(0.5, 0.99))
    batch_size: ClassVar[int] = 16
    played: Tensor

    def __init__(
        self,
        size: Annotated[int, Range(16, 512, "px")] = 64,
        channels: Annotated[int, Range(1, 3)] = 3,
        width: Annotated[int, Range(16, 512)] = 48,
        blocks: Annotated[int, Range(1, 8)] = 1,
        critic_width: Annotated[int, Range(1, 512)] = 32,
        likeness: Annotated[float, Range(0, 10_000)] = 30.0,
        gamma: Annotated[float, Range(0, 1000)] = 0.1,
        lazy: Annotated[int, Range(1, 64, "steps")] = 8,
    ) -> None:
        super().__init__()
        check_channels(channels)
        self.painter = ConditionedUNet(channels, channels, (width, 2 * width, 3 * width, 4 * width), blocks)
        self.critic = PatchCritic(2 * channels, critic_width)
        self.register_buffer("played", torch.zeros((), dtype=torch.int64))
        self._readings: dict[str, Tensor] = {}

    @property
    def reach(self) -> int:
        return self.painter.reach

    @torch.no_grad()
    def evenness(self, x: Images, back: bool = False) -> list[GroupEvenness]:
        _check_way(back)
        return self.painter.evenness(parts_of(x, PART) * 2 - 1)

    def translate(self, x: Images, back: bool = False, even: Sequence[GroupEvenness] | None = None) -> Images:
        _check_way(back)
        made: Tensor = self.painter(x * 2 - 1, known=even)
        return made.add(1).div(2).clamp(0, 1).contiguous()

    def losses(self, batch: Samples, rng: Generator) -> Iterator[tuple[str, Tensor]]:
        x, real = batch.x * 2 - 1, self._pair(batch) * 2 - 1
        fake = self.painter(x)
        yield "critic", self._criticise(x, real, fake.detach())
        apart = (fake - real).abs().mean()
        self._readings = {"difference": apart.detach() / 2}
        logits = self.critic(torch.cat([x, fake], 1))
        yield "painter", painter_loss("least-squares", logits, logits) + self.config["likeness"] * apart

    def readings(self) -> dict[str, float]:
        """Report the mean difference from the pairs, in image units."""
        return {name: float(value) for name, value in self._readings.items()}

    def score(self, batch: Samples) -> dict[str, float]:
        """Return the mean difference from held-out pairs, in image units."""
        return {"difference": float((self.translate(batch.x) - self._pair(batch)).abs().mean().detach())}

    def preview(self, batch: Samples, rng: Generator) -> Images | None:
        return self.translate(batch.x)

    def _criticise(self, x: Tensor, real: Tensor, fake: Tensor) -> Tensor:
        due = self.config["gamma"] > 0 and int(self.played) % self.config["lazy"] == 0
        self.played += 1
        real = real.requires_grad_(due)
        logits = self.critic(torch.cat([x, real], 1))
        loss = critic_loss("least-squares", logits, self.critic(torch.cat([x, fake], 1)))
        if due:
            each = logits.mean((1, 2, 3))
            loss = loss + self.config["lazy"] * flatness_penalty(slope(each, real), self.config["gamma"])
        return loss

    def _pair(self, batch: Samples) -> Tensor:
        pair, channels = batch.pair, int(self.config["channels"])
        if pair is None:
            remedy = "Put pictures of the same names into the folders input and target"
            raise ParameterError("a pix2pix learns from pairs", where="data", remedy=remedy)
        if pair.shape[2:] != batch.x.shape[2:]:
            raise ParameterError("the pairs are larger than their pictures", where="data", remedy="Make them alike")
        if pair.shape[1] > channels:
            remedy = "Say --channels colour"
            raise ParameterError("the pairs have colours, the pictures none", where="channels", remedy=remedy)
        return pair.expand(-1, channels, -1, -1)


def _check_way(back: bool) -> None:
    if back:
        remedy = "Train another with the folders input and target the other way round, or a cyclegan"
        raise ParameterError("was learned one way only", where="back", remedy=remedy)
