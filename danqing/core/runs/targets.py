"""Which pictures are meant, and which file each result goes into."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from danqing.core.artefacts.results import Saving, returns
from danqing.core.errors import DataError, OutputError, ParameterError, UserError
from danqing.core.operators.operator import Operator
from danqing.core.runs.call import Call
from danqing.core.runs.order import Order

READABLE = (".png", ".jpg", ".jpeg", ".jpe", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".avif")
WRITABLE = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".avif")  # with a recipe inside: no BMP


class Found(NamedTuple):
    """A picture file, and its place in the folder it came with."""

    file: Path
    key: Path


def orders(call: Call, pictures: Sequence[Path], out: Path | None, out_dir: Path | None, saving: Saving) -> list[Order]:
    """Find the pictures and name the files to write.

    Args:
        call: what will be done.
        pictures: files and folders.
        out: the file to write, for one picture.
        out_dir: the folder to write into.
        saving: how results go into files.

    Raises:
        DataError: if a folder holds no pictures.
        OutputError: if there is no place for the results.
    """
    if not pictures:
        raise ParameterError("no pictures are given", where=call.operator.name, remedy="Name files or a folder")
    _check_one_place(out, out_dir)
    found = list(_found(pictures, out_dir))
    targets = _targets(call, pictures, found, out, out_dir)
    _check_places(found, targets)
    return [
        Order(
            call,
            {call.subject: each.file, **{name: namesake(place, each.key) for name, place in call.files.items()}},
            target,
            saving,
            each.key.as_posix(),
            pictured=out_dir is not None,
        )
        for each, target in zip(found, targets, strict=True)
    ]


def order_without_pictures(call: Call, out: Path | None, out_dir: Path | None, saving: Saving) -> Order:
    """Name the file of an operator that takes no pictures.

    Raises:
        OutputError: if it cannot be written.
    """
    _check_one_place(out, out_dir)
    operator, kind = call.operator, returns(call.operator)
    if out is not None:
        check_writable(out.parent)
        return Order(call, call.files, out, saving, operator.name)
    if kind in ("finding", "numbers") and out_dir is None:
        return Order(call, call.files, None, saving, operator.name)
    numbered = kind == "pictures" and not saving.columns
    home = out_dir or (Path(operator.name) if numbered else Path())
    stem = f"{operator.name}-grid" if kind == "pictures" and saving.columns else operator.name
    check_writable(home)
    target = home / f"{stem}{_suffix(call, Path())}"
    return Order(call, call.files, target, saving, operator.name, numbered, pictured=True)


def format_named(operator: Operator, out: Path | None) -> dict[str, str]:
    """The format that a file's name chooses, for an operator that makes files of several."""
    choices = {choice for field in operator.form if field.name == "format" for choice in field.choices}
    suffix = "" if out is None else out.suffix.lower()[1:]
    return {"format": suffix} if returns(operator) == "encoded" and suffix in choices else {}


def namesake(place: Path, key: Path) -> Path:
    """The file meant for one picture: the file itself, or that of the same name where a folder is given."""
    return place / key if place.is_dir() else place


def check_writable(folder: Path) -> None:
    """Make a folder and try to write there, before hours of work are put into what cannot be kept.

    Raises:
        OutputError: if it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(f"cannot be written ({error.strerror or error})", where=folder) from error


def _targets(
    call: Call, pictures: Sequence[Path], found: list[Found], out: Path | None, out_dir: Path | None
) -> list[Path] | list[None]:
    if out is not None:
        if len(found) != 1:
            what = f"one file cannot take the results of {len(found)} pictures"
            raise OutputError(what, where=out, remedy="Give them a folder with --out-dir")
        return [out]
    if out_dir is not None:
        return _mirrored(call, found, out_dir)
    if returns(call.operator) in ("finding", "numbers"):
        return [None] * len(found)
    for path in pictures:
        if path.is_dir():
            raise OutputError(
                "the results of a folder need a place", where=path, remedy="Give them a folder with --out-dir"
            )
    return [_beside(call, each.file) for each in found]


def _check_one_place(out: Path | None, out_dir: Path | None) -> None:
    if out is not None and out_dir is not None:
        raise OutputError("--out and --out-dir are both given", where=out, remedy="Give one of them")


def _found(pictures: Sequence[Path], out_dir: Path | None) -> Iterator[Found]:
    folders = sum(path.is_dir() for path in pictures)
    for path in pictures:
        if not path.is_dir():
            yield Found(path, Path(path.name))
            continue
        inside = [file for file in _walk(path) if out_dir is None or not _is_inside(file, out_dir, path)]
        if not inside:
            raise DataError("holds no pictures", where=path, remedy=f"Pictures end in {', '.join(READABLE)}")
        top = Path(path.resolve().name) if folders > 1 else Path()
        yield from (Found(file, top / file.relative_to(path)) for file in inside)


def _is_inside(file: Path, out_dir: Path, folder: Path) -> bool:
    """Whether a file is an earlier result, in an out-dir within the folder."""
    home, top = out_dir.resolve(), folder.resolve()
    return home != top and home.is_relative_to(top) and file.resolve().is_relative_to(home)


def _walk(folder: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise UserError(f"cannot be read ({error.strerror})", where=error.filename) from error

    for home, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if name.lower().endswith(READABLE) and not name.startswith("."):
                yield Path(home, name)


def _mirrored(call: Call, found: list[Found], out_dir: Path) -> list[Path]:
    """Names that mirror the folder; where two would clash (a.png and a.gif), the old suffix stays in the name."""
    plain = [each.key.with_suffix(_suffix(call, each.file)) for each in found]
    often = Counter(plain)
    full = [each.key.with_name(each.key.name + name.suffix) for each, name in zip(found, plain, strict=True)]
    names = [long if often[name] > 1 else name for name, long in zip(plain, full, strict=True)]
    name, times = Counter(names).most_common(1)[0]
    if times > 1:
        remedy = "Give a folder that holds them all, or run them apart"
        raise OutputError(f"{times} of the pictures have this name", where=name, remedy=remedy)
    return [out_dir / name for name in names]


def _beside(call: Call, source: Path) -> Path:
    return source.with_name(f"{source.stem}-{call.operator.name}{_suffix(call, source)}")


def _suffix(call: Call, source: Path) -> str:
    kind = returns(call.operator)
    if kind == "encoded":
        return f".{call.values['format']}"
    if kind in ("finding", "numbers"):
        return ".json"
    if kind == "frames":
        return ".gif"
    return source.suffix if source.suffix.lower() in WRITABLE else ".png"


def _check_places(found: list[Found], targets: Sequence[Path | None]) -> None:
    """Refuse to write over a picture that is to be read, and places that cannot be written."""
    written = [target for target in targets if target is not None]
    sources = {os.path.realpath(each.file) for each in found}
    for target in written:
        if os.path.realpath(target) in sources:
            remedy = "Choose another name: danqing never writes over the pictures it works on"
            raise OutputError("is one of the pictures to be read", where=target, remedy=remedy)
    for folder in {target.parent for target in written}:
        check_writable(folder)


__all__ = ["READABLE", "check_writable", "format_named", "namesake", "order_without_pictures", "orders"]
