"""Whether work that is recorded is the work that is asked for, and what it made use of is still the same."""

from __future__ import annotations

from typing import Any

from danqing.core.disk import hash_of
from danqing.core.learned.card import bundled
from danqing.core.menu import operators
from danqing.core.operators.operator import operator_named
from danqing.core.recipe import Step
from danqing.core.uses import Uses


def same_work(one: Step, other: Step) -> bool:
    """Whether two steps do the same to the same pictures, wherever these lie."""
    return _essence(one) == _essence(other)


def _essence(step: Step) -> tuple[Any, ...]:
    inputs = {each.get("as", ""): each.get("sha256") for each in step.inputs}
    weights = {name: each.get("sha256") for name, each in step.weights.items()}
    return step.operator, step.version, step.params, inputs, weights, step.take, step.saved


def other_use(uses: Uses) -> str:
    """The first operator or bundled net that a step made use of and that is another one today; empty if none is."""
    own = bundled()
    for name, facts in uses.items():
        if "version" in facts and (name not in operators() or facts["version"] != str(operator_named(name).version)):
            return name
        if "sha256" in facts and name in own and hash_of(own[name]) != facts["sha256"]:
            return name
    return ""


__all__ = ["other_use", "same_work"]
