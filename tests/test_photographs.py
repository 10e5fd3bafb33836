"""The corpus script: Qt's archives, packages, drawings left out, two sizes, a manifest."""

from __future__ import annotations

import io
import json
import shutil
import struct
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from danqing.core.errors import DataError
from danqing.zoo import photographs

needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="needs dpkg-deb")


def encoded(pixels: np.ndarray, kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind)
    return stream.getvalue()


def archive(files: dict[str, bytes]) -> bytes:
    """A Qt resource archive of one folder, its second file compressed."""
    names, offsets = b"", {}
    for name in ("", "photos", *files):
        offsets[name] = len(names)
        text = name.encode("utf-16-be")
        names += struct.pack(">HI", len(text) // 2, 0) + text
    content, places = b"", []
    for at, raw in enumerate(files.values()):
        packed = struct.pack(">I", len(raw)) + zlib.compress(raw) if at == 1 else raw
        places.append((len(content), at == 1))
        content += struct.pack(">I", len(packed)) + packed
    tree = struct.pack(">IHIIQ", 0, 2, 1, 1, 0) + struct.pack(">IHIIQ", offsets["photos"], 2, len(files), 2, 0)
    for name, (place, compressed) in zip(files, places, strict=True):
        tree += struct.pack(">IHHHIQ", offsets[name], int(compressed), 0, 0, place, 0)
    start = 20
    header = b"qres" + struct.pack(">IIII", 3, start, start + len(tree), start + len(tree) + len(content))
    return header + tree + content + names


def test_qt_archives_are_read() -> None:
    files = {"one.png": b"first", "two.jpg": b"second" * 9, "Ж.webp": b""}
    assert dict(photographs.resources(archive(files))) == {f"photos/{name}": raw for name, raw in files.items()}
    assert list(photographs.resources(b"something else")) == []


@needs_dpkg
def test_a_package_becomes_a_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photo, drawing = data.astronaut(), np.zeros((600, 800, 3), np.uint8)
    drawing[200:400, 200:600] = (255, 0, 0)
    large = np.asarray(Image.fromarray(data.coffee()).resize((1800, 1200)))
    root = tmp_path / "package"
    (root / "usr/share/pictures").mkdir(parents=True)
    for name, pixels in {"a photo.png": photo, "again.png": photo[:-2, :-2], "drawn.png": drawing}.items():
        (root / "usr/share/pictures" / name).write_bytes(encoded(pixels))
    (root / "usr/share/pictures/small.png").write_bytes(encoded(photo[:100, :100]))
    (root / "usr/share/pictures/broken.png").write_bytes(encoded(photo)[:2000])
    (root / "usr/share/large.rcc").write_bytes(archive({"coffee.jpg": encoded(large, "JPEG")}))
    (root / "DEBIAN").mkdir()
    fields = {"Package": "pics", "Version": "1.2", "Architecture": "all", "Maintainer": "a@b", "Description": "x"}
    (root / "DEBIAN/control").write_text("".join(f"{name}: {value}\n" for name, value in fields.items()))
    subprocess.run(["dpkg-deb", "-b", root, tmp_path / "pics_1.2_all.deb"], check=True, capture_output=True)
    (tmp_path / "list.json").write_text(
        json.dumps([{"package": "pics", "licence": "CC0", "files": ["*pictures/*", "photos/*"]}])
    )
    monkeypatch.setattr(photographs, "LIST", tmp_path / "list.json")

    told = photographs.collect(tmp_path / "corpus", tmp_path)
    assert told["photographs"] == 2
    rows = json.loads((tmp_path / "corpus" / "manifest.json").read_text())
    assert sorted((row["width"], row["height"]) for row in rows) == [(341, 341), (450, 300), (900, 600)]
    for row in rows:
        picture = Image.open(tmp_path / "corpus" / row["file"])
        assert picture.size == (row["width"], row["height"])
        assert (row["package"], row["version"], row["licence"]) == ("pics", "1.2", "CC0")
    assert len({row["file"].split("/")[0] for row in rows if "coffee" in row["from"]}) == 1, "one photograph, one side"


@needs_dpkg
def test_a_missing_package_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="gcompris-qt-data"):
        photographs.collect(tmp_path / "corpus", tmp_path)
