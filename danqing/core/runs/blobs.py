"""Blobs as a store: content by its hash in one folder, for a server whose clients name no file of its disk."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from danqing.core.artefacts.saving import Saving
from danqing.core.disk import LONGEST_SUFFIX, hash_of, replacing
from danqing.core.errors import OutputError, ParameterError
from danqing.core.fields.form import Field
from danqing.core.fields.text import TextKind
from danqing.core.learned.card import bundled
from danqing.core.operators.operator import Operator
from danqing.core.pictures.state import state_of
from danqing.core.runs.order import Call, Order, Outcome

HASH = re.compile(r"[0-9a-f]{64}")
UNSAFE = re.compile(r"[^\w.\- ]+")  # in a name: separators, controls, whatever a shell or a disk takes amiss
LONGEST = 60  # characters of a name, so that one with a number and an operator's name fits every disk


class Blob(NamedTuple):
    """Content of a store: what it is asked for by, and what people call it."""

    sha256: str
    name: str


@dataclass(frozen=True)
class Blobs:
    """Whatever comes from a client is kept under the SHA-256 of its bytes, once; results are kept likewise.

    Each piece of work has a folder of its own, named after all that it depends on, which holds what it is made from
    under its name, in a folder for each parameter. Recipes thus name files by hash and name, and a result that is there
    is found again.

    Attributes:
        folder: of this store alone.
        saving: how results go into files.
        suffix: of the files of results; empty: as each picture has it.
        folders: those of the server that may be worked from, by the name that stands for each.
    """

    folder: Path
    saving: Saving = field(default_factory=Saving)
    suffix: str = ""
    folders: Mapping[str, Path] = field(default_factory=dict)

    @property
    def is_one(self) -> bool:
        """Whether one picture is meant, so that its errors are those of the whole."""
        return True  # where there is but one order, one hash was given

    def put(self, content: bytes | Path, name: str) -> str:
        """Keep bytes, or those of a file, and return their hash; content that is there keeps its first name.

        Raises:
            OutputError: if they cannot be written.
        """
        found = hashlib.sha256(content).hexdigest() if isinstance(content, bytes) else hash_of(content)
        home = self._home(found)
        if not _files_in(home):
            with replacing(home / safe_name(name)) as temporary:
                if isinstance(content, bytes):
                    temporary.write_bytes(content)
                else:
                    shutil.copyfile(content, temporary)
        return found

    def file(self, sha256: str) -> Path:
        """The file that holds the content of a hash.

        Raises:
            ParameterError: if it is no hash, or nothing is there under it.
        """
        if not isinstance(sha256, str) or not HASH.fullmatch(sha256):
            raise ParameterError(f"{str(sha256)[:80]!r} is no SHA-256 of a file", where="sha256")
        found = _files_in(self._home(sha256))
        if not found:
            raise ParameterError("nothing is kept under this hash", where=sha256, remedy="Send the file first")
        return found[0]

    def orders(self, operator: Operator[..., Any], values: Mapping[str, Any]) -> list[Order]:
        """Say what is to be done to which content; pictures, weights and files are given as hashes.

        Args:
            operator: what is to be done.
            values: its parameters by name, the pictures worked on included: one hash or a list of them.

        Raises:
            UserError: if a value does not fit, or names a place on the disk.
        """
        subject = operator.subject
        given = {name: value for name, value in values.items() if name != subject and value is not None}
        if not subject:
            return [self._order(operator, given)]
        pictures = values.get(subject)
        if not pictures:
            raise ParameterError("no pictures are given", where=operator.name, remedy="Give their hashes")
        asked = pictures if isinstance(pictures, list | tuple) else [pictures]
        return [self._order(operator, {**given, subject: each}) for each in asked]

    def kept(self, outcome: Outcome) -> list[Blob]:
        """Keep the files of a piece of work that is done, and say what they are asked for by."""
        return [Blob(self.put(file, file.name), file.name) for file in outcome.files]

    def _order(self, operator: Operator[..., Any], given: dict[str, Any]) -> Order:
        sources = dict(self._sources(operator, given))
        home = self.folder / "work" / _name_of_work(operator, given, sources, self.saving, self.suffix)
        placed = {name: home / name / file.name for name, file in sources.items()}  # two may have one name
        makes, picture = operator.makes, sources.get(operator.subject)
        in_words = {each.name for each in operator.form if isinstance(each.kind, TextKind)}
        others = {
            name: str(file) if name in in_words else file for name, file in placed.items() if name != operator.subject
        }
        for name, file in placed.items():
            _link(sources[name], file)
        call = Call.of(operator, {**{k: v for k, v in given.items() if k != operator.subject}, **others})
        stem = operator.name if picture is None else f"{picture.stem}-{operator.name}"
        target = home / f"{stem}{self.suffix or makes.suffix(call.values, picture)}"
        makes.check_place(target, self.saving, call.values)
        inputs = {name: file for name, file in placed.items() if name in call.files or name == operator.subject}
        numbered = makes.gathers and not operator.takes_pictures and not self.saving.columns
        return Order(call, inputs, target, self.saving, operator.name, numbered, beside=True, alone=True)

    def _sources(self, operator: Operator[..., Any], given: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
        """The content of every value that may name something on a disk; what comes with danqing keeps its name.

        Raises:
            ParameterError: for such a value that is no hash, or of which nothing is there.
        """
        for each in operator.fields:
            if each.name in given and each.kind.may_open(given[each.name]) and not _is_own(each, given[each.name]):
                try:
                    yield each.name, self.folders.get(given[each.name]) or self.file(given[each.name])
                except ParameterError as error:
                    raise ParameterError(error.what, where=each.name, remedy=error.remedy) from None

    def _home(self, sha256: str) -> Path:
        return self.folder / "content" / sha256[:2] / sha256


def safe_name(name: str) -> str:
    """A name for a file that any disk holds, without a place in it; the suffix stays."""
    bare = re.split(r"[/\\]", name)[-1]
    path = Path(UNSAFE.sub("_", bare).strip(". ") or "file")
    return f"{path.stem[:LONGEST]}{path.suffix[:LONGEST_SUFFIX]}"


def _is_own(each: Field, value: Any) -> bool:
    """Whether a value is a name that means something of danqing's own, wherever it runs."""
    return isinstance(value, str) and (value == each.default or value in bundled())


def _name_of_work(
    operator: Operator[..., Any], given: Mapping[str, Any], sources: Mapping[str, Path], saving: Saving, suffix: str
) -> str:
    names = {name: file.name for name, file in sources.items()}
    states = {name: state_of(place) for name, place in sources.items() if place.is_dir()}
    facts = [operator.name, operator.version, dict(given), names, asdict(saving), *filter(None, [suffix, states])]
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=repr).encode()).hexdigest()


def _files_in(folder: Path) -> list[Path]:
    """The files that are whole: those being written begin with a dot."""
    return sorted(file for file in folder.glob("[!.]*") if file.is_file())


def _link(source: Path, target: Path) -> None:
    """Make content known under a name, without a copy where the disk can do so."""
    if target.exists():
        return
    if source.is_dir():  # which stays what it is: nothing of it is written, its mode neither
        _point_to(source, target)
        return
    with replacing(target) as temporary:
        temporary.unlink()
        try:
            os.link(source, temporary)
        except OSError:  # a disk without links
            shutil.copyfile(source, temporary)


def _point_to(folder: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.symlink(os.path.abspath(folder), target)
    except OSError as error:
        raise OutputError(f"cannot be written ({error.strerror or error})", where=target) from error


__all__ = ["Blob", "Blobs", "safe_name"]
