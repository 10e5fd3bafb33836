"""Learning from a teacher: what a model is to make of the same input as one that knows more."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from danqing.core.errors import ModelFileError, ParameterError
from danqing.core.learned.manner import freely
from danqing.core.learned.model import Model, Painter, Recogniser, Restorer, Samples
from danqing.core.learned.weights import load
from danqing.core.notes import note
from danqing.core.pictures.contract import Images
from danqing.nets.adversary import plays
from danqing.training.config import TAUGHT

SCALES = 3  # of pictures, each half the one before, at which two are compared
CLOSENESS = 10.0  # weight of the distance of painted pictures beside what a family learns by itself
LONG = 4  # times: latents so much longer cannot be told by the student's


class Teacher:
    """A model that another learns from, beside what that learns from pictures.

    Painters get the same latent (the longer one's first numbers) and are to paint the same picture; restorers get the
    same damaged pictures; recognisers the same pictures, and are to say the same probabilities.

    Args:
        source: weights: a file, a run folder or the name of bundled ones.
        student: who learns.
        classes: names of the student's classes, in order.
        weight: of the lesson beside the student's own loss.

    Raises:
        ModelFileError: if there are no such weights, or they cannot teach this student.
    """

    def __init__(self, source: str, student: Model, classes: Sequence[str], weight: float) -> None:
        self.model = load(source).requires_grad_(False)
        self.weight = weight
        self.where = str(self.model.card.get("file", source))
        check_teacher(type(self.model), self.model.config, self.where, student)
        self._tell_of_length(student)
        self.classes = self._matched(student, classes)

    def losses(self, student: Model, batch: Samples, rng: Generator) -> Iterator[tuple[str, Tensor]]:
        """Yield what the student yields by itself, with the lesson added to the part that is taught.

        Raises:
            ParameterError: if the student's family cannot be taught.
        """
        taught = student.parts[-1]  # of a painter and its critic the painter
        for part, own in student.losses(batch, rng):
            yield part, own + self.weight * self.lesson(student, batch, rng) if part == taught else own

    def lesson(self, student: Model, batch: Samples, rng: Generator) -> Tensor:
        """How far the student is from what its teacher makes of the same, with a gradient."""
        if isinstance(student, Painter) and isinstance(self.model, Painter):
            distance = self._painted(student, self.model, batch, rng)
        elif isinstance(student, Restorer) and isinstance(self.model, Restorer):
            distance = student.lesson(batch, rng, self.model)
        else:
            assert isinstance(student, Recogniser)
            distance = self._named(student, batch)
        if not distance.requires_grad:
            raise ParameterError(f"a {student.family} cannot learn from a teacher", where="teacher")
        return distance

    def _painted(self, student: Painter, teacher: Painter, batch: Samples, rng: Generator) -> Tensor:
        lengths = [math.prod(model.latent) for model in (student, teacher)]
        z = torch.randn(len(batch.x), max(lengths), generator=rng, device=rng.device).to(batch.x.device)
        label = batch.y if student.config["classes"] else None
        with freely():
            with torch.no_grad():
                aim = teacher.paint(z[:, : lengths[1]].unflatten(1, teacher.latent), self._theirs(label))
            mine = z[:, : lengths[0]].unflatten(1, student.latent)
            made = student.painter(mine, label).add(1).div(2) if plays(student) else student.paint(mine, label)
        return CLOSENESS * distance_of(made.float(), _sized(aim.float(), made.shape[-1]))

    def _named(self, student: Recogniser, batch: Samples) -> Tensor:
        """How far the student's probabilities are from the teacher's, in nats.

        Source: Hinton et al. 2015, section 2, at a temperature of 1.
        """
        assert isinstance(self.model, Recogniser)
        with torch.no_grad():
            aim = self.model.logits(batch.x)[:, self.classes].log_softmax(1)
        said = student.logits(batch.x).log_softmax(1)
        return F.kl_div(said, aim, reduction="batchmean", log_target=True)

    def _theirs(self, label: Tensor | None) -> Tensor | None:
        """The teacher's numbers of the student's classes."""
        return None if label is None else torch.tensor(self.classes, device=label.device)[label]

    def _tell_of_length(self, student: Model) -> None:
        if isinstance(self.model, Painter) and isinstance(student, Painter):
            theirs, mine = (math.prod(each.latent) for each in (self.model, student))
            if theirs > LONG * mine:
                note(
                    f"The teacher paints from {theirs:,} numbers and the new model from {mine:,}: it can learn what "
                    "its pictures have in common, not each of them"
                )

    def _matched(self, student: Model, classes: Sequence[str]) -> list[int]:
        """The teacher's numbers of the student's classes, by name."""
        if isinstance(student, Restorer):
            return []
        theirs = [str(name) for name in self.model.card.get("classes") or ()]
        has, wants = self.model.config.get("classes", 0), student.config.get("classes", 0)
        if bool(has) != bool(wants):
            what = "knows classes, the new model none" if has else "knows no classes, the new model does"
            remedy = "Give pictures with labels of these classes" if has else "Train with --no-conditional"
            raise ModelFileError(what, where=self.where, remedy=remedy)
        if not wants:
            return []
        missing = [name for name in classes if name not in theirs]
        if missing:
            what = f"does not know the class {missing[0]}"
            raise ModelFileError(what, where=self.where, remedy=f"It knows: {', '.join(theirs) or 'classes unnamed'}")
        return [theirs.index(name) for name in classes]


def check_teacher(made: type[Model], config: Mapping[str, Any], where: str, student: Model) -> None:
    """See that weights of a family, built like that, can teach a model; they themselves are not asked for.

    Raises:
        ParameterError: if the model cannot be taught.
        ModelFileError: if these cannot teach it.
    """
    kind = next((each for each in TAUGHT if isinstance(student, each)), None)
    if kind is None:
        raise ParameterError(f"a {student.family} cannot learn from a teacher", where="teacher")
    if not issubclass(made, kind):
        what = f"is a {made.__name__.lower()}, which cannot teach a {student.family}"
        raise ModelFileError(what, where=where, remedy=f"A {kind.__name__.lower()} can")
    for option in ("channels", "task"):
        theirs, mine = config.get(option), student.config.get(option)
        if theirs != mine and kind is not Recogniser:
            told = ("grey" if theirs == 1 else "colour") if option == "channels" else theirs
            what = f"has {option} {theirs}, the new model {mine}"
            raise ModelFileError(what, where=where, remedy=f"Train with --{option} {told}")


def distance_of(made: Images, aim: Images) -> Tensor:
    """The mean absolute difference of pictures at three scales, each half as large as the one before.

    A plain difference alone is content with blur; at coarse scales colours and places weigh more.
    """
    total = F.l1_loss(made, aim)
    for _ in range(SCALES - 1):
        made, aim = F.avg_pool2d(made, 2), F.avg_pool2d(aim, 2)
        total = total + F.l1_loss(made, aim)
    return total / SCALES


def _sized(x: Images, size: int) -> Images:
    if x.shape[-1] == size:
        return x
    return F.interpolate(x, size=(size, size), mode="bilinear", antialias=True)


__all__ = ["Teacher", "check_teacher", "distance_of"]
