"""Folders as a store: which pictures of a person's disk are meant, and which file each result goes into."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from danqing.core.artefacts.saving import NEARLY_SQUARE, Saving
from danqing.core.disk import check_there
from danqing.core.errors import DataError, OutputError, ParameterError
from danqing.core.fields.form import Field, field_of, refuse_empty, schema
from danqing.core.notes import note
from danqing.core.operators.operator import Operator
from danqing.core.pictures.listing import files_in, passed_over_note, pictures_in
from danqing.core.pictures.names import READABLE, composed
from danqing.core.pictures.partners import partners
from danqing.core.recipe import LONGEST_NAME
from danqing.core.runs.order import NEVER_OVER_SOURCES, Call, Order
from danqing.core.runs.result_names import Source, names_of

ON_A_SHEET = "Lay all pictures on one sheet, nearly square unless --columns says how many in a row."


@dataclass(frozen=True)
class Folders:
    """Pictures are read from files and folders; results go into a file, a folder, or beside the pictures.

    Attributes:
        pictures: files and folders; none for an operator that takes no pictures.
        out: the file to write, for a single result.
        out_dir: the folder to write into; folders inside a folder are mirrored.
        saving: how results go into files.
    """

    pictures: Sequence[str | Path] = ()
    out: str | Path | None = None
    out_dir: str | Path | None = None
    saving: Saving = field(default_factory=Saving)

    def orders(self, operator: Operator[..., Any], values: Mapping[str, Any]) -> list[Order]:
        """Say what is to be done to which file and where it goes; whatever can be refused is refused here.

        Raises:
            UserError: if a value does not fit, there are no pictures, or there is no place for the results.
        """
        if self.out is not None and self.out_dir is not None:
            raise OutputError("--out and --out-dir are both given", where=self.out, remedy="Give one of them")
        for name, places in {"pictures": self.pictures, "out": [self.out], "out_dir": [self.out_dir]}.items():
            if "" in places:
                refuse_empty(name, "")
        call = Call.of(operator, {**self._format_named(operator), **values})
        made = self._of_pictures(call) if operator.takes_pictures else [self._without_pictures(call)]
        _check_places(made)
        return made

    @classmethod
    def asked(cls, given: Mapping[str, Any]) -> Folders:
        """What was given of the fields that :func:`places_of` draws, and ``pictures``."""
        known = {each.name for each in fields(Saving)}
        saving = {name: value for name, value in given.items() if name in known}
        if given.get("grid") and not saving.get("columns"):
            saving["columns"] = NEARLY_SQUARE
        places = {name: given[name] for name in ("pictures", "out", "out_dir") if name in given}
        return cls(**places, saving=Saving(**saving))

    @property
    def is_one(self) -> bool:
        """Whether one picture is meant, so that its errors are those of the whole."""
        return len(self.pictures) == 1 and not Path(self.pictures[0]).is_dir()

    def _of_pictures(self, call: Call) -> list[Order]:
        if not self.pictures:
            raise ParameterError("no pictures are given", where=call.operator.name, remedy="Name files or a folder")
        found = list(self._found())
        for place in call.files.values():
            check_there(place)
        targets = self._targets(call, found)
        suffixes = {each.name: each.kind.partner for each in call.operator.form}
        others = {name: _partners(place, found, suffixes[name]) for name, place in call.files.items()}
        return [
            Order(
                call,
                {call.operator.subject: each.file, **{name: files[at] for name, files in others.items()}},
                target,
                self.saving,
                each.key.as_posix(),
                beside=self.out_dir is not None,
            )
            for at, (each, target) in enumerate(zip(found, targets, strict=True))
        ]

    def _without_pictures(self, call: Call) -> Order:
        """Name the file of an operator that takes no pictures."""
        operator, makes = call.operator, call.operator.makes
        if self.out is not None:
            return Order(call, call.files, Path(self.out), self.saving, operator.name)
        if makes.tells and self.out_dir is None:
            return Order(call, call.files, None, self.saving, operator.name)
        numbered = makes.gathers and not self.saving.columns
        home = Path(self.out_dir or (operator.name if numbered else "."))
        stem = f"{operator.name}-grid" if makes.gathers and self.saving.columns else operator.name
        target = home / f"{stem}{makes.suffix(call.values, None)}"
        return Order(call, call.files, target, self.saving, operator.name, numbered, beside=True)

    def _format_named(self, operator: Operator[..., Any]) -> dict[str, str]:
        """The format that a file's name chooses, for an operator whose form has that choice."""
        suffix = "" if self.out is None else Path(self.out).suffix.lower()[1:]
        return {each.name: suffix for each in operator.form if each.name == "format" and suffix in each.kind.choices()}

    def _found(self) -> Iterator[Source]:
        paths = list(map(Path, self.pictures))
        folders = sum(path.is_dir() for path in paths)
        for given, path in enumerate(paths):
            if not path.is_dir():
                yield Source(path, Path(path.name), given)
                continue
            listing = pictures_in(path)
            for words in (*listing.notes, passed_over_note(listing.passed_over, path)):
                note(words) if words else None
            inside = [each for each in listing.found if not self._is_result(each.file, path)]
            if not inside:
                raise DataError("holds no pictures", where=path, remedy="Pictures end in " + ", ".join(READABLE))
            top = Path(_real(path).name) if folders > 1 else Path()
            yield from (Source(each.file, top / each.name, given) for each in inside)

    def _is_result(self, file: Path, folder: Path) -> bool:
        """Whether a file is an earlier result, in an out-dir within the folder."""
        if self.out_dir is None:
            return False
        home, top = _real(self.out_dir), _real(folder)  # what goes round in a circle is left where it is
        return home != top and home.is_relative_to(top) and _real(file).is_relative_to(home)

    def _targets(self, call: Call, found: list[Source]) -> Sequence[Path | None]:
        makes = call.operator.makes
        if self.out is not None:
            if len(found) != 1:
                what = f"one file cannot take the results of {len(found)} pictures"
                raise OutputError(what, where=self.out, remedy="Give them a folder with --out-dir")
            return [Path(self.out)]
        endings = [makes.suffix(call.values, each.file) for each in found]
        if self.out_dir is not None:
            return [Path(self.out_dir) / name for name in names_of(found, endings)]
        if makes.tells:
            return [None] * len(found)
        for path in map(Path, self.pictures):
            if path.is_dir():
                what = "the results of a folder need a place"
                raise OutputError(what, where=path, remedy="Give them a folder with --out-dir")
        beside = [each._replace(key=each.file) for each in found]
        return names_of(beside, [f"-{call.operator.name}{ending}" for ending in endings])


def places_of(operator: Operator[..., Any]) -> tuple[Field, ...]:
    """What a person can say of where the results of an operator go, and how; what its own form has is left out."""
    makes = operator.makes
    wanted = {"force", *makes.options, *(("limit",) if operator.takes_pictures else ())}
    if makes.gathers and not operator.takes_pictures:
        wanted |= {"columns"}
    own = {each.name for each in operator.fields}
    places = [
        field_of("out", Path | None, None, makes.place),
        field_of("out_dir", Path | None, None, "Write results into this folder."),
        *([field_of("grid", bool, False, ON_A_SHEET)] if "columns" in wanted else []),
        *(each for each in schema(Saving) if each.name in wanted),
        field_of(
            "on", str | None, None, "Where it is done: ray, or ray:ADDRESS of a cluster; by default in this process."
        ),
    ]
    return tuple(each for each in places if each.name not in own)


def check_writable(folder: Path) -> None:
    """Try to write where a folder is or will be, before hours of work cannot be kept; nothing is made yet.

    Raises:
        OutputError: if it cannot be written.
    """
    there = next(each for each in (folder, *folder.parents) if os.path.lexists(each))
    if too_long := next((part for part in folder.parts if len(os.fsencode(part)) > LONGEST_NAME), ""):
        raise OutputError("has a name longer than disks hold", where=too_long, remedy="Choose a shorter one")
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise OutputError(f"cannot be written ({error.strerror or error})", where=folder) from error


def _real(place: str | Path) -> Path:
    return Path(os.path.realpath(place))


def _partners(place: Path, found: list[Source], suffix: str) -> list[Path]:
    """The file meant for each picture: the file itself, or its partner where a folder is given."""
    if not place.is_dir():
        return [place] * len(found)
    files = (files_in if suffix else pictures_in)(place).found
    named = {_as_written(each.name, each.file): each.file for each in files if each.name.lower().endswith(suffix)}
    others = {name[: len(name) - len(suffix)]: file for name, file in named.items()}
    names = [_as_written(each.key.as_posix(), each.file) for each in found]
    chosen = partners(names, others, where=place)
    return [others[chosen[name]] for name in names]


def _as_written(name: str, file: Path) -> str:
    """A name as the disk has it, where Unicode's form is all that differs: by that alone two may be told apart."""
    written = "/".join(file.parts[-name.count("/") - 1 :])
    return written if composed(written) == name else name


def _check_places(orders: Sequence[Order]) -> None:
    """Refuse names that cannot hold the results, writing over anything that is read, and places of no access."""
    read = {os.path.realpath(file) for order in orders for file in order.inputs.values()}
    written = [file for order in orders for _, file in order.files_to_be()]
    for order in orders:
        if order.target is not None:
            order.call.operator.makes.check_place(order.target, order.saving, order.call.values)
    for file in written:
        if os.path.realpath(file) in read:
            raise OutputError("is one of the files to be read", where=file, remedy=NEVER_OVER_SOURCES)
        if len(os.fsencode(file.name)) > LONGEST_NAME:
            raise OutputError("has a name longer than disks hold", where=file, remedy="Choose a shorter one")
    for file, times in Counter(written).items():
        if times > 1:
            raise OutputError(f"{times} of the results have this name", where=file, remedy="Run them apart")
    for folder in sorted({file.parent for file in written}):
        check_writable(folder)


__all__ = ["Folders", "check_writable"]
