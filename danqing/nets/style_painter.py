"""A painter in styles: a small map that all pictures share, doubled and weighed by style until it is a picture."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from danqing.nets.adversary import ByChance
from danqing.nets.doubling_painter import WIDEST, DoublingName
from danqing.nets.precision import as_autocast
from danqing.nets.style import Mapping, StyledFreeUp, StyledNorm, StyledSame, StyledUp, ToPicture

CONTRAST: dict[StyledNorm, float] = {"batch": 0.1, "weights": 0.5}  # of a level in the first pictures
NOISE_SEED = 20_19  # of the fixed noise that pictures are painted with


class StylePainter(ByChance):
    """Paint from latents and, if there are classes, labels, level by level, each in its style.

    Args:
        base: side of the first map, px.
        doublings: how often it doubles.
        channels: of the pictures.
        classes: of the labels; 0: none.
        latents: length of the part of a latent that all levels share.
        own: length of the part of a latent that each level has for itself.
        styles: length of a style.
        depth: dense layers between latent and style.
        width: channels at full size; they double towards the small end, up to eight times.
        mixing: share of pictures painted in two styles while learning.
        doubling: how maps are enlarged.
        norm: what keeps maps even; where that is the batch, pictures are pressed into their range.
        ahead: doublings to come, whose weights it holds already and does not use yet.

    Source: Karras et al. 2020 (StyleGAN2), sections 2.2 and 4.1.
    """

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
        norm: StyledNorm,
        ahead: int,
    ) -> None:
        super().__init__()
        widths = [width * min(WIDEST, 2**level) for level in range(doublings, -1, -1)]
        self.levels, self.latents, self.own, self.mixing, self.base = doublings + 1 - ahead, latents, own, mixing, base
        self.pressed = norm == "batch"
        self.map = Mapping(latents, styles, classes, depth)
        self.start = nn.Parameter(torch.randn(1, widths[0], base, base))
        self.first = StyledSame(widths[0], widths[0], styles + own, norm)
        up = StyledUp if doubling == "smooth" else StyledFreeUp
        self.up = nn.ModuleList(up(wide, narrow, styles + own, norm) for wide, narrow in pairwise(widths))
        self.same = nn.ModuleList(StyledSame(each, each, styles + own, norm) for each in widths[1:])
        reading = [ToPicture(each, channels, styles + own, CONTRAST[norm]) for each in widths]
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
        return torch.tanh(picture) if self.pressed else picture


def _noise(shape: tuple[int, ...], rng: Generator) -> Tensor:
    return torch.randn(shape, generator=rng, device=rng.device)
