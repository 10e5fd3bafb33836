"""The operator evaluate."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from danqing.core.artefacts.figures import Figures
from danqing.core.errors import ParameterError, TooFewPictures
from danqing.core.fields.net import Net
from danqing.core.fields.number import Range
from danqing.core.fields.seed import Seed
from danqing.core.fields.source import Source
from danqing.core.learned.classes import class_names
from danqing.core.learned.model import Painter
from danqing.core.notes import note
from danqing.core.operators.operator import operator
from danqing.core.pictures.contract import Images, from_uint8, to_uint8
from danqing.core.pictures.names import some
from danqing.core.pictures.sheet import contact_sheet
from danqing.core.progress import Job, Progress
from danqing.data.store import Store, pack
from danqing.maths.drawing import classes_as_in, led_by, stream
from danqing.maths.neighbours import nearest
from danqing.maths.scores import METRICS, About, Seen, Sets, rows
from danqing.nets.backbones import FeatureNet, feature_net

FEWEST = 50  # pictures below which no distance is worth printing
FELLOWS = 3  # pictures to learn from, of which it can be told whether they are copied
FEWER = 97  # pictures that a Fréchet distance on MobileNetV2's features needs
ALWAYS = "kernel,precision,neighbours"  # what needs no class, and so few pictures
SEARCHED = 10_000  # training pictures among which neighbours are looked for, at most
CHUNK = 64  # pictures painted at a time
SHOWN, BESIDE = 24, 3  # samples on the sheet, and neighbours beside each
SIDE = 64  # to which small pictures are enlarged on the sheet, at least


class Pictures(NamedTuple):
    """Pictures (N, C, H, W) as bytes, and their labels (N,)."""

    pixels: NDArray[np.uint8]
    labels: Tensor | None


@operator(version=2)
def evaluate(
    weights: Painter,
    data: Source,
    count: Annotated[int, Range(1, 100_000, "pictures")] = 2000,
    features: Net = "auto",
    metrics: str = "all",
    seed: Seed = 0,
) -> Job[Figures]:
    """Score what a model paints against real pictures, and show whether it copies them.

    Samples are rounded to 8 bits, as they are saved, and compared with held-out pictures of ``data`` where there are
    enough of these, else with training pictures. The classes that a conditional model is asked for are drawn from those
    of the data, whatever those of the compared pictures are. A distance on other features than those of the official
    Inception network is no FID, and numbers on different features cannot be compared. Classes of model and data go by
    their names; for those of the data that the model does not know it is not asked.

    Args:
        weights: the model, a Painter.
        data: the real pictures that the model learned from.
        count: how many samples are painted.
        features: the network whose features are compared: auto (digits for the built-in digits, else
            efficientnet-lite0), mobilenet-v2 (which no generator learns through, and a Fréchet distance needs 97
            pictures for), the name or file of a recogniser, or a file of the official Inception weights.
        metrics: all that make sense, or some of frechet, kernel, score, precision, neighbours, classes, with commas
            between.
        seed: fixes the samples, the choice of real pictures, and the intervals.

    Returns:
        One row a score: its ``value``, the interval ``low`` to ``high`` (95 %; of a Fréchet distance it also holds that
        of endless pictures), ``real`` (the same score of real pictures in place of the samples: as much as can be asked
        for), ``better`` (which way), the counts of
        ``samples`` and ``reference`` pictures and ``against`` which pictures these are, ``means`` (the definition), and
        ``features`` with the SHA-256 of their ``weights``, ``resize`` and ``colour``. And a sheet of samples, each with
        its three nearest training pictures to its right; the upper half are the samples nearest to one.

    Raises:
        TooFewPictures: if a score would be meaningless from so few pictures, naming the number needed; where there are
            too few real pictures for distances, but not for copies, all that make sense is whether it copies.
        ParameterError: for a metric that there is not, or for classes that the model and the features do not share.

    Source: Heusel et al. 2017 (Fréchet distance); Bińkowski et al. 2018 (kernel distance); Salimans et al. 2016
    (score); Kynkäänniemi et al. 2019 (precision, recall); Naeem et al. 2020 (density, coverage); Alaa et al. 2022, How
    faithful is your synthetic data?, section 4.3 (copies).

    Examples:
        danqing evaluate runs/dcgan-1 --data digits
        danqing evaluate runs/dcgan-2 --data photos --count 3000 --metrics kernel,precision,neighbours --json
        danqing evaluate runs/dcgan-2 --data photos --count 10000 --features pt_inception-2015-12-05-6726825d.pth
    """
    assert isinstance(weights, Painter)
    wanted = _wanted(metrics)
    net = feature_net(("digits" if data == "digits" else "efficientnet-lite0") if features == "auto" else features)
    needed = net.dim + 1 if "frechet" in wanted else FEWEST
    _need(count, needed, "samples", f"Give --count {needed} or more")
    learned, held_out = (yield from _packed(weights, data, "train")), (yield from _packed(weights, data, "test"))
    names = _names(weights, learned.classes)
    learned, held_out = _numbered(learned, names), _numbered(held_out, names)
    there = max(len(learned), len(held_out))
    if metrics == "all" and len(learned) >= FELLOWS and there < FEWEST:
        note(f"Only copies are looked for: distances need at least {FEWEST} real pictures, not {there}")
        wanted = ["neighbours"]
    elif metrics == "all" and there < needed:
        other = f"; --features mobilenet-v2 needs {FEWER}" if there >= FEWER else ""
        note(f"The Fréchet distance is left out: on {net.name} it needs {needed} real pictures, not {there}{other}")
        wanted.remove("frechet")
        needed = FEWEST
    if wanted == ["neighbours"]:
        needed = FELLOWS
    _tell_strange(weights, learned)
    apart = len(held_out) >= needed
    compared = held_out if apart else learned
    fixed = len(compared) if data == "digits" or not apart else 0  # shares of classes: divided so, or the same pictures
    reference = _taken(compared, stream(seed, "reference").permutation(len(compared))[: max(count, needed)])
    _need(len(reference.pixels), needed, "real pictures", "Give more of them")
    train = _taken(
        learned, _order(learned, count, fixed, seed)[: max(count, SEARCHED if "neighbours" in wanted else 0)]
    )
    if (why := _no_classes(weights, net, learned)) and "classes" in wanted:
        if metrics != "all":
            raise ParameterError(f"classes cannot be scored: {why}", where="metrics")
        wanted.remove("classes")
    if net.classes < 2 and "score" in wanted:
        if metrics != "all":
            raise ParameterError(f"score needs classes, and {net.name} tells none apart", where="metrics")
        wanted.remove("score")
    samples = yield from _painted(weights, count, _asked(weights, learned, count, fixed, seed), seed)
    sets = Sets(
        (yield from _seen(net, samples, "looking at the samples")),
        (yield from _seen(net, reference, "looking at real pictures")),
        (yield from _seen(net, train, "looking at training pictures")),
        apart,
    )
    yield Progress(0, len(wanted), "computing the scores")
    table = [{**row, **net.recipe} for row in rows(sets, wanted, About(learned.classes, net.official), seed)]
    return Figures(table, _sheet(samples, train, sets))


def _wanted(metrics: str) -> list[str]:
    names = list(METRICS) if metrics == "all" else [name.strip() for name in metrics.split(",")]
    for name in names:
        if name not in METRICS:
            raise ParameterError(f"there is no metric {name!r}", where="metrics", remedy=f"Known: {', '.join(METRICS)}")
    return list(dict.fromkeys(names))


def _need(count: int, needed: int, what: str, remedy: str) -> None:
    if count >= needed:
        return
    if needed <= FEWEST:
        raise TooFewPictures(f"scores need at least {needed} {what}, not {count}", remedy=remedy)
    raise TooFewPictures(
        f"a Fréchet distance on {needed - 1} features needs at least {needed} {what}, not {count}",
        remedy=f"{remedy}, or leave it out: --metrics {ALWAYS}",
    )


def _packed(model: Painter, data: str, split: str) -> Job[Store]:
    """The pictures as the model was shown them: its size, channels and fit, and the labels it was given for them."""
    known = model.card.get("training", {})
    return pack(
        data,
        size=model.config["size"],
        channels=model.config["channels"],
        fit=model.card.get("data", {}).get("fit", "crop"),
        labels=known.get("labels") if _same_place(str(known.get("data", "")), data) else None,
        split=split,
        skip_bad=True,
    )


def _same_place(one: str, other: str) -> bool:
    """Whether two sources are the same, however they are written."""
    return one == other or os.path.realpath(one) == os.path.realpath(other)


def _names(model: Painter, there: Sequence[str]) -> list[str]:
    """The classes of the model, as it numbers them, and then those of the data that it does not know."""
    mine = class_names(model) if model.card.get("classes") else []
    return [*mine, *(each for each in map(str, there) if each not in mine)]


def _numbered(store: Store, names: Sequence[str]) -> Store:
    """The same pictures, their classes numbered as in ``names``."""
    numbers = np.array([names.index(str(each)) for each in store.classes], np.int64)
    return store if store.labels is None else replace(store, labels=numbers[store.labels], classes=tuple(names))


def _tell_strange(model: Painter, store: Store) -> None:
    """Note which classes of the data the model is not asked for, since it does not know them."""
    known = model.config["classes"]
    if known and store.labels is None:
        note("The pictures have no labels: the model is asked for all of its classes alike")
    if not known or store.labels is None:
        return
    there = np.unique(store.labels)
    strange = [store.classes[at] for at in there if at >= known]
    if len(strange) == len(there):
        note(f"The model knows none of the classes of the data ({some(strange)}): it is asked for all of its own alike")
    elif strange:
        note(f"The model does not know {some(strange)}: it is asked for the other classes of the data alone")


def _order(store: Store, count: int, fixed: int, seed: int) -> NDArray[np.int64]:
    """A drawn order of pictures; the first ``count`` stand for samples, and have their classes drawn as samples do."""
    rng = stream(seed, "train")
    if store.labels is None or not fixed:
        return rng.permutation(len(store))
    labels = np.asarray(store.labels)
    return led_by(labels, classes_as_in(labels, count, rng, fixed), rng)


def _taken(store: Store, rows: NDArray[np.int64]) -> Pictures:
    labels = None if store.labels is None else torch.from_numpy(np.asarray(store.labels)[rows]).long()
    return Pictures(np.asarray(store.pictures[rows]), labels)


def _asked(model: Painter, store: Store, count: int, fixed: int, seed: int) -> Tensor | None:
    """The classes that samples are asked for, as often as the data have them; all alike where these are unknown."""
    known = model.config["classes"]
    if not known:
        return None
    there = np.arange(0) if store.labels is None else store.labels[store.labels < known]
    labels = there if len(there) else np.arange(known)
    return torch.from_numpy(classes_as_in(labels, count, stream(seed, "classes"), fixed))


def _no_classes(model: Painter, net: FeatureNet, store: Store) -> str:
    """Why the network cannot judge whether the model paints what it is asked for; empty if it can."""
    known = model.config["classes"]
    if not known:
        return "the model is unconditional"
    if known != net.classes:
        return f"{net.name} knows {net.classes} classes and the model {known}"
    names = tuple(map(str, store.classes[:known]))
    return "" if net.class_names in ((), names) else f"the classes of {net.name} have other names"


def _painted(model: Painter, count: int, asked: Tensor | None, seed: int) -> Job[Pictures]:
    """Paint samples of the classes asked for."""
    rng = torch.Generator().manual_seed(seed)
    done: list[NDArray[np.uint8]] = []
    for at in range(0, count, CHUNK):
        size = min(CHUNK, count - at)
        painted = _paint(model, size, rng, None if asked is None else asked[at : at + size])
        done.append(to_uint8(painted).transpose(0, 3, 1, 2))
        yield Progress(at + size, count, "painting samples", painted)
    return Pictures(np.concatenate(done), asked)


@torch.no_grad()
def _paint(model: Painter, count: int, rng: torch.Generator, label: Tensor | None) -> Images:
    return model.sample(count, rng, label).float().cpu()


def _seen(net: FeatureNet, pictures: Pictures, words: str) -> Job[Seen]:
    features, chances = yield from net.describe(pictures.pixels, words)
    return Seen(features, chances, pictures.labels)


def _sheet(samples: Pictures, train: Pictures, sets: Sets) -> Images:
    """Samples, each with its nearest training pictures beside it: first those nearest to one, then the first of all."""
    beside = min(BESIDE, len(train.pixels))
    distances, indices = nearest(sets.samples.features, sets.train.features, beside)
    order = distances[:, 0].argsort()
    half = SHOWN // 2
    shown = torch.cat([order[:half], order[half:].sort().values[:half]])
    strips = []
    for at in shown.tolist():
        sample, fellows = _enlarged(samples.pixels[at : at + 1]), _enlarged(train.pixels[indices[at].numpy()])
        bar = sample.new_ones(*sample.shape[:3], 4)
        strips.append(torch.cat([sample, bar, contact_sheet(fellows, beside, 1)], 3))
    return contact_sheet(torch.cat(strips), 3, 12)


def _enlarged(pixels: NDArray[np.uint8]) -> Images:
    factor = max(1, round(SIDE / pixels.shape[-1]))
    return from_uint8(pixels.transpose(0, 2, 3, 1)).repeat_interleave(factor, 2).repeat_interleave(factor, 3)
