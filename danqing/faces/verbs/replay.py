"""Make a picture again from the recipe inside it, and see that it is the same bit for bit."""

from __future__ import annotations

from pathlib import Path

import click
from rich.text import Text

from danqing.faces.forms import FILE, talk
from danqing.faces.pages import Page
from danqing.faces.screen import FilesFailed, Screen, short
from danqing.faces.work import run


class Replay(Page):
    """The command."""

    doc = """Make a picture again from the recipe inside it, and see that it is the same bit for bit.

Its inputs are looked for where the recipe says, then beside the picture, and must have the bytes they had. Exit code
1 says that the new picture differs, as it may on a processor of another kind.

Examples:
    danqing replay small.png
    danqing replay grid.png --out again.png --force
"""


def work(file: Path, out: Path | None, force: bool, as_json: bool, quiet: bool) -> None:
    """Replay one file."""
    from danqing.core.runs.replay import replay

    screen = Screen(quiet, as_json)
    done = run(replay(file, out, force), screen)
    if as_json:
        screen.give({"file": str(done.file), "identical": done.identical})
    words = ("the same, bit for bit", "green") if done.identical else ("differs from the first one", "bold red")
    screen.say(Text.assemble(("wrote", "dim"), " ", short(done.file), "   ", words))
    if not done.identical:
        raise FilesFailed


command = Replay(
    "replay",
    callback=work,
    params=[
        click.Argument(["file"], type=FILE),
        click.Option(["--out", "-o"], type=FILE, metavar="FILE", help="Write it here; by default beside the first."),
        *talk(files=True),
    ],
)
