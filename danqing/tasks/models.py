"""The task models."""

from __future__ import annotations

from danqing.core.artefacts.figures import Figures
from danqing.core.learned.card import bundled, read_card
from danqing.core.operators.task import task


@task
def models() -> Figures:
    """List the weights that come with danqing.

    Any of these names can be given where a command asks for a MODEL; ``danqing card NAME`` tells all of one.

    Returns:
        Name, family, licence, scores and size of each.

    Examples:
        danqing models
        danqing models --json
    """
    rows = []
    for name, file in bundled().items():
        card = read_card(file)
        facts = {key: card.get(key) for key in ("family", "licence", "scores")}
        rows.append({"name": name, **facts, "megabytes": round(file.stat().st_size / 1e6, 2)})
    return Figures(rows, listed=True)
