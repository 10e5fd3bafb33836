"""Files of a service by their hash, and what is worth knowing of each."""

from __future__ import annotations

import functools
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from danqing.core.artefacts.saving import Saving
from danqing.core.errors import DanqingError, ParameterError
from danqing.core.pictures.header import opened
from danqing.core.runs.blobs import HASH, Blobs
from danqing.faces.service.problems import not_found

TYPES = {
    ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp", ".gif": "image/gif",
    ".tif": "image/tiff", ".tiff": "image/tiff", ".bmp": "image/bmp", ".avif": "image/avif", ".mp4": "video/mp4",
    ".json": "application/json", ".jsonl": "application/x-ndjson", ".zip": "application/zip",
    ".safetensors": "application/octet-stream", ".html": "text/html; charset=utf-8",
}  # fmt: skip
BY_KIND = {
    "PNG": ".png",
    "JPEG": ".jpg",
    "WEBP": ".webp",
    "TIFF": ".tif",
    "BMP": ".bmp",
    "GIF": ".gif",
    "AVIF": ".avif",
}
SUFFIX = {TYPES[suffix]: suffix for suffix in BY_KIND.values()}  # of what is a picture, by its type
DEEP = ("I", "F", "I;16", "I;16B", "I;16L")


@dataclass(frozen=True)
class Shelf:
    """The store of a service.

    Attributes:
        folder: of the store alone.
        sets: folders of this machine that may be worked from, by the name that stands for each.
    """

    folder: Path
    sets: Mapping[str, Path] = field(default_factory=dict)

    def blobs(self, saving: Saving | None = None, suffix: str = "") -> Blobs:
        """The store, for results that are saved so."""
        return Blobs(self.folder, saving or Saving(), suffix, self.sets)

    def put(self, content: bytes | Path, name: str) -> str:
        """Keep content; its id."""
        return self.blobs().put(content, name)

    def find(self, name: str) -> Path:
        """The file or folder that an id stands for.

        Raises:
            ParameterError: if there is none.
        """
        return self.sets.get(name) or self.blobs().file(name)

    def file(self, name: str) -> Path:
        """The file of an id.

        Raises:
            Problem: if there is none.
        """
        try:
            return self.blobs().file(name)
        except ParameterError:
            raise not_found("file", name) from None

    def holds(self, name: str) -> bool:
        """Whether there is something under an id."""
        return HASH.fullmatch(name) is not None and any((self.folder / "content" / name[:2] / name).glob("[!.]*"))

    def facts(self, name: str) -> dict[str, Any]:
        """What is worth knowing of a file."""
        return _facts(self.file(name), name)


@functools.lru_cache(maxsize=4096)
def _facts(file: Path, name: str) -> dict[str, Any]:
    """Facts of content, which never changes under its hash."""
    found: dict[str, Any] = {"id": name, "name": file.name, "type": type_of(file), "bytes": file.stat().st_size}
    urls = {"url": f"/v1/pictures/{name}"}
    if not found["type"].startswith("image/") and file.suffix.lower() in TYPES:
        return {**found, **urls}
    try:
        seen = picture_facts(file)
    except DanqingError:
        return {**found, **urls}
    return {**found, **seen, **urls, "preview": f"/v1/pictures/{name}/preview"}


def picture_facts(file: Path | bytes, limit: int | None = None) -> dict[str, Any]:
    """What a picture's header says.

    Raises:
        PictureError: if it is no picture that can be read.
    """
    with opened(file, limit) as header:
        mode = str(getattr(header.picture, "mode", ""))
        turned = _is_turned(header)
        width, height = (header.height, header.width) if turned else (header.width, header.height)
        return {
            "type": TYPES[BY_KIND[header.kind]],
            "width": width,
            "height": height,
            "channels": 1 if header.is_grey else 3,
            "depth": _depth(header, mode),
            "alpha": _has_alpha(header, mode),
            "frames": header.frames,
            "made_by_danqing": header.recipe_text() is not None,
        }


def type_of(file: Path) -> str:
    """The media type of a file, told by its suffix."""
    return TYPES.get(file.suffix.lower()) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"


def _is_turned(header: Any) -> bool:
    from danqing.core.pictures.metadata import told

    return told(header).orientation > 4


def _depth(header: Any, mode: str) -> int:
    if header.kind == "PNG":
        header.stream.seek(24)
        bits = header.stream.read(1)
        header.stream.seek(0)
        return 16 if bits == b"\x10" else 8
    if header.kind == "TIFF":
        bits = getattr(header.picture, "bitspersample", 8) or 8
        return 16 if (bits if isinstance(bits, int) else max(bits)) > 8 else 8
    if header.kind == "AVIF" and header.frames == 1:  # those of several are read with 8
        from danqing.core.pictures import avif

        return 16 if avif.bits(header.stream) > 8 else 8
    return 16 if mode in DEEP else 8


def _has_alpha(header: Any, mode: str) -> bool:
    if header.kind == "TIFF":
        samples = getattr(header.picture, "samplesperpixel", 3)
        return samples in (2, 4) and bool(getattr(header.picture, "extrasamples", ()))
    if header.kind == "PNG" and b"tRNS" in header.facts:
        return True
    return mode in ("LA", "La", "RGBA", "RGBa", "PA") or "transparency" in getattr(header.picture, "info", {})


__all__ = ["SUFFIX", "TYPES", "Shelf", "picture_facts", "type_of"]
