"""The command line: a command for each operator, and the verbs; ``danqing --help`` loads neither torch nor any."""

from __future__ import annotations

import difflib
import functools
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Collection, Sequence
from typing import Any, NoReturn

import click
from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

import danqing
from danqing.core.errors import DanqingError, UserError, of_disk
from danqing.core.menu import Entry, operators, tasks
from danqing.core.notes import PictureWarning
from danqing.core.stops import stops
from danqing.faces.pages import Row, drawn, section
from danqing.faces.screen import FilesFailed, as_json, error_json, errors, told
from danqing.faces.tables import legible

FOLDERS = {"data": "Look through a set of pictures, or pack it, before training."}
STOPPED = 130  # as shells say of Ctrl-C
MOMENT = "1000"  # rounds in which a thread of OpenMP looks whether the others are done, before it sleeps


@functools.cache
def groups() -> dict[str, list[Entry]]:
    """The operators of each group; a group may stand before its operators where no command has its name."""
    found: dict[str, list[Entry]] = {}
    for entry in operators().values():
        found.setdefault(entry.group, []).append(entry)
    return found


@functools.cache
def verbs() -> dict[str, str]:
    """The commands that are no operators, with their menu text; nothing is imported."""
    first = {name.partition(" ")[0]: entry.summary for name, entry in tasks().items()}
    return {name: FOLDERS.get(name, summary) for name, summary in sorted(first.items())}


class Menu(click.Group):
    """Commands by name, with a guess at what was meant."""

    def known(self) -> set[str]:
        """What may be typed."""
        return set(self.list_commands(click.Context(self)))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        args = [_whole(each, self.known()) if at == 0 else each for at, each in enumerate(args)]
        if args and _operator(args[0]) not in self.known() and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], self.known(), 3, 0.5)
            remedy = f"Did you mean {' or '.join(near)}?" if near else f"{ctx.command_path} --help lists all commands"
            raise UserError("there is no such command", where=args[0], remedy=remedy)
        return super().resolve_command(ctx, args)


class GroupMenu(Menu):
    """The commands of one group: ``danqing degrade add_noise`` (as ``danqing add_noise``), ``danqing data check``."""

    def entries(self) -> dict[str, Entry]:
        """Its commands by name."""
        name = self.name or ""
        inner = {key.partition(" ")[2]: entry for key, entry in tasks().items() if key.startswith(f"{name} ")}
        return inner or {entry.name: entry for entry in groups()[name]}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.entries())

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        entry = self.entries().get(_operator(name))
        return None if entry is None else _command(f"{self.name} {entry.name}", entry.name)

    def get_help(self, ctx: click.Context) -> str:
        usage = Text.assemble(
            (ctx.command_path, "bold cyan"), " COMMAND …   ", ("COMMAND --help tells all of it", "dim")
        )
        rows = (Row(entry.name, "", entry.summary) for entry in self.entries().values())
        return drawn([usage, "", *section((self.name or "").capitalize(), rows)])


class Studio(Menu):
    """The whole command line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*verbs(), *operators()]

    def known(self) -> set[str]:
        return {*verbs(), *operators(), *groups()}

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in tasks() or _operator(name) in operators():
            return _command(name, _operator(name))
        return GroupMenu(name) if name in groups() or name in verbs() else None

    def get_help(self, ctx: click.Context) -> str:
        parts: list[RenderableType] = [
            Text.assemble(("danqing 丹青", "bold red"), f" {danqing.__version__}"),
            Padding("Make and mend pictures with neural networks, on the computer you have.", (0, 0, 1, 0)),
            Padding(
                Text.assemble(("danqing COMMAND …", "cyan"), "   ", ("COMMAND --help tells all of it", "dim")), (0, 2)
            ),
            "",
            *section("Train, look, repeat", (Row(name, "", words) for name, words in verbs().items())),
        ]
        return drawn([*parts, *(part for group in groups() for part in _listed(group))])

    def main(  # type: ignore[override]  # it always leaves, whatever standalone_mode says
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> NoReturn:
        """Run a command and leave with its exit code; whatever goes wrong is told in one block."""
        typed = list(sys.argv[1:] if args is None else args)
        for stream in (sys.stdout, sys.stderr):  # a file name may hold what the terminal cannot show
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")
        try:
            code = self._run(typed, prog_name or "danqing", {**extra, "standalone_mode": False})
            sys.stdout.flush()
        except BrokenPipeError:  # the reader, such as head, has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = 0
        sys.exit(code)

    def _run(self, typed: list[str], prog_name: str, extra: dict[str, Any]) -> int:
        """Run a command; its exit code."""
        try:
            if "--debug" not in typed:
                warnings.showwarning = _warned  # the process is this command's own
            code = super().main(typed, prog_name, **extra)
            return code if isinstance(code, int) else 0
        except BrokenPipeError:
            raise
        except BaseException as error:
            if "--debug" in typed and not isinstance(error, SystemExit | FilesFailed):
                traceback.print_exc()
            return _told(error, "--json" in typed)


def _whole(name: str, known: Collection[str]) -> str:
    """The command that a name means: itself, or the only one that ends so, as ``faces`` means ``find_faces``."""
    ending = [each for each in known if each.endswith(f"_{_operator(name)}")]
    return ending[0] if _operator(name) not in known and len(ending) == 1 else name


def _listed(group: str) -> list[RenderableType]:
    """The lines of a group on a menu."""
    return section(group.capitalize(), (Row(entry.name, "", entry.summary) for entry in groups()[group]))


def _command(*names: str) -> click.Command:
    """The command of the task that goes by one of these names."""
    from danqing.core.operators.task import task_named
    from danqing.faces.forms import command_of

    return command_of(task_named(next(name for name in names if name in tasks() or name in operators())))


def _operator(name: str) -> str:
    """The operator meant: its name may be typed with dashes, too."""
    return name.replace("-", "_")


def main() -> NoReturn:
    """Run danqing from the command line; SIGTERM and the terminal's end are taken as Ctrl-C."""
    for number in set(stops()) - {signal.SIGINT}:
        signal.signal(number, signal.default_int_handler)
    _wait_asleep(any(name in tasks() and tasks()[name].kind == "Local" for name in sys.argv[1:2]))
    cli.main()


def _wait_asleep(stays: bool) -> None:
    """Let threads that wait for each other give the processor away: read once, when torch is loaded.

    What ``stays`` shares the processor with trainings and does not wait at all; anything else waits a moment first
    (docs/adr/0054).
    """
    if "OMP_WAIT_POLICY" not in os.environ and "GOMP_SPINCOUNT" not in os.environ:
        os.environ.update({"OMP_WAIT_POLICY": "PASSIVE"} if stays else {"GOMP_SPINCOUNT": MOMENT})


def _told(error: BaseException, for_programs: bool) -> int:
    """Tell an error, and say with which code to leave."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 1
    if isinstance(error, FilesFailed):
        return 1
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        print(error.message)
        return 0
    if isinstance(error, click.Abort | KeyboardInterrupt):
        errors().print("stopped", style="bold")
        return STOPPED
    known = _known(error)
    errors().print(as_json({"error": error_json(known)}) if for_programs else told(known), soft_wrap=True)
    return known.exit_code


def _warned(message: Warning | str, *_: Any, **__: Any) -> None:
    """Tell a warning of ours, such as of a picture that lost something, in one line; packages warn programmers."""
    if not isinstance(message, PictureWarning):
        return
    errors().print(Text.assemble(("! ", "bold yellow"), legible(message)), soft_wrap=True)


def _known(error: BaseException) -> DanqingError:
    """Any error in our own terms."""
    if isinstance(error, DanqingError):
        return error
    if isinstance(error, click.UsageError):
        command = error.ctx.command_path if error.ctx is not None else "danqing"
        return UserError(error.format_message().rstrip("."), where=command, remedy=f"{command} --help tells how")
    if isinstance(error, click.ClickException):
        return UserError(error.format_message())
    if place := of_disk(error):
        return place
    if isinstance(error, MemoryError):
        return DanqingError("there is not enough memory", remedy="Close other programs, or make the pictures smaller")
    words = str(error).partition("\n")[0][:300]
    what = f"danqing failed: {type(error).__name__}{': ' if words else ''}{words}"
    return DanqingError(what, remedy="This should not happen. Run again with --debug to see where")


@click.command(cls=Studio, name="danqing", context_settings={"help_option_names": ["--help", "-h"]})
@click.version_option(danqing.__version__, prog_name="danqing")
def cli() -> None:
    """Make and mend pictures with neural networks, on the computer you have."""


__all__ = ["cli", "main", "verbs"]
