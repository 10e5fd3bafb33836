"""Rectified flow: learns how noise becomes pictures, in as many steps as there is time for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import torch
from torch import Generator, Tensor, nn

from danqing.core.errors import ParameterError
from danqing.core.fields.number import Range
from danqing.core.fields.part import PartKind
from danqing.core.learned.families import family_named
from danqing.core.learned.model import Card, Samples
from danqing.core.learned.painting import FlowPainter, MapAutoencoder
from danqing.core.learned.proposals import Optimiser
from danqing.core.learned.weights import load
from danqing.core.pictures.contract import COLOURS, Images, check_channels
from danqing.maths.bands import bands, joined
from danqing.maths.before_critic import TOLD_CHANGES, augmented_and_told
from danqing.maths.flows import Solver, drawn_times, nearest_noise, on_the_way, returned, travelled
from danqing.nets.blocks import in_blocks
from danqing.nets.conditioned_unet import ConditionedUNet, Times

TOLD = 192  # length of what the net is told
TRIALS, DECIDED = 8, 0.6  # noises by which a class is told, and the first part of the way, where it decides most
JUDGED = 0.12  # and the part in which a picture of its own shows whether it came out: whether its class explains it
LOOK = 7  # steps in which a look at the training paints, unguided: it is to be quick


class Flow(FlowPainter):
    """Learn how noise becomes pictures, step by step.

    Args:
        size: side of the pictures, px.
        channels: 1 (grey) or 3 (RGB).
        classes: how many classes the pictures have; 0 learns without.
        width: channels at half size, a multiple of 16; twice as many at a quarter, three times at an eighth. In the
            latents of a codec: of their full size, a half and a quarter.
        blocks: residual blocks of each level.
        pairing: which noise a picture is learned from: any, or within each class of a batch the nearest (ot).
        unlabelled: share of the pictures whose class is hidden while learning, so that samples can be guided.
        steps: steps in which ``generate`` paints a picture; other operators ask for them.
        solver: how a step is taken: euler follows the slope where it is, heun the mean of both ends' at twice the cost,
            adams the slope as it changed since the step before, at the cost of euler.
        dropout: share of the net's inner activations set to zero while learning, lest few pictures be learned by
            heart.
        told_augment: chance of each of mirroring, turning, stretching and shifting a picture that it learns from, lest
            few pictures be learned by heart; it is told what was done, so that its own pictures show none of it.
        guidance: how far pictures follow their class; 1: as learnt.
        codec: a trained codec (a run folder or a file) in whose latents it learns to paint, and which it then holds;
            new: one learns first, on a quarter of the budget; left out: it paints pixels.

    Raises:
        ParameterError: for a number of channels that is neither 1 nor 3, a width that is no multiple of 16, or a codec
            of other pictures.
        ModelFileError: if there is no such codec, or it is of another family.

    Source: Liu et al. 2023, arXiv:2209.03003, eq. 1; Esser et al. 2024, section 3.1 (times); Tong et al. 2024
    (pairing); Ho & Salimans 2022, arXiv:2207.12598, eq. 6 (guidance); Rombach et al. 2022, arXiv:2112.10752 (latents);
    Karras et al. 2022, arXiv:2206.00364, appendix F.2 (augmentation); Li et al. 2023, arXiv:2303.16203, eq. 7 (which
    class a picture is of, and how clearly).
    """

    optimiser: ClassVar[Optimiser] = Optimiser(lr=1e-3, betas=(0.9, 0.99))
    former: ClassVar[dict[str, float]] = {"dropout": 0.0, "told_augment": 0.0}
    batch_size: ClassVar[int] = 64

    def __init__(
        self,
        size: Annotated[int, Range(8, 256, "px")] = 64,
        channels: Annotated[int, Range(1, 3)] = 3,
        classes: Annotated[int, Range(0, 100_000)] = 0,
        width: Annotated[int, Range(16, 512)] = 64,
        blocks: Annotated[int, Range(1, 8)] = 1,
        pairing: Literal["ot", "any"] = "ot",
        unlabelled: Annotated[float, Range(0, 1)] = 0.1,
        steps: Annotated[int, Range(1, 50, "steps")] = 11,
        solver: Solver = "adams",
        dropout: Annotated[float, Range(0, 0.9)] = 0.1,
        told_augment: Annotated[float, Range(0, 1)] = 0.12,
        guidance: Annotated[float, Range(0, 20)] = 1.5,
        codec: Annotated[str | Mapping[str, Any], PartKind(MapAutoencoder, pays_from=64)] | None = None,
    ) -> None:
        super().__init__()
        check_channels(channels)
        self.codec = None if codec is None else self._held(codec)
        depth, fold = (channels, 2) if self.codec is None else (self.codec.latent[0], 1)
        self.net = ConditionedUNet(depth, depth, (width, 2 * width, 3 * width), blocks, TOLD, fold, hiding=dropout)
        self.times = Times(TOLD)
        self.classes = nn.Embedding(classes + 1, TOLD) if classes else None  # the last: no class is said
        self.changes = nn.Linear(TOLD_CHANGES, TOLD, bias=False) if told_augment else None

    @property
    def latent(self) -> tuple[int, ...]:
        if self.codec is not None:
            return self.codec.latent
        size = int(self.config["size"])
        return int(self.config["channels"]), size, size

    @property
    def blends(self) -> int:
        """Noise falls into bands of frequencies: what is coarse in it becomes what is coarse in the picture."""
        return bands(min(self.latent[1:]))

    def blended(self, coarse: Tensor, fine: Tensor, level: int) -> Tensor:
        """The noise of ``coarse`` in the bands before ``level``, that of ``fine`` from there on, and its class."""
        numbers = coarse.shape[-1] - self.weighs
        one, other = (each[..., :numbers].unflatten(-1, self.latent) for each in (coarse, fine))
        noise = joined(one, other, level).flatten(-3)
        return torch.cat([noise, fine[..., numbers:].expand(*noise.shape[:-1], -1)], -1)

    def swaying(self, codes: Tensor) -> Tensor:
        """The coarse half of the bands: the fine ones are too many to be told apart, and each alone moves little."""
        return super().swaying(self.blended(codes, torch.zeros_like(codes), (self.blends + 1) // 2))

    def train(self, mode: bool = True) -> Flow:
        """Learn, but for the codec."""
        super().train(mode)
        if self.codec is not None:
            self.codec.eval()
        return self

    def encode(self, x: Images) -> Tensor:
        if self.codec is None:
            return super().encode(x)
        with torch.no_grad():
            return self.codec.locate(x)

    def decode(self, z: Tensor) -> Images:
        return super().decode(z) if self.codec is None else self.codec.decode(z)

    def paint(self, z: Tensor, label: Tensor | None = None) -> Images:
        return in_blocks(self._painted, z, label)

    def way_back(self, x: Images, label: Tensor | None = None) -> Tensor:
        led = self.led(label, float(self.config["guidance"]))
        return returned(led, self.encode(x), self.config["steps"], self.config["solver"])

    @torch.no_grad()
    def unlikeliness(self, x: Images) -> Tensor:
        labels = torch.arange(int(self.config["classes"]), device=x.device)
        return self._errors(x, [each.expand(len(x)) for each in labels], DECIDED)

    @torch.no_grad()
    def judge(self, x: Images, label: Tensor | None = None) -> Tensor:
        """How much better pictures (B, C, size, size) are explained by their class than without one: (B,)."""
        if label is None:
            raise ParameterError(
                "a flow without classes has nothing to judge its pictures by",
                where="weights",
                remedy="Take one with classes, or a family that learns against a critic, such as a dcgan",
            )
        error = self._errors(x, [None, label], JUDGED)
        return error[:, 0] - error[:, 1]

    def _errors(self, x: Images, labels: Sequence[Tensor | None], until: float) -> Tensor:
        """How far it errs about pictures, if told so, in the first part of the way: (B, labels)."""
        z, rng = self.encode(x), torch.Generator().manual_seed(0)
        error = torch.zeros(len(x), len(labels), device=x.device)
        for trial in range(TRIALS):
            t, noise = until * (trial + 0.5) / TRIALS, torch.randn(1, *self.latent, generator=rng).to(z).expand_as(z)
            way = on_the_way(noise, z, torch.full((len(z),), t, device=z.device))
            for at, label in enumerate(labels):
                error[:, at] += (self.velocity(way, t, label) - (z - noise)).square().flatten(1).mean(1) / TRIALS
        return error

    def velocity(self, x: Tensor, t: float, label: Tensor | None = None, guidance: float = 1.0) -> Tensor:
        time = torch.full((x.shape[0],), t, device=x.device)  # no len: an export would freeze it
        if self.classes is None or guidance == 1:
            return self._speed(x, time, label)
        led, free = self._speed(x, time, label), self._speed(x, time, None)
        return torch.lerp(free, led, guidance)

    def losses(self, batch: Samples, rng: Generator) -> Iterator[tuple[str, Tensor]]:
        """Yield the mean squared error of the velocity."""
        pictures, changes = batch.x, None
        if self.changes is not None and self.training:
            pictures, changes = augmented_and_told(pictures, float(self.config["told_augment"]), rng)
        x, label = self.encode(pictures), batch.y if self.classes is not None else None
        noise = torch.randn(x.shape, generator=rng, device=rng.device).to(x.device)
        if self.config["pairing"] == "ot":
            noise = nearest_noise(noise, x, label)
        t = drawn_times(len(x), rng).to(x.device)
        if label is not None:
            hidden = torch.rand(len(x), generator=rng, device=rng.device).to(x.device) < self.config["unlabelled"]
            label = torch.where(hidden, self.config["classes"], label)
        way = on_the_way(noise, x, t)
        speed = self._speed(way, t, label, changes, rng) if self.training else self._speed(way, t, label)
        yield "", (speed - (x - noise)).square().mean()

    def for_classes(self, count: int) -> dict[str, Tensor]:
        weights, last = self.state_dict(), "times.layers.2.bias"
        if self.classes is None:
            return {**weights, "classes.weight": weights[last].new_zeros(count + 1, TOLD)}
        return {**weights, last: weights[last] + self.classes.weight.detach()[-1]}  # as where no class is said

    def preview(self, batch: Samples, rng: Generator) -> Images | None:
        """Paint as :meth:`paint` in few steps, without guidance."""
        z = torch.randn(len(batch.x), *self.latent, generator=rng, device=rng.device).to(batch.x.device)
        label = self.labels(len(z), rng, batch.y if self.classes is not None else None)
        return self.decode(travelled(self.led(label, 1.0), z, LOOK, "adams"))

    def _painted(self, z: Tensor, label: Tensor | None) -> Tensor:
        guidance = float(self.config["guidance"])
        return self.decode(travelled(self.led(label, guidance), z, self.config["steps"], self.config["solver"]))

    def _held(self, codec: str | Mapping[str, Any]) -> MapAutoencoder:
        """The codec that a file holds, or one to be filled with the weights that this model's own file holds."""
        if isinstance(codec, str):
            held, card = _loaded(codec)
            self.holds = {"codec": card}
            known = {"family": held.family, "file": Path(card["file"]).name, "sha256": card["sha256"]}
            self.config["codec"] = {**known, "config": held.config}
        else:
            held = _built(codec)
        _check_same({name: self.config[name] for name in ("size", "channels")}, held.config)
        return held.requires_grad_(False)

    def _speed(
        self,
        x: Tensor,
        t: Tensor,
        label: Tensor | None,
        changes: Tensor | None = None,
        rng: Generator | None = None,
    ) -> Tensor:
        told = self.times(t)
        if self.classes is not None:
            told = told + self._class_told(self.classes, label, x)
        if self.changes is not None and changes is not None:
            told = told + self.changes(changes)
        speed: Tensor = self.net(x, told) if rng is None else self.net.hidden(x, told, rng)
        return speed

    def _class_told(self, table: nn.Embedding, label: Tensor | None, x: Tensor) -> Tensor:
        """What the net is told of classes, int64 (B,), or weights of them, float (B, classes); None: none is said."""
        if label is not None and label.is_floating_point():
            return label @ table.weight[:-1]
        none = torch.full((x.shape[0],), int(self.config["classes"]), device=x.device)
        told: Tensor = table(none if label is None else label)
        return told


def _loaded(file: str) -> tuple[MapAutoencoder, Card]:
    """A trained codec, and its card.

    Raises:
        ModelFileError: if there is none, or it is of another family.
    """
    model = load(file, kind=MapAutoencoder)
    return model, model.card


def _built(known: Mapping[str, Any]) -> MapAutoencoder:
    """A codec as a model tells of it, without what it learned."""
    make = family_named(known["family"])
    model = make(**{**make.former, **known["config"]})
    assert isinstance(model, MapAutoencoder)
    return model


def _check_same(wanted: Mapping[str, int], codec: Mapping[str, int]) -> None:
    """Refuse a codec that learned other pictures.

    Raises:
        ParameterError: saying what would fit.
    """
    if all(codec[name] == value for name, value in wanted.items()):
        return
    theirs, ours = (f"{each['size']} px in {COLOURS[each['channels']]}" for each in (codec, wanted))
    fits = f"--size {codec['size']} --channels {COLOURS[codec['channels']]}"
    raise ParameterError(
        f"the codec knows pictures of {theirs}, and these are of {ours}",
        where="codec",
        remedy=f"Give {fits}, or train a codec on these pictures: danqing train codec PICTURES --size {wanted['size']}",
    )
