"""What is learned: the bases of every model family, and what a model learns from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple

import torch
from torch import Generator, Tensor, nn

from danqing.core.errors import ParameterError
from danqing.core.learned.latent_space import LatentSpace
from danqing.core.learned.proposals import Optimiser, Stage
from danqing.core.learned.remembering import remembering
from danqing.core.pictures.contract import Images, Mask

Card = dict[str, Any]


class Samples(NamedTuple):
    """What a model learns from: pictures, and what belongs to each of them; what a set does not hold is None.

    Attributes:
        x: pictures (B, C, H, W).
        y: classes, int64: of pictures (B,), or of the things in them (B, N), -1 where a picture has fewer.
        pair: the picture that each should become (B, C', H', W'), as large as ``x`` or a multiple of it.
        mask: what is marked in each (B, 1, H, W); of several classes, (B, classes, H, W).
        boxes: (B, N, 4) as left, top, right, bottom in pixels; rows of NaN fill up where a picture has fewer.
        points: (B, N, 2) as x, y in pixels, the middle of the first at 0.5; NaN where a point is not to be seen. Of
            things, all named points of the first, then of the second and so on.
    """

    x: Images
    y: Tensor | None = None
    pair: Images | None = None
    mask: Mask | None = None
    boxes: Tensor | None = None
    points: Tensor | None = None

    def map(self, function: Callable[[Tensor], Tensor]) -> Samples:
        """Do the same to all that is there, such as choosing pictures: ``samples.map(lambda each: each[chosen])``."""
        return Samples(function(self.x), *(None if each is None else function(each) for each in self[1:]))

    def moved_to(self, device: torch.device | str) -> Samples:
        """All of it on another device, the pictures in channels-last memory order."""
        last = torch.channels_last
        return self.map(lambda each: each.to(device, memory_format=last) if each.ndim == 4 else each.to(device))


class Model(nn.Module, ABC):
    """Base of all families. The ``__init__`` signature of a family is its training form.

    The data fill in ``size`` (px), ``channels`` (1 or 3) and ``classes`` (0: unlabelled), where it has them.

    Attributes:
        config: the arguments ``__init__`` was called with, defaults included; JSON values only.
        card: what is known of the weights (data, training, scores, licence); empty for a new model.
        holds: the cards of weights that a new model took as parts, by the parameter that named them.
        optimiser: proposed settings of the optimisers: one for all parts, or one for each part.
        stages: proposed stages of a run.
        batch_size: proposed pictures per step.
        fit: proposed way in which pictures become square.
        picture_size: proposed side of them in pixels.
        augment: proposed augmentations, as ``--augment`` takes them.
        rates: proposed factors of the learning rate of modules, as ``--rates`` takes them.
        grows: whether its weights for larger pictures can wait: it then takes ``ahead``, doublings to come.
        called: which families a base is, in words, where its own name would tell nobody.
        used_by: what uses such models, for who gives one elsewhere.
        nicknames: what the literature calls some of the modules, with their names here.
        former: what parameters were before they had a name: files from then do not hold them.
        first_class: where among rows that belong to classes that of the first class stands; what is before is of none.
        parts: the submodules stepped apart, by the names that :meth:`losses` yields; ``("",)`` is the whole model.
    """

    config: dict[str, Any]
    card: Card
    holds: Mapping[str, Card] = {}
    optimiser: ClassVar[Optimiser | Mapping[str, Optimiser]] = Optimiser()
    stages: ClassVar[tuple[Stage, ...]] = (Stage(),)
    batch_size: ClassVar[int] = 128
    parts: ClassVar[tuple[str, ...]] = ("",)
    fit: ClassVar[Literal["crop", "pad", "stretch", "tiles"]] = "crop"
    picture_size: ClassVar[int] = 64
    augment: ClassVar[str] = ""
    rates: ClassVar[str] = ""
    grows: ClassVar[bool] = False
    called: ClassVar[str] = ""
    used_by: ClassVar[str] = ""
    nicknames: ClassVar[Mapping[str, str]] = {}
    former: ClassVar[Mapping[str, Any]] = {}
    first_class: ClassVar[int] = 0

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__init__" in cls.__dict__:
            cls.__init__ = remembering(cls.__init__)  # type: ignore[method-assign]

    @property
    def family(self) -> str:
        """The name of the family: that of its file."""
        return type(self).__module__.rpartition(".")[2]

    @abstractmethod
    def losses(self, batch: Samples, rng: Generator) -> Iterator[tuple[str, Tensor]]:
        """Yield ``(part, loss)`` in turn; each is back-propagated and its part stepped before the next is asked for.

        Only the parameters of ``part`` receive that loss's gradient. All randomness is drawn from ``rng``. What a
        family must remember between steps (counters, warm-up) lives in buffers, which are saved and resumed with it.
        A loss is the mean over the batch it was given, so that the mean over equal shares of a batch is that of the
        whole.
        """

    def for_classes(self, count: int) -> dict[str, Tensor]:
        """Its weights for a model of its family with so many classes, where one of both has none and the other some."""
        return self.state_dict()

    def readings(self) -> dict[str, float]:
        """Figures of the last step worth logging beside the losses (accuracies of a critic, KL …), as plain floats."""
        return {}

    def preview(self, batch: Samples, rng: Generator) -> Images | None:
        """Pictures that show the state of training for this fixed batch and generator; None if nothing is to see."""
        return None

    def score(self, batch: Samples) -> dict[str, float]:
        """Mean figures over held-out pictures, the first of them the one to be minimised by "best"; empty if none.

        Keys that start with ``-`` (such as ``-accuracy``) hold negated figures, so that smaller is always better.
        """
        return {}


class PictureSpace(Model):
    """Has a place for every picture, which an encoder says or a search finds, and paints what lies between places."""

    called: ClassVar[str] = "generator, vae or codec"


class Painter(PictureSpace, LatentSpace):
    """Learns to paint. Its config holds ``size``, ``channels`` and ``classes`` (0: unconditional)."""

    called: ClassVar[str] = "generator"
    used_by: ClassVar[str] = "danqing generate paints with it, danqing project finds a picture in it"

    def sample(self, count: int, rng: Generator, label: Tensor | None = None) -> Images:
        """Paint ``count`` pictures from random latents; classes are drawn evenly where a label is needed and not given.

        Raises:
            ParameterError: for a label out of range, or a label given to an unconditional model.
        """
        device = next(self.parameters()).device
        z = torch.randn(count, *self.latent, generator=rng, device=rng.device).to(device)
        return self.paint(z, self.labels(count, rng, label))

    def labels(self, count: int, rng: Generator, label: Tensor | None = None) -> Tensor | None:
        """Check the labels given, or draw them; None for an unconditional model."""
        classes = self.config["classes"]
        if not classes:
            if label is not None:
                raise ParameterError("this model is unconditional", where="label", remedy="Leave the label out")
            return None
        device = next(self.parameters()).device
        if label is None:
            return torch.randint(classes, (count,), generator=rng, device=rng.device).to(device)
        if label.shape != (count,) or label.min() < 0 or label.max() >= classes:
            raise ParameterError(f"labels must be {count} numbers from 0 to {classes - 1}", where="label")
        return label.to(device)

    def preview(self, batch: Samples, rng: Generator) -> Images | None:
        label = None if not self.config["classes"] or batch.y is None else batch.y
        return self.sample(len(batch.x), rng, label)


class Restorer(Model):
    """Learns to repair.

    Attributes:
        mixed: whether it knows pictures that are also noisy and compressed, which so need not be cleaned before.
    """

    mixed: bool = False

    @property
    @abstractmethod
    def reach(self) -> int:
        """How many pixels of the result away it looks, so that a picture may be repaired tile by tile."""

    @abstractmethod
    def restore(self, x: Images, **conditions: Tensor) -> Images:
        """Repair pictures; ``conditions`` are the family's own (a noise level, a mask)."""

    def lesson(self, batch: Samples, rng: Generator, teacher: Restorer) -> Tensor:
        """How far it is, as its losses count, from what a teacher of the same task makes of the same damage."""
        raise ParameterError(f"a {self.family} cannot learn from a teacher", where="teacher")


class Stylist(Model):
    """Learns to paint pictures in the style of others."""

    @property
    @abstractmethod
    def reach(self) -> int:
        """How many pixels of the result away it looks, so that a picture may be painted tile by tile, evened alike."""

    @abstractmethod
    def code(self, painting: Images) -> Tensor:
        """What paintings (B, 3, H, W) are like (B, D); what lies between two codes is a mixture of both styles."""

    @abstractmethod
    def evenness(self, x: Images, code: Tensor) -> Sequence[Any]:
        """What a picture (1, 3, H, W) and a code (1, D) tell of the whole, by which all its tiles are painted."""

    @abstractmethod
    def paint(self, x: Images, code: Tensor, even: Sequence[Any] | None = None) -> Images:
        """Paint pictures (B, 3, H, W), whose colours are the paintings' already, by codes (1 or B, D).

        Args:
            x: pictures, or a tile of one.
            code: what the paintings are like.
            even: of a tile: the evenness of the whole; else each picture has its own.
        """


class Viewer(Model):
    """Learns to say what pictures show."""

    called: ClassVar[str] = "classifier, detector, segmenter or keypoints"


class Recogniser(Viewer):
    """Learns to name what it sees, the middle square of a picture. Its config: ``size``, ``channels``, ``classes``."""

    called: ClassVar[str] = "classifier"

    @abstractmethod
    def features(self, x: Images) -> Tensor:
        """The penultimate activations (B, D), float32: what distances between picture sets are measured in."""

    @abstractmethod
    def logits(self, x: Images) -> Tensor:
        """The scores (B, classes) whose softmax are the probabilities, float32; what an explanation is of."""

    def predict(self, x: Images) -> Tensor:
        """Class probabilities (B, classes), float32, each row summing to 1."""
        return self.logits(x).softmax(1)
