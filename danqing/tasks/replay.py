"""The task replay."""

from __future__ import annotations

from pathlib import Path

from danqing.core.artefacts.figures import Figures
from danqing.core.operators.task import task
from danqing.core.progress import Job
from danqing.core.runs import replay as again


@task
def replay(file: Path, out: Path | None = None, force: bool = False) -> Job[Figures]:
    """Make a picture again from the recipe inside it, and see that it is the same bit for bit.

    Its inputs are looked for where the recipe says, then beside the picture, and must have the bytes they had. Exit
    code 1 says that the new picture differs, as it may on a processor of another kind.

    Args:
        file: what danqing wrote.
        out: write it here; by default beside the first.
        force: replace what is there.

    Returns:
        The new ``file``, and whether it is ``identical``.

    Examples:
        danqing replay small.png
        danqing replay grid.png --out again.png --force
    """
    made = yield from again.replay(file, out, force)
    words = "the same, bit for bit" if made.identical else "differs from the first one"
    row = {"file": str(made.file), "identical": made.identical}
    return Figures([row], lines=[f"wrote {made.file}   {words}"], sound=made.identical)
