"""Every bad file is refused by its name, and in words."""

from __future__ import annotations

import contextlib
import os
import struct
import tempfile
import warnings
import zlib
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sketches import RECIPE, SUFFIXES, error_between, noise, refusal, smooth

from danqing.core.errors import PictureError
from danqing.core.notes import PictureWarning
from danqing.core.pictures import contract
from danqing.core.pictures.reading import read
from danqing.core.pictures.writing import write

pytestmark = pytest.mark.filterwarnings("error")


def test_missing_empty_folder_text_and_pipe(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.png") == "no such file"
    assert "folder" in refusal(tmp_path)
    (tmp_path / "empty.png").touch()
    assert "empty" in refusal(tmp_path / "empty.png")
    (tmp_path / "text.png").write_text("These are words, whatever the name says.\n")
    assert "(text)" in refusal(tmp_path / "text.png")
    (tmp_path / "other.png").write_bytes(bytes(range(256)))
    assert "unknown format" in refusal(tmp_path / "other.png")
    (tmp_path / "phone.jpg").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    assert "HEIC" in refusal(tmp_path / "phone.jpg")
    os.mkfifo(tmp_path / "pipe.png")
    assert "pipe" in refusal(tmp_path / "pipe.png")
    assert "cannot be read" in refusal(tmp_path / ("x" * 300))
    assert "cannot be read" in refusal(Path("a\0b.png"))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    file = write(smooth(), tmp_path / "x.png")
    file.chmod(0)
    assert "Permission denied" in refusal(file)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_cut_anywhere_is_refused_or_whole(tmp_path: Path, suffix: str, capfd: Any) -> None:
    file = write(noise(3, 40, 40), tmp_path / f"x.{suffix}")
    data, whole = file.read_bytes(), read(file).pixels
    reasons: dict[int, str] = {}
    for length in {*range(1, 60, 3), *range(60, len(data), len(data) // 40), *range(len(data) - 12, len(data))}:
        file.write_bytes(data[:length])
        try:
            assert torch.equal(read(file).pixels, whole), f"{length} of {len(data)} bytes"
        except PictureError as error:
            reasons[length] = error.what
    assert len(reasons) > 50
    assert all("truncated" in what or "damaged" in what for length, what in reasons.items() if length >= 60)
    assert capfd.readouterr().err == ""  # nor do the C libraries complain on their own


def test_a_damaged_checksum_is_refused(tmp_path: Path) -> None:
    file = write(noise(3, 40, 40), tmp_path / "x.png")
    data = bytearray(file.read_bytes())
    data[30] ^= 1
    file.write_bytes(data)
    assert "damaged PNG" in refusal(file)


def test_a_decompression_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    squeeze, row = zlib.compressobj(9), bytes(1 + 30_000 // 8)
    pixels = b"".join(squeeze.compress(row) for _ in range(30_000)) + squeeze.flush()
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 1, 0, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    (tmp_path / "bomb.png").write_bytes(bomb)
    assert "30000 x 30000 pixels" in refusal(tmp_path / "bomb.png")


def test_the_limit_can_be_set_both_ways(tmp_path: Path) -> None:
    file = write(noise(3, 40, 50), tmp_path / "x.png")
    assert "limit" in refusal(file, limit=1999)
    assert read(file, limit=2000).pixels.shape == (1, 3, 40, 50)


@pytest.mark.parametrize("suffix", ["gif", "png", "webp", "tif", "avif"])
def test_animations_give_their_first_frame_or_are_refused(tmp_path: Path, suffix: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue", "white")]
    frames[0].save(tmp_path / f"x.{suffix}", save_all=True, append_images=frames[1:])
    assert "holds 3 frames" in refusal(tmp_path / f"x.{suffix}", frame="only")
    with pytest.warns(PictureWarning, match="holds 3 (frames|pages), of which the first is read"):
        first = read(tmp_path / f"x.{suffix}").pixels[0, :, 4, 4]
    assert error_between(first, torch.tensor([1.0, 0, 0])) < 0.03


def test_the_preview_in_a_phone_picture_is_no_second_frame(tmp_path: Path) -> None:
    picture = Image.new("RGB", (16, 16), "red")
    picture.save(tmp_path / "x.jpg", format="MPO", save_all=True, append_images=[picture.resize((8, 8))])
    _as_type(tmp_path / "x.jpg", 0x010001)
    with warnings.catch_warnings():
        warnings.simplefilter("error", PictureWarning)
        assert read(tmp_path / "x.jpg", frame="only").pixels.shape == (1, 3, 16, 16)


@pytest.mark.parametrize("kind", [0x020002, 0])  # of the other eye; of a depth or a gain map nothing is said
def test_a_further_view_in_a_jpeg_is_told(kind: int, tmp_path: Path) -> None:
    views = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    views[0].save(tmp_path / "x.jpg", format="MPO", save_all=True, append_images=views[1:])
    _as_type(tmp_path / "x.jpg", kind)
    with pytest.warns(PictureWarning, match="holds 1 further picture .*: the first is read"):
        assert read(tmp_path / "x.jpg").pixels[0, 2].max() < 0.1


def test_a_broken_index_of_views_is_no_hindrance(tmp_path: Path) -> None:
    views = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    views[0].save(tmp_path / "x.jpg", format="MPO", save_all=True, append_images=views[1:])
    content = bytearray((tmp_path / "x.jpg").read_bytes())
    begin = content.index(b"MPF\0") + 4
    content[begin : begin + 60] = bytes(60)
    (tmp_path / "x.jpg").write_bytes(content)
    assert read(tmp_path / "x.jpg", frame="only").pixels.shape == (1, 3, 16, 16)


def _as_type(file: Path, kind: int) -> None:
    """Say of the second picture of an MPO what it is."""
    content = bytearray(file.read_bytes())
    first = content.index(struct.pack("<I", 0x030000), content.index(b"MPF\0") + 20)
    content[first + 16 : first + 20] = struct.pack("<I", kind)
    file.write_bytes(content)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SUFFIXES), st.data())
def test_flipped_bytes_never_escape_as_another_error(suffix: str, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", PictureWarning)
        file = write(noise(3, 12, 12), Path(folder) / f"x.{suffix}", recipe=RECIPE)
        content = bytearray(file.read_bytes())
        for _ in range(data.draw(st.integers(1, 8))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        file.write_bytes(content)
        with contextlib.suppress(PictureError):
            contract.check_images(read(file, limit=10_000_000).pixels)
