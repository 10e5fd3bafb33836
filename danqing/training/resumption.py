"""What a run that goes on must find as it was: its own settings, and its pictures."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

from danqing.core.errors import DataError, ParameterError
from danqing.core.fields.budget import Budget
from danqing.core.pictures.contract import COLOURS
from danqing.training.build import points_of
from danqing.training.config import TrainConfig, own_sets_of
from danqing.training.pace import spent_by
from danqing.training.setup import Supplies, fit_of
from danqing.training.stages import stages_to_json
from danqing.training.state import Position, Saved


def check_changes(begun: TrainConfig, saved: Saved, path: Path, changes: dict[str, Any]) -> None:
    """Refuse changes that contradict what the run is; what only says again what it is passes.

    Args:
        begun: the run as its folder tells it.
        saved: its last checkpoint.
        path: its folder.
        changes: what is to change.

    Raises:
        ParameterError: naming each.
    """
    known = {
        "family": begun.family,
        **{name: value for name, value in begun.params.items() if name not in own_sets_of(begun.family)},
        "stages": stages_to_json(begun.stages),
        "size": begun.side,
        "channels": COLOURS.get(known_set(saved).get("channels", 0), begun.options.channels),
        "classes": saved.card["config"].get("classes", 0),
        **{
            name: getattr(begun.options, name)
            for name in ("conditional", "seed", "stream", "from_", "adapters", "rank", "grow")
        },
        "fit": fit_of(begun),
        "out": path,
    }
    asked = {**changes, **({"out": Path(changes["out"])} if changes.get("out") is not None else {})}
    odd = [name for name in known if name in asked and not _agree(name, asked[name], known[name])]
    if odd:
        told = ", ".join(f"{name.strip('_')} {known[name]} (not {asked[name]})" for name in odd)
        remedy = "Leave that out to go on, or begin another run with another --out"
        raise ParameterError(f"the run was begun with {told}", where=path, remedy=remedy)


def check_budget(begun: TrainConfig, config: TrainConfig, position: Position, pictures: float) -> None:
    """Refuse another budget that is used up where a run goes on from; by its own one a run is only finished again.

    Args:
        begun: the run as its folder tells it.
        config: as it is to go on.
        position: where it goes on from.
        pictures: how many there are, which an epoch is counted by.

    Raises:
        ParameterError: naming what is spent.
    """
    budget, spent = Budget.parse(config.options.budget), spent_by(position, pictures)
    if budget == Budget.parse(begun.options.budget) or budget.share(spent) < 1:
        return
    used = dataclasses.replace(budget, amount=math.ceil(getattr(spent, budget.currency)))
    what = f"{used} were seen already, and a budget of {budget} counts from the beginning"
    if budget.currency == "seconds":
        what = f"{used} were spent already, and a budget of {budget} counts from the beginning"
    remedy = f"Give more than that, such as {used.times(2).text()}"
    raise ParameterError(what, where="budget", remedy=remedy)


def known_set(saved: Saved) -> dict[str, Any]:
    """What a checkpoint knows of the pictures of its run; less, if an earlier danqing wrote it."""
    config, known = saved.card["config"], saved.card.get("set")
    return known or {name: config[name] for name in ("size", "channels") if name in config}


def facts_of_set(supplies: Supplies) -> dict[str, Any]:
    """What makes the pictures of a run the same as before, as JSON values."""
    train = supplies.train
    facts, held_out = train.facts(), supplies.held_out.facts()
    named = {"size": train.size, "channels": train.channels, "classes": list(train.classes), "points": points_of(train)}
    same = {"count": facts.get("count"), "sha256": facts.get("sha256"), "held_out": held_out.get("sha256")}
    return {**named, **same, **({"own": supplies.own} if supplies.own else {})}


def check_set(config: TrainConfig, saved: Saved, supplies: Supplies) -> bool:
    """Compare the pictures at hand with those of a checkpoint, and say whether they are the same.

    Raises:
        DataError: if classes, channels or size have changed, or the pictures have and that is not asked for.
    """
    known, now = known_set(saved), facts_of_set(supplies)
    never = [words for words in _never(known, now, saved.card["config"]) if words]
    if never:
        remedy = "Bring the set back to what it was (--data FOLDER says where it lies), or begin another run"
        raise DataError(
            f"the set has changed since the run began: {'; '.join(never)}", where=config.data, remedy=remedy
        )
    parts = (("sha256", "the pictures to learn from"), ("held_out", "the pictures held out"))
    other = [words for name, words in parts if known.get(name) not in (None, now[name])]
    own, before = now.get("own", {}), known.get("own", {})
    other += [f"the {name} in {config.params[name]}" for name in own if before.get(name) not in (None, own[name])]
    if other and not config.options.new_pictures:
        count = f" ({known['count']:,} then, {now['count']:,} now)" if known.get("count") and now["count"] else ""
        raise DataError(
            f"the set has changed since the run began: {' and '.join(other)} are others{count}",
            where=config.data,
            remedy="Bring the set back to what it was (--data FOLDER says where it lies), or give --new-pictures to go "
            "on with the set as it is now",
        )
    return not other


def _never(known: dict[str, Any], now: dict[str, Any], model: dict[str, Any]) -> list[str]:
    """What of a set can never change on the way, in words; empty words for what is as it was."""
    words = [
        f"pictures are {COLOURS[now['channels']]} now, and were {COLOURS[known['channels']]}"
        if known.get("channels", now["channels"]) != now["channels"]
        else "",
        f"pictures have {now['size']} px, and had {known['size']}"
        if known.get("size", now["size"]) != now["size"]
        else "",
    ]
    if known.get("points", now["points"]) != now["points"]:
        words.append(f"things have the points {', '.join(now['points'])} now, and had {', '.join(known['points'])}")
    if model.get("classes"):
        words.append(_classes(known.get("classes"), now["classes"], model["classes"]))
    return words


def _classes(before: list[str] | None, now: list[str], count: int) -> str:
    if before is None:  # written by an earlier danqing
        return f"there are {len(now)} classes now, and were {count}" if len(now) != count else ""
    came, gone = [name for name in now if name not in before], [name for name in before if name not in now]
    told = [f"class {name} is new" for name in came] + [f"class {name} is gone" for name in gone]
    return ", ".join(told) or ("its classes are in another order" if now != before else "")


def _agree(name: str, asked: Any, known: Any) -> bool:
    if name == "out" and asked is not None:
        return Path(asked).resolve() == Path(known).resolve()
    return asked == known or (name in ("channels", "fit", "size", "out") and asked in (None, "auto"))


__all__ = ["check_budget", "check_changes", "check_set", "facts_of_set", "known_set"]
