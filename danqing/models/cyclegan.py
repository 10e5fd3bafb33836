"""Translation learned without pairs: two sets of pictures, each painted as one of the other and back again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from danqing.core.errors import ParameterError
from danqing.core.fields.number import Range
from danqing.core.learned.model import Samples
from danqing.core.learned.painting import Translator
from danqing.core.learned.proposals import Optimiser
from danqing.core.pictures.contract import Images, check_channels
from danqing.maths.adversarial import critic_loss, painter_loss
from danqing.maths.parts import parts_of
from danqing.nets.conditioned_unet import PART, ConditionedUNet
from danqing.nets.critic import PatchCritic
from danqing.nets.doubling_painter import DoublingName
from danqing.nets.group_evening import GroupEvenness

RIM = 16  # px beyond the edge of a picture, where a critic teaches frames: painted and cut away; a multiple of the grid


class CycleGAN(Translator):
    """Learn to paint pictures of one folder as those of another, and back, without pairs: a set of two class folders.

    Args:
        size: side of the pictures, px.
        channels: 1 (grey) or 3 (RGB).
        classes: the two sets.
        width: channels of the painters at half size, a multiple of 16.
        blocks: residual blocks of each level.
        critic_width: channels of the critics at half size.
        cycle: how much it counts that a picture painted there and back is the same again.
        identity: how much it counts that a picture of the set to be painted stays as it is.
        doubling: how the painter enlarges its maps: smooth, between their pixels, or free, by transposed convolutions:
            faster, and with a lattice on what is painted.

    Raises:
        ParameterError: if there are not two classes, the number of channels is neither 1 nor 3, or the width no
            multiple of 16.

    Source: Zhu et al. 2017, arXiv:1703.10593, eq. 3 and section 5.2 (identity).
    """

    parts: ClassVar[tuple[str, ...]] = ("critic", "painter")
    optimiser: ClassVar[Optimiser] = Optimiser(lr=3e-4, betas=(0.5, 0.99))
    former: ClassVar[dict[str, str]] = {"doubling": "free"}
    batch_size: ClassVar[int] = 16

    def __init__(
        self,
        size: Annotated[int, Range(16, 512, "px")] = 64,
        channels: Annotated[int, Range(1, 3)] = 3,
        classes: Annotated[int, Range(0, 100_000)] = 2,
        width: Annotated[int, Range(16, 512)] = 48,
        blocks: Annotated[int, Range(1, 8)] = 1,
        critic_width: Annotated[int, Range(1, 512)] = 32,
        cycle: Annotated[float, Range(0, 1000)] = 10.0,
        identity: Annotated[float, Range(0, 1000)] = 2.0,
        doubling: DoublingName = "smooth",
    ) -> None:
        super().__init__()
        if classes != 2:
            remedy = "Give a folder that holds two folders of pictures"
            raise ParameterError(f"a cyclegan learns between two classes, not {classes}", where="data", remedy=remedy)
        check_channels(channels)
        widths = (width, 2 * width, 3 * width)
        self.painter = nn.ModuleList(
            ConditionedUNet(channels, channels, widths, blocks, doubling=doubling) for _ in range(2)
        )
        self.critic = nn.ModuleList(PatchCritic(channels, critic_width) for _ in range(2))  # of the set painted
        self._readings: dict[str, Tensor] = {}

    @property
    def reach(self) -> int:
        return self._way(back=False).reach

    @torch.no_grad()
    def evenness(self, x: Images, back: bool = False) -> list[GroupEvenness]:
        return self._way(back).evenness(parts_of(_rimmed(x), PART) * 2 - 1)

    def translate(self, x: Images, back: bool = False, even: Sequence[GroupEvenness] | None = None) -> Images:
        made: Tensor = self._way(back)(_rimmed(x) * 2 - 1, known=even)
        made = made[..., RIM:-RIM, RIM:-RIM]
        return made.add(1).div(2).clamp(0, 1).contiguous()

    def losses(self, batch: Samples, rng: Generator) -> Iterator[tuple[str, Tensor]]:
        if batch.y is None:
            raise ParameterError("a cyclegan needs labels", where="data")
        if len(batch.x) < 2:
            remedy = "Make it 2 at least, better 16"
            raise ParameterError("a batch of 1 never holds pictures of both sets", where="batch", remedy=remedy)
        sets = [batch.x[batch.y == each] * 2 - 1 for each in range(2)]
        if not all(len(each) for each in sets):
            return  # chance put all of this batch into one set: nothing to translate between
        fakes = [self.painter[way](sets[way]) for way in range(2)]
        yield "critic", torch.stack([self._criticise(way, sets[1 - way], fakes[way]) for way in range(2)]).sum()
        total, cycles = torch.zeros((), device=batch.x.device), []
        for way in range(2):
            logits = self.critic[way](fakes[way])
            cycles.append((self.painter[1 - way](fakes[way]) - sets[way]).abs().mean())
            total = total + painter_loss("least-squares", logits, logits) + self.config["cycle"] * cycles[-1]
            if self.config["identity"]:
                kept = (self.painter[way](sets[1 - way]) - sets[1 - way]).abs().mean()
                total = total + self.config["identity"] * kept
        self._readings = {"cycle": torch.stack(cycles).mean().detach() / 2}
        yield "painter", total

    def readings(self) -> dict[str, float]:
        """Report how far pictures are from what they were, there and back, in image units."""
        return {name: float(value) for name, value in self._readings.items()}

    def preview(self, batch: Samples, rng: Generator) -> Images | None:
        if batch.y is None:
            return self.translate(batch.x)
        there, back = self.translate(batch.x), self.translate(batch.x, back=True)
        return torch.where((batch.y == 0).view(-1, 1, 1, 1), there, back)

    def _way(self, back: bool) -> ConditionedUNet:
        painter = self.painter[int(back)]
        assert isinstance(painter, ConditionedUNet)
        return painter

    def _criticise(self, way: int, real: Tensor, fake: Tensor) -> Tensor:
        return critic_loss("least-squares", self.critic[way](real), self.critic[way](fake.detach()))


def _rimmed(x: Images) -> Images:
    return functional.pad(x, (RIM, RIM, RIM, RIM), mode="replicate")
