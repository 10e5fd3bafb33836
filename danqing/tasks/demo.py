"""The task demo."""

from __future__ import annotations

from pathlib import Path

from danqing.core.artefacts.figures import Figures
from danqing.core.fields.seed import Seed
from danqing.core.operators.task import task
from danqing.core.progress import Job
from danqing.faces.demo import demo as demonstrate


@task
def demo(out: Path = Path("demo"), budget: str = "2m", seed: Seed = 0, force: bool = False) -> Job[Figures]:
    """Train a painter of digits in two minutes, let it paint, score it, and write a report about it.

    Args:
        out: the folder for everything.
        budget: how long to train.
        seed: fixes every random choice.
        force: replace what is there.

    Returns:
        The page that tells it.

    Examples:
        danqing demo
        danqing demo --budget 10m --out better
    """
    report = yield from demonstrate(out, budget, seed, force)
    return Figures([{"report": str(report)}], lines=[f"Look at {report}"])
