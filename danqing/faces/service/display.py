"""Pictures for the eye: small or cut out, sRGB, 8 bits, in a format that browsers know; and their histograms."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from danqing.core.errors import ParameterError
from danqing.core.fields.box import BoxKind, Rectangle
from danqing.core.notes import noted
from danqing.core.pictures.contract import Images, Mask, Picture, to_uint8
from danqing.core.pictures.films import frames
from danqing.core.pictures.header import opened
from danqing.core.pictures.reading import read
from danqing.faces.service.decoded import Decoded

MEDIA = {"webp": "image/webp", "png": "image/png", "jpeg": "image/jpeg"}
QUALITY = 88
BASE = 2048  # px: from a picture this large, smaller ones are made without reading the file again
FILM = (".mp4",)
JPEG = b"\xff\xd8\xff"  # its first bytes; others cannot be shrunk while they are decoded

Bytes = NDArray[np.uint8]
T = TypeVar("T")


class Size(NamedTuple):
    """How a picture is to be seen: its longest side (0: as it is), and the part of it."""

    longest: int = 0
    box: Rectangle | None = None


class Display:
    """Makes pictures for the eye out of files."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._shown, self._worked = Decoded(), Decoded()

    def shown(self, file: Path, name: str, size: Size) -> Bytes:
        """Bytes (H, W, C), C in {1, 2, 3, 4}: grey or colour, perhaps with opacity."""
        if size.box is None and 0 < size.longest <= BASE:
            return smaller(self._shown.get((name, BASE), lambda: self.base(file), lambda a: a.nbytes), size.longest)
        full = self._full(file, name)
        return smaller(full if size.box is None else cut(full, size.box), size.longest)

    def base(self, file: Path) -> Bytes:
        """A picture at most ``BASE`` large, read to its end; a JPEG is shrunk while it is decoded.

        Raises:
            PictureError: if it cannot be read.
        """
        picture = self._read(file, BASE)
        if picture.alpha is not None and bool((picture.alpha < 1).any()):
            return smaller(_bytes(picture), BASE)
        return _bytes(replace(picture, pixels=shrunk(picture.pixels, BASE), alpha=None))

    def keep(self, name: str, base: Bytes) -> None:
        """Keep the base of a picture that is soon asked for."""
        self._shown.get((name, BASE), lambda: base, lambda a: a.nbytes)

    def picture(self, file: Path, name: str, size: Size) -> Picture:
        """A picture to work on: cut out, and made small, as floats."""

        def make() -> Picture:
            picture = self._worked.get((name, None), lambda: self._read(file), _bytes_of)
            return reduced(picture, size)

        return self._worked.get((name, size), make, _bytes_of)  # type: ignore[no-any-return]

    def made(self, key: Any, make: Callable[[], T], bytes_of: Callable[[T], int]) -> T:
        """Anything else that is made for work that is done again and again."""
        return self._worked.get(key, make, bytes_of)  # type: ignore[no-any-return]

    def mask(self, key: Any, make: Callable[[], Picture], size: Size) -> Picture:
        """A mask to work with: cut out, and made small."""
        return self._worked.get(key, lambda: reduced(make(), size), _bytes_of)  # type: ignore[no-any-return]

    def _full(self, file: Path, name: str) -> Bytes:
        made = self._shown.get((name, 0), lambda: _bytes(self._read(file)), lambda a: a.nbytes)
        return made  # type: ignore[no-any-return]

    def _read(self, file: Path, longest: int = 0) -> Picture:
        with noted([]):
            if file.suffix.lower() in FILM:
                frame = next(iter(frames(file, self._limit)))
                return Picture(frame.pixels, frame.alpha)
            return read(file, limit=self._limit, at_least=_shorter(file, longest) if longest else None)


def _bytes(picture: Picture) -> Bytes:
    return with_opacity(picture.pixels, picture.alpha)


def _shorter(file: Path, longest: int) -> int | None:
    """The shorter side of a JPEG whose longest is so many pixels; of other pictures it is not asked for."""
    with open(file, "rb") as stream:
        if stream.read(len(JPEG)) != JPEG:
            return None
    with opened(file, limit=2**62) as header:
        sides = header.width, header.height
    return max(1, longest * min(sides) // max(sides))


def with_opacity(x: Images, alpha: Mask | None) -> Bytes:
    """One picture as bytes (H, W, C), opacity last."""
    bytes_ = to_uint8(x)[0]
    return bytes_ if alpha is None else np.concatenate([bytes_, to_uint8(alpha)[0]], axis=2)


def smaller(a: Bytes, longest: int) -> Bytes:
    """Shrink to a longest side by averaging areas; what is small enough stays."""
    height, width = a.shape[:2]
    if not longest or max(height, width) <= longest:
        return a
    share = longest / max(height, width)
    to = max(1, round(width * share)), max(1, round(height * share))
    if a.shape[2] in (2, 4):  # what is transparent has no colour that could shine through
        colours, opacity = a[..., :-1].astype(np.float32), a[..., -1:].astype(np.float32) / 255
        weight = cv2.resize(opacity, to, interpolation=cv2.INTER_AREA)[..., None]
        sums = cv2.resize(colours * opacity, to, interpolation=cv2.INTER_AREA).reshape(*weight.shape[:2], -1)
        mean = np.divide(sums, weight, out=np.zeros_like(sums), where=weight > 1e-4)
        return np.concatenate([mean, weight * 255], axis=2).round().clip(0, 255).astype(np.uint8)
    made: Bytes = cv2.resize(a, to, interpolation=cv2.INTER_AREA).reshape(to[1], to[0], -1)
    return made


def cut(a: Bytes, box: Rectangle) -> Bytes:
    """The part of a picture in a box, as far as it lies inside.

    Raises:
        ParameterError: if none of it does.
    """
    part = a[box.place]
    if 0 in part.shape:
        raise ParameterError("lies outside the picture", where="box")
    return np.ascontiguousarray(part)


def reduced(picture: Picture, size: Size) -> Picture:
    """A picture to work on, cut out and made small."""
    pixels, alpha = picture.pixels, picture.alpha
    if size.box is not None:
        rows, columns = size.box.place
        pixels, alpha = pixels[..., rows, columns], None if alpha is None else alpha[..., rows, columns]
        if 0 in pixels.shape:
            raise ParameterError("lies outside the picture", where="box")
    elif size.longest:
        pixels, alpha = shrunk(pixels, size.longest), None if alpha is None else shrunk(alpha, size.longest)
    return replace(picture, pixels=pixels, alpha=alpha, exif=None, recipe=None)


def shrunk(x: Tensor, longest: int) -> Tensor:
    """Pictures (1, C, H, W) as floats, their longest side at most so many pixels."""
    height, width = x.shape[-2:]
    if max(height, width) <= longest:
        return x
    share = longest / max(height, width)
    to = max(1, round(width * share)), max(1, round(height * share))
    planes = [cv2.resize(plane.numpy(), to, interpolation=cv2.INTER_AREA) for plane in x[0]]
    return torch.from_numpy(np.stack(planes))[None].clamp(0, 1)


def encoded(a: Bytes, form: str = "auto", quality: int = QUALITY) -> tuple[bytes, str]:
    """A picture as a file, and its format: lossless while it is small, fast where it is large."""
    height, width, channels = a.shape
    if form == "auto":
        form = "png" if height * width <= 256 * 256 else "webp" if channels in (2, 4) else "jpeg"
    if form == "jpeg":
        flat = _on_white(a) if channels in (2, 4) else a
        order = flat if flat.shape[2] == 1 else flat[..., ::-1]
        done, data = cv2.imencode(".jpg", np.ascontiguousarray(order), [cv2.IMWRITE_JPEG_QUALITY, quality])
        assert done
        return data.tobytes(), form
    stream = io.BytesIO()
    picture = Image.fromarray(a[..., 0] if channels == 1 else a, {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels])
    if form == "webp":
        (picture.convert("RGBA") if channels == 2 else picture).save(stream, "WEBP", quality=quality, method=0)
    else:
        picture.save(stream, "PNG", compress_level=1)
    return stream.getvalue(), form


def histogram(a: Bytes, bins: int) -> dict[str, Any]:
    """How often each brightness occurs, by channel; what is transparent does not count."""
    seen = a[a[..., -1] > 0] if a.shape[2] in (2, 4) else a.reshape(-1, a.shape[2])
    colours = np.repeat(seen[:, :1], 3, axis=1) if a.shape[2] < 3 else seen[:, :3]
    luma = (colours.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)).round().astype(np.uint8)

    def counted(values: NDArray[Any]) -> list[int]:
        counts = np.bincount(values, minlength=256)
        return [int(part.sum()) for part in np.array_split(counts, bins)]

    red, green, blue = (counted(colours[:, at]) for at in range(3))
    return {"bins": bins, "red": red, "green": green, "blue": blue, "luma": counted(luma), "pixels": len(seen)}


def box_of(text: str | None) -> Rectangle | None:
    """The box that a client spelt.

    Raises:
        ParameterError: if it is none.
    """
    return BoxKind().check(text, "box") if text else None


def _on_white(a: Bytes) -> Bytes:
    opacity = a[..., -1:].astype(np.float32) / 255
    return (a[..., :-1] * opacity + 255 * (1 - opacity)).round().astype(np.uint8)


def _bytes_of(picture: Picture) -> int:
    return picture.pixels.nbytes + (0 if picture.alpha is None else picture.alpha.nbytes)


__all__ = ["MEDIA", "QUALITY", "Display", "Size", "box_of", "cut", "encoded", "histogram", "smaller", "with_opacity"]
