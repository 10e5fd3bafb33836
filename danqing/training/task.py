"""Training as a task: one for each family, its form the family's own and the loop's options."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from danqing.core.errors import ParameterError
from danqing.core.fields.form import Field, field_of
from danqing.core.fields.source import Source
from danqing.core.learned.families import family_named
from danqing.core.menu import Entry, families
from danqing.core.operators.task import Task
from danqing.core.progress import Job
from danqing.core.words import Words, words_of
from danqing.training import record
from danqing.training.config import family_fields
from danqing.training.options import GOING_ON, option_fields
from danqing.training.parts import can_go_on

PICTURES = "a folder, a folder of class folders, a zip of either, WebDataset shards, or digits (built in)."
RUN = (
    field_of("config", Path | None, None, "start from the config of a run (JSON)."),
    field_of("dry_run", bool, False, "tell parameters, memory and time, and stop."),
    field_of("auto", bool, False, "choose rate and gamma by short runs on a fifth of the budget."),
    field_of("force", bool, False, "replace what is there."),
)
RESUME = field_of("resume", Path | None, None, "go on with the run in this folder, bit for bit.")
EXAMPLES = (
    "danqing train {} PICTURES --size 32 --budget 10m --out runs/a",
    "danqing train {} digits --dry-run",
    "danqing train --resume runs/a",
    "danqing train --config runs/a/config.json --out runs/b",
)


class Training(Task[..., Any]):
    """``train``, and ``train FAMILY`` as its children.

    What is not given stays so: a run that goes on, or starts from a config, keeps its own values for that.
    """

    family: str = ""

    @functools.cached_property
    def fields(self) -> tuple[Field, ...]:
        if not self.family:
            return RESUME, *RUN, *option_fields()
        data = field_of("data", Source | None, None, PICTURES)
        options = [field for field in option_fields() if field.name not in GOING_ON]
        return data, *family_fields(self.family), *RUN, *options

    @property
    def places(self) -> tuple[str, ...]:
        return ("data",) if self.family else ()

    @property
    def trains(self) -> str:
        return self.family

    def can_go_on(self, folder: Path) -> bool:
        return can_go_on(folder)

    @property
    def own_places(self) -> tuple[str, ...]:
        return *super().own_places, "resume", "config"

    @property
    def words(self) -> Words:
        if not self.family:
            return super().words
        examples = tuple(example.format(self.family) for example in EXAMPLES)
        return words_of(family_named(self.family))._replace(examples=examples)

    def children(self) -> dict[str, Entry]:
        return {} if self.family else families()

    def child(self, name: str) -> Training:
        if name not in families() or self.family:
            raise ParameterError("there is no such model family", where=name, remedy=f"Known: {', '.join(families())}")
        made = Training(self.function, f"{self.name} {name}", self.group)
        made.family = name
        return made

    def placed(self, given: dict[str, Any]) -> dict[str, Any]:
        if not self.family or "config" in given or given.get("dry_run"):
            return given
        return {"out": record.free_folder(self.family), **given}

    def after_stop(self, given: dict[str, Any]) -> str:
        folder = given.get("resume", given.get("out"))
        if folder is None:
            return ""
        trying = f"{record.TRYING}/{record.WHOLE}"
        if given.get("auto") and all((Path(folder) / name).is_file() for name in (trying, record.CONFIG)):
            return "Nothing was chosen yet, and the run that is there stays: the same command begins anew"
        begun = any((Path(folder) / name).is_file() for name in (record.CONFIG, record.WHOLE, trying))
        return f"It goes on from there with: danqing train --resume {folder}" if begun else ""

    def begin(self, given: dict[str, Any]) -> Job[Any]:
        known = {field.name: field for field in self.fields}
        for name in sorted(given.keys() - known.keys()):
            raise ParameterError("no such parameter", where=name, remedy=f"Known: {', '.join(known)}")
        ready = {name: known[name].check(value) for name, value in given.items()}
        return self.run({"family": self.family, "given": ready})


__all__ = ["Training"]
