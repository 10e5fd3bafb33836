"""Collect paintings to try styles with: ``python -m danqing.zoo.paintings FOLDER``.

They come out of Debian's ``gcompris-qt-data`` (fetched by ``apt-get download``, or lying in ``--debs FOLDER``): some
lie there whole, others are cut into the pieces of a puzzle, whose places are written in its own files. The works are of
painters long dead; the package calls its files GPL-3+, so that they are never part of danqing. One painting in five, by
a hash of its name, goes into FOLDER/test and is never learned from. FOLDER/manifest.json names every painting with its
package, version, files and hash.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from danqing.zoo.packages import held_out, keep, main, unpacked, write_manifest
from danqing.zoo.photographs import resources

PACKAGE = "gcompris-qt-data"
BOARDS = re.compile(r"activities/(?:paintings|babyshapes)/resource/board/[^/]+\.qml$")
PAINTER = re.compile(r"\b1[4-9]\d\d\b|Hokusai")  # what a painting's title has, and no other board's
WHOLE = re.compile(r"activities/details/resource/image/([^/]*Gogh[^/]*)_background\.")
BOARD = re.compile(r'"width"\s*: (\d+),\s*"height"\s*: (\d+)')
GROUND = re.compile(r'"image/([^"]+)",\s*"type"')
PIECE = re.compile(r'"image/([^"]+)",\s*(?:"dropAreaSize" : "\d+",\s*)?"x" : "([\d.]+)",\s*"y" : "([\d.]+)"')
TITLE = re.compile(r'qsTr\("([^"]+)"\)')
COVERED = 0.9  # share of a row or column at the edge that pieces cover, so that it belongs to the painting
ONE_IN = 5  # held out: one painting of so many


class Painting(NamedTuple):
    """One painting: how it is called, its picture, and the files it was put together from."""

    name: str
    picture: Image.Image
    files: tuple[str, ...]


def collect(folder: Path, debs: Path | None = None) -> dict[str, int]:
    """Put all paintings into ``folder`` and say how many there are.

    Raises:
        UserError: if the package cannot be had.
    """
    kept: list[dict[str, Any]] = []
    with unpacked(PACKAGE, debs) as package:
        for painting in paintings(package.folder):
            name = f"{'test' if held_out(painting.name, ONE_IN) else 'train'}/{painting.name}.png"
            facts = {"package": PACKAGE, "version": package.version, "licence": "GPL-3+"}
            kept.append({**keep(painting.picture, folder, name, **facts), "from": painting.files})
    write_manifest(folder, kept)
    return {"paintings": len(kept), "held_out": sum(each["file"].startswith("test") for each in kept)}


def paintings(unpacked: Path) -> Iterator[Painting]:
    """Go through the paintings in the archives of an unpacked package, by name."""
    files: dict[str, bytes] = {}
    for archive in sorted(unpacked.rglob("*.rcc")):
        if archive.stem in ("paintings", "details", "babyshapes"):
            files |= dict(resources(archive.read_bytes()))
    found = []
    for path, raw in files.items():
        title = TITLE.search(raw.decode()) if BOARDS.search(path) else None
        if title is not None and PAINTER.search(title[1]) and "Pieta" not in title[1]:  # a photograph of a sculpture
            found.append(_put_together(_plain(title[1]), raw.decode(), path.rpartition("/board/")[0], files))
    for path, raw in files.items():
        match = WHOLE.search(path)
        if match:
            found.append(Painting(_plain(match[1]), Image.open(io.BytesIO(raw)).convert("RGB"), (path,)))
    yield from sorted(found, key=lambda each: each.name)


def _put_together(name: str, board: str, home: str, files: dict[str, bytes]) -> Painting:
    """A painting from its pieces, on its board or on a painting with holes."""
    ground, size = GROUND.search(board), BOARD.search(board)
    names = []
    if size is not None:
        canvas = Image.new("RGBA", (int(size[1]), int(size[2])))
    else:
        assert ground is not None
        names.append(f"{home}/image/{ground[1]}")
        canvas = Image.open(io.BytesIO(files[names[0]])).convert("RGBA")
    for piece_name, x, y in PIECE.findall(board):
        names.append(f"{home}/image/{piece_name}")
        piece = Image.open(io.BytesIO(files[names[-1]])).convert("RGBA")
        left = round(float(x) * canvas.width - piece.width / 2)
        top = round(float(y) * canvas.height - piece.height / 2)
        canvas.alpha_composite(piece, (max(left, 0), max(top, 0)))
    return Painting(name, _whole(np.asarray(canvas)), tuple(names))


def _whole(canvas: NDArray[np.uint8]) -> Image.Image:
    """What pieces cover, without the board around; their places are rounded, and gaps between them are painted over."""
    opaque = canvas[..., 3] > 127
    rows, columns = (np.flatnonzero(opaque.any(axis)) for axis in (1, 0))
    box = opaque[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    kept = [np.flatnonzero(box.mean(axis) > COVERED) for axis in (1, 0)]
    top, bottom = rows[0] + kept[0][0], rows[0] + kept[0][-1] + 1
    left, right = columns[0] + kept[1][0], columns[0] + kept[1][-1] + 1
    pixels, gaps = canvas[top:bottom, left:right, :3], ~opaque[top:bottom, left:right]
    return Image.fromarray(cv2.inpaint(np.ascontiguousarray(pixels), gaps.astype(np.uint8), 3, cv2.INPAINT_TELEA))


def _plain(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


if __name__ == "__main__":
    main(__doc__, collect)
