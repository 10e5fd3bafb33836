"""Every command line that is shown can be typed: those of the tasks' examples, and those of the documents."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from danqing.core.errors import DanqingError
from danqing.core.menu import operators, tasks
from danqing.core.operators.task import task_named
from danqing.faces.cli import cli
from danqing.faces.forms import TaskCommand, TaskGroup

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("README*.md"), *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```[a-z]*\n(.*?)^```$", re.M | re.S)


def read(line: str) -> None:
    """What the command line does with words before any work begins: it reads them, and asks for what is required.

    Raises:
        DanqingError: or one of click's, for what it would refuse.
    """
    program, *words = shlex.split(line, comments=True)
    assert program == "danqing"
    context = click.Context(cli, info_name="danqing")
    command: click.Command | None = cli
    while isinstance(command, click.Group) and words and not (isinstance(command, TaskGroup) and words[0][:1] == "-"):
        if isinstance(command, TaskGroup):
            context = command.make_context(command.name, words, parent=context)
            words = [*context._protected_args, *context.args]
            if not words:
                return
        _, command, words = command.resolve_command(context, words)
    assert command is not None
    context = command.make_context(command.name, words, parent=context)
    if isinstance(command, TaskCommand):
        given = {name for name, value in context.params.items() if value not in (None, ())}
        given |= {command.task.subject} if "pictures" in given else set()
        missing = [each.name for each in command.task.fields if each.required and each.name not in given]
        assert not missing, f"{line}: is required: {missing}"


def examples() -> Iterator[str]:
    for name in [*operators(), *tasks()]:
        yield from task_named(name).words.examples


def shown_on(page: Path) -> list[str]:
    """The commands in a page's blocks, without the words beside them, which stand behind a gap."""
    lines = "\n".join(BLOCK.findall(page.read_text("utf-8"))).replace("\\\n", " ").splitlines()
    return [re.split(r" {2,}", line)[0] for line in lines if line.startswith("danqing ")]


@pytest.mark.parametrize("line", list(examples()))
def test_every_example_of_a_task_can_be_typed(line: str) -> None:
    read(line)


@pytest.mark.parametrize("page", [page for page in PAGES if shown_on(page)], ids=lambda page: page.name)
def test_every_command_on_a_page_can_be_typed(page: Path) -> None:
    for line in shown_on(page):
        read(line)


@pytest.mark.parametrize(
    "line",
    [
        "danqing inpaint_by_flow a.png hole.png --weights emoji",
        "danqing blur a.png --strength far",
        "danqing flip",
        "danqing train dcgan PHOTOS --sise 64",
        "danqing no_such_thing a.png",
    ],
)
def test_one_that_cannot_be_is_noticed(line: str) -> None:
    with pytest.raises((AssertionError, DanqingError, click.ClickException)):
        read(line)
