"""What of a run is refused before a picture is read or anything is touched, and, once it stands, for want of time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import torch

from danqing.core.errors import DanqingError, DataError, ModelFileError, ParameterError, UserError
from danqing.core.fields.budget import Budget
from danqing.core.learned.card import locate, read_card
from danqing.core.learned.families import family_named
from danqing.core.learned.finder import Finder
from danqing.core.learned.model import Model, Painter, Samples
from danqing.core.menu import families
from danqing.core.notes import note, noted
from danqing.nets.adversary import plays
from danqing.training.beginnings import begun_with
from danqing.training.build import Facts, built, settings_of
from danqing.training.config import TrainConfig
from danqing.training.freezing import check_learning
from danqing.training.machine import try_step
from danqing.training.setup import batch_share
from danqing.training.stages import check_shapes
from danqing.training.teaching import check_teacher

HASTY = 0.1  # of a look: a budget that is shorter is refused
PLANES = {"grey": (1,), "colour": (3,), "auto": (3, 1)}  # channels that the pictures may come to have
PRESUMED = ("one", "another")  # classes, where nothing is known of them


def refuse_at_once(config: TrainConfig, processes: int) -> None:
    """Refuse what cannot be done, as far as it shows before a picture is read or anything touched.

    Raises:
        ParameterError: for a rate of nothing, a batch that cannot be shared evenly, or a stream counted in epochs.
        ModelFileError: if there is no such teacher.
        UserError: if TensorBoard is wanted and not installed.
    """
    options = config.options
    if 0 in (options.lr, *(stage.lr for stage in config.all_stages())):
        remedy = "Give more than 0, or leave it out; --freeze says which parts shall not learn"
        raise ParameterError("at a learning rate of 0 nothing learns", where="lr", remedy=remedy)
    for each in config.by_stage():
        batch_share(each, processes)
    if options.teacher is not None:
        locate(options.teacher)
    if options.tensorboard and find_spec("tensorboard") is None:
        remedy = "Install it, or leave --tensorboard out"
        raise UserError("needs the package tensorboard", where="tensorboard", remedy=remedy)
    if options.stream and Budget.parse(options.budget).currency == "epochs":
        raise ParameterError("a stream does not know its length", where="budget", remedy="Say 10m or 500kimg")


def refuse_new(config: TrainConfig, processes: int) -> None:
    """Refuse a new run that no pictures could be learned from by: its models are built for pictures that may be.

    Of a grey set and a coloured one, where it is not known which it is, one must do; what is said of the pictures'
    classes waits for the pictures.

    Raises:
        ParameterError: for parameters, a size, adapters, frozen parts or rates that cannot be.
        ModelFileError: for weights to begin with, or a teacher, that do not fit.
    """
    refuse_adapters(config)
    refused: list[ParameterError | ModelFileError] = []
    for channels in PLANES[config.options.channels]:
        try:
            with noted([]):  # what is worth telling is told of the model that learns
                _try(config, channels, processes)
            return
        except (ParameterError, ModelFileError) as error:
            if config.options.conditional and isinstance(error, ParameterError) and error.where in ("data", "classes"):
                return
            refused.append(error)
        except DataError:
            return
    raise refused[0]


def refuse_adapters(config: TrainConfig) -> None:
    """Refuse adapters where there is nothing to adapt.

    Raises:
        ParameterError: for a run that begins anew, or of a family that is no painter; for a rank of nothing.
    """
    options = config.options
    if options.adapters == "none":
        if options.rank is not None:
            remedy = "Say which, such as --adapters low-rank, or leave it out"
            raise ParameterError("is the rank of adapters, and there are none", where="rank", remedy=remedy)
        return
    if not issubclass(family_named(config.family), Painter):
        remedy = "--freeze and --rates keep what was learned before in every family"
        raise ParameterError(f"are for painters, which a {config.family} is not", where="adapters", remedy=remedy)
    if options.from_ is None:
        remedy = "Say which weights with --from, or leave --adapters out"
        raise ParameterError(
            "change what was learned before, and this run begins anew", where="adapters", remedy=remedy
        )


def refuse_hurry(config: TrainConfig, batch: int, look: float) -> None:
    """Refuse a time in which nothing can be seen of what is learned; say it of one that hardly suffices.

    Args:
        config: the run.
        batch: pictures a step, over all processes.
        look: seconds that a look at the untrained model took.

    Raises:
        ParameterError: if the budget is a small part of the time that one look takes.
    """
    budget = Budget.parse(config.options.budget)
    remedy = "Give a larger budget, such as 10m or 200kimg"
    if budget.currency == "pictures" and budget.amount < batch:
        note(f"A budget of {budget} is less than one step, which takes {batch}: one is taken. {remedy}")
    if budget.currency == "seconds" and budget.amount < HASTY * look:
        what = f"{budget} is too short for one look at what was learned, which takes {look:.1f} s here"
        raise ParameterError(what, where="budget", remedy=remedy)
    if budget.currency == "seconds" and budget.amount < look:
        note(
            f"One look at what was learned takes {look:.1f} s here, longer than the whole budget of {budget}: little "
            f"is learned, and the run ends later than that. {remedy}"
        )


@contextmanager
def share_of_budget(share: float, what: str) -> Iterator[None]:
    """Say of a budget that is refused which share of the one that was given it is, and what for."""
    try:
        yield
    except ParameterError as error:
        if error.where != "budget":
            raise
        told = f"{share:.0%} of the budget is for {what}: {error.what}"
        raise ParameterError(told, where="budget", remedy=error.remedy) from error


def _try(config: TrainConfig, channels: int, processes: int) -> None:
    """Build the models of all stages for pictures of so many channels, and see that they learn."""
    stages = config.by_stage()
    models = [built(each, Facts(each.side, channels, _presumed(each), ["point"])) for each in stages]
    check_shapes(models)
    if config.options.from_ is not None:
        begun_with(config, models[0], PRESUMED)
    if config.options.teacher is not None:
        _check_teacher(locate(config.options.teacher), models[0])
    for each, model in zip(stages, models, strict=True):
        _refuse_idle(each, model)
        check_learning(model.train(), each.options.freeze, each.options.rates)
        if batch_share(each, processes) == 1 and not isinstance(model, Finder):
            _try_one(each, model, channels)


def _try_one(config: TrainConfig, model: Model, channels: int) -> None:
    """Train a step on a single picture of noise, from which not every model can learn.

    Raises:
        ParameterError: if this one cannot; what else is wrong waits for the pictures.
    """
    noise = torch.rand(1, channels, config.side, config.side, generator=torch.Generator().manual_seed(0))
    batch = Samples(noise, torch.zeros(1, dtype=torch.int64) if model.config.get("classes", 1) else None)
    try:
        try_step(model, batch, settings_of(config, model), "fp32")
    except DanqingError as error:
        if error.where == "batch":
            raise


def _check_teacher(file: Path, student: Model) -> None:
    """See by their card that weights can teach a model."""
    card = read_card(file)
    if card.get("family") in families():
        made = family_named(card["family"])
        check_teacher(made, {**made.former, **card["config"]}, str(file), student)


def _presumed(config: TrainConfig) -> tuple[str, ...]:
    return PRESUMED if config.options.conditional else ()


def _refuse_idle(config: TrainConfig, model: Model) -> None:
    """Refuse an option that would do nothing, since the model has not what it is about.

    Raises:
        ParameterError: naming the option.
    """
    for name, words in _idle(config, model):
        raise ParameterError(words, where=name, remedy=f"Leave --{name.replace('_', '-')} out")


def _idle(config: TrainConfig, model: Model) -> Iterator[tuple[str, str]]:
    options = config.options
    if not plays(model):
        if options.lecam:
            yield "lecam", f"is about a critic, and a {config.family} has none"
        if options.critic_augment in ("diff", "adaptive"):
            yield "critic_augment", f"is about a critic, and a {config.family} has none"
    if options.teacher is None and options.teaching != type(options).teaching:
        yield "teaching", "is how much a teacher counts, and there is none"


__all__ = ["refuse_adapters", "refuse_at_once", "refuse_hurry", "refuse_new", "share_of_budget"]
