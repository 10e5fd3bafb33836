"""The stages of a run: how they are written down, where each ends, and what the run is like in each."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from danqing.core.errors import ParameterError
from danqing.core.fields.form import Field, schema
from danqing.core.fields.number import Range
from danqing.core.learned.model import Model
from danqing.core.learned.proposals import Stage

NAMES = tuple(field.name for field in dataclasses.fields(Stage))
SMALLEST = 16  # px: smaller pictures teach in no time, and nothing that lasts
SHARED = ("size", "batch", "freeze")  # which are the loop's options, too


@dataclass(frozen=True)
class _Own:
    """The form of what only a stage has."""

    share: Annotated[float, Range(1e-9)] = 1.0
    lr: Annotated[float, Range(0, 1e9)] = 1.0


def read_stages(values: Any, options: Mapping[str, Field], form: Mapping[str, Field]) -> tuple[Stage, ...]:
    """Check stages as a config file has them: a list of objects with any of share, size, batch, freeze, lr, params.

    Args:
        values: what the file says.
        options: the loop's options, whose limits hold here, too.
        form: the family's parameters.

    Raises:
        ParameterError: naming the stage and what does not fit.
    """
    if not isinstance(values, list | tuple):
        raise ParameterError("must be a list of stages", where="stages")
    return tuple(_stage(value, f"stage {at}", options, form) for at, value in enumerate(values, 1))


def growing(first: int, size: int) -> tuple[Stage, ...]:
    """The stages of a run whose pictures double in side from ``first`` to ``size``: half of it is of the last.

    Source: Karras et al. 2018, "Progressive growing of GANs", section 2.
    """
    doublings = (size // first).bit_length() - 1
    before = tuple(Stage(0.5 / doublings, first << at, params={"ahead": doublings - at}) for at in range(doublings))
    return (*before, Stage(0.5))


def check_growth(made: type[Model], first: int, size: int, stages: Sequence[Stage]) -> None:
    """See that a run can grow.

    Raises:
        ParameterError: if the family cannot, stages of its own say otherwise, or doubling does not lead to the size.
    """
    if not made.grows:
        raise ParameterError(f"a {made.__name__.lower()} does not grow", where="grow", remedy="stylegan does")
    if stages:
        raise ParameterError("does not go with stages of its own", where="grow", remedy="Leave one of both out")
    halves = [size >> at for at in range(1, size.bit_length()) if size % (1 << at) == 0 and size >> at >= SMALLEST]
    if first not in halves:
        what = f"pictures of {first} px do not double to {size} px"
        if first < SMALLEST:
            what = f"pictures of {first} px are too small to begin with"
        known = f"Say {' or '.join(map(str, halves))}" if halves else "Leave it out: so small ones have no stages"
        raise ParameterError(what, where="grow", remedy=known)


def stages_to_json(stages: Sequence[Stage]) -> list[dict[str, Any]]:
    """Stages as a config file has them: what is as usual is left out."""
    usual = dataclasses.asdict(Stage())
    return [{k: v for k, v in dataclasses.asdict(stage).items() if v != usual[k]} for stage in stages]


def ends_of(stages: Sequence[Stage]) -> list[float]:
    """Which share of the budget is used when each stage ends; the last one goes on to the end."""
    total = math.fsum(stage.share for stage in stages)
    ends = [end / total for end in itertools.accumulate(stage.share for stage in stages)]
    return [*ends[:-1], math.inf]


def check_shapes(models: Sequence[Model]) -> None:
    """See that the models of all stages hold the same weights.

    Raises:
        ParameterError: if one does not.
    """
    first = {name: value.shape for name, value in models[0].state_dict().items()}
    for at, model in enumerate(models[1:], 2):
        mine = {name: value.shape for name, value in model.state_dict().items()}
        odd = next((name for name in [*first, *mine] if first.get(name) != mine.get(name)), None)
        if odd is not None:
            changed = [name for name, value in model.config.items() if value != models[0].config[name]]
            what = f"stage {at}: a {model.family} cannot change {' and '.join(changed)} on the way: {odd} would not fit"
            raise ParameterError(what, where="stages", remedy="Leave that out, or begin a run with --from")


def _stage(value: Any, name: str, options: Mapping[str, Field], form: Mapping[str, Field]) -> Stage:
    if not isinstance(value, dict) or value.keys() - set(NAMES):
        raise ParameterError(f"{name} must be an object with some of {', '.join(NAMES)}", where="stages")
    fields = {field.name: field for field in schema(_Own)} | {each: options[each] for each in SHARED}
    params = value.get("params", {})
    if not isinstance(params, dict) or params.keys() - form.keys():
        raise ParameterError(f"{name}: params must be an object with some of {', '.join(form)}", where="stages")
    try:
        given = {each: fields[each].check(value[each]) for each in fields if each in value}
        return Stage(**given, params={each: form[each].check(params[each]) for each in params})
    except ParameterError as error:
        raise ParameterError(f"{name}: {error.where}: {error.what}", where="stages", remedy=error.remedy) from error


__all__ = ["check_growth", "check_shapes", "ends_of", "growing", "read_stages", "stages_to_json"]
