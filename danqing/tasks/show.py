"""The task show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from danqing.core.artefacts.figures import Figures
from danqing.core.operators.task import task
from danqing.core.recipe import Step
from danqing.core.runs import replay

WIDTH = 16  # of the column of names


@task
def show(file: Path) -> Figures:
    """Show how a picture was made: the recipe inside it.

    Args:
        file: what danqing wrote.

    Returns:
        One row a step: the operator with its parameters, the files and weights it worked from with their hashes.

    Examples:
        danqing show small.png
        danqing show grid.png --json
    """
    steps = replay.show(file)
    lines = [line for number, step in enumerate(steps, 1) for line in _lines(number, step)]
    return Figures([asdict(step) for step in steps], lines=lines, listed=True)


def _lines(number: int, step: Step) -> Iterator[str]:
    take = "" if step.take is None else f"  {step.take if isinstance(step.take, str) else f'picture {step.take}'}"
    yield f"{number}  {step.operator}{take}"
    facts: dict[str, Any] = {**step.params, **step.saved}
    facts |= {name: _which(each.get("name"), each) for name, each in step.weights.items()}
    facts |= {each.get("as", "from"): _which(each.get("path"), each) for each in step.inputs}
    facts |= {f"uses {name}": _which("", each) for name, each in step.uses.items()}
    for name, value in facts.items():
        yield f"   {name:{WIDTH}}  {'–' if value is None else value}"


def _which(name: str | None, facts: dict[str, str]) -> str:
    """A file or net by name, and the beginning of its hash, or its version."""
    return f"{name or ''}  {facts.get('sha256', '')[:12] or facts.get('version', '')}".strip()
