"""Pair characters of one hand with those of another: ``python -m danqing.zoo.character_pairs FOLDER HAND HAND``.

They are taken from what ``python -m danqing.zoo.characters runs/characters`` drew; a ``pix2pix`` then learns to write
the one hand (``input``) as the other (``target``). Whole characters are held out, as there.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from danqing.core.errors import DataError
from danqing.zoo.characters import HANDS

CHARACTERS = Path("runs/characters")


def pair(folder: Path, written: str, wanted: str, characters: Path = CHARACTERS) -> int:
    """Put the characters of two hands into the folders of pairs, and say how many pairs there are.

    Raises:
        DataError: if the characters are not there.
    """
    if not (characters / "manifest.json").is_file():
        remedy = f"python -m danqing.zoo.characters {characters}"
        raise DataError("the characters were not drawn yet", where=str(characters), remedy=remedy)
    count = 0
    for split in ("train", "test"):
        for part, hand in (("input", written), ("target", wanted)):
            place = folder / split / part
            place.mkdir(parents=True, exist_ok=True)
            for picture in sorted((characters / split / hand).iterdir()):
                shutil.copyfile(picture, place / picture.name)
                count += part == "target"
    rows = {"hands": [written, wanted], "pairs": count, "from": str(characters)}
    (folder / "manifest.json").write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    return count


if __name__ == "__main__":
    names = [hand.name for hand in HANDS]
    if len(sys.argv) != 4 or not {*sys.argv[2:]} <= {*names}:
        sys.exit(f"python -m danqing.zoo.character_pairs FOLDER HAND HAND, hands being {', '.join(names)}")
    print(f"{pair(Path(sys.argv[1]), sys.argv[2], sys.argv[3]):,} pairs in {sys.argv[1]}")
