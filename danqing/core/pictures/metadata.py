"""What comes with the pixels, EXIF, resolution, texts: kept where it can be, else dropped with a note."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from danqing.core.notes import note
from danqing.core.pictures import exif, iptc, packet, png
from danqing.core.pictures.header import CHUNK, COMMENT, LONGEST_MARKER, Header

if TYPE_CHECKING:
    from pathlib import Path

    from danqing.core.pictures.contract import Picture

WITHOUT_EXIF = ("BMP", "GIF")  # formats with no place for it
IPTC, PHOTOSHOP = 0x83BB, 0x8649  # tags of a TIFF that hold a record, or resources with one
METRE = 0.0254  # metres in an inch
LONGEST_TEXT = 1 << 16  # characters
WIDTH, HEIGHT, INTEROPERABILITY = 0xA002, 0xA003, 1


class Told(NamedTuple):
    """What a file tells: the side that is up, an EXIF block without that, dots per inch, texts by keyword."""

    orientation: int
    exif: bytes | None
    resolution: tuple[float, float] | None
    texts: dict[str, str]


def told(header: Header) -> Told:
    """Read what comes with the pixels of a file; whatever is broken is left out, with a note."""
    for what in header.passed_over:
        note(f"{header.file}: {what} is left out")
    block = _exif(header)
    orientation = int(block.number(exif.ORIENTATION) or 0) if block else 0
    if not orientation and header.kind != "TIFF":
        orientation = packet.orientation_of(header.xmp) if b"Orientation" in header.xmp else 1
    if block and exif.ORIENTATION in block.tags[exif.MAIN]:
        block.put(exif.ORIENTATION, 1)
    kept = block.tobytes() if block and block.says_something() else None
    return Told(orientation, kept, _resolution(header, block), _texts(header))


def exif_for(picture: Picture, kind: str, file: str | Path, size: tuple[int, int] | None = None) -> bytes:
    """The EXIF to write with a picture, for its format; empty where there is nothing to say, or no place for it.

    Args:
        picture: what lends it.
        kind: the format.
        file: for notes.
        size: width and height of what is written, if they are to be told.
    """
    if kind in WITHOUT_EXIF:
        return b""
    if not picture.exif and kind in ("PNG", "JPEG"):
        return b""
    made = exif_block(picture.exif, picture.resolution, size)
    if made is None:
        return b""
    return fitted(made, file) if kind == "JPEG" else made.tobytes()


def texts_for(picture: Picture, kind: str, file: str | Path) -> dict[str, str]:
    """The texts that a format has a place for; one note says what else is left out, EXIF included."""
    texts = {keyword: text for keyword, text in picture.texts.items() if _has_place(kind, keyword, text)}
    lost = sorted(picture.texts.keys() - texts.keys())
    if picture.exif and kind in WITHOUT_EXIF:
        note(f"{file}: {kind} has no place for {', '.join(['EXIF', *lost])}")
    elif lost:
        note(f"{file}: {kind} has no place for its text: {', '.join(lost)}")
    return texts


def _has_place(kind: str, keyword: str, text: str) -> bool:
    if kind in WITHOUT_EXIF:
        return kind == "GIF" and keyword == "Comment"
    return kind == "PNG" or packet.has_place(keyword, text)


def exif_block(
    block: bytes | None, resolution: tuple[float, float] | None, size: tuple[int, int] | None
) -> exif.Exif | None:
    """The EXIF to write with a picture that is upright and in sRGB; None if there is nothing to say."""
    if not block and resolution is None:
        return None
    out = exif.parse(block) if block else exif.Exif()
    if exif.ORIENTATION in out.tags[exif.MAIN]:
        out.put(exif.ORIENTATION, 1)
    camera = out.tags.get(exif.CAMERA, {})
    if exif.COLOUR_SPACE in camera:
        out.put(exif.COLOUR_SPACE, 1, directory=exif.CAMERA)  # sRGB
    for tag, side in zip((WIDTH, HEIGHT), size or (), strict=False):
        if tag in camera:
            out.put(tag, side, exif.LONG, exif.CAMERA)
    out.tags.pop(exif.INTEROP, None)  # it names the colour space of the camera
    if resolution is not None:
        out.put_resolution(resolution)
    return out


def fitted(block: exif.Exif, file: str | Path) -> bytes:
    """An EXIF block for a JPEG, whose segments are short: the maker's notes go first."""
    data = block.tobytes()
    if len(data) > LONGEST_MARKER and exif.MAKER_NOTE in block.tags.get(exif.CAMERA, {}):
        note(f"{file}: there was no room for the notes of the camera's maker")
        del block.tags[exif.CAMERA][exif.MAKER_NOTE]
        data = block.tobytes()
    if len(data) > LONGEST_MARKER:
        note(f"{file}: there was no room for EXIF")
        return b""
    return data


def _exif(header: Header) -> exif.Exif | None:
    if header.kind == "TIFF":
        from danqing.core.pictures import tiff

        return tiff.exif_of(header.picture, header.stream)
    if not header.exif:
        return None
    block = exif.parse(header.exif)
    if not block.is_sound:
        note(f"{header.file}: its EXIF is broken; what could be read of it is kept")
    return block


def _resolution(header: Header, block: exif.Exif | None) -> tuple[float, float] | None:
    physical = header.facts.get(b"pHYs", b"")
    if len(physical) == 9 and physical[8] == 1:
        across, down = (int.from_bytes(physical[at : at + 4], "big") * METRE for at in (0, 4))
        return (across, down) if across and down else None
    info = getattr(header.picture, "info", {})
    inches = {1: 1.0, 2: 2.54}.get(info.get("jfif_unit", 0), 0.0)
    across, down = (float(each) * inches for each in info.get("jfif_density", (0, 0)))
    if header.kind == "BMP":
        across, down = info.get("dpi", (0.0, 0.0))
    if across and down:
        return across, down
    return block.resolution() if block else None


def _texts(header: Header) -> dict[str, str]:
    kept = {}
    for keyword, text in _said(header).items():
        if keyword in (CHUNK, "Software") or keyword.startswith(("XML:", "Raw profile ", "date:")):
            continue
        if keyword == "Comment" and text.startswith(COMMENT):
            continue
        if len(text) > LONGEST_TEXT or not 0 < len(keyword) < 80:
            note(f"{header.file}: its text {keyword[:80]!r} of {len(text):,} characters is left out")
        else:
            kept[keyword] = text
    return kept


def _said(header: Header) -> dict[str, str]:
    """What a file says in words: what stands there by itself counts, then its packet, then its IPTC record."""
    record = iptc.record_in(_resources(header))
    said = {**(iptc.texts_of(record) if record else {}), **(packet.texts_of(header.xmp) if header.xmp else {})}
    if header.kind == "JPEG" and "Comment" in header.texts:
        raw = dict.fromkeys(data.rstrip(b"\0") for marker, data in header.picture.applist if marker == "COM")
        comments = iptc.in_letters([each for each in raw if each])
        return said | ({"Comment": "\n".join(comments)} if comments else {})
    return said | header.texts


def _resources(header: Header) -> bytes:
    """Where an IPTC record may stand; empty where there is no such place."""
    if header.kind == "JPEG":
        found = header.picture.info.get("photoshop", {}).get(iptc.RECORD, b"")
        return bytes(found)
    if header.kind == "TIFF":
        tags = exif.read_from(header.stream, header.picture.offset).tags[exif.MAIN]
        return next((tags[tag].data for tag in (IPTC, PHOTOSHOP) if tag in tags), b"")
    return png.raw_profile(header.texts, "iptc")
