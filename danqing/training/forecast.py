"""Before a training: which family, size, augmentation and budget suit a set, and what to expect on this machine."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import torch

from danqing.core.errors import ParameterError
from danqing.core.fields.budget import Budget
from danqing.core.fields.part import NEW
from danqing.core.learned.families import family_named
from danqing.core.learned.manner import computes_bf16
from danqing.core.learned.model import Painter, Samples
from danqing.core.progress import Job, Progress
from danqing.data.advice import FEWEST, too_few
from danqing.data.report import Report, shorter_side
from danqing.data.sides import PAIRED
from danqing.training.adaptive import FEW
from danqing.training.commands import command
from danqing.training.config import SHARE, family_fields, parts_in
from danqing.training.machine import prepare, steps_per_second, to_machine
from danqing.training.process import apart
from danqing.training.step import settings_by_part

SIZES = (16, 28, 32, 64)  # px: what an ordinary computer learns in hours; larger ones take days
LARGER = 128  # px: what takes days
BUDGETS = {text: Budget.parse(text).amount for text in ("10m", "30m", "1h", "2h", "4h", "8h", "24h")}  # seconds
MEASURED = Path(__file__).with_name("forecasts.json")  # what runs of known sets looked like, by pictures seen
ALONE = 200  # pictures: fewer are learned better, or as well, from what is known (bench transfer: 10 and 100)
KNOWN_SIZE = 64  # px: of the pictures of bundled painters
ALIKE = 2.0  # times as many pictures seen, or as few, still look alike
FEWER = 4.0  # times as few pictures as a measured set had are told: they are seen more often, and copied sooner
PAIRS = "1h"  # for a first impression of what a pix2pix learns
PATIENT = 0.5  # s: a measurement gives up on further steps once one took as long


class Beginning(NamedTuple):
    """A bundled painter that was measured as a beginning: what to train, from what, how else, and what was found."""

    family: str
    known: str
    more: dict[str, str]
    found: str


BEGINNINGS = {  # by channels (bench carried; bench transfer)
    1: Beginning(
        "flow",
        "calligraphy",
        {"told_augment": "0.12"},
        "came clearly nearer than a dcgan to characters in a further hand; other grey pictures were not measured",
    ),
    3: Beginning(
        "dcgan",
        "characters",
        {},
        "came nearer than one from nothing, by less than its interval, to emoji in colour; other pictures in colour "
        "were not measured",
    ),
}


class Aim(NamedTuple):
    """How many pictures a family has to see: for a first impression, and for what is worth keeping."""

    first: int
    serious: int


AIMS = {"dcgan": Aim(200_000, 5_000_000), "flow": Aim(200_000, 1_000_000)}


def aim_of(family: str) -> Aim:
    """How many pictures a family has to see; one of which it is not known is taken for a dcgan."""
    return AIMS.get(family, AIMS["dcgan"])


class Suggestion(NamedTuple):
    """What suits a set; ``more``: further settings, by parameter."""

    family: str
    size: int
    channels: int
    budget: str
    more: dict[str, str]
    lines: list[str]

    @property
    def settings(self) -> dict[str, Any]:
        """All of it, as a training takes it."""
        return {"family": self.family, "size": self.size, "budget": self.budget, **self.more}


def suggest(report: Report, labels: Path | None = None) -> Job[Suggestion | None]:
    """Say what suits a set that was checked, from a few steps measured on this machine; None for fewer than 2.

    Args:
        report: what the check found.
        labels: the label file that it was checked with.
    """
    if report.usable < 2:
        return None
    given = {} if labels is None else {"labels": str(labels)}
    if report.pairs:
        return _for_pairs(report, given)
    return (yield from apart(_suggest(report, given)))


def _for_pairs(report: Report, given: dict[str, str]) -> Suggestion:
    """What suits pairs of pictures, of which no speed was measured."""
    size, channels = _size(report, "pix2pix"), _channels(report)
    lines = [
        _told(report, "pix2pix", size, PAIRS, given),
        f"Pairs: the pictures in {PAIRED[0]} are to become those in {PAIRED[1]}, which a pix2pix learns; any other "
        "family would learn from the first alone",
    ]
    return Suggestion("pix2pix", size, channels, PAIRS, given, lines)


def _suggest(report: Report, given: dict[str, str]) -> Job[Suggestion]:
    size, channels = _size(report, "dcgan"), _channels(report)
    yield Progress(0, 1, "measuring this machine")
    prepare(None)
    few = report.usable < ALONE
    known = BEGINNINGS[channels]
    family, share, more = "dcgan", 1.0, {}
    if few and size == KNOWN_SIZE:
        family, more = known.family, {"from_": known.known, **known.more}
    if not few and any(kind.pays(size) for kind in parts_in("flow").values()):
        family, share, more = "flow", 1 - SHARE, {"codec": NEW}
    speed, aim = pictures_per_second(family, size, channels), aim_of(family)
    budget = next((name for name, seconds in BUDGETS.items() if seconds * share * speed >= aim.first), "24h")
    more = {**given, **more}
    lines = [
        _told(report, family, size, budget, more),
        *(
            [f"Fewer than {ALONE} pictures: a {family} that begins with the bundled {known.known} {known.found}"]
            if "from_" in more
            else []
        ),
        *about(family, report.usable, size, channels, BUDGETS[budget] * share * speed, budget),
        f"What is worth keeping takes about {aim.serious / 1e6:.0f} million pictures seen: "
        f"{_time(aim.serious / speed / share)} here",
    ]
    if _middle(report) >= LARGER and "from_" not in more and _takes(family, LARGER, channels):
        lines.append(
            f"They are large enough for --size {LARGER}, which a {family} takes, too: a step is then several times as "
            "long, and no run of that size was measured"
        )
    return Suggestion(family, size, channels, budget, more, lines)


def _told(report: Report, family: str, size: int, budget: str, more: dict[str, str]) -> str:
    """The command that is suggested."""
    skip = True if report.unusable else None
    return f"Suggestion: {command(f'train {family}', report.source, size=size, budget=budget, **more, skip_bad=skip)}"


def about(
    family: str, pictures: float, size: int, channels: int, seen: float, budget: str, whole: float | None = None
) -> Iterator[str]:
    """Say what a run will see, what that means for so many pictures, and what runs like it looked like.

    Args:
        family: what learns.
        pictures: how many there are to learn from.
        size: their side in pixels.
        channels: 1 or 3.
        seen: how many the budget allows to be seen.
        budget: in words.
        whole: how many there are with those held out, by which they are few or not.
    """
    count = pictures if whole is None else whole
    each = f", each picture {_times(seen / pictures)} times" if math.isfinite(pictures) and pictures else ""
    yield f"In {budget} this machine sees about {_about(seen)} pictures{each}"
    if count < FEWEST:
        yield too_few(count)
    elif pictures < FEW and any(each.name == "gamma" for each in family_fields(family)):
        yield f"{pictures:,.0f} pictures: augmentation before the critic is adaptive (it does not show in the samples)"
    yield from _measured(family, pictures, size, channels, seen)


def _measured(family: str, pictures: float, size: int, channels: int, seen: float) -> Iterator[str]:
    """What a measured run like one looked like, and in what it was another; that there is none, where there is none."""
    known, colours = likeness(family, size, channels, seen), "grey" if channels == 1 else "in colour"
    if known is None:
        yield (
            f"No {family} of about that length was measured with pictures of {size} px, {colours}: look at the grids "
            "after a tenth of the budget"
        )
        return
    yield (
        f"Measured: a {family} of {known['set']} ({known['pictures']:,} pictures, {known['size']} px, {colours}) after "
        f"{known['seen']:,} pictures seen: {known['looked']}. Of what the pictures show nothing is known here: more "
        "varied ones, such as photographs, take longer"
    )
    if seen > ALIKE * known["seen"]:
        yield f"No longer run than that was measured, and this one is {seen / known['seen']:.0f} times as long"
    if pictures * FEWER < known["pictures"]:
        yield f"There were {known['pictures'] / pictures:.0f} times as many pictures there: fewer are copied sooner"


def likeness(family: str, size: int, channels: int, seen: float) -> dict[str, Any] | None:
    """The measured run that is most like one: of that family and size, as grey or coloured, and about as long.

    For one that is longer than all of these it is the longest; None if there is none.
    """
    every: list[dict[str, Any]] = json.loads(MEASURED.read_text("utf-8"))
    rows = [row for row in every if (row["family"], row["size"], row["channels"]) == (family, size, channels)]
    near = [row for row in rows if 1 / ALIKE <= row["seen"] / max(1.0, seen) <= ALIKE]
    if near:
        return min(near, key=lambda row: abs(math.log(row["seen"] / seen)))
    longest = max(rows, key=lambda row: row["seen"], default=None)
    return longest if longest is not None and seen > longest["seen"] else None


@cache
def pictures_per_second(family: str, size: int, channels: int) -> float:
    """How many pictures of noise a new model of a family learns from in a second, from a few steps.

    In the precision that is quicker here, as a run takes it; what learns sooner with a part that learned before it,
    such as a flow of large pictures, has one.
    """
    made = family_named(family)
    assert issubclass(made, Painter)
    config = {"size": size, "channels": channels}
    parts = {name: kind.family for name, kind in parts_in(family).items() if kind.pays(size)}
    held = {name: {"family": each, "config": config} for name, each in parts.items()}
    with torch.random.fork_rng(devices=[]):
        model = to_machine(made(size=size, channels=channels, classes=0, **held), "cpu").train()  # type: ignore[call-arg]
    batch = Samples(torch.rand(made.batch_size, channels, size, size, generator=torch.Generator().manual_seed(0)))
    settings = settings_by_part(model, model.optimiser)
    both = ("bf16", "fp32") if computes_bf16("cpu") else ("fp32",)
    return made.batch_size * max(steps_per_second(model, batch, settings, name, give_up=PATIENT) for name in both)


def _size(report: Report, family: str) -> int:
    """The largest size that most pictures have at least, of those that a family takes."""
    middle, channels = _middle(report), _channels(report)
    fit = (size for size in reversed(SIZES) if size <= middle and _takes(family, size, channels))
    return next(fit, SIZES[0])


def _middle(report: Report) -> int:
    """The shorter side that most pictures have at most."""
    sides = sorted((shorter_side(name), count) for name, count in report.sizes.items())
    passed = 0
    for side, count in sides:
        passed += count
        if 2 * passed >= report.usable:
            return side
    return sides[-1][0]


def _takes(family: str, size: int, channels: int) -> bool:
    """Whether a family says that it learns from pictures of such a size."""
    made = family_named(family)  # what is imported within the lines below would have its constants nowhere
    try:
        with torch.device("meta"):
            made(size=size, channels=channels)
    except ParameterError:
        return False
    return True


def _channels(report: Report) -> int:
    return 1 if all(mode.startswith("grey") for mode in report.modes) else 3


def _about(count: float) -> str:
    """A count in two figures, since it is an estimate."""
    rough = float(f"{count:.2g}")
    return f"{rough / 1e6:g} million" if rough >= 1e6 else f"{rough:,.0f}"


def _times(count: float) -> str:
    """How often, in two figures where it is often."""
    return _about(count) if count >= 10 else f"{count:.1f}"


def _time(seconds: float) -> str:
    hours = seconds / 3600
    return f"{hours:.0f} hours" if hours >= 2 else f"{max(1, round(seconds / 60))} minutes"


__all__ = ["Suggestion", "about", "aim_of", "likeness", "pictures_per_second", "suggest"]
