"""Every mode and depth means what it says."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sketches import SUFFIXES, chunk, error_between, refusal

from danqing.core.errors import PictureError
from danqing.core.notes import PictureWarning, noted
from danqing.core.pictures.films import frames
from danqing.core.pictures.reading import read
from danqing.core.pictures.writing import write

pytestmark = pytest.mark.filterwarnings("error")


def test_one_bit_and_one_pixel(tmp_path: Path) -> None:
    for value in (0, 1):
        Image.new("1", (1, 1), value).save(tmp_path / "x.png")
        assert read(tmp_path / "x.png").pixels.tolist() == [[[[float(value)]]]]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_one_pixel_in_every_format(tmp_path: Path, suffix: str) -> None:
    assert read(write(torch.ones(1, 1, 1, 1), tmp_path / f"x.{suffix}")).pixels.shape[-2:] == (1, 1)


@pytest.mark.parametrize(("name", "transparency"), [("x.gif", 1), ("x.png", 1), ("x.png", bytes([255, 0, 128]))])
def test_palette_with_transparency(tmp_path: Path, name: str, transparency: Any) -> None:
    indices = np.array([[0, 1, 2], [2, 1, 0]], np.uint8)
    picture = Image.fromarray(indices)
    picture.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    picture.save(tmp_path / name, transparency=transparency)
    back = read(tmp_path / name)
    opacity = [1.0, 0.0, 128 / 255 if isinstance(transparency, bytes) else 1.0]
    assert back.alpha is not None
    assert error_between(back.alpha[0, 0], torch.tensor(opacity)[torch.from_numpy(indices.astype(int))]) < 1e-6
    assert back.pixels[0, :, 0, 0].tolist() == [1, 0, 0]
    assert back.pixels[0, :, 0, 2].tolist() == [0, 0, 1]


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_the_transparent_grey_of_png_is_found_at_every_depth(tmp_path: Path, bits: int) -> None:
    values = np.arange(min(2**bits, 8))
    packed = np.packbits(((values[:, None] >> np.arange(bits)[::-1]) & 1).astype(np.uint8).ravel()).tobytes()

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", len(values), 1, bits, 0, 0, 0, 0)
    parts = (
        chunk(b"IHDR", header) + chunk(b"tRNS", struct.pack(">H", 1)) + chunk(b"IDAT", zlib.compress(b"\0" + packed))
    )
    (tmp_path / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n" + parts + chunk(b"IEND", b""))
    back = read(tmp_path / "x.png")
    assert back.alpha is not None
    assert back.alpha[0, 0, 0].tolist() == [float(value != 1) for value in values]
    assert error_between(back.pixels[0, 0, 0], torch.from_numpy(values).float() / (2**bits - 1)) < 1e-6


def test_grey_stays_one_channel_even_in_a_palette(tmp_path: Path) -> None:
    picture = Image.fromarray(np.array([[0, 1], [1, 0]], np.uint8))
    picture.putpalette([30, 30, 30, 200, 200, 200])
    picture.save(tmp_path / "x.png")
    assert read(tmp_path / "x.png").pixels.shape == (1, 1, 2, 2)


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_cmyk_without_profile(tmp_path: Path, suffix: str) -> None:
    ink = Image.new("CMYK", (16, 16), (0, 255, 255, 0))  # magenta and yellow: red
    ink.save(tmp_path / f"x.{suffix}")
    red = read(tmp_path / f"x.{suffix}").pixels[0, :, 8, 8]
    assert error_between(red, torch.tensor([1.0, 0, 0])) < 0.03


def test_float_tiffs_are_read_where_they_keep_the_range(tmp_path: Path) -> None:
    import tifffile

    numbers = np.random.default_rng(0).random((4, 5), np.float32)
    tifffile.imwrite(tmp_path / "x.tif", numbers)
    assert np.array_equal(read(tmp_path / "x.tif").pixels[0, 0].numpy(), numbers)
    for bad, words in ((numbers * 9, "outside [0, 1]"), (np.full_like(numbers, np.nan), "are no numbers")):
        tifffile.imwrite(tmp_path / "x.tif", bad)
        assert words in refusal(tmp_path / "x.tif")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers_are_told_as_such(tmp_path: Path, value: float) -> None:
    numbers = np.full((4, 5), 0.5, np.float32)
    numbers[1, 2] = value
    Image.fromarray(numbers).save(tmp_path / "x.tif")
    with pytest.raises(PictureError, match=r"no numbers.*Replace NaN and infinity"):
        read(tmp_path / "x.tif")


GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "pictures.json").read_text())


@pytest.mark.parametrize("name", GOLDEN["pictures"])
def test_files_of_imagemagick_are_read_as_it_reads_them(tmp_path: Path, name: str) -> None:
    golden, (width, height) = GOLDEN["pictures"][name], GOLDEN["size"]
    (tmp_path / "x").write_bytes(base64.b64decode(golden["file"]))
    wanted = np.frombuffer(base64.b64decode(golden["rgba"]), "<u2").reshape(height, width, 4) / 65535
    picture = read(tmp_path / "x")
    seen = picture.pixels.expand(-1, 3, -1, -1)[0].permute(1, 2, 0).numpy()
    step = 1 if "16-bit colours" in name else 0.51  # 5 bits of 31 are rounded to 255 by either
    assert np.abs(seen - wanted[..., :3]).max() <= step / 255
    assert picture.alpha is None or np.abs(picture.alpha[0, 0].numpy() - wanted[..., 3]).max() <= 0.51 / 255


def grey_ramp(kind: str) -> np.ndarray[Any, Any]:
    y, x = np.mgrid[0:16, 0:24]
    ramp = (x / 23 + y / 15) / 2
    return ramp.astype(kind) if kind[0] == "f" else np.round(ramp * np.iinfo(kind).max).astype(kind)


def full(kind: str) -> float:
    return 1.0 if kind[0] == "f" else float(np.iinfo(kind).max)


def as_read(file: Path) -> np.ndarray[Any, Any]:
    """Colours and opacity as they are read (H, W, C)."""
    picture = read(file)
    parts = [picture.pixels] if picture.alpha is None else [picture.pixels, picture.alpha]
    return torch.cat(parts, 1)[0].permute(1, 2, 0).numpy().astype(np.float64)


@pytest.mark.parametrize("kind", ["u1", "u2", "u4", "f2", "f4", "f8"])
@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
@pytest.mark.parametrize("opacity", [None, "assocalpha", "unassalpha"])
@pytest.mark.parametrize("planes", ["contig", "separate"])
def test_grey_tiffs_mean_what_their_tags_say(
    tmp_path: Path, kind: str, photometric: str, opacity: str | None, planes: str
) -> None:
    import tifffile

    stored = grey_ramp(kind)[..., None]
    wanted = stored.astype(np.float64) / full(kind)
    if opacity:
        alpha = np.full_like(stored, full(kind))
        alpha[2:5] = (0.6 * full(kind)) // 1 if kind[0] == "u" else 0.6
        share = alpha.astype(np.float64) / full(kind)
        if opacity == "assocalpha":
            stored = np.minimum(stored, alpha)
            wanted = stored.astype(np.float64) / full(kind) / share
        stored, wanted = np.concatenate([stored, alpha], -1), np.concatenate([wanted, share], -1)
    if photometric == "miniswhite":
        wanted = np.concatenate([1 - wanted[..., :1], wanted[..., 1:]], -1)
    layout = {"planarconfig": planes} if opacity else {}
    data = np.moveaxis(stored, -1, 0) if planes == "separate" and opacity else stored if opacity else stored[..., 0]
    more = {"extrasamples": [opacity]} if opacity else {}
    tifffile.imwrite(tmp_path / "x.tif", data, photometric=photometric, **layout, **more)
    assert np.abs(as_read(tmp_path / "x.tif") - wanted).max() < 1e-6
    assert read(tmp_path / "x.tif").depth == (8 if kind == "u1" else 16)


@pytest.mark.parametrize("bits", [1, 2, 4, 6, 10, 12, 14])
@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
def test_packed_greys_are_scaled_by_their_own_depth(tmp_path: Path, bits: int, photometric: str) -> None:
    import tifffile

    top = 2**bits - 1
    values = np.round(grey_ramp("f8") * top).astype("u1" if bits <= 8 else "u2")
    data = values.astype(bool) if bits == 1 else values
    tifffile.imwrite(tmp_path / "x.tif", data, photometric=photometric, bitspersample=None if bits == 1 else bits)
    wanted = 1 - values / top if photometric == "miniswhite" else values / top
    assert np.abs(as_read(tmp_path / "x.tif")[..., 0] - wanted).max() < 1e-6


@pytest.mark.parametrize("kind", ["u1", "u2", "u4", "f2", "f4"])
@pytest.mark.parametrize("planes", ["contig", "separate"])
@pytest.mark.parametrize(
    "layout", [{}, {"byteorder": ">"}, {"tile": (16, 16)}, {"rowsperstrip": 3}, {"bigtiff": True}], ids=str
)
def test_colour_tiffs_of_every_layout(tmp_path: Path, kind: str, planes: str, layout: dict[str, Any]) -> None:
    import tifffile

    unit = np.random.default_rng(0).random((20, 31, 5))
    stored = unit.astype(kind) if kind[0] == "f" else np.round(unit * full(kind)).astype(kind)
    data = np.moveaxis(stored, -1, 0).copy() if planes == "separate" else stored
    extra = ["unspecified", "unassalpha"]
    tifffile.imwrite(tmp_path / "x.tif", data, photometric="rgb", planarconfig=planes, extrasamples=extra, **layout)
    with pytest.warns(PictureWarning, match="1 further channel of unknown meaning left out"):
        seen = as_read(tmp_path / "x.tif")
    assert np.abs(seen - stored[..., [0, 1, 2, 4]].astype(np.float64) / full(kind)).max() < 1e-6


@pytest.mark.parametrize("kind", ["u1", "u2"])
def test_inks_and_palettes_and_lab(tmp_path: Path, kind: str) -> None:
    import tifffile

    top = full(kind)
    ink = np.random.default_rng(0).integers(0, int(top) + 1, (6, 7, 4)).astype(kind)
    tifffile.imwrite(tmp_path / "ink.tif", ink, photometric="separated")
    share = ink / top
    assert np.abs(as_read(tmp_path / "ink.tif") - (1 - share[..., :3]) * (1 - share[..., 3:])).max() < 1e-6
    palette = np.random.default_rng(1).integers(0, 256, (3, 256)).astype("u2") * 257
    indices = np.random.default_rng(2).integers(0, 256, (6, 7), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "palette.tif", indices, photometric="palette", colormap=palette)
    assert np.abs(as_read(tmp_path / "palette.tif") - palette.T[indices] / 65535).max() < 1e-6
    # the red of sRGB in L*a*b* under D50, by B. Lindbloom's tables: 54.29, 80.81, 69.89
    scale = 256 if kind == "u2" else 1
    red = np.array([[[54.29 / 100 * top, 80.81 * scale, 69.89 * scale]]] * 4).round().astype(kind)
    tifffile.imwrite(tmp_path / "lab.tif", red, photometric="cielab")
    assert np.abs(as_read(tmp_path / "lab.tif")[0, 0] - [1, 0, 0]).max() < (0.03 if kind == "u1" else 0.004)


@pytest.mark.parametrize("top", [255, 255 * 256])
def test_palettes_of_programs_that_scale_them_otherwise(tmp_path: Path, top: int) -> None:
    import tifffile

    palette = (np.arange(256) * (top // 255)).astype("u2")
    table = np.stack([palette, palette[::-1], palette])
    indices = np.arange(256, dtype=np.uint8).reshape(16, 16)
    tifffile.imwrite(tmp_path / "x.tif", indices, photometric="palette", colormap=table)
    seen = as_read(tmp_path / "x.tif") * 255
    assert np.abs(seen - np.stack([indices, 255 - indices, indices], -1)).max() < 1e-4


def test_tiffs_without_a_sure_meaning_are_refused_in_words(tmp_path: Path) -> None:
    import tifffile

    file = tmp_path / "x.tif"
    grey = np.zeros((8, 8), np.uint8)
    for data, words, options in (
        (grey.astype("i1"), "with a sign", {}),
        (grey.astype("i2"), "with a sign", {}),
        (grey.astype("c8"), "of the kind", {}),
        (np.full((8, 8), 2.0, "f4"), "outside", {}),
        (np.full((8, 8), np.nan, "f4"), "no numbers", {}),
        (np.zeros((8, 8, 3), "u2"), "raw colours of a camera", {"photometric": "linear_raw"}),
        (grey.astype("u2"), "camera's raw file", {"extratags": [(50706, 1, 4, (1, 4, 0, 0), True)]}),
        (np.zeros((8, 8, 5), "u1"), "inks other", {"photometric": "separated", "extratags": [(332, 3, 1, 2, True)]}),
    ):  # fmt: skip
        tifffile.imwrite(file, data, **{"photometric": "minisblack", **options})
        assert words in refusal(file)


def test_previews_in_a_tiff_are_no_pages(tmp_path: Path) -> None:
    import tifffile

    with tifffile.TiffWriter(tmp_path / "x.tif") as out:
        out.write(np.zeros((4, 4), np.uint8), subfiletype=1, photometric="minisblack")
        out.write(np.full((8, 9), 255, np.uint8), photometric="minisblack")
    assert read(tmp_path / "x.tif", frame="only").pixels.shape == (1, 1, 8, 9)


@pytest.mark.parametrize("words", [{"imagej": True}, {"metadata": {"axes": "ZYX"}}], ids=["ImageJ", "tifffile"])
def test_a_stack_with_one_directory_is_no_single_picture(tmp_path: Path, words: dict[str, Any]) -> None:
    """ImageJ writes large stacks so; what it says in words is no more than words, and costs no picture."""
    import tifffile

    stack = np.arange(7 * 8 * 9, dtype=np.uint16).reshape(7, 8, 9)
    tifffile.imwrite(tmp_path / "x.tif", stack, truncate=True, photometric="minisblack", **words)
    with pytest.warns(PictureWarning, match="holds 7 pages, of which the first is read"):
        seen = read(tmp_path / "x.tif").pixels
    assert np.array_equal((seen[0, 0].numpy() * 65535).round(), stack[0])
    with pytest.raises(PictureError, match="holds 7"):
        read(tmp_path / "x.tif", frame="only")
    with pytest.raises(PictureError, match="7 slices"):
        list(frames(tmp_path / "x.tif"))
    tifffile.imwrite(tmp_path / "y.tif", stack[0], description="ImageJ=1.5\nimages=\nslices=x\nframes=-3\n")
    assert read(tmp_path / "y.tif", frame="only").pixels.shape == (1, 1, 8, 9)


@pytest.mark.parametrize("background", [0, 1])
@pytest.mark.parametrize("colour", [(255, 0, 0), (90, 90, 90)])
def test_where_a_gif_draws_nothing_nothing_is_seen(tmp_path: Path, background: int, colour: tuple[int, ...]) -> None:
    """Its first frame may be smaller than its canvas; as a film it is read so as well."""
    alone = Image.new("P", (4, 3), 0)
    alone.putpalette([*colour, 0, 255, 0])
    alone.save(tmp_path / "alone.gif")
    data = (tmp_path / "alone.gif").read_bytes()
    place = data.index(b",\0\0\0\0\4\0\3\0")
    table = 3 * (2 << (data[place + 9] & 7)) if data[place + 9] & 128 else 0
    head = b"GIF89a" + struct.pack("<HHBBB", 10, 8, 128, background, 0) + bytes([*colour, 0, 255, 0])
    drawn = b"," + struct.pack("<HHHHB", 2, 3, 4, 3, 0) + data[place + 10 + table :]
    (tmp_path / "x.gif").write_bytes(head + drawn)
    seen = read(tmp_path / "x.gif")
    wanted = torch.zeros(1, 1, 8, 10)
    wanted[..., 3:6, 2:6] = 1
    assert seen.alpha is not None
    assert torch.equal(seen.alpha, wanted)
    assert (seen.pixels[0, :, 4, 3] * 255).tolist() == [*colour][: seen.pixels.shape[1]]
    first = next(frames(tmp_path / "x.gif"))
    assert first.alpha is not None
    assert torch.equal(first.alpha, wanted)


@pytest.mark.parametrize("pages", [1, 3])
def test_pages_whose_chain_leads_round_in_a_circle_end(tmp_path: Path, pages: int) -> None:
    """The last directory of a damaged file names the first as its next: it is read once."""
    import tifffile

    with tifffile.TiffWriter(tmp_path / "x.tif") as out:
        for value in range(pages):
            out.write(np.full((8, 9), value + 1, np.uint8), photometric="minisblack", metadata={"axes": "YX"})
    data = bytearray((tmp_path / "x.tif").read_bytes())
    with tifffile.TiffFile(tmp_path / "x.tif") as whole:
        last, first = whole.pages[-1].offset, whole.pages[0].offset
    at = last + 2 + 12 * int.from_bytes(data[last : last + 2], "little")
    assert data[at : at + 4] == bytes(4)
    data[at : at + 4] = first.to_bytes(4, "little")
    (tmp_path / "x.tif").write_bytes(data)
    with noted([]) as notes:
        assert float(read(tmp_path / "x.tif").pixels.mean()) == pytest.approx(1 / 255)
    assert bool(notes) == (pages > 1)
    assert len(list(frames(tmp_path / "x.tif"))) == pages


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_of_a_transparent_grey_only_the_low_bits_count(tmp_path: Path, bits: int) -> None:
    """PNG specification, third edition, 11.3.1.1."""
    levels = np.arange(2**bits, dtype=np.uint8)
    row = b"\0" + np.packbits(np.unpackbits(levels[:, None], axis=1)[:, 8 - bits :].ravel()).tobytes()
    header = struct.pack(">IIBBBBB", len(levels), 1, bits, 0, 0, 0, 0)
    parts = (
        (b"IHDR", header),
        (b"tRNS", struct.pack(">H", 1 | 1 << bits)),
        (b"IDAT", zlib.compress(row)),
        (b"IEND", b""),
    )
    (tmp_path / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in parts))
    alpha = read(tmp_path / "x.png").alpha
    assert alpha is not None
    assert [at for at, each in enumerate(alpha[0, 0, 0].tolist()) if each == 0] == [1]


@pytest.mark.parametrize(("kind", "channels"), [(0, 1), (2, 3), (3, 1), (4, 2), (6, 4)])
@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("keyed", [False, True])
def test_pngs_of_every_type_and_depth(tmp_path: Path, kind: int, channels: int, bits: int, keyed: bool) -> None:
    if (bits < 8 and kind not in (0, 3)) or (bits == 16 and kind == 3) or (keyed and kind > 3):
        pytest.skip("no such PNG")
    rng, top = np.random.default_rng(bits), 2**bits - 1
    values = rng.integers(0, top + 1, (6, 9, channels))
    planes = (values.reshape(6, -1, 1) >> np.arange(bits)[::-1]) & 1
    rows = b"".join(b"\0" + np.packbits(row.astype(np.uint8).ravel()).tobytes() for row in planes)
    palette, opacity = rng.integers(0, 256, (top + 1, 3)), rng.integers(0, 256, top + 1)
    more = chunk(b"PLTE", palette.astype(np.uint8).tobytes()) if kind == 3 else b""
    if keyed:
        key = opacity.astype(np.uint8) if kind == 3 else values[2, 3].astype(">u2")
        more += chunk(b"tRNS", key.tobytes())
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 9, 6, bits, kind, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    (tmp_path / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + more + pixels)
    wanted = palette[values[..., 0]] / 255 if kind == 3 else values / top
    if keyed:
        seen = opacity[values] / 255 if kind == 3 else (values != values[2, 3]).any(-1, keepdims=True)
        wanted = np.concatenate([wanted, seen], -1)
    assert np.abs(as_read(tmp_path / "x.png") - wanted).max() < 1e-6
