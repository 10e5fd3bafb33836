"""Any size, any number: time and memory of large pictures and folders

Whole processes, as a user starts them; memory is the peak of the process less the pictures themselves (what is read and
what is made, 4 bytes a value). The pictures are photographs of scikit-image laid side by side. Seams: the largest
difference, in steps of 1/255, between a picture of 2 megapixels restored whole and in tiles.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

import danqing
from bench.bm3d import photograph
from bench.everyday import _runs
from danqing.core.learned.card import WEIGHTS, bundled
from danqing.core.learned.weights import load
from danqing.core.operators.operator import operator_named
from danqing.core.operators.tiles import tiled
from danqing.core.pictures.contract import Images

MEGAPIXELS = (1, 12, 24, 100)
TILES = (128, 256, 512)
FOLDER = 200
NETS = ("denoise-tiny", "denoise-base")


def run() -> dict[str, Any]:
    """Measure sizes, a folder, seams and loading."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for mega in MEGAPIXELS:
            for words, scale in ((("denoise",), 1), (("upscale", "--scale", "2"), 2)):
                file = Path(folder, f"{mega}-{scale}.png")
                danqing.write(_large(mega / scale**2), file)  # so that the result has the megapixels of the row
                rows.append({"megapixels": mega, **_measured(words, file, scale)})
                print(rows[-1], flush=True)
        return {
            "rows": rows,
            "folder_per_s": _folder(Path(folder)),
            "seams": {f"{name} in tiles of {tile}": _seam(name, tile) for name in NETS for tile in TILES},
            "load_ms": {name: _loading(name) for name in bundled()},
            "weights_mb": {name: (WEIGHTS / f"{name}.safetensors").stat().st_size / 1e6 for name in bundled()},
            "threads": torch.get_num_threads(),
        }


def table(result: dict[str, Any]) -> str:
    """Sizes, seams, weights."""
    lines = [
        "| megapixels read | command | megapixels made | seconds | a megapixel made | memory beyond the pictures |",
        "|---|---|---|---|---|---|",
    ]
    for row in result["rows"]:
        each = f"{row['seconds'] / row['made']:.2f} s | {row['beyond_gib']:.2f} GiB"
        lines.append(f"| {row['read']:.1f} | {row['command']} | {row['made']:.1f} | {row['seconds']:.1f} | {each} |")
    rate = f"**{result['folder_per_s']:.2f} pictures/s**"
    lines += ["", f"A folder of {FOLDER} photographs of 512×512: {rate} (`danqing denoise`).", ""]
    lines += ["| weights | MB | load, ms |", "|---|---|---|"]
    lines += [f"| {name} | {result['weights_mb'][name]:.1f} | {ms:.0f} |" for name, ms in result["load_ms"].items()]
    lines += ["", "| seams | largest difference, of 255 |", "|---|---|"]
    return "\n".join(lines + [f"| {name} | {value:.4f} |" for name, value in result["seams"].items()])


def _large(mega: float) -> Images:
    """Photographs side by side, about so many megapixels."""
    side = int((mega * 1e6) ** 0.5) // 16 * 16
    photo = photograph("astronaut")
    times = -(-side // photo.shape[-1])
    noise = torch.randn(photo.shape, generator=torch.Generator().manual_seed(0)) * 0.1
    return (photo + noise).clamp(0, 1).repeat(1, 1, times, times)[..., :side, :side].contiguous()


def _measured(words: tuple[str, ...], file: Path, scale: int) -> dict[str, Any]:
    out = file.with_name("out.png")
    command = [sys.executable, "-m", "danqing", *words, str(file), "--out", str(out), "--force", "--limit", "1000"]
    seconds, peak = next(_runs(command, 1))
    read = danqing_size(file)
    pictures = 12 * read * (1 + scale * scale)  # bytes: three channels of float32
    beyond = peak * 2**20 - pictures
    return {
        "command": " ".join(words),
        "read": read / 1e6,
        "made": read * scale**2 / 1e6,
        "seconds": seconds,
        "beyond_gib": beyond / 2**30,
    }


def danqing_size(file: Path) -> int:
    """The pixels of a picture file."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    with Image.open(file) as picture:
        return picture.width * picture.height


def _folder(place: Path) -> float:
    photo = photograph("astronaut")
    for at in range(FOLDER):
        danqing.write(photo.roll(at * 7, 3), place / "photos" / f"{at:03}.jpg", quality=85)
    start = time.perf_counter()
    command = f'"{sys.executable}" -m danqing denoise "{place}/photos" --out-dir "{place}/clean" --quiet'
    if os.system(command):
        raise RuntimeError("the folder was not denoised")
    return FOLDER / (time.perf_counter() - start)


def _seam(name: str, tile: int) -> float:
    denoise = operator_named("denoise")
    x, weights = _large(2), load(name)
    whole = denoise(x, weights=weights)
    return 255 * float((tiled(denoise, x, {"weights": weights}, tile) - whole).abs().max())


def _loading(name: str) -> float:
    times = []
    for _ in range(5):
        start = time.perf_counter()
        load(name)
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)
