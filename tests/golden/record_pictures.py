"""Record picture files written by ImageMagick, and the samples that ImageMagick reads in them.

Run by hand, where ``convert`` of ImageMagick is installed: ``python tests/golden/record_pictures.py``.
"""

from __future__ import annotations

import base64
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
WIDTH, HEIGHT = 12, 8
KINDS = {
    "jpeg in tiff": ["-compress", "jpeg", "tif"],
    "lzw": ["-compress", "lzw", "-depth", "16", "tif"],
    "group 4": ["-compress", "group4", "-monochrome", "tif"],
    "fax": ["-compress", "fax", "-monochrome", "tif"],
    "tiles": ["-define", "tiff:tile-geometry=16x16", "tif"],
    "big-endian": ["-endian", "msb", "-depth", "16", "tif"],
    "10 bits": ["-depth", "10", "tif"],
    "12 bits": ["-depth", "12", "tif"],
    "palette of 16": ["-colors", "16", "-type", "palette", "-depth", "4", "tif"],
    "white is zero": ["-colorspace", "gray", "-define", "quantum:polarity=min-is-white", "tif"],
    "white is zero in 16": ["-colorspace", "gray", "-depth", "16", "-define", "quantum:polarity=min-is-white", "tif"],
    "inks": ["-colorspace", "CMYK", "tif"],
    "planes": ["-interlace", "plane", "tif"],
    "strips": ["-define", "tiff:rows-per-strip=3", "tif"],
    "floats": ["-define", "quantum:format=floating-point", "-depth", "32", "tif"],
    "zstd": ["-compress", "zstd", "tif"],
    "inks in jpeg": ["-colorspace", "CMYK", "-quality", "95", "jpg"],
    "16-bit colours in bmp": ["-define", "bmp:subtype=RGB565", "bmp"],
    "opacity in bmp": ["-define", "bmp:subtype=ARGB4444", "bmp"],
}  # fmt: skip


def main() -> None:
    """Write ``pictures.json`` beside this file."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    colours = np.stack([x / (WIDTH - 1), y / (HEIGHT - 1), (x + y) / (WIDTH + HEIGHT - 2)], axis=-1)
    raw = np.round(colours * 65535).astype("<u2").tobytes()
    version = subprocess.run(["convert", "-version"], capture_output=True, text=True, check=True).stdout.split("\n")[0]
    found = {"program": version, "size": [WIDTH, HEIGHT], "pictures": {}}
    with tempfile.TemporaryDirectory() as folder:
        for name, (*options, suffix) in KINDS.items():
            file = f"{folder}/x.{suffix}"
            source = ["convert", "-size", f"{WIDTH}x{HEIGHT}", "-depth", "16", "rgb:-"]
            subprocess.run([*source, *options, file], input=raw, capture_output=True)  # it exits 1 for a remark
            reading = ["convert", file, "-alpha", "on", "-depth", "16", "-colorspace", "sRGB", "rgba:-"]
            seen = subprocess.run(reading, capture_output=True, check=True).stdout
            found["pictures"][name] = {
                "file": base64.b64encode(Path(file).read_bytes()).decode(),
                "rgba": base64.b64encode(seen).decode(),
            }
    (HERE / "pictures.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
