"""The recipe inside a picture file: a text chunk in PNG, a comment in GIF, an XMP packet elsewhere; needs no torch."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, unescape

from PIL import Image

from danqing.core.errors import PictureError
from danqing.core.pictures.header import opened
from danqing.core.recipe import Recipe, from_json, to_json

CHUNK = "danqing"  # the keyword of the PNG text chunk
COMMENT = b"danqing "  # how the GIF comment begins
XMP = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
    ' xmlns:danqing="urn:danqing:recipe"><danqing:recipe>{}</danqing:recipe></rdf:Description></rdf:RDF>'
    '</x:xmpmeta><?xpacket end="w"?>'
)
XMP_TAG = 700  # where TIFF keeps its packet


def recipe_of(file: str | Path) -> Recipe:
    """Read the recipe inside a picture without decoding the picture.

    Raises:
        PictureError: if the file is no picture, or holds no recipe.
        ParameterError: if the recipe is damaged, or of a newer danqing.
    """
    with opened(file) as picture:
        text = recipe_text(picture)
    if text is None:
        raise PictureError("holds no recipe", where=file, remedy="Only pictures that danqing wrote do, and no BMP")
    return from_json(text, file)


def recipe_text(picture: Image.Image) -> str | None:
    """The recipe's JSON in an opened file, None where there is none."""
    if CHUNK in picture.info:
        return str(picture.info[CHUNK])
    comment = picture.info.get("comment", b"")
    if isinstance(comment, bytes) and comment.startswith(COMMENT):
        return comment.removeprefix(COMMENT).decode("utf-8", "replace")
    packet = picture.info.get("xmp") or getattr(picture, "tag_v2", {}).get(XMP_TAG, b"")
    if not isinstance(packet, bytes):
        return None
    found = re.search(rb"<danqing:recipe>(.*?)</danqing:recipe>", packet, re.S)
    return unescape(found[1].decode("utf-8", "replace")) if found else None


def settings(kind: str, recipe: Recipe) -> dict[str, Any]:
    """What Pillow's ``save`` needs to be told to embed a recipe in a format; empty for BMP, which can hold none."""
    text = to_json(recipe)
    if kind == "PNG":
        from PIL.PngImagePlugin import PngInfo

        info = PngInfo()
        info.add_itxt(CHUNK, text)
        return {"pnginfo": info}
    if kind == "GIF":
        return {"comment": COMMENT + text.encode()}
    return {} if kind == "BMP" else {"xmp": XMP.format(escape(text)).encode()}
