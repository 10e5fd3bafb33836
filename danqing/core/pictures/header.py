"""Open a picture file as far as its header, or say by name why it cannot be read; needs no torch."""

from __future__ import annotations

import io
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image, ImageFile, JpegImagePlugin

from danqing.core.errors import DanqingError, PictureError
from danqing.core.pictures import png
from danqing.core.pictures.views import further_views
from danqing.core.recipe import Recipe, from_json

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "AVIF")
LIMIT = 180_000_000  # pixels; what a large scan has, and about as much as 2 GB of memory can hold as floats
IN_MEMORY = "a picture in memory"
GREY = ("1", "L", "LA", "La")  # Pillow's modes of grey
CHUNK = "danqing"  # the keyword of the PNG text with the recipe
COMMENT = "danqing "  # how a comment with the recipe begins
LONGEST_MARKER = 65533  # bytes of one segment of a JPEG
XMP_TEXT = "XML:com.adobe.xmp"  # the keyword of a PNG text with an XMP packet


@dataclass
class Header:
    """What a file says before its pixels.

    Attributes:
        file: the picture.
        kind: the format, in Pillow's spelling.
        width: of a frame.
        height: of a frame.
        frames: how many frames or pages there are; previews do not count.
        picture: Pillow's picture, not yet decoded; of a TIFF its first page.
        stream: the file; of a PNG the part of it that is about pixels, and frames.
        facts: chunks of a PNG by kind.
        texts: what it says in words, by PNG's keywords.
        passed_over: what was too long to be looked at.
        views: further pictures in a JPEG, such as that of the other eye.
        icc: the colour profile.
        exif: the EXIF block.
        xmp: the XMP packet.
    """

    file: str | Path
    kind: str
    width: int
    height: int
    frames: int
    picture: Any
    stream: BinaryIO
    facts: dict[bytes, bytes] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    passed_over: list[str] = field(default_factory=list)
    views: int = 0
    icc: bytes | None = None
    exif: bytes = b""
    xmp: bytes = b""

    @property
    def is_grey(self) -> bool:
        """Whether the pixels are grey by what the header says; a palette counts as colours."""
        if self.kind == "TIFF":
            return int(self.picture.photometric) in (0, 1)
        return self.picture.mode in GREY or self.picture.mode.startswith("I")

    def recipe_text(self) -> str | None:
        """The recipe as JSON, wherever it stands; None where there is none."""
        if CHUNK in self.texts:
            return self.texts[CHUNK]
        comment = self.texts.get("Comment", "")
        if comment.startswith(COMMENT):
            return comment.removeprefix(COMMENT)
        if b"danqing" not in self.xmp and b"d\0a\0n\0q\0i\0n\0g" not in self.xmp:
            return None
        from danqing.core.pictures.packet import recipe_text

        return recipe_text(self.xmp)


class _Jpeg(JpegImagePlugin.JpegImageFile):
    """A JPEG whose EXIF is not looked at: it may be broken, and Pillow would complain aloud."""

    def _read_dpi_from_exif(self) -> None:
        pass


@contextmanager
def opened(source: str | Path | bytes, limit: int | None = None) -> Iterator[Header]:
    """Give a file's header; whatever goes wrong with the file inside the block gets its name.

    Args:
        source: the file, or its contents.
        limit: the most pixels a frame may have; None: 180 million.

    Raises:
        PictureError: for a file that is missing, empty, damaged, too large, or not a picture.
    """
    file = IN_MEMORY if isinstance(source, bytes) else source
    with io.BytesIO(source) if isinstance(source, bytes) else _stream(Path(source)) as stream:
        kind = _kind(stream, file)
        try:
            header = {"PNG": _png, "TIFF": _tiff, "AVIF": _avif}.get(kind, _other)(file, kind, stream)
            check_size(header, LIMIT if limit is None else limit)
            yield header
        except DanqingError as error:
            if not error.where and isinstance(error, PictureError):
                raise PictureError(error.what, where=file, remedy=error.remedy) from error
            raise
        except (MemoryError, Image.DecompressionBombError) as error:
            raise PictureError("is too large for the memory at hand", where=file) from error
        except Exception as error:  # decoders raise whatever the damage leads them into
            raise PictureError(_diagnosis(kind, error), where=file, remedy="Export or download it again") from error


def recipe_of(file: str | Path) -> Recipe:
    """Read the recipe inside a picture without decoding the picture.

    Raises:
        PictureError: if the file is no picture, or holds no recipe.
        ParameterError: if the recipe is damaged, or of a newer danqing.
    """
    with opened(file) as header:
        text = header.recipe_text()
    if text is None:
        raise PictureError("holds no recipe", where=file, remedy="Only pictures that danqing wrote do, and no BMP")
    return from_json(text, file)


def _png(file: str | Path, kind: str, stream: BinaryIO) -> Header:
    found = png.chunks(stream)
    picture = Image.OPEN[kind][0](found.pixels, str(file))
    frames = max(1, int.from_bytes(found.facts.get(b"acTL", b"")[:4], "big"))
    pixels = png.chunks(stream, png.PIXELS | png.FRAMES).pixels if b"acTL" in found.facts else found.pixels
    header = Header(file, kind, *picture.size, frames, picture, pixels, found.facts, found.texts)
    header.icc, header.passed_over = png.profile(found.facts), found.passed_over
    header.exif = found.facts.get(b"eXIf") or png.raw_profile(found.texts, "exif")
    header.xmp = found.texts.get(XMP_TEXT, "").encode("utf-8") or png.raw_profile(found.texts, "xmp")
    return header


def _tiff(file: str | Path, kind: str, stream: BinaryIO) -> Header:
    from danqing.core.pictures import tiff

    pages = tiff.pages(stream)
    page = pages[0]
    frames = max(len(pages), tiff.slices(page))
    header = Header(file, kind, int(page.imagewidth), int(page.imagelength), frames, page, stream)
    header.icc, header.xmp = tiff.bytes_of(page, tiff.ICC) or None, tiff.bytes_of(page, tiff.XMP)
    return header


def _avif(file: str | Path, kind: str, stream: BinaryIO) -> Header:
    """The header of an AVIF, whose decoder refuses a picture for the sake of its EXIF."""
    try:
        return _other(file, kind, stream)
    except Exception as error:
        if "exif" not in str(error).lower():
            raise
    stream.seek(0)
    from danqing.core.pictures.avif import without_exif

    header = _other(file, kind, io.BytesIO(without_exif(stream.read())))
    header.passed_over.append("its EXIF, which is broken,")
    return header


def _other(file: str | Path, kind: str, stream: BinaryIO) -> Header:
    picture: ImageFile.ImageFile = (_Jpeg if kind == "JPEG" else Image.OPEN[kind][0])(stream, str(file))
    header = Header(file, kind, *picture.size, int(getattr(picture, "n_frames", 1)), picture, stream)
    header.icc, header.exif = picture.info.get("icc_profile"), picture.info.get("exif", b"")
    header.xmp, header.views = picture.info.get("xmp", b""), further_views(picture) if kind == "JPEG" else 0
    comment = picture.info.get("comment", b"")
    if comment:
        header.texts["Comment"] = comment.decode("utf-8", "replace") if isinstance(comment, bytes) else str(comment)
    return header


def megapixels(file: str | Path) -> float:
    """The size of a picture by its header; 0 where that cannot be told."""
    try:
        with opened(file, limit=2**62) as picture:
            return picture.width * picture.height / 1e6
    except DanqingError:
        return 0.0


@contextmanager
def _stream(file: Path) -> Iterator[BinaryIO]:
    try:
        mode = file.stat().st_mode
        if stat.S_ISDIR(mode):
            raise PictureError("is a folder, not a picture", where=file)
        if not stat.S_ISREG(mode):
            raise PictureError("is a device or pipe, not a file", where=file)
        stream = file.open("rb")
    except FileNotFoundError as error:
        raise PictureError("no such file", where=file) from error
    except (OSError, ValueError) as error:
        raise PictureError(f"cannot be read ({getattr(error, 'strerror', None) or error})", where=file) from error
    with stream:
        yield stream


def _kind(stream: BinaryIO, file: str | Path) -> str:
    """Tell the format from the first bytes; the name does not count."""
    head = stream.read(1024)
    stream.seek(0)
    if not head:
        raise PictureError("is empty (0 bytes)", where=file)
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+") and head[8:10] != b"CR":
        return "TIFF"
    Image.init()
    for kind in FORMATS:
        if kind in Image.OPEN and kind != "TIFF":
            accept = Image.OPEN[kind][1]
            if accept is not None and accept(head[:16]) is True:
                return kind
    from danqing.core.pictures.foreign import guess

    what, remedy = guess(head, FORMATS)
    raise PictureError(f"is not a picture that danqing reads ({what})", where=file, remedy=remedy)


def check_size(header: Header, limit: int) -> None:
    """Refuse a frame of more pixels than a limit, or of none (PictureError)."""
    if header.width * header.height > limit:
        raise PictureError(
            f"has {header.width} x {header.height} pixels, more than the limit of {limit / 1e6:g} million",
            where=header.file,
            remedy="Raise the limit if you trust the file",
        )
    if not header.width or not header.height:
        raise PictureError("has no pixels", where=header.file)


def _diagnosis(kind: str, error: Exception) -> str:
    words = str(error).strip().partition("\n")[0][:200] or type(error).__name__
    ran_out = any(isinstance(each, EOFError | IndexError | struct.error) for each in (error, error.__cause__))
    if ran_out or "truncated" in words.lower() or "too small" in words:
        return f"is a truncated {kind}"
    return f"is a damaged {kind}, or one of an unusual kind ({words})"
