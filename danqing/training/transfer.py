"""What a run takes over from weights learned before: which of them fit, which begin anew, and where they came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from danqing.core.errors import ModelFileError
from danqing.core.learned.model import Card, Model
from danqing.core.learned.weights import load
from danqing.core.notes import note
from danqing.training.adapting import Adapted
from danqing.training.axes import by_class, channel_axes, class_axes, fits_but_for, floats, in_colour, in_grey, sees
from danqing.training.commands import option

FAMILY_FACTS = ("family", "classes", "data", "licence")  # of a card, kept in the cards of what comes of it
POOR = 0.5  # share of the numbers below which little was taken over
NAMED = 6  # names that are listed


@dataclass(frozen=True)
class Transfer:
    """What a new model took over.

    Attributes:
        card: of the weights begun with.
        loaded: names of weights that were taken as they are.
        new: names of weights that begin anew, since no other has that name and shape.
        by_class: names of tables whose rows belong to classes.
        recast: names of weights that see or paint pictures of another number of channels.
        known: classes whose rows were taken over by their names.
        unknown: classes whose rows begin as the mean of all that there were.
        share: of the model's numbers, what was taken over.
        differs: parameters of the family in which both differ, as (name, then, now).
        adapted: what of it learns by adapters; None if it learns as usual.
    """

    card: Card
    loaded: tuple[str, ...]
    new: tuple[str, ...]
    by_class: tuple[str, ...]
    recast: tuple[str, ...]
    known: tuple[str, ...]
    unknown: tuple[str, ...]
    share: float
    differs: tuple[tuple[str, Any, Any], ...]
    adapted: Adapted | None = None

    def to_json(self) -> dict[str, Any]:
        """What was taken over, as JSON values for a card or a plan."""
        return {
            "share": round(self.share, 4),
            "loaded": len(self.loaded) + len(self.by_class) + len(self.recast),
            "recast": list(self.recast),
            "new": list(self.new),
            "classes_known": list(self.known),
            "classes_new": list(self.unknown),
            **({} if self.adapted is None else {"adapters": self.adapted._asdict()}),
        }

    def told(self) -> Iterator[str]:
        """What was taken over, in words, a line each."""
        count = len(self.loaded) + len(self.by_class) + len(self.recast)
        of = count + len(self.new)
        yield f"Begins with {self.card.get('file')}: {count} of {of} weights loaded ({self.share:.0%} of all numbers)"
        if self.new:
            yield f"New: {listed(self.new)}"
        if self.recast:
            grey = "each channel begins as the grey one" if self.card["config"]["channels"] == 1 else "as their mean"
            yield f"Recast to other channels: {listed(self.recast)}; {grey}"
        if self.known:
            yield f"Classes known by name: {listed(self.known)}"
        if self.unknown:
            begin = "each begins" if len(self.unknown) > 1 else "it begins"
            yield f"Classes that are new: {listed(self.unknown)}; {begin} as the mean of those there were"
        if any(each == ("conditional", True, False) for each in self.differs):
            yield "Its classes are forgotten: it begins as what is between them"
        elif any(each == ("conditional", False, True) for each in self.differs):
            yield "It knew no classes: each begins as it was"
        if self.adapted is not None:
            yield self.adapted.told()
        if self.differs:
            yield "Differs: " + ", ".join(f"{name} was {then}, is {now}" for name, then, now in self.differs)


def begin_with(model: Model, weights: str, classes: Sequence[str] = ()) -> Transfer:
    """Give a new model the weights of another, where both have one of the same name and shape; counters stay at 0.

    Rows of tables that belong to classes go by the names of classes; a class that is new begins as the mean of all.
    Where the new model knows none, it begins as what is between them; where that knew none, each class as it was; where
    channels are others, the layers that see or paint them are recast.

    Args:
        model: new.
        weights: a file, a run folder or the name of bundled weights.
        classes: names of the new model's classes, in order.

    Raises:
        ModelFileError: if nothing fits; it says what would.
    """
    taught = load(weights, kind=type(model))
    mine, taken = floats(model), _fitting(taught, model, classes)
    differs = tuple(_differences(taught.config, model.config))
    recast, tables = taken.recast, taken.tables
    fits = {**taken.whole, **recast, **tables}
    if not fits:
        raise ModelFileError(
            "has no weight that fits the new model",
            where=taught.card.get("file", "from"),
            remedy=_what_fits(differs),
        )
    model.load_state_dict(fits, strict=False)
    share = sum(mine[name].numel() for name in fits) / sum(value.numel() for value in mine.values())
    if share < POOR:
        matter = [each for each in differs if each[0] != "channels"] if recast else differs
        note(f"Only {share:.0%} of the model's numbers could be taken over. {_what_fits(matter)}")
    before = taught.card.get("classes") or ()
    known = tuple(name for name in classes if name in before) if tables else ()
    unknown = tuple(name for name in classes if name not in before) if tables else ()
    new = tuple(name for name in mine if name not in fits)
    loaded = tuple(name for name in mine if name in taken.whole)
    return Transfer(taught.card, loaded, new, tuple(tables), tuple(recast), known, unknown, share, differs)


class _Fitting(NamedTuple):
    """Weights of one model as another has them: as they are, recast to other channels, and tables by class."""

    whole: dict[str, Tensor]
    recast: dict[str, Tensor]
    tables: dict[str, Tensor]


def _fitting(taught: Model, model: Model, classes: Sequence[str]) -> _Fitting:
    before = tuple(map(str, taught.card.get("classes") or ()))
    has, wants = bool(taught.config.get("classes")), bool(model.config.get("classes"))
    theirs = taught.state_dict() if has == wants else taught.for_classes(model.config.get("classes", 0))
    mine = floats(model)
    axes = class_axes(model) if before and wants else {}
    tables = {
        name: by_class(theirs[name], mine[name], axis, before, classes, model.first_class)
        for name, axis in axes.items()
        if name in theirs and fits_but_for(theirs[name], mine[name], axis)
    }
    recast = dict(_recast(taught, model, theirs, mine))
    whole = {name: theirs[name] for name in mine.keys() & theirs.keys() if theirs[name].shape == mine[name].shape}
    return _Fitting({name: whole[name] for name in whole.keys() - axes.keys() - recast.keys()}, recast, tables)


def _recast(
    taught: Model, model: Model, theirs: Mapping[str, Tensor], mine: Mapping[str, Tensor]
) -> Iterator[tuple[str, Tensor]]:
    """The layers that see or paint the pictures, where both differ in channels."""
    channels = (taught.config.get("channels"), model.config.get("channels"))
    if channels not in ((1, 3), (3, 1)):
        return
    turned = in_colour if channels == (1, 3) else in_grey
    for name, axis in channel_axes(model).items():
        if name in theirs and fits_but_for(theirs[name], mine[name], axis):
            yield name, turned(theirs[name], axis, sees(model, name, axis)).to(mine[name])


def descent(card: Card, how: str, **facts: Any) -> list[dict[str, Any]]:
    """The lineage of what comes of weights: theirs, and they themselves.

    Args:
        card: of the weights.
        how: what they were for: from (begun with) or teacher.
        facts: what else is worth keeping, as JSON values.
    """
    kept = {name: card[name] for name in FAMILY_FACTS if card.get(name)}
    seen = card.get("training", {}).get("pictures_seen")
    file = Path(str(card.get("file", ""))).name
    mine = {"how": how, "file": file, "sha256": card.get("sha256"), **kept, "pictures_seen": seen, **facts}
    return [*card.get("lineage", []), mine]


def listed(names: Sequence[str]) -> str:
    """The first names of many."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """The parameters that differ; of classes, whether there are any: they are told by name."""
    for name, value in now.items():
        if name == "classes" and bool(before.get(name)) != bool(value):
            yield "conditional", bool(before.get(name)), bool(value)
        elif name in before and before[name] != value and name != "classes":
            yield name, before[name], value


def _what_fits(differs: Sequence[tuple[str, Any, Any]]) -> str:
    """What would let more of the weights be taken over: options as they are typed, and labels, which are no option."""
    said: dict[str, dict[Any, str]] = {
        "channels": {1: "--channels grey", 3: "--channels colour"},
        "conditional": {True: "", False: "--no-conditional"},
    }
    wanted = [(name, then) for name, then, _ in differs if not isinstance(then, Mapping)]  # a part: no text names it
    options = " ".join(
        filter(None, (said[name][then] if name in said else option(name, then) for name, then in wanted))
    )
    if ("conditional", True) not in wanted:
        return f"All would fit with {options}" if options else "Take weights of another shape"
    if options:
        return f"All would fit with {options}, and classes (in class folders, or told by --labels FILE)"
    return "All would fit with classes (in class folders, or told by --labels FILE)"


__all__ = ["Transfer", "begin_with", "descent", "listed"]
