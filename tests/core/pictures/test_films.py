"""Frames come and go one by one: whole, in time, with their transparency, and never all at once."""

from __future__ import annotations

import io
import itertools
import struct
import tracemalloc
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sketches import RECIPE, chunk, error_between, refusal, smooth

from danqing.core.errors import OutputError, ParameterError, PictureError
from danqing.core.notes import PictureWarning, noted
from danqing.core.pictures.contract import check_images, check_mask
from danqing.core.pictures.film_writing import write_frames
from danqing.core.pictures.films import Frame, frame_count, frames, recipe_of_film
from danqing.core.pictures.header import recipe_of
from danqing.core.pictures.reading import read

pytestmark = pytest.mark.filterwarnings("error")
TIMES = (0.04, 0.2, 0.04, 0.5)


def moving(count: int = 4, height: int = 33, width: int = 41, alpha: bool = False) -> Iterator[Frame]:
    """A square of few colours that moves over a plain ground; half of the picture may be transparent."""
    for at in range(count):
        pixels = torch.full((1, 3, height, width), 1.0)
        pixels[0, :, 5:15, 3 * at : 3 * at + 10] = torch.tensor([1.0, 0.0, 51 / 255]).view(3, 1, 1)
        opacity = torch.ones(1, 1, height, width)
        opacity[..., at:20, :] = 0
        yield Frame(pixels, opacity if alpha else None, TIMES[at % 4])


@pytest.mark.parametrize("suffix", ["gif", "webp"])
@pytest.mark.parametrize("alpha", [False, True])
def test_frames_come_back_whole_and_in_time(tmp_path: Path, suffix: str, alpha: bool) -> None:
    file = write_frames(moving(alpha=alpha), tmp_path / f"x.{suffix}", quality=100)
    back = list(frames(file))
    assert frame_count(file) == len(back) == 4
    assert [frame.seconds for frame in back] == pytest.approx(TIMES)
    for ours, theirs in zip(back, moving(alpha=alpha), strict=True):
        if alpha:
            assert ours.alpha is not None
            assert theirs.alpha is not None
            assert torch.equal(ours.alpha, theirs.alpha)
            assert torch.equal(ours.pixels * ours.alpha, theirs.pixels * theirs.alpha)
        else:
            assert torch.equal(ours.pixels, theirs.pixels)


@pytest.mark.parametrize("suffix", ["gif", "webp"])
@pytest.mark.parametrize("alpha", [False, True])
def test_pillow_sees_the_same_frames(tmp_path: Path, suffix: str, alpha: bool) -> None:
    file = write_frames(moving(alpha=alpha), tmp_path / f"x.{suffix}", quality=100)
    with Image.open(file) as film:
        assert film.n_frames == 4
        for at, wanted in enumerate(moving(alpha=alpha)):
            film.seek(at)
            seen = np.asarray(film.convert("RGBA")).astype(np.float32) / 255
            shown = torch.from_numpy(seen).permute(2, 0, 1)[None]
            opacity = torch.ones_like(wanted.pixels[:, :1]) if wanted.alpha is None else wanted.alpha
            assert torch.equal(shown[:, 3:], opacity)
            assert torch.equal(shown[:, :3] * opacity, wanted.pixels * opacity)


def test_frames_of_an_mp4_keep_their_times(tmp_path: Path) -> None:
    file = write_frames(moving(), tmp_path / "x.mp4", quality=100, recipe=RECIPE)
    back = list(frames(file))
    assert frame_count(file) == len(back) == 4
    assert [frame.seconds for frame in back] == pytest.approx(TIMES, abs=1e-3)
    assert back[0].pixels.shape == (1, 3, 34, 42)  # sides are even
    for ours, theirs in zip(back, moving(), strict=True):
        assert float((ours.pixels[..., :33, :41] - theirs.pixels).abs().mean()) < 0.02
    assert recipe_of_film(file) == RECIPE


@pytest.mark.parametrize("suffix", ["gif", "webp", "mp4"])
def test_the_same_frames_give_the_same_bytes_with_the_recipe_inside(tmp_path: Path, suffix: str) -> None:
    one, other = (write_frames(moving(), tmp_path / f"{name}.{suffix}", recipe=RECIPE) for name in "ab")
    assert one.read_bytes() == other.read_bytes()
    assert (recipe_of_film if suffix == "mp4" else recipe_of)(one) == RECIPE


@pytest.mark.parametrize("suffix", ["gif", "webp"])
def test_frames_that_change_nothing_lengthen_the_one_before(tmp_path: Path, suffix: str) -> None:
    still = (Frame(smooth(), None, 0.1) for _ in range(5))
    assert [frame.seconds for frame in frames(write_frames(still, tmp_path / f"x.{suffix}"))] == pytest.approx([0.5])


def test_times_do_not_drift(tmp_path: Path) -> None:
    file = write_frames((frame._replace(seconds=1 / 24) for frame in moving(12)), tmp_path / "x.gif")
    assert sum(frame.seconds for frame in frames(file)) == pytest.approx(0.5)


@pytest.mark.parametrize("suffix", ["gif", "webp", "mp4"])
def test_a_long_film_needs_no_more_memory_than_a_short_one(tmp_path: Path, suffix: str) -> None:
    def peak(count: int) -> int:
        pattern = smooth(96, 96)  # whose files are small
        shots = (Frame(pattern.roll(at, 3), None, 0.04) for at in range(count))
        tracemalloc.start()
        file = write_frames(shots, tmp_path / f"{count}.{suffix}")
        for _ in frames(file):
            pass
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(2)  # what is imported on the way
    assert peak(60) < peak(6) + 20 * 96 * 96 * 3  # 54 more frames of 96 x 96 x 3 bytes would not fit into 20


@pytest.mark.parametrize("suffix", ["gif", "png"])
def test_disposal_is_that_of_the_specification(tmp_path: Path, suffix: str) -> None:
    """Frames that clear themselves, that bring back what was there, and that stay, laid over each other by hand."""
    full = Image.new("RGBA", (12, 12), (255, 0, 0, 255))
    part = [Image.new("RGBA", (12, 12)) for _ in range(3)]
    for at, colour in enumerate([(0, 255, 0, 255), (0, 0, 255, 255), (255, 255, 0, 255)]):
        part[at].paste(colour, (2 * at, 2 * at, 2 * at + 5, 2 * at + 5))
    disposals = {"gif": [1, 2, 3, 1], "png": [0, 1, 2, 0]}[suffix]
    more = {"blend": 1} if suffix == "png" else {}
    full.save(tmp_path / f"x.{suffix}", save_all=True, append_images=part, duration=100, disposal=disposals, **more)
    seen = list(frames(tmp_path / f"x.{suffix}"))
    assert len(seen) == 4
    assert seen[0].pixels[0, :, 6, 6].tolist() == [1, 0, 0]
    assert seen[1].pixels[0, :, 1, 1].tolist() == [0, 1, 0]
    assert seen[2].pixels[0, :, 4, 4].tolist() == [0, 0, 1]
    assert seen[3].pixels[0, :, 8, 8].tolist() == [1, 1, 0]
    assert all(frame.seconds == pytest.approx(0.1) for frame in seen)
    for frame in seen:
        check_images(frame.pixels)
        assert frame.alpha is None or check_mask(frame.alpha) is frame.alpha


def gif_part(box: tuple[int, int, int, int], index: int, disposal: int) -> bytes:
    """One image of a GIF, all of one colour, as Pillow packs it."""
    alone = io.BytesIO()
    image = Image.fromarray(np.full((box[3], box[2]), index, np.uint8))
    image.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255] + [0] * 756)
    image.save(alone, "GIF", optimize=False)
    data = alone.getvalue()
    start = data.index(b",", 13 + 768)
    control = b"!\xf9\x04" + struct.pack("<BHBB", disposal << 2, 10, 0, 0)
    return control + b"," + struct.pack("<HHHHB", *box, data[start + 9] & 64) + data[start + 10 : -1]


def test_a_gif_that_clears_shows_nothing_there_as_viewers_have_it(tmp_path: Path) -> None:
    """Without any transparent colour in the file; by ImageMagick's -coalesce too."""
    table = bytes([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255]) + bytes(756)
    shots = [
        gif_part((0, 0, 8, 8), 1, 1),
        gif_part((2, 2, 3, 3), 2, 2),
        gif_part((5, 5, 2, 2), 3, 3),
        gif_part((0, 0, 1, 1), 2, 0),
    ]
    head = b"GIF89a" + struct.pack("<HHBBB", 8, 8, 0xF7, 1, 0) + table
    (tmp_path / "x.gif").write_bytes(head + b"".join(shots) + b";")
    seen = list(frames(tmp_path / "x.gif"))
    assert [frame.alpha is None for frame in seen] == [True, True, False, False]
    assert seen[1].pixels[0, :, 3, 3].tolist() == [0, 1, 0]
    assert seen[2].alpha is not None
    assert float(seen[2].alpha[0, 0, 3, 3]) == 0
    assert float(seen[2].alpha.sum()) == 64 - 9
    assert seen[2].pixels[0, :, 5, 5].tolist() == [0, 0, 1]
    assert seen[3].pixels[0, :, 5, 5].tolist() == [1, 0, 0]  # what was there before the third


def test_pages_may_differ_in_size_and_depth(tmp_path: Path) -> None:
    import tifffile

    with tifffile.TiffWriter(tmp_path / "x.tif") as out:
        out.write(np.full((4, 5), 51, np.uint8), photometric="minisblack")
        out.write(np.full((7, 3, 3), 65535, np.uint16), photometric="rgb")
    one, other = frames(tmp_path / "x.tif")
    assert frame_count(tmp_path / "x.tif") == 2
    assert one.pixels.shape == (1, 1, 4, 5)
    assert float(one.pixels.max()) == pytest.approx(0.2)
    assert other.pixels.shape == (1, 3, 7, 3)


def test_a_picture_is_one_frame_and_a_hidden_first_one_is_none(tmp_path: Path) -> None:
    Image.new("L", (4, 4), 255).save(tmp_path / "x.png")
    assert frame_count(tmp_path / "x.png") == len(list(frames(tmp_path / "x.png"))) == 1
    red, blue = Image.new("RGB", (4, 4), "red"), [Image.new("RGB", (4, 4), each) for each in ("blue", "lime")]
    red.save(tmp_path / "y.png", save_all=True, append_images=blue, default_image=True, duration=100)
    assert frame_count(tmp_path / "y.png") == 2
    assert [frame.pixels[0, :, 0, 0].tolist() for frame in frames(tmp_path / "y.png")] == [[0, 0, 1], [0, 1, 0]]


def test_large_text_costs_no_animation(tmp_path: Path) -> None:
    from sketches import with_chunks

    shots = [Image.new("RGB", (4, 4), each) for each in ("red", "blue")]
    shots[0].save(tmp_path / "x.png", save_all=True, append_images=shots[1:], duration=100)
    with_chunks(tmp_path / "x.png", chunk(b"tEXt", b"workflow\0" + b"x" * 20_000_000))
    assert len(list(frames(tmp_path / "x.png"))) == 2


def test_what_a_format_cannot_hold_is_said(tmp_path: Path) -> None:
    half = [Frame(smooth(), torch.full((1, 1, 40, 48), 0.5), 0.1)]
    with pytest.warns(PictureWarning, match="laid on white"):
        file = write_frames(half, tmp_path / "x.mp4")
    assert error_between(next(frames(file)).pixels, (smooth() + 1) / 2) < 0.15
    with pytest.warns(PictureWarning, match="half transparency"):
        write_frames(half, tmp_path / "x.gif")


def test_bad_films_are_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"Known: \.gif, \.webp, \.mp4"):
        write_frames(moving(), tmp_path / "x.png")
    for bad in (iter([]), itertools.chain(moving(1), [Frame(smooth())])):
        for suffix in ("gif", "webp", "mp4"):
            with pytest.raises(ParameterError):
                write_frames(bad, tmp_path / f"x.{suffix}")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "x.mp4").write_bytes(b"\0\0\0\x18ftypisom" + bytes(100))
    for look in (frame_count, recipe_of_film, lambda file: list(frames(file))):
        with pytest.raises(PictureError, match="film"):
            look(tmp_path / "x.mp4")
    with pytest.raises(PictureError, match="no such file"):
        frame_count(tmp_path / "none.gif")


@pytest.mark.parametrize("suffix", ["gif", "webp"])
def test_a_film_cut_anywhere_is_refused_or_shorter(tmp_path: Path, suffix: str) -> None:
    file = write_frames(moving(), tmp_path / f"x.{suffix}")
    data = file.read_bytes()
    for length in range(1, len(data), max(1, len(data) // 60)):
        file.write_bytes(data[:length])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                assert len(list(frames(file))) <= 4
            except PictureError as error:
                assert str(file) in str(error)  # noqa: PT017


def marked(colour: str, opacity: int = 255) -> Image.Image:
    """A picture whose corners tell its sides apart, in colour and in opacity."""
    made = Image.new("RGBA", (24, 16), colour)
    made.putpixel((0, 0), (0, 0, 0, opacity))
    made.paste((255, 255, 255, opacity), (16, 0, 24, 8))
    return made


def turned(file: Path, orientation: int, mode: str) -> list[Image.Image]:
    """Write two frames that lie on a side, and give them upright, by Pillow."""
    from PIL import ImageOps

    shots = [marked(colour, 100).convert(mode) for colour in ("red", "blue")]
    exif = Image.Exif()
    exif[0x0112] = orientation
    if file.suffix == ".tif":
        import tifffile

        alpha = {"extrasamples": ["unassalpha"]} if mode == "RGBA" else {}
        with tifffile.TiffWriter(file) as out:
            for shot in shots:
                out.write(
                    np.asarray(shot),
                    photometric="rgb",
                    extratags=[(274, 3, 1, orientation, True)],
                    metadata=None,
                    **alpha,
                )
    else:
        more = {"lossless": True, "exact": True} if file.suffix == ".webp" else {}
        shots[0].save(file, save_all=True, append_images=shots[1:], duration=100, exif=exif, **more)
    for shot in shots:
        shot.getexif()[0x0112] = orientation
    return [ImageOps.exif_transpose(shot) for shot in shots]


@pytest.mark.parametrize("suffix", ["webp", "png", "tif"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_frames_stand_upright_as_pictures_do(tmp_path: Path, suffix: str, mode: str, orientation: int) -> None:
    """Each page of a TIFF, and every frame of what has one EXIF for all; opacity turns with the colours."""
    file = tmp_path / f"x.{suffix}"
    wanted, seen = turned(file, orientation, mode), list(frames(file))
    with noted([]):
        first = read(file)
    assert torch.equal(seen[0].pixels, first.pixels)
    assert len(seen) == 2
    for frame, upright in zip(seen, wanted, strict=True):
        opacity = torch.ones_like(frame.pixels[:, :1]) if frame.alpha is None else frame.alpha
        shown = np.moveaxis(np.asarray(upright.convert("RGBA"), np.float32) / 255, -1, 0)
        assert error_between(torch.cat([frame.pixels, opacity], 1)[0], torch.from_numpy(shown)) < 1e-6


def test_each_page_has_a_side_of_its_own(tmp_path: Path) -> None:
    import tifffile

    pixels = np.arange(15, dtype=np.uint8).reshape(3, 5)
    with tifffile.TiffWriter(tmp_path / "x.tif") as out:
        for side in (1, 6, 3):
            out.write(pixels, photometric="minisblack", extratags=[(274, 3, 1, side, True)], metadata=None)
    seen = [(frame.pixels[0, 0] * 255).round().numpy() for frame in frames(tmp_path / "x.tif")]
    for page, wanted in zip(seen, (pixels, np.rot90(pixels, -1), pixels[::-1, ::-1]), strict=True):
        assert np.array_equal(page, wanted)


def test_a_single_picture_is_a_frame_as_it_is_read(tmp_path: Path) -> None:
    """With its side, and at its depth."""
    exif = Image.Exif()
    exif[0x0112] = 6
    marked("red").convert("RGB").save(tmp_path / "x.jpg", exif=exif)
    Image.fromarray(np.full((4, 5), 300, np.uint16)).save(tmp_path / "x.png")
    for name in ("x.jpg", "x.png"):
        (frame,) = frames(tmp_path / name)
        assert torch.equal(frame.pixels, read(tmp_path / name).pixels.expand(-1, 3, -1, -1))


def test_pages_are_judged_by_the_limit_that_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tifffile

    from danqing.core.pictures import films, header

    with tifffile.TiffWriter(tmp_path / "x.tif") as out:
        for side in (8, 16):
            out.write(np.zeros((side, side), np.uint8), photometric="minisblack", metadata=None)
    with pytest.raises(PictureError, match="has 16 x 16 pixels, more than the limit"):
        list(frames(tmp_path / "x.tif", limit=100))
    assert len(list(frames(tmp_path / "x.tif", limit=256))) == 2
    monkeypatch.setattr(header, "LIMIT", 100)
    monkeypatch.setattr(films, "LIMIT", 100)
    assert len(list(frames(tmp_path / "x.tif", limit=256))) == 2
    with pytest.raises(PictureError, match="limit"):
        list(frames(tmp_path / "x.tif"))


def control(number: int, box: tuple[int, int, int, int], disposal: int = 0, blend: int = 0) -> bytes:
    """What stands before a frame of an APNG; the box is width, height, left and top."""
    return chunk(b"fcTL", struct.pack(">5I2H2B", number, *box, 1, 10, disposal, blend))


def apng(file: Path, head: bytes, count: int, *more: bytes) -> Path:
    parts = [chunk(b"IHDR", head), chunk(b"acTL", struct.pack(">II", count, 0)), *more, chunk(b"IEND", b"")]
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    return file


def squeezed(pixels: np.ndarray) -> bytes:  # type: ignore[type-arg]
    return zlib.compress(b"".join(b"\0" + row.tobytes() for row in pixels.astype(pixels.dtype.newbyteorder(">"))))


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("count", [1, 2])
def test_the_first_frame_is_read_not_the_picture_for_those_that_know_none(
    tmp_path: Path, depth: int, count: int
) -> None:
    """Whole: nothing is seen where it is smaller than the picture."""
    kind = np.uint8 if depth == 8 else np.uint16
    hidden, shown = np.zeros((4, 6, 3), kind), np.full((2, 3, 3), 2**depth - 2, kind)
    more = [chunk(b"IDAT", squeezed(hidden)), control(0, (3, 2, 2, 1)), chunk(b"fdAT", bytes(4) + squeezed(shown))]
    if count == 2:
        more += [control(2, (6, 4, 0, 0)), chunk(b"fdAT", bytes(4) + squeezed(hidden))]
    file = apng(tmp_path / "x.png", struct.pack(">IIBBBBB", 6, 4, depth, 2, 0, 0, 0), count, *more)
    with noted([]) as notes:
        seen = read(file)
    assert bool(notes) == (count == 2)
    assert seen.depth == depth
    wanted = torch.zeros(1, 1, 4, 6)
    wanted[..., 1:3, 2:5] = 1
    assert seen.alpha is not None
    assert torch.equal(seen.alpha, wanted)
    assert error_between(seen.pixels, wanted.expand(-1, 3, -1, -1) * (2**depth - 2) / (2**depth - 1)) < 1e-7
    made = list(frames(file))
    assert len(made) == count == frame_count(file)
    assert torch.equal(made[0].pixels, seen.pixels)
    if count == 2:
        assert made[1].alpha is None


def test_frames_of_an_apng_are_laid_over_each_other_as_the_specification_says(tmp_path: Path) -> None:
    """Half opacity over half opacity is three quarters; grey of 16 bits keeps them."""
    below, above = np.array([[[40000, 32768]] * 2], np.uint16), np.array([[[20001, 32768]]], np.uint16)
    file = apng(
        tmp_path / "x.png",
        struct.pack(">IIBBBBB", 2, 1, 16, 4, 0, 0, 0),
        2,
        control(0, (2, 1, 0, 0)),
        chunk(b"IDAT", squeezed(below)),
        control(1, (1, 1, 1, 0), blend=1),
        chunk(b"fdAT", bytes(4) + squeezed(above)),
    )
    first, second = frames(file)
    assert first.alpha is not None
    assert second.alpha is not None
    assert (first.pixels[0, 0, 0] * 65535).round().tolist() == [40000, 40000]
    half = 32768 / 65535
    whole = half + half * (1 - half)
    assert second.alpha[0, 0, 0].tolist() == pytest.approx([half, whole])
    mixed = (20001 * half + 40000 * half * (1 - half)) / whole / 65535
    assert second.pixels[0, 0, 0].tolist() == pytest.approx([40000 / 65535, mixed])


def test_a_damaged_apng_is_refused_in_words_and_one_without_frames_is_a_picture(tmp_path: Path) -> None:
    head, whole = struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 0), chunk(b"IDAT", squeezed(np.full((2, 2), 255, np.uint8)))
    good = [control(0, (2, 2, 0, 0)), whole]
    for words, parts in {
        "truncated": good,
        "lies outside": [
            *good,
            control(1, (2, 2, 1, 0)),
            chunk(b"fdAT", bytes(4) + squeezed(np.zeros((2, 2), np.uint8))),
        ],
        "no pixels": [*good, control(1, (2, 2, 0, 0))],
        "checksum": [*good, control(1, (2, 2, 0, 0))[:-1] + b"?"],
    }.items():
        file = apng(tmp_path / "x.png", head, 2, *parts)
        with noted([]):
            assert float(read(file).pixels.min()) == 1
        with pytest.raises(PictureError, match=words):
            list(frames(file))
    file = apng(tmp_path / "x.png", head, 1, whole)
    assert float(read(file, frame="only").pixels.min()) == 1
    data = apng(tmp_path / "y.png", head, 1, *good).read_bytes()
    (tmp_path / "y.png").write_bytes(data[:-18])  # its end is 12 bytes long
    assert "truncated" in refusal(tmp_path / "y.png")
    (tmp_path / "y.png").write_bytes(data[:-12])
    assert float(read(tmp_path / "y.png").pixels.min()) == 1


@pytest.mark.parametrize("change", ["no end", "zeros between", "zeros at the end"])
def test_a_gif_whose_frames_are_whole_is_shown(tmp_path: Path, change: str) -> None:
    shots = [gif_part((0, 0, 8, 8), at, 1) for at in (1, 2, 3)]
    head = (
        b"GIF89a"
        + struct.pack("<HHBBB", 8, 8, 0xF7, 1, 0)
        + bytes([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255])
        + bytes(756)
    )
    between, end = {"no end": (b"", b""), "zeros between": (b"\0\0", b";"), "zeros at the end": (b"", b"\0")}[change]
    (tmp_path / "x.gif").write_bytes(head + between.join(shots) + end)
    seen = list(frames(tmp_path / "x.gif"))
    assert [frame.pixels[0, :, 0, 0].tolist() for frame in seen] == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert frame_count(tmp_path / "x.gif") == 3


def test_a_gif_cut_inside_a_frame_is_truncated(tmp_path: Path) -> None:
    """Also where only what is said before its pixels is there."""
    shots = [gif_part((0, 0, 8, 8), at, 1) for at in (1, 2)]
    head = (
        b"GIF89a"
        + struct.pack("<HHBBB", 8, 8, 0xF7, 1, 0)
        + bytes([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255])
        + bytes(756)
    )
    for length in range(1, len(shots[1])):
        (tmp_path / "x.gif").write_bytes(head + shots[0] + shots[1][:length])
        with pytest.raises(PictureError, match="is a truncated GIF"):
            list(frames(tmp_path / "x.gif"))
    (tmp_path / "x.gif").write_bytes(head + b"?" + shots[0])
    with pytest.raises(PictureError, match="out of step"):
        list(frames(tmp_path / "x.gif"))


def test_words_in_a_film_that_are_no_unicode_are_no_hindrance(tmp_path: Path) -> None:
    file = write_frames(moving(2), tmp_path / "x.mp4", recipe=RECIPE)
    data = file.read_bytes()
    at = data.rindex(b"median")
    file.write_bytes(data[:at] + b"\x87" + data[at + 1 :])
    assert frame_count(file) == len(list(frames(file))) == 2
