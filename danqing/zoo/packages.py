"""Debian packages as sources of pictures: fetched, unpacked, and what is taken out of them written down."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from danqing.core.disk import replacing
from danqing.core.errors import DataError, UserError
from danqing.zoo import command_line

MANIFEST = "manifest.json"


class Package(NamedTuple):
    """A package that lies unpacked in a folder."""

    name: str
    version: str
    folder: Path

    def file(self, name: str) -> Path:
        """One of its files.

        Raises:
            DataError: if this version of the package has none of that name.
        """
        if not (self.folder / name).is_file():
            raise DataError(f"holds no {name}", where=f"{self.name} {self.version}")
        return self.folder / name


@contextmanager
def unpacked(package: str, debs: Path | None) -> Iterator[Package]:
    """Fetch a package by ``apt-get download``, or take its .deb out of ``debs``, and unpack it for a while.

    Raises:
        UserError: if the package cannot be had.
    """
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        deb = _fetched(package, debs, place)
        _run("dpkg-deb", "-x", str(deb), str(place / "all"))
        yield Package(package, _run("dpkg-deb", "-f", str(deb), "Version").strip(), place / "all")


def held_out(name: str, one_in: int) -> bool:
    """Whether what has this name is for validation only: one of ``one_in``, by a hash."""
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % one_in == 0


def keep(picture: Image.Image, folder: Path, name: str, **facts: str) -> dict[str, Any]:
    """Write a picture as ``folder / name`` and return its row of the manifest."""
    file = folder / name
    with replacing(file) as temporary:
        picture.save(temporary, "PNG", compress_level=3)
    digest = hashlib.sha256(picture.tobytes()).hexdigest()
    return {"file": os.fspath(name), "width": picture.width, "height": picture.height, "sha256": digest, **facts}


def write_manifest(folder: Path, rows: list[dict[str, Any]]) -> None:
    """Write where every picture is from."""
    with replacing(folder / MANIFEST) as temporary:
        temporary.write_text(json.dumps(rows, indent=1, ensure_ascii=False), "utf-8")


def main(words: str | None, collect: Callable[[Path, Path | None], dict[str, Any]]) -> None:
    """Collect pictures as the command line asks, and print how many there are."""

    def told(folder: Path, debs: Path | None) -> list[str]:
        return [json.dumps(collect(folder, debs))]

    command_line.main(words, told, "folder", debs="where .deb files lie already")


def _fetched(package: str, debs: Path | None, place: Path) -> Path:
    """The package's .deb: given, or downloaded."""
    if debs is None:
        _run("apt-get", "download", package, cwd=place)
    found = sorted((debs or place).glob(f"{package}_*.deb"))
    if not found:
        raise DataError("no such package", where=f"{debs or 'apt-get'}: {package}")
    return found[-1]


def _run(*command: str, cwd: Path | None = None) -> str:
    try:
        return subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True).stdout
    except FileNotFoundError as error:
        remedy = "The pictures come from Debian packages: run this on Debian or Ubuntu"
        raise UserError("is not on this machine", where=command[0], remedy=remedy) from error
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines() or ["failed"]
        raise DataError(lines[-1], where=" ".join(command), remedy="Run apt-get update first") from error
