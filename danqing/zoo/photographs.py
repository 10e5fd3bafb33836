"""Collect the photographs that the bundled restorers learn from: ``python -m danqing.zoo.photographs FOLDER``.

They come out of Debian packages (fetched by ``apt-get download``, or lying as .deb files in ``--debs FOLDER``), which
photographs.json lists with their licences. Each is shrunk, which takes the traces of JPEG compression away, and large
ones are kept a second time at half that size. Duplicates and drawings are left out. One photograph in seven, by
a hash of its name, goes into FOLDER/test and is never learned from. FOLDER/manifest.json names every picture with its
package, version, file, licence and hash. Nothing is kept that is already there.
"""

from __future__ import annotations

import fnmatch
import io
import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from danqing.data.likeness import SIDE, Look, alike, look_at
from danqing.zoo.packages import held_out, keep, main, unpacked, write_manifest

LIST = Path(__file__).with_suffix(".json")
SHORTEST = 192  # px: the shorter side of a picture worth keeping, after it was shrunk
LARGE = 1000  # px: the shorter side of a picture that is halved at least
LEAST = 1.5  # times that every picture is shrunk: JPEG works in squares of 8 px, of which little is left
LONGEST = 1200  # px: the longer side after halving; what is larger is halved again
HELD_OUT = 7  # one photograph of so many
FLAT = 0.6  # share of pixels equal to their right neighbour, above which a picture is a drawing
COLOURS = 40  # of 32,768 told apart by 5 bits a channel: fewer make a drawing
PICTURES = (".jpg", ".jpeg", ".png", ".webp")


class Found(NamedTuple):
    """One picture file of a package."""

    package: str
    version: str
    licence: str
    name: str
    raw: bytes

    @property
    def held_out(self) -> bool:
        """Whether it is for validation only."""
        return held_out(f"{self.package}/{self.name}", HELD_OUT)

    @property
    def stem(self) -> str:
        """A file name that tells where it is from."""
        folders = [part for part in Path(self.name).with_suffix("").parts if part not in ("usr", "share", "contents")]
        return "-".join([self.package, *folders[-3:]]).replace(" ", "_")


def collect(folder: Path, debs: Path | None = None) -> dict[str, Any]:
    """Put all photographs into ``folder`` and say how many there are and how large.

    Raises:
        UserError: if a package cannot be had.
    """
    kept: list[dict[str, Any]] = []
    looks: list[Look] = []
    for entry in json.loads(LIST.read_text("utf-8")):
        for found in _in_package(entry, debs):
            picture = _photograph(found.raw)
            if picture is None or _seen(picture, looks):
                continue
            kept += [_keep(found, folder, small) for small in _halved(picture)]
        print(f"{entry['package']}: {len(kept)} pictures so far", flush=True)
    write_manifest(folder, kept)
    pixels = sum(one["width"] * one["height"] for one in kept)
    return {"pictures": len(kept), "photographs": len(looks), "megapixels": round(pixels / 1e6, 1)}


def _in_package(entry: dict[str, Any], debs: Path | None) -> Iterator[Found]:
    """Unpack a package and go through the pictures that are asked for, in the order of their names."""
    with unpacked(entry["package"], debs) as package:
        for file in sorted(package.folder.rglob("*")):
            name = str(file.relative_to(package.folder))
            if not file.is_file() or file.is_symlink():
                continue
            inner = resources(file.read_bytes()) if file.suffix == ".rcc" else [(name, None)]
            for path, raw in inner:
                if path.lower().endswith(PICTURES) and any(fnmatch.fnmatch(path, each) for each in entry["files"]):
                    content = file.read_bytes() if raw is None else raw
                    yield Found(package.name, package.version, entry["licence"], path, content)


def resources(raw: bytes) -> Iterator[tuple[str, bytes]]:
    """Go through the files in a Qt resource archive, by name.

    Source: the format as Qt documents it for its resource compiler: a header, a tree of nodes, names, and data that
    may be compressed by zlib.
    """
    if raw[:4] != b"qres":
        return
    version, tree, data, names = struct.unpack(">IIII", raw[4:20])
    length = 22 if version >= 2 else 14

    def text(at: int) -> str:
        count = struct.unpack_from(">H", raw, names + at)[0]
        return raw[names + at + 6 : names + at + 6 + 2 * count].decode("utf-16-be")

    def walk(node: int, folder: str) -> Iterator[tuple[str, bytes]]:
        name, flags = struct.unpack_from(">IH", raw, tree + node * length)
        one, two = struct.unpack_from(">II", raw, tree + node * length + 6)
        here = f"{folder}/{text(name)}" if node else ""
        if flags & 2:  # a folder: how many children, and the first of them
            for child in range(two, two + one):
                yield from walk(child, here)
        elif not flags & 4:  # flag 4 is another compression, which pictures do not need
            size = struct.unpack_from(">I", raw, data + two)[0]
            content = raw[data + two + 4 : data + two + 4 + size]
            yield here.lstrip("/"), zlib.decompress(content[4:]) if flags & 1 else content

    yield from walk(0, "")


def _photograph(raw: bytes) -> Image.Image | None:
    """Decode a picture if it is opaque, in colour, large enough and no drawing."""
    try:
        picture: Image.Image = ImageOps.exif_transpose(Image.open(io.BytesIO(raw)))
        if "A" in picture.getbands() and np.asarray(picture.getchannel("A")).min() < 255:
            return None
        picture = picture.convert("RGB")
    except (OSError, ValueError, SyntaxError):
        return None
    return picture if min(picture.size) >= SHORTEST * LEAST and not _is_drawn(np.asarray(picture)) else None


def _is_drawn(pixels: NDArray[np.uint8]) -> bool:
    """Whether neighbouring pixels are too often the same, or colours too few."""
    flat = float((pixels[:, 1:] == pixels[:, :-1]).all(2).mean())
    codes = (pixels >> 3).astype(np.int32) @ np.array([1024, 32, 1], np.int32)
    return flat > FLAT or len(np.unique(codes)) < COLOURS


def _seen(picture: Image.Image, looks: list[Look]) -> bool:
    """Whether it looks like one already kept; if not, it is remembered."""
    look = look_at(np.asarray(picture.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)))
    looks.append(look)
    if any(len(looks) - 1 in group for group in alike(looks)):
        looks.pop()
        return True
    return False


def _halved(picture: Image.Image) -> Iterator[Image.Image]:
    """The picture shrunk, a large one by two or more, and again at half of that where it is still large."""
    small = _shrunk(picture, max(2.0, max(picture.size) / LONGEST) if min(picture.size) >= LARGE else LEAST)
    yield small
    if min(small.size) >= 3 * SHORTEST:
        yield _shrunk(small, 2)


def _shrunk(picture: Image.Image, factor: float) -> Image.Image:
    width, height = (max(1, round(side / factor)) for side in picture.size)
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def _keep(found: Found, folder: Path, picture: Image.Image) -> dict[str, Any]:
    """Write a picture and say what it is."""
    part = "test" if found.held_out else "train"
    facts = {"package": found.package, "version": found.version, "from": found.name, "licence": found.licence}
    return keep(picture, folder, f"{part}/{found.stem}-{picture.width}x{picture.height}.png", **facts)


if __name__ == "__main__":
    main(__doc__, collect)
