"""Commands drawn from forms: each field of a schema becomes an option, each operator a command."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from danqing.core.artefacts.results import QUALITY, Saving, returns
from danqing.core.errors import ParameterError
from danqing.core.operators.form import Field
from danqing.core.operators.operator import Operator
from danqing.core.runs.apply import Report, apply
from danqing.faces.outcome import report
from danqing.faces.pages import Page, Row, row_of
from danqing.faces.screen import Screen
from danqing.faces.work import run

FILE = click.Path(path_type=Path)
GRID_COLUMNS = 8
UNREACHED = 1e9
METAVARS = {
    "int": "N", "float": "NUMBER", "text": "TEXT", "colour": "#RRGGBB", "source": "PICTURES", "path": "FILE",
    "weights": "MODEL", "pictures": "PICTURE", "mask": "MASK",
}  # fmt: skip
FILES = ("pictures", "mask", "weights")  # checked where they are read


class FieldType(click.ParamType[Any]):
    """Reads and checks a value by its field, so that every face refuses in the same words."""

    def __init__(self, field: Field) -> None:
        self.field, self.name = field, field.kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        field = self.field
        try:
            parsed = field.parse(value) if isinstance(value, str) and field.kind not in FILES else value
            return parsed if field.kind in FILES else field.check(parsed)
        except ParameterError as error:
            raise _as_typed(error, [field]) from error


class FieldOption(click.Option):
    """An option that a field stands behind."""

    def __init__(self, field: Field) -> None:
        self.field = field
        spelt = dashed(field.name)
        if field.kind == "bool":
            super().__init__([field.name, f"--{spelt}/--no-{spelt}"], default=None)
        else:
            super().__init__([field.name, f"--{spelt}"], type=FieldType(field), metavar=METAVARS.get(field.kind))

    def row(self) -> Row:
        """Its line on a help page."""
        field = self.field
        if field.kind == "bool" and field.default is True:
            return Row(f"--[no-]{dashed(field.name)}", "", field.words, "[yes]")
        if field.kind == "bool":
            return Row(f"--{dashed(field.name)}", "", field.words)
        values = " ".join(map(str, field.choices)) or _range(field) or METAVARS.get(field.kind, "")
        return Row(f"--{dashed(field.name)}", values, field.words, _default(field))


class FieldArgument(click.Argument):
    """A positional argument that a field stands behind."""

    def __init__(self, field: Field, metavar: str = "") -> None:
        self.field = field
        super().__init__([field.name], type=FieldType(field), metavar=metavar or field.name.upper())

    def row(self) -> Row:
        """Its line on a help page."""
        return Row(self.make_metavar(click.Context(click.Command(""))), "", self.field.words)


class OperatorCommand(Page):
    """An operator as a command."""

    def __init__(self, operator: Operator) -> None:
        self.operator = operator
        self.doc = inspect.getdoc(operator.function) or ""
        super().__init__(operator.name, callback=self.work, params=_parameters(operator), help=operator.summary)

    def rows(self, ctx: click.Context) -> dict[str, list[Row]]:
        shown: dict[str, list[Row]] = {"Works on": [], "Settings": [], "Files and output": []}
        for parameter in self.get_params(ctx):
            if isinstance(parameter, FieldArgument):
                shown["Works on"].append(parameter.row())
            elif isinstance(parameter, FieldOption):
                shown["Settings"].append(parameter.row())
            elif isinstance(parameter, click.Option):
                shown["Files and output"].append(row_of(parameter))
            else:
                shown["Works on"].append(Row("PICTURES", "", "Picture files, or folders of them."))
        return shown

    def work(self, **given: Any) -> None:
        """Run the operator on what was typed."""
        names = {field.name for field in self.operator.form}
        values = {name: given.pop(name) for name in names if name in given}
        screen = Screen(given["quiet"], given["as_json"])
        saving = Saving(
            force=given["force"],
            depth=int(given["depth"]) if given.get("depth") else None,
            quality=given.get("quality") or QUALITY,
            columns=_columns(given.get("grid"), given.get("columns")),
            limit=given.get("limit"),
        )
        places = {"out": given["out"], "out_dir": given["out_dir"]}
        try:
            done: Report = run(apply(self.operator, values, given.get("pictures", ()), **places, saving=saving), screen)
        except ParameterError as error:
            raise _as_typed(error, self.operator.form) from error
        report(done, screen, given["out_dir"])


def talk(*, files: bool = False) -> list[click.Option]:
    """The options of every command: how it speaks."""
    options = [
        click.Option(["as_json", "--json"], is_flag=True, help="Print results for programs."),
        click.Option(["--quiet"], is_flag=True, help="Say nothing but errors."),
        click.Option(["--debug"], is_flag=True, expose_value=False, help="Show where in the code an error arose."),
    ]
    return [click.Option(["--force"], is_flag=True, help="Replace what is there."), *options] if files else options


def values_given(given: dict[str, Any], fields: Iterable[Field]) -> dict[str, Any]:
    """Those of the fields that were typed."""
    return {field.name: given[field.name] for field in fields if given.get(field.name) is not None}


def dashed(name: str) -> str:
    """The name of a field as it is typed."""
    return name.strip("_").replace("_", "-")


def _parameters(operator: Operator) -> list[click.Parameter]:
    arguments: list[click.Parameter] = []
    if operator.takes_pictures:
        arguments.append(click.Argument(["pictures"], nargs=-1, type=FILE, required=True))
    positional = _positional(operator)
    arguments += [FieldArgument(field, "" if operator.takes_pictures else METAVARS[field.kind]) for field in positional]
    options = [FieldOption(field) for field in operator.form if field not in positional]
    taken = {field.name for field in operator.fields}
    return [*arguments, *options, *(option for option in _saving(operator) if option.name not in taken)]


def _positional(operator: Operator) -> list[Field]:
    """Fields given by their place: pictures to set beside the first, or the one thing that is worked from."""
    if operator.takes_pictures:
        return [field for field in operator.form if field.kind == "pictures" and field.required]
    first = operator.form[:1]
    return [field for field in first if field.required and field.kind in ("weights", "path", "source")]


def _saving(operator: Operator) -> list[click.Option]:
    """How pictures are read and results are kept."""
    makes = returns(operator)
    sheet = [
        click.Option(["--grid"], is_flag=True, help="Lay all pictures on one sheet."),
        click.Option(["--columns"], type=click.IntRange(1), metavar="N", help="Pictures a row of the sheet."),
    ]
    writing = [
        click.Option(["--depth"], type=click.Choice(["8", "16"]), metavar="8 16", help="Bits a channel."),
        click.Option(["--quality"], type=click.IntRange(1, 100), metavar="1…100", help="Of JPEG, WebP, AVIF and MP4."),
    ]
    reading = [
        click.Option(
            ["--limit"], type=click.FloatRange(0, min_open=True), metavar="MEGAPIXELS", help="Largest picture to read."
        )
    ]
    return [
        click.Option(["--out", "-o"], type=FILE, metavar="FILE", help=_OUT[makes]),
        click.Option(["--out-dir"], type=FILE, metavar="DIR", help="Write results into this folder."),
        *(sheet if makes == "pictures" and not operator.takes_pictures else []),
        *(writing if makes != "encoded" else []),
        *(reading if operator.takes_pictures else []),
        *talk(files=True),
    ]


_OUT = {
    "pictures": "Write the picture here; the suffix says the format.",
    "finding": "Write the picture here, or the numbers if it ends in .json.",
    "frames": "Write the moving picture here: .gif, .webp or .mp4.",
    "encoded": "Write the file here; the suffix chooses the format.",
    "numbers": "Write the numbers here, as JSON.",
}


def _columns(grid: bool | None, columns: int | None) -> int:
    return columns or GRID_COLUMNS if grid or columns else 0


def _range(field: Field) -> str:
    """The range in short; an upper end that nobody reaches is left open."""
    limit = field.range
    if limit is None:
        return ""
    return str(limit if limit.high < UNREACHED else replace(limit, high=math.inf))


def _default(field: Field) -> str:
    if field.required:
        return "[required]"
    return "" if field.default in (None, "") else f"[{field.default}]"


def _as_typed(error: ParameterError, fields: Sequence[Field]) -> ParameterError:
    """Name a parameter as it is typed."""
    if error.where not in {field.name for field in fields}:
        return error
    return ParameterError(error.what, where=f"--{dashed(error.where)}", remedy=error.remedy)
