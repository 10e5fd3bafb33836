"""Collect Chinese characters in three hands as a set to learn from: ``python -m danqing.zoo.characters FOLDER``.

They come out of the Debian packages fonts-arphic-ukai (Kai), fonts-arphic-uming (Ming print) and
fonts-aoyagi-kouzan-t (brush), fetched by ``apt-get download`` or lying as .deb files in ``--debs FOLDER``: the common
characters of JIS X 0208 (its first level) that all three hold, black on white, 128 px square, their ink in the middle.
Each hand is a folder; one character has the same name in all of them. One in ten, by a hash of the character, goes
into FOLDER/test, in all hands. FOLDER/manifest.json names every picture with its package, version, licence and hash.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image, ImageDraw, ImageFont, ImageOps

from danqing.zoo.packages import Package, held_out, keep, main, unpacked, write_manifest

FONTS = "usr/share/fonts/truetype/"
SIDE, EM = 128, 108  # px: of a picture, and of a character's square in it
HELD_OUT = 10  # one of so many
LEVEL_1 = range(0x30, 0x50)  # rows of JIS X 0208 that hold the common characters
CELLS = range(0x21, 0x7F)
NOBODY = "\uffff"  # no character: what a font draws in the place of what it lacks


class Hand(NamedTuple):
    """A way of writing, and where its font lies."""

    name: str
    package: str
    font: str
    licence: str


HANDS = (
    Hand("brush", "fonts-aoyagi-kouzan-t", "aoyagi-kouzan-t/AoyagiKouzanT.ttf", "public domain"),
    Hand("kai", "fonts-arphic-ukai", "arphic/ukai.ttc", "Arphic-1999"),
    Hand("ming", "fonts-arphic-uming", "arphic/uming.ttc", "Arphic-1999"),
)


def collect(folder: Path, debs: Path | None = None) -> dict[str, Any]:
    """Put all characters into ``folder`` and say how many there are.

    Raises:
        UserError: if a package cannot be had.
    """
    rows: list[dict[str, Any]] = []
    with ExitStack() as stack:
        packages = [stack.enter_context(unpacked(hand.package, debs)) for hand in HANDS]
        fonts = [ImageFont.truetype(p.file(FONTS + hand.font), EM) for hand, p in zip(HANDS, packages, strict=True)]
        for character in common_characters():
            pictures = [picture for font in fonts if (picture := drawn(font, character)) is not None]
            if len(pictures) == len(HANDS):
                rows += _kept(character, pictures, packages, folder)
    write_manifest(folder, rows)
    return {"pictures": len(rows), "characters": len(rows) // len(HANDS), "hands": len(HANDS)}


def common_characters() -> Iterator[str]:
    """Go through the characters of the first level of JIS X 0208, in its order."""
    for row in LEVEL_1:
        for cell in CELLS:
            try:
                yield bytes([0x80 | row, 0x80 | cell]).decode("euc_jp")
            except UnicodeDecodeError:  # a cell that is not used
                continue


def drawn(font: ImageFont.FreeTypeFont, character: str) -> Image.Image | None:
    """A character in black on white, its ink in the middle; None if the font has none of it."""
    mask, none = font.getmask(character), font.getmask(NOBODY)
    if mask.getbbox() is None or (mask.size == none.size and bytes(mask) == bytes(none)):
        return None
    ink = Image.new("L", (2 * SIDE, 2 * SIDE))
    ImageDraw.Draw(ink).text((SIDE // 2, SIDE // 2), character, font=font, fill="white")
    left, top, right, bottom = ink.getbbox() or (0, 0, 0, 0)
    place = (left + right - SIDE) // 2, (top + bottom - SIDE) // 2
    return ImageOps.invert(ink.crop((*place, place[0] + SIDE, place[1] + SIDE)))


def _kept(
    character: str, pictures: list[Image.Image], packages: list[Package], folder: Path
) -> Iterator[dict[str, Any]]:
    """Write a character in every hand."""
    side = "test" if held_out(character, HELD_OUT) else "train"
    for picture, hand, package in zip(pictures, HANDS, packages, strict=True):
        facts = {"package": package.name, "version": package.version, "licence": hand.licence}
        yield keep(picture, folder, f"{side}/{hand.name}/{ord(character):04X}.png", **facts)


if __name__ == "__main__":
    main(__doc__, collect)
