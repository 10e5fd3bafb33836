"""Train a painter of digits in two minutes, let it paint, score it, and write a report about it."""

from __future__ import annotations

from pathlib import Path

import click
from rich.text import Text

from danqing.faces.forms import FILE, talk
from danqing.faces.pages import Page
from danqing.faces.screen import Screen, short
from danqing.faces.work import run


class Demo(Page):
    """The command."""

    doc = """Train a painter of digits in two minutes, let it paint, score it, and write a report about it.

Examples:
    danqing demo
    danqing demo --budget 10m --out better
"""


def work(out: Path, budget: str, seed: int, force: bool, as_json: bool, quiet: bool) -> None:
    """Run the demo."""
    from danqing.faces.demo import demo

    screen = Screen(quiet, as_json)
    report = run(demo(out, budget, seed, force), screen)
    if as_json:
        screen.give({"report": str(report)})
    screen.say(Text.assemble(("Look at", "dim"), " ", (short(report), "bold green")))


command = Demo(
    "demo",
    callback=work,
    params=[
        click.Option(["--out"], type=FILE, default=Path("demo"), show_default=True, metavar="DIR", help="Where to."),
        click.Option(["--budget"], default="2m", show_default=True, metavar="TIME", help="How long to train."),
        click.Option(["--seed"], type=int, default=0, show_default=True, metavar="N", help="Fixes every choice."),
        *talk(files=True),
    ],
)
