"""AVIF of more than 8 bits keeps them; where it cannot, that is said."""

from __future__ import annotations

import io
import re
import struct
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import torch
from PIL import Image
from sketches import error_between, noise, profile, refusal

from danqing.core.notes import PictureWarning, noted
from danqing.core.pictures import avif
from danqing.core.pictures.films import frames
from danqing.core.pictures.profiles import by_profile
from danqing.core.pictures.reading import read
from danqing.core.pictures.writing import write

pytestmark = pytest.mark.filterwarnings("error")
Array = np.ndarray[Any, Any]


def ramp(channels: int, height: int = 40, width: int = 48) -> Array:
    y, x = np.mgrid[0:height, 0:width]
    x, y = x / (width - 1), y / (height - 1)
    return np.stack([x, y, (x + y) / 2, 0.2 + 0.6 * x], -1)[..., :channels]


def encoded(x: Array, bits: int, **options: Any) -> bytes:
    words = np.round(x * (2**bits - 1)).astype(np.uint16 if bits > 8 else np.uint8)
    grey = words[..., 0] if words.shape[-1] == 1 else words
    return bytes(imagecodecs.avif_encode(grey, bitspersample=bits, speed=9, **{"level": 100, **options}))


def whole(picture: Any) -> torch.Tensor:
    return picture.pixels if picture.alpha is None else torch.cat([picture.pixels, picture.alpha], 1)


@pytest.mark.parametrize("bits", [8, 10, 12])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_every_bit_is_kept(bits: int, channels: int) -> None:
    """Without loss (level 100), so each number comes back as it was, and Pillow's are those rounded."""
    data = encoded(ramp(channels), bits)
    seen = read(data)
    assert seen.depth == (8 if bits == 8 else 16)
    top = 2**bits - 1
    stored = torch.from_numpy(np.round(ramp(channels) * top).astype(np.float32)).permute(2, 0, 1)[None]
    assert torch.equal((whole(seen) * top).round(), stored)
    assert error_between(whole(seen), stored / top) < 1e-6
    with Image.open(io.BytesIO(data)) as picture:
        shallow = np.asarray(picture).reshape(40, 48, -1)
    assert np.abs(whole(seen)[0].permute(1, 2, 0).numpy() - shallow / 255).max() <= 0.5 / 255 + 1e-6


@pytest.mark.parametrize("shape", ["yuv420", "yuv422", "yuv444", "yuv400"])
@pytest.mark.parametrize("channels", [3, 4])
def test_every_layout_is_nearer_to_what_was_written_than_8_bits_are(shape: str, channels: int) -> None:
    """In 8 bits chroma is converted in short numbers, of 6 bits behind the point: 3 levels are lost."""
    x = ramp(channels)
    x[..., :3] = x[..., :1] * 0.8 + 0.1  # no colour, which subsampling would blur
    data = encoded(x, 10, level=95, pixelformat=shape)
    seen = whole(read(data))
    with Image.open(io.BytesIO(data)) as picture:
        assert seen.shape[1] == len(picture.getbands())
    assert error_between(seen, torch.from_numpy(x[..., : seen.shape[1]]).float().permute(2, 0, 1)[None]) < 2 / 255


def test_a_deep_avif_is_turned_and_converted_as_a_shallow_one_is(tmp_path: Path) -> None:
    """By the properties of its item: irot, a profile, and coded colours; and it is written with 16 bits."""
    data = encoded(ramp(3), 10)
    turned = with_property(data, b"irot", b"\1")
    upright = np.rot90(np.round(ramp(3) * 1023) / 1023)  # irot counts against the clock
    assert error_between(read(turned).pixels[0].permute(1, 2, 0), torch.from_numpy(upright.copy()).float()) < 1e-6
    (frame,) = frames(_file(tmp_path / "t.avif", turned))
    assert torch.equal(frame.pixels, read(turned).pixels)
    profiled = read(with_property(data, b"colr", b"prof" + profile())).pixels[0].permute(1, 2, 0)
    wanted = by_profile((np.round(ramp(3) * 1023) / 1023).astype(np.float32), profile(), "RGB")
    assert error_between(profiled, torch.from_numpy(wanted)) < 1e-6
    at = data.index(b"colrnclx") + 8
    assert "PQ" in refusal(_file(tmp_path / "p.avif", data[:at] + bytes([0, 9, 0, 16]) + data[at + 4 :]))
    deep = read(write(read(data).pixels, tmp_path / "x.png", depth=16))
    assert error_between(deep.pixels, read(data).pixels) <= 0.51 / 65535


def _file(file: Path, data: bytes) -> Path:
    file.write_bytes(data)
    return file


def unused(data: bytes, kind: bytes, content: bytes) -> bytes:
    """Put a property of no item before all others."""
    box = struct.pack(">I4s", 8 + len(content), kind) + content
    meta, iprp, ipco, ipma, iloc = (data.index(each) - 4 for each in (b"meta", b"iprp", b"ipco", b"ipma", b"iloc"))
    out = bytearray(data)
    for at in range(data[ipma + 18]):
        out[ipma + 19 + at] += 1
    for place in (meta, iprp, ipco):
        struct.pack_into(">I", out, place, struct.unpack_from(">I", out, place)[0] + len(box))
    old = data.index(b"mdat") + 4
    struct.pack_into(">I", out, data.index(struct.pack(">I", old), iloc), old + len(box))
    return bytes(out[: ipco + 8] + box + out[ipco + 8 :])


def with_property(data: bytes, kind: bytes, content: bytes) -> bytes:
    """Give the primary item of an AVIF one more property."""
    box = struct.pack(">I4s", 8 + len(content), kind) + content
    meta, iprp, ipco, ipma, iloc = (data.index(each) - 4 for each in (b"meta", b"iprp", b"ipco", b"ipma", b"iloc"))
    count, at = 0, ipco + 8
    while at < ipma:
        count, at = count + 1, at + struct.unpack_from(">I", data, at)[0]
    assert data[ipma + 8 : ipma + 19] == bytes([0, 0, 0, 0, 0, 0, 0, 1, 0, 1, data[ipma + 18]])
    out = bytearray(data[:ipma] + box + data[ipma : ipma + 18] + bytes([data[ipma + 18] + 1]) + data[ipma + 19 :])
    out[ipma + len(box) + 19 + data[ipma + 18] : ipma + len(box) + 19 + data[ipma + 18]] = bytes([0x80 | (count + 1)])
    for place, more in ((meta, 1), (iprp, 1), (ipco, 0), (ipma + len(box), 1)):
        length = struct.unpack_from(">I", out, place)[0]
        grown = 1 if place == ipma + len(box) else len(box) + more
        struct.pack_into(">I", out, place, length + grown)
    old = data.index(b"mdat") + 4
    offset = data.index(struct.pack(">I", old), iloc)
    struct.pack_into(">I", out, offset, old + len(box) + 1)
    return bytes(out)


def test_the_depth_is_that_of_the_picture_not_of_another_item_in_the_file() -> None:
    shallow, deep = encoded(ramp(3), 8), encoded(ramp(3), 12)
    assert [avif.bits(io.BytesIO(each)) for each in (shallow, deep)] == [8, 12]
    twelve = re.search(rb"av1C(.{4})", deep, re.DOTALL)
    assert twelve is not None
    other = unused(shallow, b"av1C", twelve[1])
    assert other.count(b"av1C") == 2
    assert avif.bits(io.BytesIO(other)) == 8
    assert read(other).depth == 8
    for damaged in (b"", deep[:50], deep[:150], b"\0" * 64, b"\xff" * 64):
        assert avif.bits(io.BytesIO(damaged)) == 8


def test_an_animation_of_10_bits_says_that_it_is_read_with_8(tmp_path: Path) -> None:
    file = film(tmp_path / "x.avif", "yuv420p10le")
    with noted([]) as notes:
        first = read(file)
    assert first.depth == 8
    assert [each for each in notes if "8 of its 10 bits" in each]
    with pytest.warns(PictureWarning, match="is read with 8 of its 10 bits a channel"):
        seen = list(frames(file))
    assert len(seen) == 3
    assert torch.equal(seen[0].pixels, first.pixels)


@pytest.mark.parametrize("full", [False, True])
def test_a_narrow_range_of_an_avif_is_widened_once(tmp_path: Path, full: bool) -> None:
    """White of 8 and of 10 bits, in either range: the decoder has done it."""
    for kind in ("yuv420p", "yuv420p10le"):
        pixels = read(film(tmp_path / "x.avif", kind, 1, full)).pixels
        assert float(pixels[..., :32].mean()) < 0.02
        assert float(pixels[..., -32:].mean()) > 0.98


def film(file: Path, kind: str, count: int = 3, full: bool = False) -> Path:
    """Black on the left and white on the right, as ffmpeg writes it."""
    import av

    with av.open(str(file), "w", format="avif") as out:
        stream = out.add_stream("libsvtav1", rate=10)
        stream.width, stream.height, stream.pix_fmt = 128, 64, kind
        stream.codec_context.color_range = 2 if full else 1
        stream.options = {"crf": "5", "preset": "12", "svtav1-params": "lp=1"}
        step = 4 if kind.endswith("10le") else 1
        low, high, grey = (0, 256 * step - 1, 128 * step) if full else (16 * step, 235 * step, 128 * step)
        for _ in range(count):
            frame = av.VideoFrame(128, 64, kind)
            frame.color_range = 2 if full else 1
            for at, plane in enumerate(frame.planes):
                words = np.full(
                    (plane.height, plane.line_size // (2 if step > 1 else 1)), grey, "<u2" if step > 1 else "u1"
                )
                if at == 0:
                    words[:, :64], words[:, 64:] = low, high
                plane.update(words.tobytes())
            for packet in stream.encode(frame):
                out.mux(packet)
        for packet in stream.encode():
            out.mux(packet)
    return file


def test_what_cannot_be_decoded_in_full_depth_is_read_with_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(ramp(3), 10)

    class Broken(imagecodecs.AvifError):  # type: ignore[misc]
        def __init__(self, _: bytes) -> None:
            Exception.__init__(self, "of no known kind")

    def broken(data: bytes) -> None:
        raise Broken(data)

    monkeypatch.setattr(imagecodecs, "avif_decode", broken)
    with pytest.warns(PictureWarning, match="is read with 8 of its 10 bits"):
        seen = read(data)
    assert seen.depth == 8
    assert error_between(seen.pixels, torch.from_numpy(ramp(3)).float().permute(2, 0, 1)[None]) < 4 / 255


def test_a_cut_deep_avif_is_refused(tmp_path: Path) -> None:
    data = encoded(noise(3, 40, 40)[0].permute(1, 2, 0).numpy(), 10)
    for length in range(40, len(data) - 1, len(data) // 30):
        with noted([]):
            assert re.search("truncated|damaged", refusal(_file(tmp_path / "x.avif", data[:length])))
