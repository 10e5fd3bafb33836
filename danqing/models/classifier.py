"""The classifier family: a convolutional net that names what a picture shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from danqing.core.errors import ParameterError
from danqing.core.fields.number import Range
from danqing.core.learned.model import Recogniser, Samples
from danqing.core.learned.proposals import Optimiser
from danqing.core.pictures.contract import Images, check_channels
from danqing.maths.fitting import fit
from danqing.nets.efficientnet_lite import DIM, efficientnet_lite0

STAGES = 3  # halvings of the picture before it becomes a vector


class Classifier(Recogniser):
    """Learn to name what a picture shows.

    Pictures of another size, or colour where the model is grey, are fitted to the model first (:func:`fit`), so that
    it names any picture.

    Args:
        size: side of the pictures it learns from, 16…512 px.
        channels: 1 (grey) or 3 (RGB).
        classes: how many names there are, at least 2.
        net: three convolution + pooling stages, three stages of residual blocks, or a net that knows ImageNet's classes
            already (EfficientNet-Lite0), which few pictures suffice to teach new ones: with the trunk frozen, as a
            linear probe, within seconds.
        width: channels of the first stage; each further stage has twice as many.
        norm: whether the cnn normalises by batch statistics (the resnet always does).
        dim: length of the feature vector; that of imagenet has 1280.
        dropout: share of the feature vector that is hidden while training, 0…0.9.
        smoothing: share of the target's probability that is spread over all classes while training, 0…0.5.

    Source: LeCun et al. 1998, Gradient-Based Learning Applied to Document Recognition (the convolutional net); He et
    al. 2016, arXiv:1603.05027, Figure 4e (pre-activation residual block); Szegedy et al. 2016, arXiv:1512.00567,
    section 7 (label smoothing); Hinton et al. 2012, arXiv:1207.0580 (dropout).
    """

    optimiser = Optimiser(lr=2e-3, betas=(0.9, 0.99), weight_decay=0.0)
    batch_size = 64

    def __init__(
        self,
        size: Annotated[int, Range(16, 512, "px")],
        channels: Annotated[int, Range(1, 3)],
        classes: Annotated[int, Range(0, 100_000)],
        net: Literal["cnn", "resnet", "imagenet"] = "cnn",
        width: Annotated[int, Range(4, 256)] = 32,
        norm: Literal["batch", "none"] = "batch",
        dim: Annotated[int, Range(8, 4096)] = 128,
        dropout: Annotated[float, Range(0, 0.9)] = 0.3,
        smoothing: Annotated[float, Range(0, 0.5)] = 0.05,
    ) -> None:
        super().__init__()
        _check(size, channels, classes)
        widths = [width << stage for stage in range(STAGES)]
        plain = net == "cnn" and norm == "none"
        self.trunk: nn.Module
        self.neck: nn.Module
        if net == "imagenet":
            self.trunk, self.neck, dim = _ImageNet(), nn.Identity(), DIM
        else:
            self.trunk = _cnn(channels, widths, plain) if net == "cnn" else _resnet(channels, widths)
            self.neck = _neck(widths[-1], min(4, size >> STAGES), dim, plain)
        self.head = nn.Linear(dim, classes)
        self.dropout, self.smoothing = dropout, smoothing
        self._accuracy = torch.zeros(())

    def features(self, x: Images) -> Tensor:
        """Return the penultimate activations (B, dim), float32, non-negative."""
        fitted = fit(x, self.config["size"], self.config["channels"])
        out: Tensor = self.neck(self.trunk(fitted * 2 - 1))
        return out.float()

    def logits(self, x: Images) -> Tensor:
        """Return the scores (B, classes), float32."""
        out: Tensor = self.head(self.features(x))
        return out.float()

    def losses(self, batch: Samples, rng: Generator) -> Iterator[tuple[str, Tensor]]:
        """Yield the cross entropy in nats against smoothed labels."""
        target = _labels(batch)
        features = self.features(batch.x)
        logits = self.head(_drop(features, self.dropout, rng)).float()
        self._accuracy = (logits.detach().argmax(1) == target).float().mean()
        yield "", F.cross_entropy(logits, target, label_smoothing=self.smoothing)

    def readings(self) -> dict[str, float]:
        """Report the share of the last training batch that was named rightly, dropout and augmentation included."""
        return {"accuracy": float(self._accuracy)}

    def score(self, batch: Samples) -> dict[str, float]:
        """Return ``-accuracy`` (negated share named rightly) and ``loss`` (cross entropy in nats, not smoothed)."""
        target = _labels(batch)
        probabilities = self.predict(batch.x)
        loss = F.nll_loss(probabilities.clamp_min(1e-12).log(), target).detach()
        return {"-accuracy": -float((probabilities.argmax(1) == target).float().mean()), "loss": float(loss)}


def _check(size: int, channels: int, classes: int) -> None:
    if size < 1 << (STAGES + 1):
        raise ParameterError(f"{size} is not a whole number of at least 16", where="size")
    check_channels(channels)
    if classes < 2:
        raise ParameterError(
            f"a classifier needs at least 2 classes, the pictures have {classes}",
            where="classes",
            remedy="Sort the pictures into one folder a class, or give a file of labels",
        )


def _labels(batch: Samples) -> Tensor:
    if batch.y is None or batch.y.ndim != 1:
        raise ParameterError("a classifier learns from labelled pictures; these have no labels", where="data")
    return batch.y


def _drop(x: Tensor, share: float, rng: Generator) -> Tensor:
    """Hide a share of each vector; unlike torch's dropout, all randomness comes from ``rng``, so that runs resume."""
    if not share:
        return x
    kept = torch.rand(x.shape, generator=rng, device=rng.device) >= share
    return x * kept.to(x.device) / (1 - share)


def _convolution(inputs: int, outputs: int, kernel: int = 3, bias: bool = False) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=bias)


def _neck(width: int, side: int, dim: int, plain: bool) -> nn.Module:
    return nn.Sequential(
        nn.AdaptiveAvgPool2d(side),
        nn.Flatten(),
        nn.Linear(width * side**2, dim, bias=plain),
        nn.Identity() if plain else nn.BatchNorm1d(dim),
        nn.ReLU(),
    )


def _cnn(channels: int, widths: list[int], plain: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, outputs in zip([channels, *widths], widths, strict=False):
        norm = nn.Identity() if plain else nn.BatchNorm2d(outputs)
        layers += [_convolution(inputs, outputs, bias=plain), norm, nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers)


def _resnet(channels: int, widths: list[int]) -> nn.Sequential:
    blocks = [_Residual(inputs, outputs) for inputs, outputs in zip(widths[:1] + widths, widths, strict=False)]
    last = [nn.BatchNorm2d(widths[-1]), nn.ReLU()]
    return nn.Sequential(_convolution(channels, widths[0]), *blocks, *last)


class _ImageNet(nn.Module):
    """EfficientNet-Lite0 up to its features, with what it learned of ImageNet."""

    def __init__(self) -> None:
        super().__init__()
        self.net = efficientnet_lite0().requires_grad_(True)
        del self.net._fc

    def forward(self, x: Tensor) -> Tensor:
        """Features (B, 1280) of pictures (B, C, H, W) in [-1, 1]."""
        return self.net.features((x + 1) / 2 if x.shape[1] == 3 else (x.expand(-1, 3, -1, -1) + 1) / 2)


class _Residual(nn.Module):
    """Halve the picture through a pre-activation residual block."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm2d(inputs),
            nn.ReLU(),
            _convolution(inputs, outputs),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            _convolution(outputs, outputs),
        )
        self.skip = nn.Identity() if inputs == outputs else _convolution(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(self.body(x) + self.skip(x), 2)
