"""Cut pieces out of photographs and one painter's works: ``python -m danqing.zoo.painter_pieces FOLDER PAINTER``.

A ``cyclegan`` then learns to paint photographs as the works, and back. PAINTER is a word that the names of the works
have, such as gogh or hokusai. The photographs and paintings are those that ``python -m danqing.zoo.photographs
runs/photographs`` and ``python -m danqing.zoo.paintings runs/paintings`` collected; what was held out there is held out
here, and pieces of paintings are as little to be shared as the paintings. Works are cut closely, so that all places of
a stroke are seen; as many pieces come from photographs, evenly from all of them, so that both sets fill half of a
batch. FOLDER/manifest.json names every piece with what it is from, its place, licence and hash.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from danqing.core.errors import DataError, UserError
from danqing.zoo.packages import MANIFEST, keep, write_manifest

PHOTOGRAPHS, PAINTINGS = Path("runs/photographs"), Path("runs/paintings")
SIDE = 128  # px
STRIDE = 32  # px between pieces
RIM = 8  # px at the edges of paintings that may be paper, frame or canvas
FROM, TO = "photographs", "works-by-"  # the sets; the first by its name is the one that translations start from

Row = dict[str, Any]


def collect(folder: Path, painter: str, photographs: Path = PHOTOGRAPHS, paintings: Path = PAINTINGS) -> dict[str, int]:
    """Cut all pieces into ``folder`` and say how many there are of each set.

    Raises:
        DataError: if photographs or paintings are not there, or none to learn from is by the painter.
    """
    pictures, works = _collected(photographs, "photographs"), _collected(paintings, "paintings")
    works = [row for row in works if painter in row["file"]]
    if not any(row["file"].startswith("train/") for row in works):
        known = ", ".join(sorted({Path(row["file"]).stem for row in _collected(paintings, "paintings")}))
        remedy = f"Take a word of one of these names: {known}"
        raise DataError(f"no painting to learn from has {painter!r} in its name", where=str(paintings), remedy=remedy)
    kept: list[Row] = []
    counts = {FROM: 0, TO + painter: 0}
    for split in ("train", "test"):
        mine = [row for row in works if row["file"].startswith(split)]
        cut = list(_pieces(paintings, mine, RIM))
        others = [row for row in pictures if row["file"].startswith(split)]
        even = _evenly(_pieces(photographs, others, 0), len(cut))
        for name, pieces in ((FROM, even), (TO + painter, cut)):
            kept += _kept(folder / split / name, folder, pieces)
            counts[name] += len(pieces)
    write_manifest(folder, kept)
    return counts


Piece = tuple[Path, Row, int, int]


def _pieces(home: Path, rows: Iterable[Row], rim: int) -> Iterator[Piece]:
    """All pieces of pictures: the file, its row, left and top."""
    for row in rows:
        across, down = (range(rim, row[side] - SIDE - rim + 1, STRIDE) for side in ("width", "height"))
        for top, left in itertools.product(down, across):
            yield home / row["file"], row, left, top


def _evenly(pieces: Iterable[Piece], count: int) -> list[Piece]:
    """So many of the pieces, as many of each picture as can be, spread over it."""
    by_file = [list(mine) for _, mine in itertools.groupby(pieces, key=lambda piece: piece[0])]
    chosen: list[Piece] = []
    for at, mine in enumerate(by_file):
        wanted = min(len(mine), (count - len(chosen)) // (len(by_file) - at))
        chosen += [mine[(2 * number + 1) * len(mine) // (2 * wanted)] for number in range(wanted)]
    return chosen


def _kept(place: Path, folder: Path, pieces: Iterable[Piece]) -> Iterator[Row]:
    """Write the pieces, and give their rows."""
    for file, mine in itertools.groupby(pieces, key=lambda piece: piece[0]):
        picture = Image.open(file).convert("RGB")
        for _, row, left, top in mine:
            name = (place / f"{file.stem}-{left}-{top}.png").relative_to(folder).as_posix()
            facts = {"from": row["file"], "licence": row["licence"]}
            yield keep(picture.crop((left, top, left + SIDE, top + SIDE)), folder, name, **facts)


def _collected(folder: Path, what: str) -> list[Row]:
    """The rows of a manifest.

    Raises:
        DataError: if there is none.
    """
    if not (folder / MANIFEST).is_file():
        raise DataError(
            f"the {what} were not collected yet", where=str(folder), remedy=f"python -m danqing.zoo.{what} {folder}"
        )
    rows: list[Row] = json.loads((folder / MANIFEST).read_text("utf-8"))
    return rows


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("python -m danqing.zoo.painter_pieces FOLDER PAINTER")
    try:
        print(json.dumps(collect(Path(sys.argv[1]), sys.argv[2])))
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
