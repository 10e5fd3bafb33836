"""Style-based painter and a residual critic."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, ClassVar

import torch
from torch import Generator, Tensor

from danqing.core.errors import ParameterError
from danqing.core.fields.number import Range
from danqing.core.learned.model import Painter, Samples
from danqing.core.learned.proposals import Optimiser
from danqing.core.pictures.contract import Images, check_channels
from danqing.maths.adversarial import falling
from danqing.nets.adversary import (
    Rules,
    adversarial_losses,
    judge_pictures,
    verdict_readings,
)
from danqing.nets.blocks import in_blocks, paint_in_blocks
from danqing.nets.class_change import with_classes, without_classes
from danqing.nets.critic import ResidualCritic
from danqing.nets.doubling_painter import DoublingName
from danqing.nets.projected import ProjectedCritic
from danqing.nets.style import Styled, StyledNorm, ToPicture, normalised
from danqing.nets.style_painter import StylePainter
from danqing.nets.usual_rules import RATE, usual_gamma, usual_rate

SIZES = (16, 28, 32, 56, 64, 112, 128, 224, 256)
SLOWER = 5e-4  # learning rate without the batch's norm
FALL = 0.1  # what is left of the penalty in the end
CENTRE = 1024  # latents that the mean style is taken over


class StyleGAN(Painter):
    """Learn to paint in styles, level by level, from noise and, if there are classes, a label.

    Args:
        size: side of the pictures: 4 or 7 doubled, from 16 to 256.
        channels: 1 (grey) or 3 (RGB).
        classes: of the labels; 0: unconditional.
        latents: length of the part of a latent that all levels share.
        own: length of the part of a latent that each level has for itself (hierarchical latents).
        styles: length of a style.
        mapping_depth: dense layers between latent and style.
        width: channels of the painter at full size; they double towards the small end, up to eight times.
        doubling: how the painter enlarges its maps: smooth, between their pixels, or free, by transposed convolutions:
            faster, and with a lattice on what is painted.
        norm: what keeps the painter's maps even: batch, the batch they are learned in, with pictures pressed into their
            range; or weights, the kernels, with nothing at the end, as in the paper: very slow to begin with.
        critic_width: channels of the critic at half size; they double towards the small end, up to eight times.
        mixing: share of pictures painted in two styles while learning, one for coarse and one for fine levels.
        gamma: strength of the penalty on the critic's slopes (R1 and R2) at first; by default 0.1 for 28×28 grey
            pictures, and as many times that as pictures have more numbers; below 28 px it is more again.
        gamma_end: strength of that penalty in the end; by default a tenth of that at first.
        gamma_pictures: pictures over which the penalty falls from the one to the other.
        lazy: steps between two penalties, each of which then counts that many times (lazy regularisation).
        naming: how much both also learn from the critic naming the class, where there are classes; 0: not at all.
        projected: how strongly the painter also follows a critic that sees pictures through a net trained on
            photographs (EfficientNet-Lite0), beside the critic of pixels; 1: as strongly as that; 0: not at all.
        ahead: doublings to come, whose weights it holds already and does not use yet; the stages of a run that grows
            (``--grow``) set it.

    Raises:
        ParameterError: for a size that cannot be, or a number of channels that is neither 1 nor 3.

    Source: painter: Karras et al. 2020 (StyleGAN2), sections 2.2 and 4.1; game and rates: Huang et al. 2024 ("The GAN
    is dead", R3GAN), eq. 2 and section 5; hierarchical latents: Brock et al. 2019 (BigGAN), section 3.1.
    """

    parts: ClassVar[tuple[str, ...]] = ("critic", "painter")
    optimiser: ClassVar[Optimiser] = Optimiser(lr=RATE, betas=(0.0, 0.99))
    batch_size: ClassVar[int] = 64
    grows: ClassVar[bool] = True
    rates: ClassVar[str] = "painter.map=0.1"
    nicknames: ClassVar[dict[str, str]] = {"mapping": "painter.map"}
    former: ClassVar[dict[str, str]] = {"doubling": "free", "norm": "weights"}
    played: Tensor
    seen: Tensor

    def __init__(
        self,
        size: Annotated[int, Range(1, unit="px")] = 64,
        channels: Annotated[int, Range(1, 3)] = 3,
        classes: Annotated[int, Range(0, 100_000)] = 0,
        latents: Annotated[int, Range(1, 4096)] = 64,
        own: Annotated[int, Range(0, 512)] = 0,
        styles: Annotated[int, Range(1, 4096)] = 128,
        mapping_depth: Annotated[int, Range(1, 8, "layers")] = 2,
        width: Annotated[int, Range(1, 512)] = 24,
        doubling: DoublingName = "smooth",
        norm: StyledNorm = "batch",
        critic_width: Annotated[int, Range(1, 512)] = 32,
        mixing: Annotated[float, Range(0, 1)] = 0.5,
        gamma: Annotated[float, Range(0, 1000)] | None = None,
        gamma_end: Annotated[float, Range(0, 1000)] | None = None,
        gamma_pictures: Annotated[float, Range(0, 1e9, "pictures")] = 2_000_000.0,
        lazy: Annotated[int, Range(1, 64, "steps")] = 4,
        naming: Annotated[float, Range(0, 100)] = 0.5,
        projected: Annotated[float, Range(0, 4)] = 0.0,
        ahead: Annotated[int, Range(0, 4, "doublings")] = 0,
    ) -> None:
        super().__init__()
        check_channels(channels)
        _plan(size)
        base, doublings = _plan(size << ahead)
        rate = usual_rate(size << ahead) if norm == "batch" else SLOWER
        self.optimiser = StyleGAN.optimiser._replace(lr=rate)  # type: ignore[misc]  # the class's, for 28 px
        if norm != "batch":
            self.rates = ""  # type: ignore[misc]
        first = usual_gamma(size << ahead, channels) if gamma is None else gamma
        self.fall = FALL if gamma_end is None or not first else gamma_end / first
        self.rules = Rules("relativistic", "r1+r2", first, lazy, 0.0, 1, naming)
        self.painter = StylePainter(
            base,
            doublings,
            channels,
            classes,
            latents,
            own,
            styles,
            mapping_depth,
            width,
            mixing,
            doubling,
            norm,
            ahead,
        )
        self.critic = ResidualCritic(base, doublings, channels, classes, critic_width, naming > 0, ahead)
        self.projected = ProjectedCritic(classes, projected) if projected else None
        if projected:
            self.parts = ("critic", "projected", "painter")  # type: ignore[misc]  # of the class, for those without
        self.register_buffer("played", torch.zeros((), dtype=torch.int64))
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))
        self.verdict: tuple[Tensor, Tensor] | None = None
        self.anchors: tuple[float, ...] = ()

    @property
    def latent(self) -> tuple[int, ...]:
        return (int(self.config["latents"]) + self.levels * int(self.config["own"]),)

    @property
    def levels(self) -> int:
        return self.painter.levels

    def paint(self, z: Tensor, label: Tensor | None = None) -> Images:
        return self.synthesise(self.mapping(z, label), label)

    def mapping(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        return in_blocks(self.painter.styled, z, label)

    def synthesise(self, w: Tensor, label: Tensor | None = None) -> Images:
        return paint_in_blocks(self.painter.drawn, w, None)

    @torch.no_grad()
    def centre(self, label: Tensor | None = None) -> Tensor:
        device = next(self.parameters()).device
        z = torch.randn(CENTRE, *self.latent, generator=Generator().manual_seed(0)).to(device)
        if not self.config["classes"]:
            return self.mapping(z).mean(0, keepdim=True)
        known = torch.arange(self.config["classes"], device=device) if label is None else label
        means = {int(each): self.mapping(z, each.expand(CENTRE)).mean(0) for each in known.unique()}
        every = torch.stack([means[int(each)] for each in known])
        return every.mean(0, keepdim=True) if label is None else every

    def entrances(self) -> list[Tensor]:
        styled = (each for each in self.painter.modules() if isinstance(each, Styled | ToPicture))
        return [each.scale.weight for each in styled]

    def for_classes(self, count: int) -> dict[str, Tensor]:
        classes = self.painter.map.classes
        if classes is None:
            return with_classes(self, {"painter.map.layers.0": int(self.config["latents"])}, count)
        return without_classes(self, {"painter.map.layers.0": normalised(classes.weight.detach()).mean(0)})

    def judge(self, x: Images, label: Tensor | None = None) -> Tensor:
        return judge_pictures(self.critic, x, label)

    def losses(self, batch: Samples, rng: Generator) -> Iterator[tuple[str, Tensor]]:
        over = float(self.config["gamma_pictures"])
        softness = falling(1.0, self.fall, float(self.seen) / over if over else 1.0)
        softness *= 0.25 ** int(self.config["ahead"])  # fewer numbers in a picture: a slope's square is larger
        self.seen += len(batch.x)
        return adversarial_losses(self, batch, rng, softness, self.projected)

    def readings(self) -> dict[str, float]:
        return verdict_readings(self)


def _plan(size: int) -> tuple[int, int]:
    """The side that a painter begins with, and how often it doubles."""
    if size not in SIZES:
        raise ParameterError(f"{size} is not one of {', '.join(map(str, SIZES))}", where="size")
    base = 7 if size % 7 == 0 else 4
    return base, int(math.log2(size // base))
