"""Commands drawn from tasks: each field of a form becomes an option or an argument, whatever task it is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from danqing.core.errors import ParameterError
from danqing.core.fields.form import Field
from danqing.core.operators.operator import Operator
from danqing.core.operators.task import Task
from danqing.core.runs.cluster import place_named
from danqing.core.runs.folders import Folders, places_of
from danqing.core.runs.run import Result
from danqing.core.runs.run import run as job_of
from danqing.faces.outcome import report
from danqing.faces.pages import Row, page
from danqing.faces.screen import Screen
from danqing.faces.work import run

AnyTask = Task[..., Any]
GRID = "grid"  # the short way to say that results go on one sheet
SPEECH = {"as_json": "Print results for programs.", "quiet": "Say nothing but errors.",
          "debug": "Show where in the code an error arose."}  # fmt: skip
SHORT = {"out": "-o"}


class FieldType(click.ParamType[Any]):
    """Reads and checks a value by its field, so that every face refuses in the same words."""

    def __init__(self, field: Field, called: str) -> None:
        self.field, self.name, self.called = field, field.kind.name, called

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        field = self.field
        try:
            parsed = field.parse(value) if isinstance(value, str) else value
            return parsed if field.kind.reads else field.check(parsed)
        except ParameterError as error:
            if error.where != field.name:
                raise
            raise ParameterError(error.what, where=self.called, remedy=error.remedy) from error


class FieldOption(click.Option):
    """An option that a field stands behind."""

    def __init__(self, field: Field) -> None:
        self.field = field
        spelt = dashed(field.name)
        if field.kind.is_switch:
            super().__init__([field.name, f"--{spelt}/--no-{spelt}"], default=None)
        else:
            names = [field.name, f"--{spelt}", *([SHORT[field.name]] if field.name in SHORT else [])]
            super().__init__(names, type=FieldType(field, f"--{spelt}"), metavar=field.kind.metavar)

    def row(self) -> Row:
        """Its line on a help page."""
        field, spelt = self.field, dashed(self.field.name)
        if field.kind.is_switch:
            return Row(f"--[no-]{spelt}" if field.default else f"--{spelt}", "", field.words, _default(field))
        return Row(f"--{spelt}", field.kind.metavar, field.words, _default(field))


class FieldArgument(click.Argument):
    """A positional argument that a field stands behind."""

    def __init__(self, field: Field, metavar: str) -> None:
        self.field = field
        super().__init__([field.name], type=FieldType(field, metavar), metavar=metavar, required=field.required)

    def row(self) -> Row:
        """Its line on a help page."""
        return Row(self.make_metavar(click.Context(click.Command(""))), "", self.field.words)


class TaskCommand(click.Command):
    """A task as a command."""

    def __init__(self, task: AnyTask) -> None:
        self.task = task
        super().__init__(task.name.rpartition(" ")[2], params=parameters(task), help=task.summary)

    def get_help(self, ctx: click.Context) -> str:
        return task_page(self, ctx, self.task)

    def invoke(self, ctx: click.Context) -> None:
        """Do the task with what was typed; options before the name of a child hold where it has none of its own."""
        outer = ctx.parent.params if ctx.parent is not None and isinstance(ctx.parent.command, TaskGroup) else {}
        given = {name: value for name, value in outer.items() if value is not None and value != ()}
        given |= {name: value for name, value in ctx.params.items() if value is not None and value != ()}
        perform(self.task, given)


class TaskGroup(click.Group):
    """A task that has others as its children, as ``train`` has one for each family."""

    def __init__(self, task: AnyTask) -> None:
        self.task = task
        super().__init__(task.name, params=parameters(task), help=task.summary, invoke_without_command=True)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.task.children())

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return TaskCommand(self.task.child(name))

    def get_help(self, ctx: click.Context) -> str:
        children = [Row(name, "", entry.summary) for name, entry in self.task.children().items()]
        return task_page(self, ctx, self.task, {"One of": children})

    def invoke(self, ctx: click.Context) -> Any:
        if ctx._protected_args or ctx.args:
            return super().invoke(ctx)
        return perform(self.task, {name: value for name, value in ctx.params.items() if value is not None})


def command_of(task: AnyTask) -> click.Command:
    """The command of a task."""
    return TaskGroup(task) if task.children() else TaskCommand(task)


def perform(task: AnyTask, given: Mapping[str, Any]) -> None:
    """Run a task on what was typed, and tell what became of it."""
    first = os.environ.get("RANK", os.environ.get("SLURM_PROCID", "0")) == "0"  # of several processes one speaks
    screen = Screen(bool(given.get("quiet")) or not first, bool(given.get("as_json")))
    names = {field.name for field in task.form}
    values = task.placed({name: value for name, value in given.items() if name in names})
    store = None
    if isinstance(task, Operator):
        store = Folders.asked({name: value for name, value in given.items() if name not in names})
    try:
        with place_named(None if store is None else given.get("on")) as place:
            result: Result = run(job_of(task, values, store, place), screen)
    except KeyboardInterrupt:
        if words := task.after_stop(values):
            screen.say(Text(words, "cyan"))
        raise
    except ParameterError as error:
        only = next(iter(store.pictures), None) if store is not None else None
        raise _told_of(error, task, only) from error
    report(_as_typed(result, task), screen, None if store is None else store.out_dir)


def _as_typed(result: Result, task: AnyTask) -> Result:
    """Name parameters as they are typed in what failed of many pictures, too."""
    told = [(each, each.error) for each in result.outcomes]
    outcomes = [
        each._replace(error=_told_of(error, task, each.source)) if isinstance(error, ParameterError) else each
        for each, error in told
    ]
    return replace(result, outcomes=outcomes)


def _told_of(error: ParameterError, task: AnyTask, picture: str | Path | None) -> ParameterError:
    """Name a parameter as it is typed; that of the picture worked on is the picture."""
    if picture is None or not task.subject or error.where != task.subject:
        return as_typed(error, task)
    return ParameterError(error.what, where=picture, remedy=error.remedy)


def parameters(task: AnyTask) -> list[click.Parameter]:
    """Arguments first, then options: of the task, of where its results go, and of how the command speaks."""
    made: list[click.Parameter] = []
    if task.takes_pictures:
        made.append(click.Argument(["pictures"], nargs=-1, type=click.Path(), required=True))
    places = [field for field in task.form if field.name in task.places]
    made += [FieldArgument(each, place_called(each, task)) for each in places]
    made += [FieldOption(field) for field in task.form if field not in places]
    if isinstance(task, Operator):
        made += [FieldOption(field) for field in places_of(task)]
    taken = {each.name for each in made}
    speech = {name: words for name, words in SPEECH.items() if name not in taken}
    return [*made, *(_speech(name, words) for name, words in speech.items())]


def task_page(
    command: click.Command, ctx: click.Context, task: AnyTask, more: dict[str, list[Row]] | None = None
) -> str:
    """The help page of a task."""
    shown: dict[str, list[Row]] = {"Works on": [], **(more or {}), "Settings": [], "Files and output": []}
    own = {field.name for field in task.form}
    for parameter in command.get_params(ctx):
        if isinstance(parameter, FieldArgument):
            shown["Works on"].append(parameter.row())
        elif isinstance(parameter, FieldOption):
            shown["Settings" if parameter.name in own else "Files and output"].append(parameter.row())
        elif isinstance(parameter, click.Option):
            if parameter.help:
                shown["Files and output"].append(Row(parameter.opts[0], "", parameter.help))
        else:
            shown["Works on"].append(Row("PICTURES", "", "Picture files, or folders of them."))
    usage = Text.assemble((ctx.command_path, "bold cyan"), " ", " ".join(command.collect_usage_pieces(ctx)))
    return page(usage, task.words, shown)


def dashed(name: str) -> str:
    """The name of a field as it is typed."""
    return name.strip("_").replace("_", "-")


def place_called(field: Field, task: AnyTask) -> str:
    """What the usage of a task calls a field that has its place there."""
    return field.name.upper() if task.takes_pictures else field.kind.metavar


def as_typed(error: ParameterError, task: AnyTask) -> ParameterError:
    """Name a parameter as it is typed: an option, or what has its place by what the usage calls it."""
    field = next((field for field in task.form if field.name == error.where), None)
    if field is None:
        return error
    typed = place_called(field, task) if field.name in task.places else f"--{dashed(field.name)}"
    return ParameterError(error.what, where=typed, remedy=error.remedy)


def _speech(name: str, words: str) -> click.Option:
    spelt = {"as_json": "--json"}.get(name, f"--{name}")
    return click.Option([name, spelt], is_flag=True, help=words, expose_value=name != "debug", default=None)


def _default(field: Field) -> str:
    if field.required:
        return "[required]"
    if field.kind.is_switch:
        return "[yes]" if field.default else ""
    return f"[{field.spelt_default}]" if field.spelt_default else ""
