"""Style-based painter and a residual critic."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, ClassVar

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from danqing.core.errors import ParameterError
from danqing.core.fields.number import Range
from danqing.core.learned.model import Painter, Samples
from danqing.core.learned.proposals import Optimiser
from danqing.core.pictures.contract import Images, check_channels
from danqing.maths.adversarial import falling
from danqing.nets.adversary import (
    ByChance,
    Rules,
    adversarial_losses,
    in_blocks,
    judge_pictures,
    paint_in_blocks,
    verdict_readings,
)
from danqing.nets.class_change import with_classes, without_classes
from danqing.nets.critic import ResidualCritic
from danqing.nets.doubling_painter import DoublingName
from danqing.nets.precision import as_autocast
from danqing.nets.projected import ProjectedCritic
from danqing.nets.style import Mapping, Styled, StyledFreeUp, StyledSame, StyledUp, ToPicture, normalised

SIZES = (16, 28, 32, 56, 64, 112, 128, 224, 256)
WIDEST = 8  # times the narrowest
CENTRE = 1024  # latents that the mean style is taken over
NOISE_SEED = 20_19  # of the fixed noise that pictures are painted with


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
        critic_width: channels of the critic at half size; they double towards the small end, up to eight times.
        mixing: share of pictures painted in two styles while learning, one for coarse and one for fine levels.
        gamma: strength of the penalty on the critic's slopes (R1 and R2) at first.
        gamma_end: strength of that penalty in the end.
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
    optimiser: ClassVar[Optimiser] = Optimiser(lr=5e-4, betas=(0.0, 0.99))
    batch_size: ClassVar[int] = 64
    grows: ClassVar[bool] = True
    nicknames: ClassVar[dict[str, str]] = {"mapping": "painter.map"}
    former: ClassVar[dict[str, str]] = {"doubling": "free"}
    played: Tensor
    seen: Tensor

    def __init__(
        self,
        size: Annotated[int, Range(1, unit="px")] = 64,
        channels: Annotated[int, Range(1, 3)] = 3,
        classes: Annotated[int, Range(0)] = 0,
        latents: Annotated[int, Range(1, 4096)] = 64,
        own: Annotated[int, Range(0, 512)] = 0,
        styles: Annotated[int, Range(1, 4096)] = 128,
        mapping_depth: Annotated[int, Range(1, 8, "layers")] = 2,
        width: Annotated[int, Range(1, 512)] = 24,
        doubling: DoublingName = "smooth",
        critic_width: Annotated[int, Range(1, 512)] = 32,
        mixing: Annotated[float, Range(0, 1)] = 0.5,
        gamma: Annotated[float, Range(0, 1000)] = 2.0,
        gamma_end: Annotated[float, Range(0, 1000)] = 0.2,
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
        self.rules = Rules("relativistic", "r1+r2", gamma, lazy, 0.0, 1, naming)
        self.painter = _Painter(
            base, doublings, channels, classes, latents, own, styles, mapping_depth, width, mixing, doubling, ahead
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
        first, last, over = (float(self.config[name]) for name in ("gamma", "gamma_end", "gamma_pictures"))
        softness = falling(first, last, float(self.seen) / over if over else 1.0) / first if first else 1.0
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


class _Painter(ByChance):
    def __init__(
        self,
        base: int,
        doublings: int,
        channels: int,
        classes: int,
        latents: int,
        own: int,
        styles: int,
        depth: int,
        width: int,
        mixing: float,
        doubling: DoublingName,
        ahead: int,
    ) -> None:
        super().__init__()
        widths = [width * min(WIDEST, 2**level) for level in range(doublings, -1, -1)]
        self.levels, self.latents, self.own, self.mixing, self.base = doublings + 1 - ahead, latents, own, mixing, base
        self.map = Mapping(latents, styles, classes, depth)
        self.start = nn.Parameter(torch.randn(1, widths[0], base, base))
        self.first = StyledSame(widths[0], widths[0], styles + own)
        up = StyledUp if doubling == "smooth" else StyledFreeUp
        self.up = nn.ModuleList(up(wide, narrow, styles + own) for wide, narrow in pairwise(widths))
        self.same = nn.ModuleList(StyledSame(each, each, styles + own) for each in widths[1:])
        reading = [ToPicture(each, channels, styles + own) for each in widths]
        for each in reading[self.levels :]:
            nn.init.zeros_(each.read.weight)  # what is new begins with what was there, enlarged
        self.read = nn.ModuleList(reading)
        rng = Generator().manual_seed(NOISE_SEED)
        self.fixed = [torch.randn(base << level, base << level, generator=rng) for level in self._noisy()]

    def _noisy(self) -> list[int]:
        """The level of each convolution that noise is added after."""
        return [0, *(level for level in range(1, self.levels) for _ in range(2))]

    def styled(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        """Styles (B, levels, D) of latents."""
        w = self.map(z[:, : self.latents], label)[:, None].expand(-1, self.levels, -1)
        own = z[:, self.latents :].reshape(z.shape[0], self.levels, self.own)
        return torch.cat([w, own], 2)

    def practise(self, z: Tensor, label: Tensor | None, rng: Generator) -> Tensor:
        """Paint in [-1, 1] with fresh noise; some pictures in the style of another latent from some level on."""
        w = self.styled(z, label)
        if self.mixing and self.levels > 1:
            other = self.styled(torch.randn(z.shape, generator=rng, device=rng.device).to(z.device), label)
            cut = torch.randint(1, self.levels, (len(z),), generator=rng, device=rng.device)
            mixed = torch.rand(len(z), generator=rng, device=rng.device) < self.mixing
            level = torch.arange(self.levels, device=rng.device)
            swap = (mixed[:, None] & (level >= cut[:, None])).to(z.device)
            w = torch.where(swap[:, :, None], other, w)
        sides = [self.base << level for level in self._noisy()]
        return self._compose(w, [_noise((len(z), 1, side, side), rng).to(z.device) for side in sides])

    def drawn(self, w: Tensor, label: Tensor | None = None) -> Tensor:
        """Paint styles in [-1, 1], with noise that is always the same."""
        return self._compose(w, [each.to(w.device)[None, None] for each in self.fixed])

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        return self.drawn(self.styled(z, label))

    def _compose(self, w: Tensor, noise: list[Tensor]) -> Tensor:
        x = as_autocast(self.start.contiguous(memory_format=torch.channels_last)).expand(w.shape[0], -1, -1, -1)
        x = self.first(x.contiguous(memory_format=torch.channels_last), w[:, 0], noise[0])
        picture: Tensor = self.read[0](x, w[:, 0])
        beyond = list(zip(self.up, self.same, self.read[1:], strict=True))
        for level, (up, same, read) in enumerate(beyond[: self.levels - 1], 1):
            x = up(x, w[:, level], noise[2 * level - 1])
            x = same(x, w[:, level], noise[2 * level])
            picture = F.interpolate(picture, scale_factor=2.0, mode="bilinear") + read(x, w[:, level])
        return picture


def _noise(shape: tuple[int, ...], rng: Generator) -> Tensor:
    return torch.randn(shape, generator=rng, device=rng.device)
