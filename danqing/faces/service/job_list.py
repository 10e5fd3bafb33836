"""The jobs of a service as they are listed: a folder and a line of the index for each, and who waits for whom."""

from __future__ import annotations

import functools
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from danqing.faces.service.index import Index, Row
from danqing.faces.service.job_folder import JobFolder, now
from danqing.faces.service.job_states import job_told
from danqing.faces.service.job_turns import Turns
from danqing.faces.service.problems import not_found
from danqing.faces.service.sets import CHECK

SHELF = "jobs"
ID = re.compile(r"[0-9]{6,18}-[0-9a-f]{8}")


class JobList:
    """The jobs of a service, those that wait among them.

    Args:
        folder: of all jobs, a folder for each.
        index: in which they are listed.
        changed: called with each job whose state has changed.
    """

    def __init__(self, folder: Path, index: Index, changed: Callable[[JobFolder], None]) -> None:
        self.folder, self._index, self._changed = folder, index, changed
        self.waiting = Turns()

    def job(self, name: str) -> JobFolder:
        """The job of an id.

        Raises:
            Problem: if there is none.
        """
        if not ID.fullmatch(name) or not JobFolder(self.folder / name).asked():
            raise not_found("job", name)
        return JobFolder(self.folder / name)

    def all(self, states: tuple[str, ...] = (), task: str = "", limit: int = -1) -> list[JobFolder]:
        """Jobs, the last one first."""
        rows = self._index.rows(SHELF, states=states, task=task, limit=limit)
        return [job for row in rows if (job := JobFolder(self.folder / row[0])).asked()]

    def add(self, facts: dict[str, Any]) -> JobFolder:
        """List a job that waits."""
        number = self._index.next_number(SHELF)
        job = JobFolder(self.folder / f"{number:06}-{secrets.token_hex(4)}")
        job.folder.mkdir(parents=True)
        try:
            job.ask({**facts, "id": job.id, "number": number, "created": now()})
            self.set(job, state="queued")
        except BaseException:
            shutil.rmtree(job.folder, ignore_errors=True)
            raise
        self.wait(job)
        return job

    def wait(self, job: JobFolder) -> None:
        """Let a job wait for its turn."""
        self.waiting.append(row_of(job))

    def drop(self, job: JobFolder) -> None:
        """Forget a job."""
        self._index.drop(SHELF, job.id)
        shutil.rmtree(job.folder, ignore_errors=True)

    def set(self, job: JobFolder, **facts: Any) -> None:
        """Change what is said of a job, and tell those who listen."""
        job.set_state(**facts)
        self.enter(job)
        job.event("state", self.told(job))
        self._changed(job)

    def enter(self, job: JobFolder) -> None:
        """Write the line of a job into the index."""
        self._index.put(SHELF, row_of(job))

    def told(self, job: JobFolder) -> dict[str, Any]:
        """A job as JSON values."""
        return job_told(job, self.position)

    def position(self, name: str) -> int:
        """How many jobs come before one that waits, of those that it waits for."""
        order = [row[0] for row in self.waiting.order() if self.only_looks(row[0]) == self.only_looks(name)]
        return order.index(name) if name in order else 0

    def only_looks(self, name: str) -> bool:
        """Whether a job looks at pictures, or reckons, and makes nothing: it need not wait for one that works."""
        return _only_looks(self.folder / name)


@functools.lru_cache(maxsize=4096)
def _only_looks(folder: Path) -> bool:
    asked = JobFolder(folder).asked()
    return asked.get("task") == CHECK or bool((asked.get("values") or {}).get("dry_run"))


def row_of(job: JobFolder) -> Row:
    """The line of a job in the index."""
    asked = job.asked()
    return (
        job.id,
        int(asked.get("number", 0)),
        str(asked.get("task", "")),
        job.state()["state"],
        str(asked.get("client", "")),
    )


def rows_in(folder: Path) -> Iterator[Row]:
    """The lines of all jobs in a folder."""
    for place in sorted(folder.iterdir()) if folder.is_dir() else ():
        if ID.fullmatch(place.name) and JobFolder(place).asked():
            yield row_of(JobFolder(place))


__all__ = ["JobList", "row_of", "rows_in"]
