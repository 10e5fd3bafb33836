"""The processes in which jobs are done: begun by this service, or found living by it."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time

from danqing.faces.service.job_folder import WORKER_IS_THERE, JobFolder

AGAIN = 1.0  # seconds after which a worker that was killed is killed once more


class Workers:
    """One process a job.

    Args:
        on: where pictures are worked on; empty: in the process of the job.

    Attributes:
        active: the jobs that have a worker, and when it is killed.
    """

    def __init__(self, on: str = "") -> None:
        self._on = on
        self.active: dict[str, float] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}  # those of this service; others are known by their job

    def begin(self, job: JobFolder) -> None:
        """Start the worker of a job.

        Raises:
            OSError: if that cannot be.
        """
        command = [sys.executable, "-P", "-m", "danqing.faces.service.worker", str(job.folder), self._on]
        with open(job.folder / "worker.log", "ab") as log:
            self._processes[job.id] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env=_environment()
            )
        self.adopt(job)

    def adopt(self, job: JobFolder) -> None:
        """Look after a job that has, or may have, a worker already."""
        self.active[job.id] = math.inf

    def gone(self, job: JobFolder) -> bool:
        """Whether a worker has ended; one that should have is killed."""
        if not self.lives(job):
            return True
        if time.monotonic() > self.active[job.id]:
            self.kill(job)
            self.active[job.id] = time.monotonic() + AGAIN
        return False

    def lives(self, job: JobFolder) -> bool:
        """Whether a job has a worker still."""
        process = self._processes.get(job.id)
        if process is None:
            return job.is_alive()
        code = process.poll()
        if code is None:
            return True
        del self._processes[job.id]
        return code == WORKER_IS_THERE and job.is_alive()

    def stop(self, job: JobFolder, grace: float) -> None:
        """Ask a worker to stop where it can go on later, within some seconds."""
        self.active[job.id] = time.monotonic() + grace
        process = self._processes.get(job.id)
        if process is not None:
            process.terminate()
        else:
            job.signal(signal.SIGTERM)

    def kill(self, job: JobFolder) -> None:
        """End a worker, and what it has started, at once."""
        process = self._processes.get(job.id)
        if process is None:
            job.signal(signal.SIGKILL)
            return
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            process.kill()


def _environment() -> dict[str, str]:
    """What a worker is started with: it waits asleep, as the server does, and speaks to nobody's terminal."""
    return {**os.environ, "OMP_WAIT_POLICY": "PASSIVE", "PYTHONUNBUFFERED": "1"}


__all__ = ["Workers"]
