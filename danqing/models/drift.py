"""One step from noise to a picture, learned without a critic: samples drift to real ones and away from each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

import torch
from torch import Generator, Tensor

from danqing.core.fields.number import Range
from danqing.core.learned.model import Optimiser, Painter, Samples
from danqing.core.pictures.contract import Images, check_channels
from danqing.maths.drifting import TINY, balanced, distances, drift_field, lonely_pairs, steered
from danqing.nets.adversary import paint_in_blocks
from danqing.nets.doubling_painter import DoublingPainter, doublings_to
from danqing.nets.glances import Glance, drawn_glance, views
from danqing.nets.norms import NormName

SIZES = (16, 28, 32, 64, 128, 256)
Views = list[list[Tensor]]


class Drift(Painter):
    """Learn to paint without a critic, from what a net that knows photographs sees, and from patches.

    Args:
        size: side of the pictures: 28, or a power of two from 16 to 256.
        channels: 1 (grey) or 3 (RGB).
        classes: of the labels; 0: unconditional.
        latents: length of a latent.
        width: channels of the painter at full size; they double towards the small end, up to eight times.
        norm: how the painter normalises its maps.
        pull: what a sample is pulled to: the real pictures near it, and away from other samples (field); or each real
            picture pulls the sample nearest to it (nearest), which leaves none out: meant for few pictures, and slow.
        painted: samples for each real picture of a batch; with "nearest", among which the nearest is looked for.
        rejected: with "nearest", share of these passed over because they are near a real picture already.

    Raises:
        ParameterError: for a size that cannot be, or a number of channels that is neither 1 nor 3.

    Source: Deng et al. 2026, "Generative modeling via drifting"; nearest: Li & Malik 2018 (IMLE), Vashist et al. 2024
    (RS-IMLE); painter: Radford et al. 2016 (DCGAN); that all is seen shifted and enlarged by chance: danqing.
    """

    optimiser: ClassVar[Optimiser] = Optimiser(lr=2e-3, betas=(0.9, 0.99))
    batch_size: ClassVar[int] = 128

    def __init__(
        self,
        size: Annotated[int, Range(1, unit="px")] = 64,
        channels: Annotated[int, Range(1, 3)] = 3,
        classes: Annotated[int, Range(0)] = 0,
        latents: Annotated[int, Range(1, 4096)] = 64,
        width: Annotated[int, Range(1, 512)] = 48,
        norm: NormName = "batch",
        pull: Literal["field", "nearest"] = "field",
        painted: Annotated[float, Range(0.1, 16)] | None = None,
        rejected: Annotated[float, Range(0, 0.9)] = 0.25,
    ) -> None:
        super().__init__()
        check_channels(channels)
        base, doublings = doublings_to(size, SIZES)
        self.painter = DoublingPainter(base, doublings, channels, classes, latents, width, norm)
        share = {"field": 0.5, "nearest": 2.0}[pull]
        self.share = share if painted is None else painted
        self.drifted: float | None = None

    @property
    def latent(self) -> tuple[int, ...]:
        return (int(self.config["latents"]),)

    def paint(self, z: Tensor, label: Tensor | None = None) -> Images:
        return paint_in_blocks(self.painter, z, label)

    @property
    def levels(self) -> int:
        return 1 + len(self.painter.norms) if self.config["classes"] else 1

    def label_of(self, weights: Tensor) -> Tensor | None:
        return weights if self.weighs else None

    def entrances(self) -> list[Tensor]:
        return [self.painter.dense.weight[:, : self.latent[0]]]

    def losses(self, batch: Samples, rng: Generator) -> Iterator[tuple[str, Tensor]]:
        """Yield how far the samples are from where they should drift to."""
        label = batch.y if self.config["classes"] else None
        glance = drawn_glance(int(self.config["size"]), rng)
        with torch.no_grad():
            real = views(batch.x, glance)
        z, mine = self._drawn(len(batch.x), batch.x.device, label, rng)
        if self.config["pull"] == "nearest":
            z, mine = z[self._nearest(real, label, z, mine, glance)], label
        made = self.painter(z, mine).float().add(1).div(2)
        yield "", balanced(made, lambda x: self._pulled(real, label, views(x, glance), mine))

    def readings(self) -> dict[str, float]:
        """How long the field is against the spread of what is real: short where samples are as real pictures are."""
        return {} if self.drifted is None else {"drift": self.drifted}

    def _drawn(
        self, pictures: int, device: torch.device, label: Tensor | None, rng: Generator
    ) -> tuple[Tensor, Tensor | None]:
        """Latents for a batch, and the classes of its pictures in turn."""
        count = max(2, round(self.share * pictures))
        z = torch.randn(count, *self.latent, generator=rng, device=rng.device).to(device)
        return z, None if label is None else label[torch.arange(count, device=label.device) % len(label)]

    def _pulled(self, real: Views, label: Tensor | None, seen: Views, mine: Tensor | None) -> list[Tensor]:
        """A loss for each kind of view."""
        if self.config["pull"] == "nearest":
            return [
                torch.stack(
                    [(a - b).square().mean() / b.var().clamp(min=TINY) for a, b in zip(*kind, strict=True)]
                ).mean()
                for kind in zip(seen, real, strict=True)
            ]
        apart = _apart(seen[0][0], real[0][0], label, mine)
        losses, lengths = [], []
        for kind in zip(seen, real, strict=True):
            each = []
            for x, wanted in zip(*kind, strict=True):
                still = x.detach()
                fields = drift_field(still, wanted, still, apart=apart)
                each.append(steered(x, fields))
                spread = (wanted - wanted.mean(1, keepdim=True)).norm(dim=2).mean()
                lengths.append(fields[-1].norm(dim=2).mean() / spread.clamp(min=TINY))
            losses.append(torch.stack(each).mean())
        self.drifted = float(torch.stack(lengths).mean())
        return losses

    @torch.no_grad()
    def _nearest(self, real: Views, label: Tensor | None, z: Tensor, mine: Tensor | None, glance: Glance) -> Tensor:
        """Which latent each real picture pulls."""
        made = views(self.painter(z, mine).float().add(1).div(2), glance)
        each = [distances(a, b).mean(0) for kind in zip(real, made, strict=True) for a, b in zip(*kind, strict=True)]
        away = torch.stack([one / one.mean().clamp(min=TINY) for one in each]).mean(0)
        if mine is not None and label is not None:
            away = away.masked_fill(label[:, None] != mine, torch.inf)
        return lonely_pairs(away, float(self.config["rejected"]))


def _apart(seen: Tensor, real: Tensor, label: Tensor | None, mine: Tensor | None) -> tuple[Tensor, Tensor]:
    """What each sample does not look at: real pictures and samples of other classes, and itself."""
    own = torch.eye(seen.shape[1], dtype=torch.bool, device=seen.device)
    if mine is None or label is None:
        return own.new_zeros(seen.shape[1], real.shape[1]), own
    return mine[:, None] != label, own | (mine[:, None] != mine)
