"""Start a service from what a person typed, and tell where it is."""

from __future__ import annotations

import sys
from pathlib import Path

from danqing.core.artefacts.figures import Figures
from danqing.core.errors import DataError
from danqing.core.runs.cluster import place_named
from danqing.faces.service.server import serve
from danqing.faces.service.settings import Settings, token_for


def run(
    host: str,
    port: int,
    token: str | None,
    folder: Path | None,
    pictures: Path | None,
    origin: str | None,
    name: str | None,
    page: str,
    on: str | None = None,
) -> Figures:
    """Run a service until it is stopped.

    Raises:
        UserError: if it cannot be started.
    """
    if pictures is not None and not pictures.is_dir():
        raise DataError("is no folder", where=pictures)
    with place_named(on):
        pass  # what cannot be met is refused before the service begins
    secret = token_for(host, token)
    settings = Settings(
        folder=folder or Settings().folder,
        host=host,
        port=port,
        token=secret,
        pictures=() if pictures is None else (pictures,),
        origins=() if origin is None else (origin.rstrip("/"),),
        hosts=() if name is None else (name.lower(),),
        on=on or "",
    )

    def started(url: str) -> None:
        print(f"danqing is at {url}   (Ctrl-C ends it)", file=sys.stderr, flush=True)
        if secret and not token:
            print(f"token: {secret}", file=sys.stderr, flush=True)

    serve(settings, started, page)
    return Figures([{"ended": True}], lines=["ended"])


__all__ = ["run"]
