"""The variational autoencoder: learns to write a picture as a few numbers, and to paint from them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from danqing.core.errors import ParameterError
from danqing.core.fields.number import Range
from danqing.core.learned.model import Painter, Samples
from danqing.core.learned.painting import Autoencoder
from danqing.core.learned.proposals import Optimiser
from danqing.core.pictures.contract import Images, check_channels
from danqing.maths.elbo import (
    bernoulli_log_likelihood,
    bits_per_dimension,
    discretised_gaussian_log_likelihood,
    gaussian_kl,
)
from danqing.maths.fitting import fit
from danqing.nets.convolution import Down, FreeUp

SIZES = (16, 28, 32, 64, 128, 256)  # of the convolutional net
SIGMA = 0.14  # of the likelihood before training, in image units
SIGMA_RATE = 10.0  # how much faster than other weights sigma learns; it has e-folds to go, they have fractions


class VAE(Autoencoder, Painter):
    """Learn to write a picture as a few numbers and to paint it again from them.

    The gaussian likelihood is that of 8-bit pixels (the mass of a Gaussian in each level's bin, one learnt sigma), so
    its ELBO is a bound on the log-probability of the files' own pixels, comparable between models. The bernoulli
    likelihood takes grey levels as probabilities of white pixels: its ELBO is that of black-and-white pictures drawn
    so, and must not be compared with the other. What it paints is the mean picture, without pixel noise.

    Args:
        size: side of the pictures, px: 28 or a power of two from 16 to 256 for the convolutional net, 8…256 for the
            dense one.
        channels: 1 (grey) or 3 (RGB).
        classes: how many classes the pictures have; 0 learns without.
        net: dense layers, or convolutions.
        dim: how many numbers a picture is written as.
        width: channels of the finest convolutions; dense layers have 16 times as many units.
        likelihood: what is thought of pixels: bernoulli (black or white) paints better from few pictures, gaussian
            (8-bit levels) reconstructs more exactly and has honest bits per pixel.
        beta: weight of the KL term; above 1 the numbers are tidier and the pictures blurrier.
        warmup: pictures seen while the KL term's weight rises from 0 to beta.

    Source: Kingma & Welling 2014, arXiv:1312.6114; Higgins et al. 2017, beta-VAE, eq. 4; Sønderby et al. 2016,
    arXiv:1602.02282, section 2.2 (warm-up); Rybkin et al. 2021, arXiv:2006.13202, section 4.1 (one learnt sigma).
    """

    optimiser = Optimiser(lr=1e-3)
    batch_size = 128
    seen: Tensor

    def __init__(
        self,
        size: Annotated[int, Range(8, 256, "px")],
        channels: Annotated[int, Range(1, 3)],
        classes: Annotated[int, Range(0, 100_000)] = 0,
        net: Literal["conv", "dense"] = "conv",
        dim: Annotated[int, Range(1, 1024)] = 32,
        width: Annotated[int, Range(4, 256)] = 32,
        likelihood: Literal["bernoulli", "gaussian"] = "bernoulli",
        beta: Annotated[float, Range(0, 1000)] = 1.0,
        warmup: Annotated[float, Range(0, 1e9, "pictures")] = 20_000.0,
    ) -> None:
        super().__init__()
        _check(size, channels, net)
        hidden = 16 * width
        self.encoder, self.decoder = (_dense if net == "dense" else _conv)(size, channels, width, hidden)
        self.posterior = nn.Linear(hidden, 2 * dim)
        self.entrance = nn.Linear(dim, hidden)
        if classes:
            self.seen_as, self.painted_as = (nn.Linear(classes, hidden, bias=False) for _ in range(2))
        if likelihood == "gaussian":
            self.log_sigma = nn.Parameter(torch.tensor(SIGMA).log() / SIGMA_RATE)
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))
        self.beta, self.warmup = beta, warmup
        self._readings: dict[str, Tensor] = {}

    @property
    def latent(self) -> tuple[int, ...]:
        """The shape of one latent: (dim,)."""
        return (int(self.config["dim"]),)

    def encode(self, x: Images, label: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Write pictures as Gaussians over latents; pictures of another size or colour are fitted first.

        Args:
            x: pictures (B, C, H, W).
            label: int64 (B,) or weights (B, classes) for a conditional model; None: the likeliest class of each.

        Returns:
            mean and log-variance, (B, dim) each.
        """
        hidden = self.encoder(self._fitted(x) * 2 - 1)
        if self.config["classes"]:
            hidden = hidden + self.seen_as(self._weights(self.likeliest(x) if label is None else label))
        mean, logvar = self.posterior(F.silu(hidden)).float().chunk(2, 1)
        return mean, logvar.clamp(-20, 20)

    def decode(self, z: Tensor, label: Tensor | None = None) -> Images:
        """Paint the mean pictures (B, C, size, size) of latents (B, dim); ``label`` as in :meth:`encode`, but given."""
        raw = self._pixels(z, label)
        return raw.sigmoid() if self.config["likelihood"] == "bernoulli" else raw.clamp(0, 1)

    def paint(self, z: Tensor, label: Tensor | None = None) -> Images:
        """Paint from latents, as :meth:`decode`."""
        return self.decode(z, label)

    def entrances(self) -> list[Tensor]:
        return [self.entrance.weight]

    def locate(self, x: Images, label: Tensor | None = None) -> Tensor:
        """The means of the posteriors; ``label`` as in :meth:`encode`."""
        return self.encode(x, label)[0]

    def reconstruct(self, x: Images, label: Tensor | None = None) -> Images:
        """Paint pictures again from the means of their latents; without labels, as the likeliest class of each."""
        if self.config["classes"] and label is None:
            label = self.likeliest(x)
        return self.decode(self.encode(x, label)[0], label)

    def between(self, x: Images, y: Images, shares: Tensor) -> Images:
        """Paint what lies ``shares`` (T,) of the way between two pictures (1, C, H, W): (T, channels, size, size).

        Latents go straight, as posterior means lie inside the sphere that draws from the prior lie on; the classes of a
        conditional model are mixed in the same shares.
        """
        pair = [self.likeliest(picture) if self.config["classes"] else None for picture in (x, y)]
        ends = [self.encode(picture, label)[0] for picture, label in zip((x, y), pair, strict=True)]
        share = shares.to(ends[0])[:, None]
        mixed = [None if label is None else self._weights(label) for label in pair]
        label = None if mixed[0] is None or mixed[1] is None else mixed[0].lerp(mixed[1], share)
        return self.decode(ends[0].lerp(ends[1], share), label)

    def likeliest(self, x: Images) -> Tensor:
        """Name each picture by the class under which its ELBO, taken at the posterior mean, is largest; int64 (B,)."""
        bounds = []
        for each in range(self.config["classes"]):
            label = torch.full((len(x),), each, device=x.device)
            mean, logvar = self.encode(x, label)
            bounds.append(self._log_likelihood(x, mean, label) - gaussian_kl(mean, logvar))
        return torch.stack(bounds).argmax(0)

    def terms(self, x: Images, label: Tensor | None, rng: Generator) -> tuple[Tensor, Tensor]:
        """Draw the two terms of the ELBO, in nats a picture.

        Returns:
            log p(x | z) at one z drawn from the posterior, (B,); KL(posterior ‖ prior), (B,).
        """
        mean, logvar = self.encode(x, label)
        noise = torch.randn(mean.shape, generator=rng, device=rng.device).to(mean.device)
        return self._log_likelihood(x, mean + noise * (logvar / 2).exp(), label), gaussian_kl(mean, logvar)

    def losses(self, batch: Samples, rng: Generator) -> Iterator[tuple[str, Tensor]]:
        """Yield −log p(x | z) + β KL in nats a picture, β rising from 0 during the warm-up."""
        log_likelihood, kl = (term.mean() for term in self.terms(batch.x, self._labels(batch), rng))
        weight = self.beta * (self.seen / self.warmup).clamp_max(1).float() if self.warmup else self.beta
        self.seen += len(batch.x) * _processes()
        self._readings = {"kl": kl.detach(), "reconstruction": -log_likelihood.detach()}
        yield "", weight * kl - log_likelihood

    def readings(self) -> dict[str, float]:
        """Report the two terms in nats a picture, and sigma on the 0–255 scale."""
        readings = {name: float(value) for name, value in self._readings.items()}
        if self.config["likelihood"] == "gaussian":
            readings["sigma"] = float(self._log_sigma.detach().exp()) * 255
        return readings

    def score(self, batch: Samples) -> dict[str, float]:
        """Return ``-elbo_nats`` (negated ELBO, β = 1, nats a picture) and ``bits_per_pixel`` (per pixel and channel).

        One latent is drawn a picture, always the same. With the bernoulli likelihood both figures are of
        black-and-white pictures drawn with the grey levels as probabilities; a uniform guess has then 1 bit, not 8.
        """
        log_likelihood, kl = self.terms(batch.x, self._labels(batch), Generator().manual_seed(0))
        nats = float((kl - log_likelihood).mean().detach())
        dimensions = self.config["channels"] * self.config["size"] ** 2
        return {"-elbo_nats": nats, "bits_per_pixel": float(bits_per_dimension(nats, dimensions))}

    @property
    def _log_sigma(self) -> Tensor:
        return self.log_sigma * SIGMA_RATE

    def _log_likelihood(self, x: Images, z: Tensor, label: Tensor | None) -> Tensor:
        pixels = self._pixels(z, label)
        if self.config["likelihood"] == "bernoulli":
            return bernoulli_log_likelihood(self._fitted(x), pixels)
        return discretised_gaussian_log_likelihood(self._fitted(x), pixels, self._log_sigma)

    def _pixels(self, z: Tensor, label: Tensor | None) -> Tensor:
        """The logits or means of pixels, float32; means are not held to [0, 1], so that black and white can be sure."""
        hidden = self.entrance(z)
        if self.config["classes"]:
            hidden = hidden + self.painted_as(self._weights(label))
        out: Tensor = self.decoder(F.silu(hidden)).float()
        return out if self.config["likelihood"] == "bernoulli" else out + 0.5

    def _fitted(self, x: Images) -> Images:
        return fit(x, self.config["size"], self.config["channels"])

    def _labels(self, batch: Samples) -> Tensor | None:
        return batch.y if self.config["classes"] else None

    def _weights(self, label: Tensor | None) -> Tensor:
        """Labels as weights of classes, (B, classes)."""
        classes = self.config["classes"]
        if label is None:
            raise ParameterError(f"this model needs one of its {classes} classes", where="label")
        return label if label.is_floating_point() else F.one_hot(label, classes).float()


def _check(size: int, channels: int, net: str) -> None:
    check_channels(channels)
    if net == "conv" and size not in SIZES:
        known = ", ".join(map(str, SIZES))
        raise ParameterError(
            f"the convolutional net cannot take {size} px", where="size", remedy=f"Take one of {known}, or --net dense"
        )
    if not 8 <= size <= 256:
        raise ParameterError(f"{size} is not a whole number in 8…256 px", where="size")


def _processes() -> int:
    """How many processes share a step: each sees only its own pictures, but the warm-up counts all."""
    parallel = torch.distributed.is_available() and torch.distributed.is_initialized()
    return torch.distributed.get_world_size() if parallel else 1


def _dense(size: int, channels: int, width: int, hidden: int) -> tuple[nn.Sequential, nn.Sequential]:
    pixels = channels * size**2
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(pixels, hidden), nn.SiLU(), nn.Linear(hidden, hidden))
    decoder = nn.Sequential(nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, pixels))
    return encoder, decoder.append(nn.Unflatten(1, (channels, size, size)))


def _conv(size: int, channels: int, width: int, hidden: int) -> tuple[nn.Sequential, nn.Sequential]:
    """Halve the picture down to a side of 4 (or 7), channels doubling up to 8 × width; and back."""
    levels = (size // 4).bit_length() - 1
    side = size >> levels
    widths = [width << min(level, 3) for level in range(levels)]
    encoder, decoder = nn.Sequential(), nn.Sequential(nn.Linear(hidden, widths[-1] * side**2), nn.SiLU())
    for inputs, outputs in zip([channels, *widths], widths, strict=False):
        encoder.extend([Down(inputs, outputs), nn.GroupNorm(2, outputs), nn.SiLU()])
    encoder.extend([nn.Flatten(), nn.Linear(widths[-1] * side**2, hidden)])
    decoder.append(nn.Unflatten(1, (widths[-1], side, side)))
    for inputs, outputs in zip(widths[::-1], [*widths[-2::-1], width // 2], strict=True):
        decoder.extend([FreeUp(inputs, outputs), nn.GroupNorm(2, outputs), nn.SiLU()])
    return encoder, decoder.append(nn.Conv2d(width // 2, channels, 3, padding=1))
