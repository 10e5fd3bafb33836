"""The scripts that collect emoji and characters: what is listed, what is drawn, what is held out."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image, ImageFont

from danqing.core.errors import DataError
from danqing.zoo import character_pairs, characters, emoji, painter_pieces, textures
from danqing.zoo.packages import Package, held_out, keep, write_manifest

LISTED = """\
# group: Smileys & Emotion
1F600                                                  ; fully-qualified     # 😀 E1.0 grinning face
263A                                                   ; unqualified         # ☺ E0.6 smiling face
# group: People & Body
1F44B                                                  ; fully-qualified     # 👋 E0.6 waving hand
1F44B 1F3FB                                            ; fully-qualified     # 👋🏻 E1.0 waving hand: light skin tone
1F468 200D 1F680                                       ; fully-qualified     # 👨‍🚀 E4.0 man astronaut
"""


def test_emoji_are_listed_by_group_and_without_skin_tones() -> None:
    found = list(emoji.in_list(LISTED))
    assert [(each.group, each.name) for each in found] == [
        ("smileys-emotion", "grinning face"),
        ("people-body", "waving hand"),
        ("people-body", "man astronaut"),
    ]
    assert found[-1].text == "\U0001f468\u200d\U0001f680"


def test_the_common_characters_are_those_of_the_standard() -> None:
    found = list(characters.common_characters())
    assert len(found) == len(set(found)) == 2965  # JIS X 0208, first level
    assert found[0] == "亜"
    assert found[-1] == "腕"


def test_characters_are_drawn_in_the_middle_and_only_if_the_font_has_them() -> None:
    font = ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf", characters.EM)
    picture = characters.drawn(font, "L")
    assert picture is not None
    rows, columns = np.nonzero(np.asarray(picture) < 128)
    for places in (rows, columns):
        assert abs(places.min() + places.max() - (characters.SIDE - 1)) <= 2  # half a pixel on either side, rounded
    assert characters.drawn(font, "永") is None
    assert characters.drawn(font, " ") is None


def test_one_of_so_many_is_held_out_by_its_name() -> None:
    names = [f"picture {number}" for number in range(4000)]
    share = np.mean([held_out(name, 10) for name in names])
    assert abs(share - 0.1) < 4 * (0.1 * 0.9 / 4000) ** 0.5  # four deviations of a share of 4,000 draws
    assert [held_out(name, 10) for name in names[:9]] == [held_out(name, 10) for name in names[:9]]


def test_a_package_without_its_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"fonts-x 1\.2.*glyphs\.ttf"):
        Package("fonts-x", "1.2", tmp_path).file("glyphs.ttf")


def test_characters_are_paired_by_name_and_held_out_whole(tmp_path: Path) -> None:
    hands = tmp_path / "characters"
    for split, names in (("train", ("4E00", "4E01")), ("test", ("4E03",))):
        for hand in ("ming", "kai"):
            (hands / split / hand).mkdir(parents=True)
            for name in names:
                (hands / split / hand / f"{name}.png").write_text(f"{hand} {name}")
    with pytest.raises(DataError, match="not drawn yet"):
        character_pairs.pair(tmp_path / "pairs", "ming", "kai", hands)
    (hands / "manifest.json").write_text("[]")
    assert character_pairs.pair(tmp_path / "pairs", "ming", "kai", hands) == 3
    found = {file.relative_to(tmp_path / "pairs").as_posix() for file in (tmp_path / "pairs").rglob("*.png")}
    assert found == {
        f"{place}/{part}/{name}.png"
        for place, name in (("train", "4E00"), ("train", "4E01"), ("test", "4E03"))
        for part in ("input", "target")
    }
    assert (tmp_path / "pairs/test/target/4E03.png").read_text() == "kai 4E03"


def test_textures_are_cut_where_a_photograph_is_of_one_grain(tmp_path: Path) -> None:
    """Grain in the middle, a calm sky above and another light below: only the middle is a texture."""
    rng = np.random.default_rng(0)
    pixels = np.full((3 * textures.SIDE, 2 * textures.SIDE, 3), 200, np.uint8)
    pixels[textures.SIDE :] = rng.integers(60, 200, (2 * textures.SIDE, 2 * textures.SIDE, 3))
    pixels[2 * textures.SIDE :] //= 6
    for split in ("train", "test"):
        for name in ("scratch-Nature-hill-9x9", "portrait"):
            keep(Image.fromarray(pixels), tmp_path / "photographs", f"{split}/{name}.png")
    with pytest.raises(DataError, match="not collected yet"):
        textures.collect(tmp_path / "textures", tmp_path / "photographs")
    names = ("scratch-Nature-hill-9x9", "portrait")
    rows = [{"file": f"{split}/{name}.png", "licence": "CC0"} for split in ("train", "test") for name in names]
    write_manifest(tmp_path / "photographs", rows)
    told = textures.collect(tmp_path / "textures", tmp_path / "photographs")
    columns = {0, 32, 64, 96, 128}
    assert {(piece.left, piece.top) for piece in textures.textures(Image.fromarray(pixels))} == {
        (left, textures.SIDE) for left in columns
    }
    files = {file.relative_to(tmp_path / "textures").as_posix() for file in (tmp_path / "textures").rglob("*.png")}
    assert files == {
        f"{split}/grass/scratch-Nature-hill-9x9-{left}-128.png" for split in ("train", "test") for left in columns
    }
    assert told == {"textures": 2 * len(columns), "photographs": 2}
    assert Image.open(tmp_path / "textures/train/grass/scratch-Nature-hill-9x9-0-128.png").size == (
        textures.KEPT,
        textures.KEPT,
    )


def test_pieces_of_a_painters_works_and_as_many_of_photographs(tmp_path: Path) -> None:
    """Whole strokes without the rim; photographs take part alike; what was held out is held out."""
    homes = {"photographs": tmp_path / "photographs", "paintings": tmp_path / "paintings"}
    with pytest.raises(DataError, match="photographs were not collected"):
        painter_pieces.collect(tmp_path / "set", "gogh", **homes)
    side, rng = painter_pieces.SIDE, np.random.default_rng(0)

    def put(home: Path, *names: str) -> None:
        rows = []
        for name in names:
            picture = Image.fromarray(rng.integers(0, 256, (side + 40, side + 96, 3), np.uint8))
            rows.append(keep(picture, home, f"{name}.png", licence="GPL-3+"))
        write_manifest(home, rows)

    put(homes["photographs"], "train/hill", "train/sea", "test/tree")
    with pytest.raises(DataError, match="paintings were not collected"):
        painter_pieces.collect(tmp_path / "set", "gogh", **homes)
    put(homes["paintings"], "train/van-gogh-bedroom", "test/gogh4", "train/hokusai-wave")
    with pytest.raises(DataError, match="monet") as refused:
        painter_pieces.collect(tmp_path / "set", "monet", **homes)
    assert "hokusai-wave" in str(refused.value)
    assert not (tmp_path / "set").exists()
    counts = painter_pieces.collect(tmp_path / "set", "gogh", **homes)
    assert counts == {"photographs": 6, "works-by-gogh": 6}
    files = {file.relative_to(tmp_path / "set").as_posix() for file in (tmp_path / "set").rglob("*.png")}
    assert {file for file in files if "gogh" in file} == {
        f"{place}-{left}-8.png"
        for place in ("train/works-by-gogh/van-gogh-bedroom", "test/works-by-gogh/gogh4")
        for left in (8, 40, 72)
    }
    assert {Path(file).name.partition("-")[0] for file in files if "train/photographs" in file} == {"hill", "sea"}
    assert sum("test/photographs/tree" in file for file in files) == 3
    cut = Image.open(homes["paintings"] / "test/gogh4.png").crop((40, 8, 40 + side, 8 + side))
    assert cut.tobytes() == Image.open(tmp_path / "set/test/works-by-gogh/gogh4-40-8.png").tobytes()
    names = sorted(each.name for each in (tmp_path / "set/train").iterdir())
    assert names == ["photographs", "works-by-gogh"]  # translations start from the first
