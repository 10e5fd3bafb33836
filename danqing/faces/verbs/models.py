"""List the weights that come with danqing."""

from __future__ import annotations

from typing import Any

from danqing.faces.forms import talk
from danqing.faces.pages import Page
from danqing.faces.screen import Screen


class Models(Page):
    """The command."""

    doc = """List the weights that come with danqing.

Any of these names can be given where a command asks for a MODEL; ``danqing card NAME`` tells all of one.

Examples:
    danqing models
    danqing models --json
"""


def work(as_json: bool, quiet: bool) -> None:
    """Print name, family, size, scores and licence of each."""
    from danqing.core.learned.weights import bundled, read_card

    rows: list[dict[str, Any]] = []
    for name, file in bundled().items():
        card = read_card(file)
        facts = {key: card.get(key) for key in ("family", "licence", "scores")}
        rows.append({"name": name, **facts, "megabytes": round(file.stat().st_size / 1e6, 2)})
    Screen(quiet, as_json).give(rows)


command = Models("models", callback=work, params=[*talk()])
