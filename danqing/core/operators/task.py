"""A task: a function that people can ask for, with its form, its words and what it makes; faces draw tasks alone."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, ParamSpec, TypeVar, overload

from danqing.core.artefacts.artefact import Artefact, artefact_of
from danqing.core.errors import ParameterError
from danqing.core.fields.form import Field, checked, schema
from danqing.core.menu import Entry, imported, look_up, operators, tasks
from danqing.core.progress import Job, finish
from danqing.core.words import Words, words_of

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(eq=False)
class Task(Generic[P, R]):
    """A function made a task: calling it checks every value against its form first.

    Attributes:
        function: what is done; a plain function, or a generator function that yields Progress (long work).
        name: what people call it.
        group: the folder it lives in.
        makes: the kind of what it returns, read from the signature once.
    """

    function: Callable[..., Any]
    name: str
    group: str

    def __post_init__(self) -> None:
        functools.update_wrapper(self, self.function)
        self.makes: type[Artefact] = artefact_of(self.function)

    @functools.cached_property
    def fields(self) -> tuple[Field, ...]:
        """Its parameters in order."""
        return schema(self.function)

    @property
    def takes_pictures(self) -> bool:
        """Whether it works on pictures, its first parameter; others make something from weights, files or nothing."""
        return False

    @property
    def subject(self) -> str:
        """The parameter that takes the pictures worked on; empty when there is none."""
        return self.fields[0].name if self.takes_pictures else ""

    @property
    def form(self) -> tuple[Field, ...]:
        """Its parameters but the pictures worked on: what a face asks for."""
        return self.fields[1:] if self.takes_pictures else self.fields

    @property
    def is_long(self) -> bool:
        """Whether it takes long and tells its progress: its function is a generator function."""
        return inspect.isgeneratorfunction(self.function)

    @property
    def trains(self) -> str:
        """The family of models that it trains, in a run that can go on at any time; empty: none."""
        return ""

    def can_go_on(self, folder: Path) -> bool:
        """Whether a run of it, in a folder, can go on from where it stands."""
        return False

    @property
    def own_places(self) -> tuple[str, ...]:
        """The parameters that say where on this disk results go; who keeps them elsewhere leaves these out."""
        return "out", "force"

    @property
    def words(self) -> Words:
        """What its docstring says."""
        return words_of(self.function)

    @property
    def summary(self) -> str:
        """Its menu text."""
        return self.words.summary

    def children(self) -> dict[str, Entry]:
        """Tasks that are called by a second word after its name; most have none."""
        return {}

    def child(self, name: str) -> Task[..., Any]:
        """One of them."""
        raise ParameterError(f"{self.name} has no {name}", where=self.name)

    @property
    def places(self) -> tuple[str, ...]:
        """The parameters that a command line takes by their place: pictures to set beside those worked on, or the one
        thing that is worked from.
        """
        wanted = [each for each in self.form if each.required and each.kind.leads]
        if self.takes_pictures:
            return tuple(each.name for each in wanted if each.kind.is_picture)
        return tuple(each.name for each in self.form[:1] if each in wanted)

    def placed(self, given: dict[str, Any]) -> dict[str, Any]:
        """What was asked for, with a place for what will be written where nobody chose one."""
        return given

    def after_stop(self, given: dict[str, Any]) -> str:
        """How to go on when work on these values is stopped; empty where nothing is left to go on from."""
        return ""

    def begin(self, given: dict[str, Any]) -> Job[R]:
        """Check what was given, fill in the rest, and run.

        Raises:
            ParameterError: for a value that does not fit the form.
        """
        return self.run(checked(self.fields, given))

    def job(self, *args: P.args, **values: P.kwargs) -> Job[R]:
        """Check the values, then run as a job (plain functions yield nothing).

        Raises:
            ParameterError: for a value that does not fit the form.
        """
        return self.begin(self.bound(args, values))

    def run(self, ready: dict[str, Any]) -> Job[R]:
        """Run the function on values that are checked."""
        if self.is_long:
            return self.function(**ready)  # type: ignore[no-any-return]
        return at_once(self.function, ready)

    def __call__(self, *args: P.args, **values: P.kwargs) -> R:
        """Check the values and do it; :func:`danqing.finish` shows the Progress of a ``job`` meanwhile."""
        return finish(self.job(*args, **values))

    def bound(self, args: tuple[Any, ...], values: dict[str, Any]) -> dict[str, Any]:
        """The values by name."""
        signature = inspect.signature(self.function)
        known = {name: value for name, value in values.items() if name in signature.parameters}
        return {**values, **signature.bind_partial(*args, **known).arguments}


class Local(Task[P, R]):
    """A task for the person at this machine alone, such as starting a service, or writing where it is told to: no
    service offers it.
    """


def at_once(function: Callable[..., Any], values: dict[str, Any]) -> Job[Any]:
    """A plain function as a job."""
    yield from ()
    return function(**values)


@overload
def task(function: Callable[P, Job[R]]) -> Task[P, R]: ...  # type: ignore[overload-overlap]  # a job's result is meant


@overload
def task(function: Callable[P, R]) -> Task[P, R]: ...


@overload
def task(*, kind: type[Task[..., Any]]) -> Callable[[Callable[..., Any]], Task[..., Any]]: ...


def task(function: Callable[..., Any] | None = None, *, kind: type[Task[..., Any]] = Task) -> Any:
    """Make a function a task, or one of a special kind; its name must be that of its file, which lies in ``tasks``."""

    def decorate(inner: Callable[..., Any]) -> Task[..., Any]:
        home = Path(inspect.getfile(inner)).parent.name
        return kind(inner, inner.__name__ if home == "tasks" else f"{home} {inner.__name__}", "tasks")

    return decorate if function is None else decorate(function)


def task_named(name: str) -> Task[..., Any]:
    """Import a task or an operator.

    Raises:
        ParameterError: if there is none of that name.
    """
    found: Task[..., Any] = imported(look_up({**tasks(), **operators()}, name, "task"))
    return found


__all__ = ["Local", "Task", "task", "task_named"]
