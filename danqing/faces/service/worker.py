"""The process of one job, ``python -m danqing.faces.service.worker FOLDER [PLACE]``; it outlives the server."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import traceback
import zipfile
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from filelock import Timeout

from danqing.faces.service.job_folder import WORKER_IS_THERE, JobFolder
from danqing.faces.service.scrub import Scrub
from danqing.faces.service.telling import SHORTEST, Stopped, Telling


def work(job: JobFolder, on: str) -> None:
    """Do a job, its pictures on a cluster if one is named, and say how it ended."""
    asked = job.asked()
    scrub = Scrub([job.folder.parent.parent], map(Path, asked["sets"].values()))
    telling = Telling(job, scrub)
    signal.signal(signal.SIGTERM, telling.stop)
    signal.signal(signal.SIGINT, telling.stop)
    from danqing.core.runs.cluster import place_named
    from danqing.faces.service.problems import is_foreseen, problem_of

    try:
        with place_named(on or None) as place:
            result = _result(asked, job, telling, scrub, place)
        telling.rows()
        _tell_no_places(job, scrub)
        job.set_end(result=result)
    except Stopped:
        telling.rows()
        job.set_end(stopped=True)
    except Exception as error:
        if not is_foreseen(error):
            traceback.print_exc()
        job.set_end(error=scrub(problem_of(error).kept()))


def _result(asked: dict[str, Any], job: JobFolder, telling: Telling, scrub: Scrub, place: Any) -> dict[str, Any]:
    from danqing.core.operators.operator import Operator
    from danqing.core.progress import Progress, finish
    from danqing.faces.service.catalogue import task_of
    from danqing.faces.service.engine import Engine
    from danqing.faces.service.saving import Kept
    from danqing.faces.service.settings import Limits
    from danqing.faces.service.shelf import Shelf

    limits = Limits(**asked["limits"])
    shelf = Shelf(job.folder.parent.parent / "store", {name: Path(place) for name, place in asked["sets"].items()})
    engine = Engine(shelf, limits, scrub, 1, place)
    telling.tell(Progress(0, 1, "starting"))
    saving = Kept.of(asked.get("saving"), limits.pixels)
    if asked.get("steps"):
        return _chain(asked, engine, saving, telling)
    task = task_of(asked["task"])
    if isinstance(task, Operator):
        return engine.told(asked["task"], task, finish(engine.job(task, asked["values"], saving), telling), saving)
    made = finish(_in_folder(asked, task, job, engine, telling), telling)
    return engine.told(asked["task"], task, made, saving)


def _in_folder(asked: dict[str, Any], task: Any, job: JobFolder, engine: Any, telling: Telling) -> Any:
    """A task that is no operator, which writes into the folder of the job; a training goes on where it stands."""
    from danqing.core.learned.families import family_named
    from danqing.core.learned.finder import Finder
    from danqing.core.operators.task import task_named
    from danqing.core.runs.run import run
    from danqing.faces.service.sent_values import resolved

    values = _as_folders(resolved(task, asked["values"], engine.shelf.find), job.folder / "in", engine.limits)
    if task.trains and issubclass(family_named(task.trains), Finder):  # its labels lie beside the pictures
        (folder,) = _as_folders({"data": Path(values["data"])}, job.folder / "in", engine.limits).values()
        values["data"] = str(folder)
    if task.trains:
        if task.can_go_on(job.run):
            telling.skip_rows()
            changes = {"budget": asked["budget"]} if asked.get("budget") else {}
            return run(task_named("train"), {"resume": job.run, **changes})
        budget = {"budget": asked["budget"]} if asked.get("budget") else {}
        return run(task, {**values, **budget, "out": job.run, "force": True})
    out, fields = job.folder / "out", {each.name: each for each in task.fields}
    out.mkdir(exist_ok=True)
    places = {"force": True, **({"out": out} if "out" in fields and fields["out"].default is not None else {})}
    return _inside(out, run(task, {**values, **{name: place for name, place in places.items() if name in fields}}))


def _tell_no_places(job: JobFolder, scrub: Scrub) -> None:
    """Take the places of this machine out of the cards of finished weights, which go where people take them."""
    from danqing.core.learned.weights import load_tensors, save_tensors

    for file in (*job.run.glob("model.safetensors"), *(job.folder / "out").rglob("*.safetensors")):
        card, tensors = load_tensors(file)
        if (told := scrub(card)) != card:
            save_tensors(tensors, file, told)


def _inside(folder: Path, job: Any) -> Any:
    """A job that works in a folder: what names its file itself writes it there."""
    with contextlib.chdir(folder):
        return (yield from job)


def _as_folders(values: dict[str, Any], home: Path, limits: Any) -> dict[str, Any]:
    """Values with folders in place of zips where a path is asked for: a client sends a folder as a zip."""
    zips = {name: value for name, value in values.items() if isinstance(value, Path) and zipfile.is_zipfile(value)}
    return {**values, **{name: _unpacked(value, home / name, limits, name) for name, value in zips.items()}}


def _unpacked(file: Path, folder: Path, limits: Any, field: str) -> Path:
    """The files of a zip in a folder, which is there when it is whole; a job that goes on finds it as it was."""
    from danqing.core.errors import ParameterError
    from danqing.data.zips import open_zip

    if folder.exists():
        return folder
    archive, making = open_zip(file), folder.with_name(f".{folder.name}")
    if sum(each.size for each in archive.entries) > limits.dataset_bytes:
        raise ParameterError(f"unpacks to more than {limits.dataset_bytes:,} bytes", where=field)
    for each in archive.entries:
        target = making / each.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(archive.contents(each))
    making.mkdir(parents=True, exist_ok=True)
    making.rename(folder)
    return folder


def _chain(asked: dict[str, Any], engine: Any, saving: Any, telling: Telling) -> dict[str, Any]:
    """A chain on many pictures, one after the other; one that fails does not stop the others."""
    files: list[Any] = []
    numbers: list[Any] = []
    notes: dict[str, None] = {}
    failed: list[Any] = []
    for results, last, problem in _through(asked, engine, saving, telling):
        if problem is not None:
            failed.append(engine.scrub(problem))
            continue
        files += [engine.shelf.facts(each) for each in last]
        numbers.append([each.get("numbers") for each in results])
        notes |= dict.fromkeys(note for each in results for note in each.get("notes", []))
    return {"task": "chain", "state": "done", "files": files, "numbers": numbers, "lines": [], "sound": True,
            "notes": list(notes), "failed": failed}  # fmt: skip


def _through(asked: dict[str, Any], engine: Any, saving: Any, telling: Telling) -> Iterator[tuple[Any, Any, Any]]:
    """What became of each picture; on a cluster as many are on their way at a time as it has cores."""
    from danqing.core.progress import Progress

    pictures = asked["pictures"]
    if engine.place is None:
        for at, picture in enumerate(pictures):
            name = engine.shelf.file(picture).name
            telling(Progress(at, len(pictures), name))

            def show(progress: Progress, at: int = at, name: str = name) -> None:
                part = min(1.0, progress.done / progress.total) if progress.total else 0.0
                words = " · ".join(filter(None, (name, progress.words)))
                telling(Progress(at + part / 2, len(pictures), words, progress.preview))

            yield _one(asked["steps"], picture, engine, saving, show)
        return
    with ThreadPoolExecutor(engine.place.width) as pool:
        ways = [pool.submit(_one, asked["steps"], each, engine, saving, telling.check) for each in pictures]
        try:
            while left := [way for way in ways if not way.done()]:
                name = engine.shelf.file(pictures[ways.index(left[0])]).name
                telling(Progress(len(ways) - len(left), len(ways), name))
                wait(left, SHORTEST, FIRST_COMPLETED)
        finally:
            pool.shutdown(cancel_futures=True)
        yield from (way.result() for way in ways)


def _one(steps: list[Any], picture: str, engine: Any, saving: Any, show: Any) -> tuple[Any, Any, Any]:
    """One picture through all steps: what each made, the last pictures, and what was wrong."""
    from danqing.core.errors import DanqingError
    from danqing.core.progress import finish
    from danqing.faces.service.chains import Asked, run_chain
    from danqing.faces.service.problems import Problem, is_foreseen, problem_of

    def run(name: str, task: Any, values: Any, own: Any, is_last: bool) -> dict[str, Any]:
        kept = saving.of_step(own, task, values, is_last)
        return engine.told(name, task, finish(engine.job(task, values, kept), show), kept)  # type: ignore[no-any-return]

    try:
        asked = [Asked(each["task"], each["values"], each["on"], each.get("saving")) for each in steps]
        results, last = run_chain(asked, picture, run)
        return results, last, None
    except (DanqingError, Problem) as error:
        problem = problem_of(error)
        if not is_foreseen(problem):
            raise
        problem.more.pop("done", None)
        return [], [], {"name": engine.shelf.file(picture).name, "problem": problem.kept()}


def main(folder: str, on: str = "") -> int:
    """Do the job in a folder, unless somebody does already; the exit code."""
    job = JobFolder(Path(folder))
    try:
        with job.lock().acquire(blocking=False):
            (job.folder / "worker.pid").write_text(str(os.getpid()), "utf-8")
            _stand_back(int(job.asked().get("nice", 0)))
            work(job, on)
            return 0
    except Timeout:
        return WORKER_IS_THERE


def _stand_back(nice: int) -> None:
    """Leave the processor to others, by so many steps of ``nice``.

    Linux shares processors between sessions before it looks at what each process asks for, and a worker has a session
    of its own: where there are such groups, it is the group that stands back (sched(7), "The autogroup feature").
    """
    os.nice(nice)
    group = Path("/proc/self/autogroup")
    if nice and group.exists():
        with contextlib.suppress(
            OSError
        ):  # one who may not, or not so soon again, stands back as far as nice alone goes
            group.write_text(str(nice), "ascii")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
