"""What a run stands on before its first step: processes, pictures and the new model."""

from __future__ import annotations

import inspect
import math
import os
from typing import Any, NamedTuple

import torch

from danqing.core.errors import DataError, ModelFileError, ParameterError
from danqing.core.learned.families import family_named
from danqing.core.learned.model import Model, Optimiser, Samples
from danqing.core.learned.weights import load
from danqing.core.progress import Job, Progress
from danqing.data.check import check
from danqing.data.fit import Fit
from danqing.data.sources import is_built_in
from danqing.data.store import Store, pack
from danqing.data.stream import Stream
from danqing.train.budget import Budget
from danqing.train.config import TrainConfig
from danqing.train.score import SCORED

NATURAL_SIZE = {"digits": 28}


class Supplies(NamedTuple):
    """The pictures of a run: those to learn from, those to score on, and what the preflight found."""

    train: Store | Stream
    held_out: Store | Stream
    report: dict[str, Any]


def launch(device: str, devices: int) -> Any:
    """Start Lightning Fabric: one process, several on this machine, or one of those that torchrun or SLURM started."""
    from lightning_fabric import Fabric

    started = int(os.environ.get("WORLD_SIZE", os.environ.get("SLURM_NTASKS", "1")))
    local = int(os.environ.get("LOCAL_WORLD_SIZE", os.environ.get("SLURM_NTASKS_PER_NODE", devices)))
    fabric = Fabric(
        accelerator=device if device != "auto" else "cuda" if torch.cuda.is_available() else "cpu",
        devices=local,
        num_nodes=max(1, started // local),
        strategy="ddp" if max(started, local) > 1 else "auto",
    )
    fabric.launch()
    return fabric


def gather_pictures(config: TrainConfig) -> Job[Supplies]:
    """Check the pictures and pack them (or open the stream): training and held-out.

    Raises:
        DataError: if pictures cannot be read and ``skip_bad`` is off, or there are none.
    """
    options = config.options
    if options.stream:
        if Budget.parse(options.budget).currency == "epochs":
            raise ParameterError("a stream does not know its length", where="budget", remedy="Say 10m or 500kimg")
        stream = Stream(
            config.data,
            size=picture_size(config),
            channels=options.channels,
            fit=fit_of(config),
            skip_bad=options.skip_bad,
        )
        return Supplies(stream, stream, {})
    report: dict[str, Any] = {}
    if not is_built_in(config.data):
        found = yield from check(config.data, labels=options.labels, family=config.family)
        report = found.to_json()
        if found.unusable and not options.skip_bad:
            first = ", ".join(f"{item.name} ({item.reason})" for item in found.unusable[:3])
            raise DataError(
                f"{len(found.unusable)} of its files cannot be used: {first}{' …' if len(found.unusable) > 3 else ''}",
                where=config.data,
                remedy="Mend or remove them, or give --skip-bad to go on without them",
            )
    stores = []
    for split in ("train", "test"):
        job = pack(
            config.data,
            size=picture_size(config),
            channels=options.channels,
            fit=fit_of(config),
            labels=options.labels,
            split=split,
            skip_bad=options.skip_bad,
        )
        stores.append((yield from job))
    train, test = stores
    if len(train) == 0:
        raise DataError("no pictures to learn from", where=config.data)
    yield Progress(1, 1, f"{len(train):,} pictures to learn from, {len(test):,} held out")
    return Supplies(train, test if len(test) >= 2 else train, report)


def picture_size(config: TrainConfig) -> int:
    """The side of the pictures of a run, in pixels."""
    return config.options.size or NATURAL_SIZE.get(config.data, family_named(config.family).picture_size)


def fit_of(config: TrainConfig) -> Fit:
    """How the pictures of a run become square."""
    return config.options.fit or family_named(config.family).fit


def count_of(data: Store | Stream) -> float:
    """How many pictures there are; a stream has no end that is known."""
    return len(data) if isinstance(data, Store) else math.inf


def new_model(config: TrainConfig, data: Store | Stream) -> Model:
    """Build the family for the pictures at hand, its weights drawn from the run's seed.

    Raises:
        ParameterError: if the family cannot take such pictures or parameters.
    """
    made = family_named(config.family)
    classes = len(data.classes) if config.options.conditional else 0
    known = {"size": data.size, "channels": data.channels, "classes": classes}
    given = {name: value for name, value in known.items() if name in inspect.signature(made.__init__).parameters}
    torch.manual_seed(config.options.seed)
    model = made(**config.params, **given)
    if config.options.from_ is not None:
        _take_over(model, load(config.options.from_, kind=type(model)))
    return model


def _take_over(model: Model, taught: Model) -> None:
    """Give a new model the weights of another, where both have one of the same name and shape; counters stay at 0.

    Raises:
        ModelFileError: if there is none.
    """
    known = taught.state_dict()
    mine = {name: value for name, value in model.state_dict().items() if value.is_floating_point()}
    fitting = {name for name, value in mine.items() if name in known and known[name].shape == value.shape}
    if not fitting:
        raise ModelFileError("has no weight that fits the new model", where=taught.card.get("file", "from"))
    model.load_state_dict({name: known[name] for name in fitting}, strict=False)


def optimiser_of(config: TrainConfig, model: Model) -> Optimiser:
    """The family's settings with the run's own put over them; Muon's learning rate goes along with Adam's."""
    proposed, options = model.optimiser, config.options
    beta1, beta2 = proposed.betas
    lr = proposed.lr if options.lr is None else options.lr
    return Optimiser(
        lr,
        (beta1 if options.beta1 is None else options.beta1, beta2 if options.beta2 is None else options.beta2),
        proposed.weight_decay if options.decay is None else options.decay,
        proposed.muon * lr / proposed.lr,
    )


def batch_share(config: TrainConfig, model: Model, processes: int) -> int:
    """Pictures a step for each process.

    Raises:
        ParameterError: if the batch cannot be shared evenly.
    """
    batch = config.options.batch or model.batch_size
    if batch % processes:
        raise ParameterError(f"{batch} pictures cannot be shared by {processes} processes", where="batch")
    return batch // processes


def held_out_batch(supplies: Supplies, seed: int) -> Samples:
    """The pictures that scores are taken on: the same in every look."""
    return next(supplies.held_out.batches(SCORED, seed))


def without_labels(batch: Samples, model: Model) -> Samples:
    """Hide the labels from a model that does not take them."""
    return batch if model.config.get("classes", 1) else batch._replace(y=None)
