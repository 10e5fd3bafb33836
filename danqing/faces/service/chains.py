"""Steps one after the other on one picture; what was done before is found again, so undo and redo cost nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from danqing.core.artefacts.pictures import recipe_in
from danqing.core.errors import DanqingError, ParameterError
from danqing.core.recipe import Recipe, Step
from danqing.core.runs.sameness import other_use
from danqing.faces.service.catalogue import AnyTask, is_job, offered, task_of
from danqing.faces.service.engine import pictures_of
from danqing.faces.service.problems import Problem, problem_of
from danqing.faces.service.sent_values import read_values
from danqing.faces.service.shelf import Shelf

Run = Callable[[str, AnyTask, Mapping[str, Any], dict[str, Any] | None, bool], dict[str, Any]]  # whether it is the last


class Asked(NamedTuple):
    """One step of a chain."""

    name: str
    values: dict[str, Any]
    on: bool = True
    saving: dict[str, Any] | None = None

    def told(self) -> dict[str, Any]:
        """As JSON values."""
        saving = {"saving": self.saving} if self.saving else {}
        return {"task": self.name, "values": self.values, "on": self.on, **saving}


def read_steps(steps: list[dict[str, Any]], picture: str | None, most: int) -> list[Asked]:
    """Read the steps of a chain, as far as that goes before the first is done.

    Raises:
        Problem: naming the step.
    """
    if not 0 < len(steps) <= most:
        raise Problem("parameter", f"a chain has 1 to {most} steps", parameter="steps")
    read: list[Asked] = []
    for number, step in enumerate(steps, 1):
        with Numbered(number):
            is_first = not any(each.on for each in read)
            read.append(_read(step, picture if is_first else None, picture is None and is_first))
    return read


def _read(step: dict[str, Any], picture: str | None, is_beginning: bool) -> Asked:
    """Read one step.

    Args:
        step: as it was sent.
        picture: the one that the chain begins with, for its first step.
        is_beginning: whether nothing comes before it, neither a picture nor a step.

    Raises:
        Problem: if it does not fit, or would throw away what comes before it.
    """
    task = task_of(step["task"])
    if is_job(task):
        raise Problem("parameter", "is no step of a chain: it runs as a job alone", parameter=step["task"])
    values, is_on = dict(step.get("values") or {}), step.get("on", True)
    own = values.get(task.subject)
    if is_on and not is_beginning and not task.subject:
        remedy = "Let it be the first step of a chain without a picture"
        raise Problem("parameter", "takes no picture: what comes before it would be lost", step["task"], remedy)
    if own is not None and not is_beginning and own != picture:
        remedy = "Leave it out: each step works on what comes before it"
        raise Problem("parameter", "is another picture: what comes before it would be lost", task.subject, remedy)
    if task.subject and not is_beginning:
        values = read_values(task, {**values, task.subject: "0" * 64})
        del values[task.subject]
    else:
        values = read_values(task, values)
    return Asked(step["task"], values, is_on, step.get("saving"))


def run_chain(steps: list[Asked], picture: str | list[str] | None, run: Run) -> tuple[list[dict[str, Any]], list[str]]:
    """Run the steps that are on, each on the pictures that the one before made; their results, and the last pictures.

    Raises:
        Problem: naming the step that failed; ``done`` holds the results of those before.
    """
    current = [picture] if isinstance(picture, str) else list(picture or [])
    results: list[dict[str, Any]] = []
    last = max((number for number, step in enumerate(steps, 1) if step.on), default=0)
    for number, step in enumerate(steps, 1):
        if not step.on:
            results.append({"task": step.name, "state": "off"})
            continue
        with Numbered(number, results):
            task = task_of(step.name)
            values = dict(step.values)
            if task.subject and task.subject not in values and current:
                values[task.subject] = current[0] if len(current) == 1 else current
            result = run(step.name, task, values, step.saving, number == last)
        results.append(result)
        if not task.makes.looks and (made := pictures_of(result)):
            current = made
    return results, current


class Numbered:
    """Gives an error the number of its step, and the results of the steps before."""

    def __init__(self, number: int, done: list[dict[str, Any]] | None = None) -> None:
        self.number, self.done = number, done

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: BaseException | None, where: Any) -> None:
        if isinstance(error, Exception):
            problem = problem_of(error)
            if problem.kind == "internal":
                return  # the log is to have the traceback
            problem.more = {"step": self.number, **({"done": self.done} if self.done is not None else {})}
            raise problem from error


class Chain(NamedTuple):
    """A recipe as a chain of the service: the picture it begins with, its steps, and which files it wants."""

    picture: str | None
    steps: list[dict[str, Any]]
    inputs: list[dict[str, Any]]

    @property
    def is_replayable(self) -> bool:
        """Whether all that it wants is there, and this danqing works as the one that made it."""
        return all(each["here"] for each in self.inputs)

    def told(self) -> dict[str, Any]:
        """As JSON values."""
        return {"picture": self.picture, "steps": self.steps, "inputs": self.inputs, "replayable": self.is_replayable}


def chain_of(recipe: Recipe, shelf: Shelf, models: Mapping[str, str]) -> Chain:
    """A recipe as a chain; files are known by their hash.

    Args:
        recipe: of a file.
        shelf: where the files are looked for.
        models: ids of weights by their hash.
    """
    inputs: list[dict[str, Any]] = []
    steps: list[dict[str, Any]] = []
    picture = None
    for number, step in enumerate(recipe):
        values, wanted = _values(step, models)
        subject = _subject(step)
        for each in wanted:
            here = each["id"] in models.values() or shelf.holds(each["id"])
            if not (number and each["as"] == subject):  # the result of the step before is made again
                inputs.append({**each, "here": here})
        if subject and subject in values:
            picture = picture or (values[subject] if not number else None)
            del values[subject]
        for name, version in _other_operators(step):
            inputs.append({"as": "operator", "id": f"{name} {version}".rstrip(), "name": name, "here": False})
        following = recipe[number + 1].inputs if number + 1 < len(recipe) else []
        form = next(
            (each["path"].rpartition(".")[2] for each in following if each["as"] == _subject(recipe[number + 1])), ""
        )
        saving = {**step.saved, **({"format": form} if form else {})}
        steps.append({"task": step.operator, "values": values, **({"saving": saving} if saving else {})})
    return Chain(picture, steps, inputs)


def recipe_of(file: Any) -> Recipe:
    """The recipe in a file.

    Raises:
        Problem: if it has none.
    """
    try:
        recipe = recipe_in(file)
    except ParameterError:
        raise
    except DanqingError:
        recipe = None
    if not recipe:
        raise Problem("not-found", "holds no recipe", parameter=file.name, remedy="Only files that danqing wrote do")
    return recipe


def _other_operators(step: Step) -> Iterator[tuple[str, Any]]:
    """What made a step, or was made use of in it, and is another one today; with the version meant."""
    if step.operator not in offered() or getattr(offered()[step.operator], "version", 1) != step.version:
        yield step.operator, step.version
    if name := other_use(step.uses):
        yield name, step.uses[name].get("version", "")


def _subject(step: Step) -> str:
    task = offered().get(step.operator)
    return "" if task is None else task.subject


def _values(step: Step, models: Mapping[str, str]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The values of a step, files as ids; and the files."""
    values = {name: value for name, value in step.params.items() if value is not None}
    wanted = [{"as": each["as"], "id": each["sha256"], "name": each["path"].rpartition("/")[2]} for each in step.inputs]
    for name, facts in step.weights.items():
        known = models.get(facts["sha256"], facts["sha256"])
        wanted.append({"as": name, "id": known, "name": facts["name"].rpartition("/")[2]})
    return {**values, **{each["as"]: each["id"] for each in wanted}}, wanted


__all__ = ["Asked", "Chain", "Numbered", "Run", "chain_of", "read_steps", "recipe_of", "run_chain"]
