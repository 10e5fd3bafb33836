"""The task serve."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from danqing.core.artefacts.figures import Figures
from danqing.core.fields.number import Range
from danqing.core.operators.task import Local, task


@task(kind=Local)
def serve(
    host: str = "127.0.0.1",
    port: Annotated[int, Range(0, 65535)] = 7860,
    token: str | None = None,
    folder: Path | None = None,
    pictures: Path | None = None,
    origin: str | None = None,
    name: str | None = None,
    on: str | None = None,
) -> Figures:
    """Offer every task over HTTP, to programs and to the page in a browser.

    Only this machine is answered, unless another host is named: then a token is asked for, which is told at the start
    when none is given.

    Args:
        host: the address to listen on; 0.0.0.0 for all of this machine's.
        port: the port; 0 takes any that is free.
        token: what clients must send; also taken from DANQING_TOKEN.
        folder: where pictures, results, jobs and models are kept; by default in the folder of your own data.
        pictures: a folder whose sub-folders are offered as sets of pictures.
        origin: a page elsewhere that may ask the service, such as https://example.org.
        name: a name, beside its own, that the service is called by.
        on: where jobs have pictures worked on: ray, or ray:ADDRESS of a cluster; by default on this machine.

    Returns:
        Nothing but that it has ended.

    Examples:
        danqing serve
        danqing serve --host 0.0.0.0 --port 8000 --pictures PHOTOS
        danqing serve --on ray:auto
    """
    from danqing.faces.service.starting import run

    return run(host, port, token, folder, pictures, origin, name, page="", on=on)
