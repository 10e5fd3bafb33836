"""Look through a set of pictures, or pack it, before training."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import click
from rich.padding import Padding
from rich.text import Text

from danqing.faces.forms import FILE, FieldOption, talk, values_given
from danqing.faces.pages import Page, Row, drawn, section
from danqing.faces.screen import FilesFailed, Screen, table_of
from danqing.faces.work import run

SPLITS = ("train", "test", "all")


class Data(click.Group):
    """``danqing data``."""

    def get_help(self, ctx: click.Context) -> str:
        rows = [Row(name, "", each.help or "") for name, each in self.commands.items()]
        title = Text.assemble(("danqing data", "bold cyan"), " COMMAND PICTURES\n")
        return drawn([title, Padding(__doc__, (0, 0, 1, 2)), *section("Commands", rows)])


class Check(Page):
    """``danqing data check``."""

    doc = """Read every picture and tell what a training would stumble over.

Names each file that cannot be used with its reason, counts sizes, modes and classes, finds exact and near duplicates,
and warns of too few pictures. A set that has not changed is not read again. Exit code 1 says that files cannot be used.

Examples:
    danqing data check PHOTOS
    danqing data check PHOTOS --family dcgan --json
"""


class Pack(Page):
    """``danqing data pack``: what training does first, to be done ahead or elsewhere."""

    doc = """Decode every picture once into the store that training reads from.

Training does it, too, and finds what was packed here. An interrupted packing goes on where it stopped.

Examples:
    danqing data pack PHOTOS --size 64
"""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [*map(FieldOption, _pack_fields()), *super().get_params(ctx)]  # drawn late: it needs torch

    def rows(self, ctx: click.Context) -> dict[str, list[Row]]:
        fields = [each.row() for each in self.get_params(ctx) if isinstance(each, FieldOption)]
        return {"Settings": fields, **super().rows(ctx)}


def check(pictures: str, labels: Path | None, family: str | None, again: bool, as_json: bool, quiet: bool) -> None:
    """Check a set of pictures."""
    from danqing.data.check import check as look_through

    screen = Screen(quiet, as_json)
    found = run(look_through(pictures, labels=labels, family=family, again=again), screen)
    screen.give(found.to_json(), Text("\n".join(found.lines())))
    if found.unusable:
        raise FilesFailed


def pack(**given: Any) -> None:
    """Pack a set of pictures."""
    from danqing.core.learned.model import Model
    from danqing.data.store import pack as pack_store
    from danqing.train.setup import NATURAL_SIZE

    screen = Screen(given["quiet"], given["as_json"])
    values = values_given(given, _pack_fields())
    values.setdefault("size", NATURAL_SIZE.get(given["pictures"], Model.picture_size))
    values.setdefault("fit", Model.fit)
    splits = SPLITS[:2] if given["split"] is None else [given["split"]]
    facts = []
    for split in splits:
        job = pack_store(given["pictures"], **values, split=None if split == "all" else split)
        facts.append(run(job, screen).facts())
    screen.give(facts, table_of(facts))


def _pack_fields() -> list[Any]:
    """Those options of the training loop that are about packing: the two must not drift apart."""
    from danqing.data.store import pack as pack_store
    from danqing.train.config import option_fields

    return [field for field in option_fields() if field.name in inspect.signature(pack_store).parameters]


PICTURES = "pictures"
command = Data(
    "data",
    help=__doc__,
    commands=[
        Check(
            "check",
            callback=check,
            help="Read every picture and tell what a training would stumble over.",
            params=[
                click.Argument([PICTURES], metavar="PICTURES"),
                click.Option(["--labels"], type=FILE, metavar="FILE", help="A CSV or JSON file of labels."),
                click.Option(["--family"], metavar="NAME", help="The model family that is to learn from them."),
                click.Option(["--again"], is_flag=True, help="Read even if nothing has changed."),
                *talk(),
            ],
        ),
        Pack(
            "pack",
            callback=pack,
            help="Decode every picture once into the store that training reads from.",
            params=[
                click.Argument([PICTURES], metavar="PICTURES"),
                click.Option(
                    ["--split"], type=click.Choice(SPLITS), metavar="NAME", help="train, test or all; by default both."
                ),
                *talk(),
            ],
        ),
    ],
)
