"""Train a model family on pictures."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from danqing.core.errors import ParameterError, UserError
from danqing.core.learned.families import family_named
from danqing.core.menu import families
from danqing.faces.forms import FILE, FieldOption, talk, values_given
from danqing.faces.pages import Page, Row, drawn, row_of, section
from danqing.faces.screen import Screen, legible, short, table_of
from danqing.faces.work import run

if TYPE_CHECKING:
    from danqing.train.config import TrainConfig

EXAMPLES = """
Examples:
    danqing train {0} PICTURES --size 32 --budget 10m --out runs/a
    danqing train {0} digits --dry-run
    danqing train --resume runs/a
    danqing train --config runs/a/config.json --out runs/b
"""


class TrainFamily(Page):
    """``danqing train FAMILY``: the form of one family and the options of the loop."""

    def __init__(self, name: str) -> None:
        from danqing.train.config import family_fields

        self.fields = family_fields(name)
        self.doc = (
            f"{(inspect.getdoc(family_named(name)) or '').partition('Args:')[0].strip()}\n{EXAMPLES.format(name)}"
        )
        data = click.Argument(["data"], metavar="PICTURES", required=False)
        params = [data, *map(FieldOption, self.fields), *_loop_options()]
        super().__init__(name, callback=click.pass_context(self.work), params=params, help=families()[name].summary)

    def rows(self, ctx: click.Context) -> dict[str, list[Row]]:
        words = "A folder, a folder of class folders, a zip of either, WebDataset shards, or digits (built in)."
        own = {field.name for field in self.fields}
        options = [each for each in self.get_params(ctx) if isinstance(each, click.Option)]
        drawn_from_fields = [each for each in options if isinstance(each, FieldOption)]
        return {
            "Learns from": [Row("PICTURES", "", words)],
            "The model": [each.row() for each in drawn_from_fields if each.field.name in own],
            "The training": [each.row() for each in drawn_from_fields if each.field.name not in own],
            "The run": [row_of(each) for each in options if not isinstance(each, FieldOption)],
        }

    def work(self, ctx: click.Context, /, **given: Any) -> None:
        """Train this family."""
        given = _with_outer(ctx, given)
        values = {**values_given(given, self.fields), **_loop_values(given)}
        if given["resume"] is not None:
            raise UserError("a run that is resumed has its family already", where="--resume", remedy="Leave it out")
        data = given.get("data")
        if given["config"] is not None:
            changes = {"family": self.name, **({"data": data} if data else {}), **values}
            train(_configured(lambda: _from_file(given["config"], changes), values), given)
        elif data is None:
            raise ParameterError("no pictures to learn from are given", where=f"danqing train {self.name}")
        else:
            from danqing.train.config import TrainConfig

            train(_configured(lambda: TrainConfig.make(str(self.name), data, **values), values), given)


class Train(click.Group):
    """``danqing train``: the families, and runs that have one already."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(families())

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in families():
            raise ParameterError("there is no such model family", where=name, remedy=f"Known: {', '.join(families())}")
        return TrainFamily(name)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [
            *_loop_options(),
            *super().get_params(ctx),
        ]  # drawn here, so that the menu of all commands needs no torch

    def get_help(self, ctx: click.Context) -> str:
        words = "train FAMILY --help lists all that can be set; the pictures are a folder, a zip, shards, or digits."
        rows = [row_of(each) for each in self.get_params(ctx) if isinstance(each, click.Option)]
        parts: list[RenderableType] = [
            Text.assemble(("danqing train", "bold cyan"), " FAMILY PICTURES [OPTIONS]\n"),
            Padding(Text(f"{__doc__}\n\n{words}"), (0, 0, 1, 2)),
            *section("Families", (Row(e.name, "", e.summary) for e in families().values())),
            *section("Runs", (row for row in rows if row.name.lstrip("-") in ("resume", "config", "dry-run"))),
            Text("Examples", "bold"),
            *(
                Padding(Text(line.strip(), "green"), (0, 0, 0, 2))
                for line in EXAMPLES.format("FAMILY").splitlines()[2:]
            ),
        ]
        return drawn(parts)


def work(ctx: click.Context, /, **given: Any) -> None:
    """Go on with a run, or start one from a file."""
    if ctx.invoked_subcommand is not None:
        return
    values = _loop_values(given)
    if given["resume"] is not None:
        if given["config"] is not None or given["dry_run"]:
            raise UserError("goes with neither --config nor --dry-run", where="--resume")
        _resume(given["resume"], values, given)
    elif given["config"] is not None:
        train(_configured(lambda: _from_file(given["config"], values), values), given)
    else:
        raise ParameterError(
            "no model family is given", where="danqing train", remedy=f"Known: {', '.join(families())}"
        )


def train(config: TrainConfig, given: dict[str, Any]) -> None:
    """Train, or tell what training would take."""
    from danqing.train import loop, record
    from danqing.train.plan import plan

    screen = _screen(given)
    if given["dry_run"]:
        screen.give(run(plan(config), screen))
        return
    folder = config.options.out or record.free_folder(config.family)
    _train(lambda: loop.train(config.with_options(out=folder), force=given["force"]), folder, screen)


def _resume(folder: Path, values: dict[str, Any], given: dict[str, Any]) -> None:
    from danqing.train import loop

    _train(lambda: loop.resume(folder, **values), folder, _screen(given))


def _train(job: Callable[[], Any], folder: Path, screen: Screen) -> None:
    try:
        result = run(job(), screen)
    except KeyboardInterrupt:
        screen.say(Text(f"It goes on from there with: danqing train --resume {legible(folder)}", "cyan"))
        raise
    if screen.json:
        screen.give({"folder": str(result.folder), "model": str(result.model), "summary": result.summary})
        return
    screen.say(table_of(_figures(result.summary)))
    screen.say(Text.assemble(("wrote", "dim"), " ", (short(result.model), "green")))
    screen.say(Text(f"danqing card {short(result.folder)} tells all of it", "dim"))


def _figures(summary: dict[str, Any]) -> dict[str, Any]:
    """What a person wants to know of a run that has ended."""
    return {name: summary[name] for name in ("steps", "pictures_seen", "seconds", "alarms") if summary.get(name)}


def _configured(make: Callable[[], TrainConfig], values: dict[str, Any]) -> TrainConfig:
    """Name what does not fit as it was typed."""
    try:
        return make()
    except ParameterError as error:
        typed = error.where in values or error.where in {option.name for option in _loop_options()}
        where = f"--{error.where.replace('_', '-')}" if typed else error.where
        raise ParameterError(error.what, where=where, remedy=error.remedy) from error


def _from_file(file: Path, changes: dict[str, Any]) -> TrainConfig:
    from danqing.train.config import TrainConfig

    return TrainConfig.from_json(file, **changes)


def _with_outer(ctx: click.Context, given: dict[str, Any]) -> dict[str, Any]:
    """Options may stand before the family's name, too."""
    outer = ctx.parent.params if ctx.parent is not None else {}
    return {**given, **{name: value for name, value in outer.items() if not given.get(name) and value is not None}}


def _screen(given: dict[str, Any]) -> Screen:
    """Of several processes only the first one speaks."""
    first = os.environ.get("RANK", os.environ.get("SLURM_PROCID", "0")) == "0"
    return Screen(given["quiet"] or not first, given["as_json"])


def _loop_values(given: dict[str, Any]) -> dict[str, Any]:
    from danqing.train.config import option_fields

    return values_given(given, option_fields())


def _loop_options() -> list[click.Option]:
    from danqing.train.config import option_fields

    return [
        *map(FieldOption, option_fields()),
        click.Option(["--config"], type=FILE, metavar="FILE", help="Start from the config of a run (JSON)."),
        click.Option(["--resume"], type=FILE, metavar="RUN", help="Go on with the run in this folder, bit for bit."),
        click.Option(["--dry-run"], is_flag=True, help="Tell parameters, memory and time, and stop."),
        *talk(files=True),
    ]


command = Train("train", callback=click.pass_context(work), invoke_without_command=True, help=__doc__)
