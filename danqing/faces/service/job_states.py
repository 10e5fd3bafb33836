"""The states of a job: what has become of it, what may be asked of it now, and how it is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from danqing.faces.service.catalogue import known_task
from danqing.faces.service.job_folder import ENDED, JobFolder, now
from danqing.faces.service.problems import Problem, problem_from

DEATHS = 3  # of a worker, after which a job is given up


def can(asked: dict[str, Any], state: dict[str, Any]) -> list[str]:
    """What may be asked of a job now."""
    task = known_task(str(asked.get("task")))
    return {
        "queued": ["pause", "cancel"],
        "running": ["pause", "cancel"],
        "stopping": ["cancel"],
        "paused": ["resume", "cancel", "delete"],
        "failed": ["resume", "delete"],
        "cancelled": ["resume", "delete"],
        "done": ["resume", "delete"] if task is not None and task.trains else ["delete"],
    }.get(state["state"], [])


def _run_told(job: JobFolder, asked: dict[str, Any], state: dict[str, Any]) -> dict[str, Any] | None:
    """What is known of the run of a training; None of other jobs."""
    task = known_task(str(asked.get("task")))
    if task is None or not task.trains:
        return None
    return {"family": task.trains, "log": f"/v1/jobs/{job.id}/log", "model": state.get("model")}


def become(job: JobFolder) -> dict[str, Any]:
    """What has become of a job whose worker has ended, as its state."""
    end, state = job.end(), job.state()
    wish, attempts = state.get("wish"), state["attempts"]
    if "result" in end:
        return {"state": "done", "ended": now(), "wish": None, "error": None}
    if "error" in end:
        return {"state": "failed", "ended": now(), "wish": None}
    if wish == "cancel":
        return {"state": "cancelled", "ended": now(), "wish": None}
    if wish == "pause":
        return {"state": "paused", "wish": None}
    if wish == "shutdown" or end.get("stopped") or state["state"] == "queued":  # queued: this was settled halfway
        return {"state": "queued", "wish": None, "attempts": max(0, attempts - (state["state"] != "queued"))}
    if attempts < DEATHS:
        return {"state": "queued", "wish": None, "attempts": attempts}
    problem = Problem(
        "internal",
        f"its process died {attempts} times",
        remedy="Perhaps there is not enough memory; try smaller pictures",
    )
    return {"state": "failed", "ended": now(), "wish": None, "error": problem.kept()}


def job_told(job: JobFolder, position: Callable[[str], int]) -> dict[str, Any]:
    """A job as JSON values; each of its files is read once.

    Args:
        job: the job.
        position: how many come before one that waits, by its id.
    """
    asked, state, end, progress = job.asked(), job.state(), job.end(), job.progress()
    previews = progress.pop("previews", 0)
    has_ended = state["state"] in ENDED
    error = end.get("error") or state.get("error")
    facts = {name: asked.get(name) for name in ("task", "title", "created", "values", "saving")}
    return {
        "id": job.id,
        **facts,
        "steps": asked.get("steps"),
        "pictures": len(asked["pictures"]) if asked.get("pictures") else None,
        "state": state["state"],
        "position": position(job.id) if state["state"] == "queued" else 0,
        "started": state.get("started"),
        "ended": state.get("ended"),
        "attempts": state["attempts"],
        "progress": {"done": 0, "total": 1, "share": 0.0, "words": "", **progress},
        "preview": f"/v1/jobs/{job.id}/preview?n={previews}" if previews else None,
        "can": can(asked, state),
        "error": problem_from(error).told() if error and has_ended else None,
        "result": end.get("result") if has_ended else None,
        "run": _run_told(job, asked, state),
    }


__all__ = ["become", "can", "job_told"]
