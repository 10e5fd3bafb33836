"""The codec: learns to write a picture as a small map, from which it can be painted again so that few see it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar

import torch
from torch import Generator, Tensor, nn

from danqing.core.errors import ParameterError
from danqing.core.fields.number import Range
from danqing.core.learned.model import Samples
from danqing.core.learned.painting import MapAutoencoder
from danqing.core.learned.proposals import Optimiser
from danqing.core.pictures.contract import Images, check_channels
from danqing.maths.elbo import gaussian_kl
from danqing.maths.fitting import fit
from danqing.maths.scalar_quantisation import levelled
from danqing.nets.conditioned_unet import GROUP
from danqing.nets.map_coding import MapDecoder, MapEncoder
from danqing.nets.perceptual import perceptual_distance

LOOKED_AT = 4  # one picture of so many is looked at by the net that recognises things, which costs as much as all else


class Codec(MapAutoencoder):
    """Learn to write a picture as a small map and to paint it again almost as it was.

    What is learned knows pictures, not which of them are likely: painting new ones is for a flow that learns in its
    maps. These have zero mean and unit deviation over the pictures it learns from.

    Args:
        size: side of the pictures, px.
        channels: 1 (grey) or 3 (RGB).
        depth: how many numbers each place of the map has.
        halvings: how often the side is halved: 2 makes a map of 16 px of 64 px.
        width: channels at half size, a multiple of 16; twice as many at a quarter, four times from an eighth.
        blocks: residual blocks of each level.
        levels: to how many levels each number of the map is rounded; 0: it is not.
        kl: weight of the KL term (per number of the map), which keeps maps smooth; it does not count with levels.
        perceptual: weight of how unlike pictures look to a net that recognises things, beside their mean error.

    Raises:
        ParameterError: for a number of channels that is neither 1 nor 3, a width that is no multiple of 16, or 1 level.

    Source: Rombach et al. 2022, arXiv:2112.10752, section 3.1, without its critic; Mentzer et al. 2023,
    arXiv:2309.15505 (levels); unit deviation by batch statistics: danqing.
    """

    optimiser: ClassVar[Optimiser] = Optimiser(lr=2e-3, muon=0.02)
    batch_size: ClassVar[int] = 64

    def __init__(
        self,
        size: Annotated[int, Range(8, 256, "px")] = 64,
        channels: Annotated[int, Range(1, 3)] = 3,
        depth: Annotated[int, Range(1, 64)] = 4,
        halvings: Annotated[int, Range(1, 4)] = 2,
        width: Annotated[int, Range(16, 512)] = 32,
        blocks: Annotated[int, Range(1, 8)] = 1,
        levels: Annotated[int, Range(0, 64)] = 0,
        kl: Annotated[float, Range(0, 1)] = 1e-3,
        perceptual: Annotated[float, Range(0, 100)] = 0.3,
    ) -> None:
        super().__init__()
        check_channels(channels)
        if width % GROUP:
            raise ParameterError(f"{width} is no multiple of {GROUP}", where="width")
        if levels == 1:
            raise ParameterError("one level says nothing", where="levels", remedy="Take 2 or more, or 0 for none")
        self.encoder = MapEncoder(channels, depth if levels else 2 * depth, width, halvings, blocks)
        self.standard = nn.BatchNorm2d(depth, affine=False)
        self.decoder = MapDecoder(depth, channels, width, halvings, blocks)
        self._readings: dict[str, Tensor] = {}

    @property
    def latent(self) -> tuple[int, int, int]:
        side = -(-int(self.config["size"]) // 2 ** int(self.config["halvings"]))
        return int(self.config["depth"]), side, side

    def decode(self, z: Tensor) -> Images:
        return self._painted(z).clamp(0, 1).contiguous()

    def locate(self, x: Images, label: Tensor | None = None) -> Tensor:
        """The maps (B, *latent) of pictures of any size, before they are rounded."""
        return self._posterior(fit(x, self.config["size"], self.config["channels"]))[0]

    def reconstruct(self, x: Images, label: Tensor | None = None) -> Images:
        """Paint pictures again from their maps."""
        return self.decode(self.locate(x))

    def between(self, x: Images, y: Images, shares: Tensor) -> Images:
        """Paint what lies ``shares`` (T,) of the straight way between the maps of two pictures (1, C, H, W)."""
        one, other = self.locate(x), self.locate(y)
        return self.decode(one.lerp(other, shares.to(one).view(-1, 1, 1, 1)))

    def losses(self, batch: Samples, rng: Generator) -> Iterator[tuple[str, Tensor]]:
        """Yield the mean absolute error with its share of how unlike pictures look, and of the KL term."""
        x, strength = batch.x, self.config["perceptual"]
        mean, logvar = self._posterior(x)
        z = mean
        if logvar is not None:
            noise = torch.randn(mean.shape, generator=rng, device=rng.device).to(mean.device)
            z = mean + noise * (logvar / 2).exp()
        painted = self._painted(z)
        parts = {"error": (painted - x).abs().mean()}
        if logvar is not None:
            parts["kl"] = gaussian_kl(mean, logvar).mean() / mean[0].numel()
        if strength:
            seen = slice(-(-len(x) // LOOKED_AT))
            parts["perceptual"] = perceptual_distance(painted[seen].clamp(0, 1), x[seen]).mean()
        self._readings = {name: each.detach() for name, each in parts.items()}
        weights = {"error": 1.0, "kl": self.config["kl"], "perceptual": strength}
        yield "", torch.stack([weights[name] * each for name, each in parts.items()]).sum()

    def readings(self) -> dict[str, float]:
        """Report the terms of the loss, unweighted."""
        return {name: float(value) for name, value in self._readings.items()}

    def preview(self, batch: Samples, rng: Generator) -> Images | None:
        """The pictures, painted again."""
        return self.reconstruct(batch.x)

    def score(self, batch: Samples) -> dict[str, float]:
        """Return ``-psnr``: the negated mean peak signal-to-noise ratio of pictures painted again, in dB."""
        errors = (self.reconstruct(batch.x) - batch.x).square().flatten(1).mean(1)
        return {"-psnr": float(10 * errors.clamp_min(1e-10).log10().mean())}

    def _posterior(self, x: Images) -> tuple[Tensor, Tensor | None]:
        """Mean (B, *latent) and, unless maps are rounded, log-variance of the maps of fitting pictures."""
        made = self.encoder(x)
        if self.config["levels"]:
            return self.standard(made), None
        mean, logvar = made.chunk(2, 1)
        return self.standard(mean), logvar.clamp(-20, 20)

    def _painted(self, z: Tensor) -> Tensor:
        levels, size = int(self.config["levels"]), int(self.config["size"])
        painted: Tensor = self.decoder(levelled(z, levels) if levels else z)[..., :size, :size]
        return painted
