"""Show how a picture was made: the recipe inside it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from danqing.core.recipe import Step
from danqing.faces.forms import FILE, talk
from danqing.faces.pages import Page
from danqing.faces.screen import Screen, legible, table_of


class Show(Page):
    """The command."""

    doc = """Show how a picture was made: the recipe inside it.

Examples:
    danqing show small.png
    danqing show grid.png --json
"""


def work(file: Path, as_json: bool, quiet: bool) -> None:
    """Print the recipe of one file."""
    from danqing.core.runs.replay import show

    steps = show(file)
    Screen(quiet, as_json).give([asdict(step) for step in steps], Group(*_told(steps)))


def _told(steps: list[Step]) -> list[RenderableType]:
    parts: list[RenderableType] = []
    for number, step in enumerate(steps, 1):
        take = "" if step.take is None else f"  {step.take if step.take == 'grid' else f'picture {step.take}'}"
        parts.append(Text.assemble((f"{number}  ", "dim"), (legible(step.operator), "bold cyan"), take))
        facts: dict[str, Any] = {**step.params, **step.saved}
        facts |= {name: f"{each.get('name')}  {each.get('sha256', '')[:12]}" for name, each in step.weights.items()}
        facts |= {each.get("as", "from"): f"{each.get('path')}  {each.get('sha256', '')[:12]}" for each in step.inputs}
        parts.append(Padding(table_of(facts), (0, 0, 0, 3)))
    return parts


command = Show("show", callback=work, params=[click.Argument(["file"], type=FILE), *talk()])
