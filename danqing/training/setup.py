"""What a run stands on before its first step: processes and pictures."""

from __future__ import annotations

import atexit
import math
import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch

from danqing.core.errors import DataError, ParameterError
from danqing.core.fields.source import SourceKind
from danqing.core.learned.families import family_named
from danqing.core.learned.finder import Finder, Needs
from danqing.core.learned.model import Model, Painter, Recogniser, Samples
from danqing.core.notes import note
from danqing.core.pictures.names import several
from danqing.core.progress import Job, Progress
from danqing.data.advice import FEWEST, too_few
from danqing.data.annotations.places import read_labelled
from danqing.data.check import check
from danqing.data.fit import Fit
from danqing.data.labelled import with_things
from danqing.data.report import shorter_side
from danqing.data.sources import is_built_in
from danqing.data.store import Store, pack
from danqing.data.stream import Stream
from danqing.training.config import TrainConfig, own_sets_of
from danqing.training.score import SCORED

LEAST = 2  # held-out pictures that scores are taken on
ENOUGH = 32  # that stand for all: of fewer, poor samples may lie nearer to them than other real pictures do
FOUND = 64  # held-out pictures a look in which things are to be found


class Supplies(NamedTuple):
    """The pictures of a run: those to learn from, those to score on, and what the preflight found.

    What tells the sets that a family itself learns from beside them, such as paintings, is kept by parameter.
    """

    train: Store | Stream
    held_out: Store | Stream
    report: dict[str, Any]
    own: Mapping[str, str | None] = {}


def launch(device: str, devices: int) -> Any:
    """Start Lightning Fabric: one process, several on this machine, or one of those that torchrun or SLURM started.

    Raises:
        ParameterError: for a GPU where there is none.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise ParameterError(
            "there is no GPU here that torch can use", where="device", remedy="Leave it out, or say cpu"
        )
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
    if fabric.world_size > 1:
        atexit.register(_part)
    return fabric


def _part() -> None:
    """Leave the other processes in order: threads of gloo that outlive the interpreter abort a run that has ended well.

    They still hold tensors, and ask for the interpreter to let them go: https://github.com/pytorch/pytorch/pull/179291.
    """
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def batch_share(config: TrainConfig, processes: int) -> int:
    """Pictures a step for each process.

    Raises:
        ParameterError: if the batch cannot be shared evenly.
    """
    given = config.options.batch
    batch = family_named(config.family).batch_size if given is None else given
    if batch % processes:
        raise ParameterError(f"{batch} pictures cannot be shared by {processes} processes", where="batch")
    return batch // processes


def gather_stages(config: TrainConfig) -> Job[list[Supplies]]:
    """Gather the pictures of every stage, so that none is missed on the way; those of one size once."""
    by_size: dict[int, Supplies] = {}
    stages = config.by_stage()
    for each in stages:
        if each.side not in by_size:
            own = _own_sets(each)
            by_size[each.side] = (yield from gather_pictures(each))._replace(own=own)
    return [by_size[each.side] for each in stages]


def _own_sets(config: TrainConfig) -> dict[str, str | None]:
    """What tells the sets that a family itself learns from beside the pictures, by parameter.

    Raises:
        DataError: if one is not there.
    """
    named = {name: config.params[name] for name in own_sets_of(config.family) if config.params[name]}
    if gone := next((name for name, place in named.items() if not os.path.exists(place)), None):
        remedy = f"--{gone} says where they lie; with --resume, too, where they were moved"
        raise DataError(f"there are no {gone} here", where=named[gone], remedy=remedy)
    return {name: SourceKind().state(place) for name, place in named.items()}


def gather_pictures(config: TrainConfig) -> Job[Supplies]:
    """Check the pictures and pack them (or open the stream): training and held-out.

    Raises:
        DataError: if pictures cannot be read and ``skip_bad`` is off, or there are none.
    """
    options = config.options
    made = family_named(config.family)
    if issubclass(made, Finder):
        return (yield from _gather_labelled(config, made.needs))
    if options.stream:
        stream = Stream(
            config.data,
            size=config.side,
            channels=options.channels,
            fit=fit_of(config),
            skip_bad=options.skip_bad,
        )
        return Supplies(stream, stream, {})
    return (yield from _packed(config, config.data, options.labels))


def _gather_labelled(config: TrainConfig, needs: Needs) -> Job[Supplies]:
    """Read the labels of things, and pack the pictures that have some."""
    options = config.options
    if options.stream or fit_of(config) == "tiles":
        name = "stream" if options.stream else "fit"
        raise ParameterError("does not go with labels of things in pictures", where=name, remedy="Leave it out")
    yield Progress(0, 1, "reading labels")
    found = read_labelled(config.data, options.labels, needs, skip_bad=options.skip_bad)
    supplies = yield from _packed(config, str(found.place), None, found.labels.found.keys())
    train, held_out = (with_things(each, found.labels, fit_of(config), needs) for each in supplies[:2])  # type: ignore[arg-type]
    return Supplies(train, held_out if supplies.held_out is not supplies.train else train, supplies.report)


def _packed(config: TrainConfig, data: str, labels: Path | None, only: Collection[str] | None = None) -> Job[Supplies]:
    """Check the pictures and pack them; ``only`` those of these names."""
    options = config.options
    report: dict[str, Any] = {}
    if not is_built_in(data):
        found = yield from check(data, labels=labels, family=config.family, only=only)
        report = found.to_json()
        if found.unusable and not options.skip_bad:
            first = ", ".join(f"{item.name} ({item.reason})" for item in found.unusable[:3])
            raise DataError(
                f"{len(found.unusable)} of its files cannot be used: {first}{' …' if len(found.unusable) > 3 else ''}",
                where=data,
                remedy="Mend or remove them, or give --skip-bad to go on without them",
            )
    for words in _remarks(config, report):
        note(words)
    stores = []
    for split in ("train", "test"):
        job = pack(
            data,
            size=config.side,
            channels=options.channels,
            fit=fit_of(config),
            labels=labels,
            split=split,
            skip_bad=options.skip_bad,
            only=only,
        )
        stores.append((yield from job))
    train, test = stores
    if len(train) == 0:
        raise DataError("no pictures to learn from", where=data)
    yield Progress(1, 1, f"{len(train):,} pictures to learn from, {len(test):,} held out")
    if len(test) >= LEAST:
        if len(test) < ENOUGH and issubclass(family_named(config.family), Painter):
            note(
                f"{len(test)} of {several(len(train) + len(test), 'picture')} are held out, too few to stand for all: "
                "what is painted is compared with those learned from, so that scores say nothing of copies"
            )
        return Supplies(train, test, report)
    note(
        f"Of {several(len(train) + len(test), 'picture')} {len(test)} would be held out, too few to score on: the "
        "scores are of pictures that were learned from, and say nothing of others. Lay some apart in folders train and "
        "test"
    )
    return Supplies(train, train, report)


def _remarks(config: TrainConfig, report: dict[str, Any]) -> Iterator[str]:
    """What a person should know of pictures that can be learned from: too few, or too small."""
    count, size = report.get("usable", math.inf), config.side
    if issubclass(family_named(config.family), Painter) and count < FEWEST:
        yield too_few(count, begun=config.options.from_ is not None)
    if issubclass(family_named(config.family), Recogniser) and fit_of(config) != "crop":
        yield (
            f"It learns from pictures fitted by {fit_of(config)}, and will name what is in the middle square of a "
            "picture: where that is something else, leave --fit out"
        )
    shorter = {name: shorter_side(name) for name in report.get("sizes", {})}
    small = sum(report["sizes"][name] for name, side in shorter.items() if side < size)
    if small:
        yield (
            f"{small:,} of {several(count, 'picture')} are smaller than {size} px and will look soft: the smallest has "
            f"{min(shorter.values())} px (--size sets the size)"
        )


def fit_of(config: TrainConfig) -> Fit:
    """How the pictures of a run become square."""
    given = config.options.fit
    return family_named(config.family).fit if given is None else given


def count_of(data: Store | Stream) -> float:
    """How many pictures there are; a stream has no end that is known."""
    return len(data) if isinstance(data, Store) else math.inf


def held_out_batch(supplies: Supplies, seed: int) -> Samples:
    """The pictures that scores are taken on: the same in every look, each as often as any other.

    Where things are to be found, each stands there once.
    """
    return _scored(supplies.held_out, seed)


def real_batch(supplies: Supplies, held_out: Samples, seed: int) -> Samples:
    """The pictures that painted ones are compared with: those held out, or, of too few of these, those learned from."""
    few = isinstance(supplies.held_out, Store) and len(supplies.held_out) < ENOUGH
    return _scored(supplies.train, seed) if few else held_out


def _scored(data: Store | Stream, seed: int) -> Samples:
    count = SCORED
    if isinstance(data, Store):
        there = min(len(data), FOUND if data.things is not None else SCORED)
        count = there if data.things is not None else SCORED // there * there
    return next(data.batches(count, seed))


def without_labels(batch: Samples, model: Model) -> Samples:
    """Hide the labels from a model that does not take them."""
    return batch if model.config.get("classes", 1) else batch._replace(y=None)
