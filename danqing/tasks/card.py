"""The task card."""

from __future__ import annotations

from danqing.core.artefacts.figures import Figures
from danqing.core.disk import hash_of
from danqing.core.fields.weights_file import WeightsFile
from danqing.core.learned.card import read_card
from danqing.core.operators.task import task


@task
def card(model: WeightsFile) -> Figures:
    """Show what is known of a weights file: its card.

    Args:
        model: a weights file, a run folder or the name of bundled weights.

    Returns:
        Family and config, the data it learned from, how it was trained, its scores and its licence.

    Examples:
        danqing card runs/dcgan-1
        danqing card digits --json
    """
    return Figures([{"file": str(model), "sha256": hash_of(model), **read_card(model)}])
