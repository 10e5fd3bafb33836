"""Show what is known of a weights file: its card."""

from __future__ import annotations

import click

from danqing.faces.forms import talk
from danqing.faces.pages import Page
from danqing.faces.screen import Screen


class Card(Page):
    """The command."""

    doc = """Show what is known of a weights file: its card.

Family and config, the data it learned from, how it was trained, its scores and its licence.

Examples:
    danqing card runs/dcgan-1
    danqing card digits --json
"""


def work(file: str, as_json: bool, quiet: bool) -> None:
    """Print the card of a weights file, a run folder or bundled weights."""
    from danqing.core.disk import hash_of
    from danqing.core.learned.weights import locate, read_card

    found = locate(file)
    Screen(quiet, as_json).give({"file": str(found), "sha256": hash_of(found), **read_card(found)})


command = Card("card", callback=work, params=[click.Argument(["file"], metavar="MODEL"), *talk()])
