"""EXIF, orientation, resolution, texts: kept, or dropped with a note, never at the price of the picture."""

from __future__ import annotations

import struct
import tempfile
import threading
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sketches import RECIPE, chunk, noise, profile, smooth, with_chunks

from danqing.core.notes import PictureWarning
from danqing.core.pictures.contract import Picture, to_uint8
from danqing.core.pictures.header import recipe_of
from danqing.core.pictures.reading import read
from danqing.core.pictures.writing import write
from danqing.core.recipe import Recipe, to_json

pytestmark = pytest.mark.filterwarnings("error")


def camera_exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "Seagull"
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0two birds"
    return exif


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "avif"])
def test_exif_orientation_is_applied_as_pillow_does(tmp_path: Path, orientation: int, suffix: str) -> None:
    from PIL import ImageOps

    file = tmp_path / f"x.{suffix}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Image.fromarray(to_uint8(smooth())[0]).save(file, exif=camera_exif(orientation).tobytes(), quality=95)
    with Image.open(file) as stored:
        wanted = np.asarray(ImageOps.exif_transpose(stored))
    back = read(file)
    assert np.array_equal(to_uint8(back.pixels)[0], wanted)
    assert back.exif is not None
    kept = Image.Exif()
    kept.load(back.exif)
    assert kept.get(0x0112, 1) == 1
    assert kept[0x010F] == "Seagull"


def test_orientation_of_16_bits_turns_alpha_too(tmp_path: Path) -> None:
    x, alpha = noise(3, depth=16), noise(1, depth=16, seed=2)
    file = write(Picture(x, alpha, 16), tmp_path / "x.png")
    data = file.read_bytes()
    body = b"eXIf" + camera_exif(6).tobytes().removeprefix(b"Exif\0\0")
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    file.write_bytes(data[:33] + chunk + data[33:])
    back = read(file)
    assert torch.equal(back.pixels, x.rot90(-1, (2, 3)))
    assert back.alpha is not None
    assert torch.equal(back.alpha, alpha.rot90(-1, (2, 3)))


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "avif"])
def test_exif_is_kept_upright_on_writing(tmp_path: Path, suffix: str) -> None:
    picture = Picture(smooth(), exif=camera_exif(6).tobytes())
    back = read(write(picture, tmp_path / f"x.{suffix}"))
    assert back.pixels.shape == picture.pixels.shape
    kept = Image.Exif()
    kept.load(back.exif or b"")
    assert kept[0x010F] == "Seagull"
    assert kept.get_ifd(0x8769)[0x9286] == b"ASCII\0\0\0two birds"


def test_broken_exif_is_left_out_with_a_note(tmp_path: Path) -> None:
    file = tmp_path / "x.jpg"
    Image.new("RGB", (8, 8)).save(file, exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x12\x01" * 40)
    with pytest.warns(PictureWarning, match="its EXIF is broken"):
        picture = read(file)
    assert write(Picture(picture.pixels, exif=b"nonsense"), tmp_path / "y.jpg").exists()


# --- what is large, broken or written by other programs ---


def plain_png(folder: Path, *chunks: bytes, name: str = "x.png") -> Path:
    file = folder / name
    Image.new("RGB", (8, 8), "red").save(file)
    return with_chunks(file, *chunks)


def chunk_of_text(kind: bytes, keyword: bytes, text: bytes) -> bytes:
    return chunk(kind, keyword + {b"tEXt": b"\0", b"zTXt": b"\0\0", b"iTXt": b"\0\0\0\0\0"}[kind] + text)


@pytest.mark.parametrize(
    "large",
    [
        chunk_of_text(b"zTXt", b"workflow", zlib.compress(b"x" * 2_000_000)),
        chunk_of_text(b"tEXt", b"workflow", b"x" * 2_000_000),
        chunk_of_text(b"iTXt", b"workflow", b"x" * 20_000_000),
        chunk_of_text(b"zTXt", b"bomb", zlib.compress(bytes(40_000_000))),
        chunk_of_text(b"zTXt", b"broken", b"no zlib"),
    ],
    ids=["zTXt", "tEXt", "iTXt", "bomb", "broken"],
)
def test_large_texts_are_left_out_with_a_note(tmp_path: Path, large: bytes) -> None:
    with pytest.warns(PictureWarning, match="left out"):
        picture = read(plain_png(tmp_path, large))
    assert picture.pixels[0, :, 0, 0].tolist() == [1, 0, 0]
    assert picture.texts == {}


def test_a_large_profile_is_used_all_the_same(tmp_path: Path) -> None:
    icc = profile() + bytes(1_500_000)
    icc = struct.pack(">I", len(icc)) + icc[4:]
    file = plain_png(tmp_path, chunk(b"iCCP", b"p\0\0" + zlib.compress(icc)))
    small = plain_png(tmp_path, chunk(b"iCCP", b"p\0\0" + zlib.compress(profile())), name="small.png")
    assert torch.equal(read(file).pixels, read(small).pixels)


@pytest.mark.parametrize("kind", [b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"pHYs", b"iCCP", b"gAMA", b"cHRM", b"teSt"])
def test_a_broken_chunk_beside_the_pixels_costs_no_picture(tmp_path: Path, kind: bytes) -> None:
    broken = bytearray(chunk(kind, b"some\0words that are no such thing"))
    broken[-1] ^= 1  # its checksum
    assert read(plain_png(tmp_path, bytes(broken))).pixels[0, :, 0, 0].tolist() == [1, 0, 0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PictureWarning)  # of a profile that is none
        sound = plain_png(tmp_path, chunk(kind, b"some\0words that are no such thing"))
        assert read(sound).pixels.shape == (1, 3, 8, 8)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
def test_long_exif_costs_no_picture(tmp_path: Path, suffix: str) -> None:
    exif = camera_exif(1)
    exif.get_ifd(0x8769)[0x927C] = b"notes of the maker" * 5000  # 90 kB
    picture = Picture(smooth(), exif=exif.tobytes())
    if suffix == "jpg":
        with pytest.warns(PictureWarning, match="no room for the notes of the camera's maker"):
            back = read(write(picture, tmp_path / "x.jpg"))
    else:
        back = read(write(picture, tmp_path / f"x.{suffix}"))
    kept = Image.Exif()
    kept.load(back.exif or b"")
    assert kept[0x010F] == "Seagull"
    assert (0x927C in kept.get_ifd(0x8769)) == (suffix != "jpg")


def test_exif_of_a_jpeg_that_cannot_be_shortened_is_dropped(tmp_path: Path) -> None:
    exif = camera_exif(1)
    exif[0x010E] = "words " * 20_000
    with pytest.warns(PictureWarning, match="no room for EXIF"):
        assert read(write(Picture(smooth(), exif=exif.tobytes()), tmp_path / "x.jpg")).exif is None


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_flipped_bytes_of_exif_cost_no_picture(data: st.DataObject) -> None:
    block = bytearray(camera_exif(6).tobytes())
    for _ in range(data.draw(st.integers(1, 6))):
        block[data.draw(st.integers(6, len(block) - 1))] = data.draw(st.integers(0, 255))
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", PictureWarning)
        for suffix in ("png", "jpg"):
            file = Path(folder) / f"x.{suffix}"
            Image.new("L", (8, 8), 255).save(file, exif=bytes(block))
            back = read(file)
            assert float(back.pixels.min()) == 1
            write(back, Path(folder) / f"y.{suffix}")


def test_exif_that_an_avif_decoder_refuses_costs_no_picture(tmp_path: Path) -> None:
    Image.new("RGB", (16, 16), "white").save(tmp_path / "x.avif", exif=camera_exif(1))
    data = (tmp_path / "x.avif").read_bytes().replace(b"MM\0*", b"XXXX")
    (tmp_path / "x.avif").write_bytes(data)
    with pytest.warns(PictureWarning, match="its EXIF, which is broken, is left out"):
        assert float(read(tmp_path / "x.avif").pixels.min()) > 0.97


def test_reading_in_threads_leaves_the_filters_of_warnings_alone(tmp_path: Path) -> None:
    """They belong to the whole process: a thread that swapped them would swallow another's warnings."""
    file = tmp_path / "x.jpg"
    Image.new("RGB", (8, 8)).save(file, exif=camera_exif(6))
    before, seen, done = list(warnings.filters), [], threading.Event()

    def watch() -> None:
        while not done.is_set():
            seen.append(list(warnings.filters) == before)

    readers = [threading.Thread(target=lambda: [read(file) for _ in range(30)]) for _ in range(3)]
    watcher = threading.Thread(target=watch)
    for thread in (watcher, *readers):
        thread.start()
    for thread in readers:
        thread.join()
    done.set()
    watcher.join()
    assert seen
    assert all(seen)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp", "avif", "bmp"])
@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("with_exif", [False, True])
def test_the_resolution_survives(tmp_path: Path, suffix: str, depth: int, with_exif: bool) -> None:
    depth = depth if suffix in ("png", "tif") else 8
    exif = camera_exif(1).tobytes() if with_exif and suffix != "bmp" else None
    picture = Picture(smooth(), depth=depth, resolution=(300.0, 150.0), exif=exif)
    file = write(picture, tmp_path / f"x.{suffix}")
    assert read(file).resolution == pytest.approx((300, 150), rel=1e-4)
    again = read(write(read(file), tmp_path / f"y.{suffix}"))
    assert again.resolution == pytest.approx((300, 150), rel=1e-4)
    with Image.open(file) as seen:  # and other programs see it
        told = seen.info.get("dpi") or (seen.getexif().get(282), seen.getexif().get(283))
    assert tuple(map(float, told)) == pytest.approx((300, 150), rel=1e-4)


def test_the_resolution_turns_with_the_picture_and_is_not_made_up(tmp_path: Path) -> None:
    Image.new("L", (8, 4)).save(tmp_path / "x.jpg", dpi=(300, 150), exif=camera_exif(6))
    assert read(tmp_path / "x.jpg").resolution == pytest.approx((150, 300))
    Image.new("L", (8, 4)).save(tmp_path / "y.jpg")
    assert read(tmp_path / "y.jpg").resolution is None
    assert b"pHYs" not in write(read(tmp_path / "y.jpg"), tmp_path / "y.png").read_bytes()


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif", "avif"])
@pytest.mark.parametrize("recipe", [None, RECIPE])
def test_author_and_rights_survive_in_words(tmp_path: Path, suffix: str, recipe: Recipe | None) -> None:
    texts = {"Author": "Ana <ana@example.org> & 李", "Copyright": "© 2020", "Title": "Two\nbirds"}
    back = read(write(Picture(smooth(), texts=texts), tmp_path / f"x.{suffix}", recipe=recipe))
    assert back.texts == texts
    assert back.recipe == recipe
    assert read(write(back, tmp_path / "y.png")).texts == texts


def test_texts_without_a_place_are_named(tmp_path: Path) -> None:
    picture = Picture(smooth(), texts={"parameters": "steps: 20", "Author": "Ana"})
    assert read(write(picture, tmp_path / "x.png")).texts == picture.texts
    with pytest.warns(PictureWarning, match="JPEG has no place for its text: parameters"):
        write(picture, tmp_path / "x.jpg")


def test_colours_that_became_srgb_are_not_called_adobe_any_more(tmp_path: Path) -> None:
    exif = camera_exif(1)
    exif.get_ifd(0x8769)[0xA001] = 0xFFFF
    exif.get_ifd(0x8769)[0xA005] = {1: "R03"}
    Image.new("RGB", (8, 8), (0, 200, 0)).save(tmp_path / "x.png", exif=exif, icc_profile=profile())
    file = write(read(tmp_path / "x.png"), tmp_path / "y.png")
    assert torch.equal(read(file).pixels, read(write(read(file), tmp_path / "z.png")).pixels)
    with Image.open(file) as seen:
        assert "icc_profile" not in seen.info
        assert seen.getexif().get_ifd(0x8769)[0xA001] == 1


PACKET = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:{0}="urn:danqing:recipe"{1}</rdf:RDF></x:xmpmeta>'
)


@pytest.mark.parametrize("suffix", ["jpg", "webp", "tif", "png"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(
    ("prefix", "form"),
    [("danqing", ">{}</rdf:Description>"), ("ns1", ">{}</rdf:Description>"), ("danqing", "{}/>"), ("q", "{}/>")],
)
def test_recipes_are_found_however_a_packet_is_spelt(
    tmp_path: Path, suffix: str, encoding: str, prefix: str, form: str
) -> None:
    from xml.sax.saxutils import escape, quoteattr

    inner = f" {prefix}:recipe={quoteattr(to_json(RECIPE))}"
    if ">{}" in form:
        inner = f"<{prefix}:recipe>{escape(to_json(RECIPE))}</{prefix}:recipe>"
    packet = PACKET.format(prefix, form.format(inner))
    file, picture = tmp_path / f"x.{suffix}", Image.new("RGB", (8, 8))
    if suffix == "png":
        picture.save(file)
        with_chunks(file, chunk_of_text(b"iTXt", b"XML:com.adobe.xmp", packet.encode()))
    elif suffix == "tif":
        picture.save(file, tiffinfo={700: packet.encode(encoding)})
    else:
        picture.save(file, xmp=packet.encode(encoding))
    assert recipe_of(file) == RECIPE
    assert read(file).recipe == RECIPE


@pytest.mark.parametrize(
    "packet", [b"<", b"<a>&bomb;</a>", b"danqing", b"<danqing:recipe>{}</danqing:recipe>", b"\xff\0"]
)
def test_a_broken_packet_costs_no_picture(tmp_path: Path, packet: bytes) -> None:
    Image.new("RGB", (8, 8), "white").save(tmp_path / "x.jpg", xmp=packet)
    assert read(tmp_path / "x.jpg").recipe is None


def test_recipes_behind_the_pixels_and_in_the_ways_of_imagemagick(tmp_path: Path) -> None:
    file = write(smooth(), tmp_path / "x.png", recipe=RECIPE)
    data = file.read_bytes()
    start = data.index(b"iTXt") - 4
    end = start + 12 + struct.unpack(">I", data[start : start + 4])[0]
    file.write_bytes(data[:start] + data[end:-12] + data[start:end] + data[-12:])
    assert recipe_of(file) == read(file).recipe == RECIPE
    for kind in (b"tEXt", b"zTXt"):
        text = to_json(RECIPE).encode()
        packed = chunk_of_text(kind, b"danqing", zlib.compress(text) if kind == b"zTXt" else text)
        assert recipe_of(plain_png(tmp_path, packed)) == RECIPE
    packet = PACKET.format("danqing", f"><danqing:recipe>{escape_json()}</danqing:recipe></rdf:Description>").encode()
    block = b"\nxmp\n" + f"{len(packet):8}\n".encode() + packet.hex().encode()
    assert recipe_of(plain_png(tmp_path, chunk_of_text(b"tEXt", b"Raw profile type xmp", block))) == RECIPE


def escape_json() -> str:
    from xml.sax.saxutils import escape

    return escape(to_json(RECIPE))
