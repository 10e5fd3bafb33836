"""How a job tells its progress: in words, rows of a log, and previews; and how it is stopped."""

from __future__ import annotations

import json
import time
from typing import Any

from danqing.faces.service.job_folder import JobFolder
from danqing.faces.service.scrub import Scrub

SHORTEST, LONGEST = 0.25, 10.0  # seconds between two words about the progress
PREVIEW = 1.0  # seconds between two previews


class Stopped(Exception):
    """Somebody asked to stop."""


class Telling:
    """Tells the progress of a job, without places of this machine, and stops it where that was asked for."""

    def __init__(self, job: JobFolder, scrub: Scrub) -> None:
        self.job, self.scrub, self.stopped = job, scrub, False
        self._began, self._told, self._shown = time.monotonic(), 0.0, 0.0
        self._previews, self._row = 0, 0
        self._log = job.run / "log.jsonl"

    def stop(self, *_: Any) -> None:
        """As a signal handler."""
        self.stopped = True

    def check(self, progress: Any) -> None:
        """Stop work that is told of elsewhere."""
        if self.stopped:
            raise Stopped

    def __call__(self, progress: Any) -> None:
        """Tell it, now and then."""
        self.check(progress)
        moment = time.monotonic()
        if progress.preview is not None and moment - self._shown >= PREVIEW:
            self._shown = moment
            self._show(progress.preview)
        pause = min(max((moment - self._began) / 200, SHORTEST), LONGEST)
        if moment - self._told >= pause or progress.preview is not None:
            self._told = moment
            self.tell(progress)

    def tell(self, progress: Any) -> None:
        """Tell it now."""
        share = min(1.0, max(0.0, progress.done / progress.total)) if progress.total else 0.0
        facts = {"done": progress.done, "total": progress.total, "share": share, "words": self.scrub(progress.words)}
        self.job.set_progress({**facts, "previews": self._previews})
        self.job.event("progress", facts)
        self.rows()

    def rows(self) -> None:
        """Pass on what a training has written into its log."""
        if not self._log.is_file():
            return
        if self._log.stat().st_size < self._row:
            self._row = 0  # a run that goes on cut it back
        with open(self._log, "rb") as stream:
            stream.seek(self._row)
            for line in stream:
                if not line.endswith(b"\n"):
                    break
                self._row += len(line)
                try:
                    self.job.event("log", self.scrub(json.loads(line)))
                except ValueError:
                    continue

    def skip_rows(self) -> None:
        """What stands in the log already was passed on."""
        self._row = self._log.stat().st_size if self._log.is_file() else 0

    def _show(self, preview: Any) -> None:
        from danqing.core.pictures.sheet import contact_sheet
        from danqing.faces.service.display import encoded, smaller, with_opacity

        columns = max(1, round(len(preview) ** 0.5))
        sheet = contact_sheet(preview, columns) if len(preview) > 1 else preview
        data, _ = encoded(smaller(with_opacity(sheet.clamp(0, 1), None), 1024), "png")
        temporary = self.job.folder / ".preview.png"
        temporary.write_bytes(data)
        temporary.replace(self.job.preview)
        self._previews += 1
        self.job.event("preview", {"url": f"/v1/jobs/{self.job.id}/preview?n={self._previews}"})


__all__ = ["Stopped", "Telling"]
