"""The task studio."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from danqing.core.artefacts.figures import Figures
from danqing.core.fields.number import Range
from danqing.core.operators.task import Local, task


@task(kind=Local)
def studio(
    port: Annotated[int, Range(0, 65535)] = 7860,
    folder: Path | None = None,
    pictures: Path | None = None,
    browser: bool = True,
) -> Figures:
    """Open the studio in a browser: mend, paint, train, measure and keep pictures on one page.

    Nothing leaves this machine. What was made stays in the studio's gallery.

    Args:
        port: the port; 0 takes any that is free.
        folder: where pictures, results, jobs and models are kept; by default in the folder of your own data.
        pictures: a folder whose sub-folders are offered as sets of pictures.
        browser: open a browser.

    Returns:
        Nothing but that it has ended.

    Examples:
        danqing studio
        danqing studio --pictures PHOTOS --no-browser
    """
    from danqing.faces.service.starting import run

    return run("127.0.0.1", port, None, folder, pictures, None, None, page="/" if browser else "")
