"""What people say of a picture stays with it, wherever it stood: XMP, IPTC, a comment; what is left out is named."""

from __future__ import annotations

import struct
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sketches import RECIPE, chunk, smooth, with_chunks

from danqing.core.notes import noted
from danqing.core.pictures import iptc, packet
from danqing.core.pictures.contract import Picture
from danqing.core.pictures.reading import read
from danqing.core.pictures.writing import write

pytestmark = pytest.mark.filterwarnings("error")
IN_XMP = ("jpg", "webp", "avif", "tif")
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
    ' xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" {}>{}</rdf:Description></rdf:RDF></x:xmpmeta>'
)
TITLE = "<dc:title><rdf:Alt>{}</rdf:Alt></dc:title>"
EVENING, ABEND = '<rdf:li xml:lang="x-default">Evening</rdf:li>', '<rdf:li xml:lang="de">Abend</rdf:li>'
SAID = {
    "Title": "Evening", "Author": "Ana, Bo", "Description": "Two\nbirds", "Copyright": "© 2020", "Keywords": "cat, dog",
    "Rating": "5", "Comment": "my caption", "Headline": "Birds & <friends>", "City": "Porto", "People": "Ana, Bo",
}  # fmt: skip


def jpeg(file: Path, xmp: str = "", segment: bytes = b"", comment: bytes = b"") -> Path:
    Image.new("RGB", (8, 8), "red").save(file, xmp=xmp.encode(), comment=comment)
    data = file.read_bytes()
    if segment:
        segment = b"\xff\xed" + struct.pack(">H", len(segment) + 2) + segment
    file.write_bytes(data[:2] + segment + data[2:])
    return file


def dataset(record: int, number: int, data: bytes) -> bytes:
    return struct.pack(">BBBH", 0x1C, record, number, len(data)) + data


def resources(record: bytes) -> bytes:
    other = b"8BIM\x04\x25\0\0" + struct.pack(">I", 3) + b"abc\0"
    return other + b"8BIM\x04\x04\x03odd" + struct.pack(">I", len(record)) + record + b"\0" * (len(record) % 2)


def record(encoding: str, said: bytes = b"") -> bytes:
    words = [(120, "Légende"), (116, "© Ana"), (80, "Ana"), (80, "Bo"), (25, "cat"), (25, "big, dog"), (5, "Abend")]
    mark = dataset(1, 90, b"\x1b%G") if encoding == "utf-8" else b""
    return mark + dataset(2, 0, b"\0\4") + said + b"".join(dataset(2, at, text.encode(encoding)) for at, text in words)


IN_RECORD = {
    "Title": "Abend", "Author": "Ana, Bo", "Description": "Légende", "Copyright": "© Ana", "Keywords": "cat; big, dog",
}  # fmt: skip


@pytest.mark.parametrize(
    ("items", "wanted"),
    [(EVENING + ABEND, "Evening"), (ABEND + EVENING, "Evening"), (ABEND + ABEND.replace("Abend", "Nacht"), "Abend")],
)
def test_of_alternatives_one_is_taken(tmp_path: Path, items: str, wanted: str) -> None:
    file = jpeg(tmp_path / "x.jpg", XMP.format("", TITLE.format(items)))
    assert read(file).texts == {"Title": wanted}
    assert read(write(read(file), tmp_path / "y.jpg")).texts == {"Title": wanted}


@pytest.mark.parametrize("suffix", [*IN_XMP, "png"])
def test_all_that_people_say_survives(tmp_path: Path, suffix: str) -> None:
    back = read(write(Picture(smooth(), texts=SAID), tmp_path / f"x.{suffix}", recipe=RECIPE))
    assert back.texts == SAID
    assert back.recipe == RECIPE
    for other in (*IN_XMP, "png"):
        assert read(write(back, tmp_path / f"y.{other}")).texts == SAID


@pytest.mark.parametrize("suffix", [*IN_XMP, "png"])
def test_stars_keywords_and_comments_of_a_photograph_survive(tmp_path: Path, suffix: str) -> None:
    subject = "<dc:subject><rdf:Bag><rdf:li>cat</rdf:li><rdf:li>big, dog</rdf:li></rdf:Bag></dc:subject>"
    xmp = XMP.format('xmp:Rating="5" photoshop:City="Porto"', TITLE.format(EVENING + ABEND) + subject)
    file = jpeg(tmp_path / "x.jpg", xmp, comment=b"my caption\0")
    wanted = {
        "Title": "Evening", "Keywords": "cat; big, dog", "Rating": "5", "City": "Porto", "Comment": "my caption",
    }  # fmt: skip
    assert read(write(read(file), tmp_path / f"y.{suffix}")).texts == wanted


def test_other_programs_see_lists_as_lists(tmp_path: Path) -> None:
    file = write(Picture(smooth(), texts={"Keywords": "cat; big, dog", "Rating": "4"}), tmp_path / "x.jpg")
    with Image.open(file) as seen:
        told = ElementTree.fromstring(seen.info["xmp"].decode().partition("?>")[2])
    subject = told.find(".//{http://purl.org/dc/elements/1.1/}subject")
    assert subject is not None
    assert [item.text for item in subject[0]] == ["cat", "big, dog"]
    assert told.findtext(".//{http://ns.adobe.com/xap/1.0/}Rating") == "4"


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_iptc_is_kept(tmp_path: Path, encoding: str) -> None:
    file = jpeg(tmp_path / "x.jpg", segment=b"Photoshop 3.0\0" + resources(record(encoding)))
    for suffix in (*IN_XMP, "png"):
        assert read(write(read(file), tmp_path / f"y.{suffix}")).texts == IN_RECORD


@pytest.mark.parametrize("tag", [0x83BB, 0x8649])
def test_iptc_of_a_tiff_is_kept(tmp_path: Path, tag: int) -> None:
    inner = record("utf-8") if tag == 0x83BB else resources(record("utf-8"))
    Image.new("RGB", (8, 8)).save(tmp_path / "x.tif", tiffinfo={tag: inner})
    assert read(tmp_path / "x.tif").texts == IN_RECORD


def test_iptc_of_a_png_is_kept(tmp_path: Path) -> None:
    block = resources(record("utf-8"))
    words = b"\niptc\n" + f"{len(block):8}\n".encode() + block.hex().encode()
    Image.new("RGB", (8, 8)).save(tmp_path / "x.png")
    assert read(with_chunks(tmp_path / "x.png", chunk(b"tEXt", b"Raw profile type iptc\0" + words))).texts == IN_RECORD


def test_a_packet_counts_before_an_iptc_record(tmp_path: Path) -> None:
    both = b"Photoshop 3.0\0" + resources(record("utf-8"))
    file = jpeg(tmp_path / "x.jpg", XMP.format("", TITLE.format(EVENING)), both)
    assert read(file).texts == IN_RECORD | {"Title": "Evening"}


def test_comments_of_a_jpeg_are_read_in_their_own_letters_and_all_of_them(tmp_path: Path) -> None:
    file = jpeg(tmp_path / "x.jpg", comment="Légende d'été".encode("latin-1"))
    data = file.read_bytes()
    file.write_bytes(data[:2] + b"\xff\xfe\0\x07first" + data[2:])
    assert read(file).texts == {"Comment": "first\nLégende d'été"}


@given(st.binary(max_size=60), st.integers(0, 200))
def test_a_broken_record_costs_nothing(noise: bytes, cut: int) -> None:
    whole = resources(record("utf-8"))
    iptc.texts_of(iptc.record_in(whole[:cut] + noise))
    iptc.texts_of(record("utf-8")[:cut] + noise)
    assert iptc.texts_of(record("utf-8")) == IN_RECORD
    long = struct.pack(">BBBH", 0x1C, 2, 120, 0x8004) + struct.pack(">I", 3) + b"abc"
    assert iptc.texts_of(long) == {"Description": "abc"}


def test_what_other_pictures_are_called_is_not_said_of_this_one() -> None:
    of_another = f'<rdf:li rdf:parseType="Resource">{TITLE.format(ABEND)}</rdf:li>'
    nested = f"<photoshop:Ingredients><rdf:Bag>{of_another}</rdf:Bag></photoshop:Ingredients>"
    assert packet.texts_of(XMP.format("", nested).encode()) == {}
    assert packet.texts_of(XMP.format("", nested + TITLE.format(EVENING)).encode()) == {"Title": "Evening"}


@given(st.lists(st.text("ab, é", min_size=1).map(str.strip).filter(lambda each: each.strip(" ,")), max_size=4))
def test_lists_survive_as_one_text(items: list[str]) -> None:
    assert packet.parted(packet.joined(items)) == items


@pytest.mark.parametrize(
    ("suffix", "words"),
    [
        ("bmp", "BMP has no place for EXIF, City, Comment, Rating, Title, parameters"),
        ("gif", "GIF has no place for EXIF, City, Rating, Title, parameters"),
        ("jpg", "JPEG has no place for its text: Rating, parameters"),
        ("png", ""),
    ],
)
def test_one_note_names_all_that_is_left_out(tmp_path: Path, suffix: str, words: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Seagull"
    texts = {"Title": "x", "City": "Porto", "Comment": "y", "Rating": "five stars", "parameters": "steps: 20"}
    with noted([]) as notes:
        write(Picture(smooth(), exif=exif.tobytes(), texts=texts), tmp_path / f"x.{suffix}")
    assert notes == ([f"{tmp_path / f'x.{suffix}'}: {words}"] if words else [])


def test_the_stars_of_windows_survive_in_a_tiff(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x4746] = 5
    back = read(write(read(write(Picture(smooth(), exif=exif.tobytes()), tmp_path / "x.tif")), tmp_path / "y.jpg"))
    kept = Image.Exif()
    kept.load(back.exif or b"")
    assert kept[0x4746] == 5
