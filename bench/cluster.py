"""A cluster on one machine: throughput against one process, and the overhead a picture

`danqing denoise` over a folder of noisy photographs (sigma 15) of 512×512, in this process with one thread, by one and
by two workers of Ray, in turn; medians. Workers have one core and one thread each, are started before and have done a
folder. The overhead a picture is what `flip` on pictures of 64×64 takes longer with one worker than in this process.
Core-seconds are processor time of one process with one thread, which other work on the machine hardly moves: reading,
the operator, and writing.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

import danqing
from bench.bm3d import photograph
from danqing.core.disk import hash_of
from danqing.core.operators.operator import operator_named
from danqing.core.pictures.contract import Images
from danqing.core.progress import finish
from danqing.core.runs.cluster import Cluster
from danqing.core.runs.folders import Folders
from danqing.core.runs.parcel import Parcel
from danqing.core.runs.run import run as job_of

PICTURES = int(os.environ.get("PICTURES", "16"))
SMALL = 200
ORDERS = 4000
ROUNDS = 3
SIGMA = 15
SIDES = {"512x512": (512, 512), "12 megapixels": (3000, 4000)}


def run() -> dict[str, Any]:
    """Measure throughput, overhead and core-seconds."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        photo = _noisy(512, 512)
        for at in range(PICTURES):
            danqing.write(photo.roll(at * 7, 3), home / "photos" / f"{at:03}.jpg", quality=85)
        for at in range(SMALL):
            danqing.write(photo.roll(at, 3)[..., ::8, ::8].contiguous(), home / "small" / f"{at:03}.png")
        places, started = _places(home)
        try:
            found = {"load_before": os.getloadavg()[0], "pictures": PICTURES, "start_s": started}
            found["denoise 512x512"], found["same bytes"] = _in_turn("denoise", home / "photos", places)
            found["flip 64x64"], _ = _in_turn("flip", home / "small", places)
            one, two = (found["flip 64x64"][name] for name in ("one process", "one worker"))
            found["overhead_ms"] = 1000 * (two["seconds"] - one["seconds"]) / SMALL
        finally:
            for place in ("one worker", "two workers"):
                places[place].close()
        found["core_seconds"] = {name: _core_seconds(home, *sides) for name, sides in SIDES.items()}
        found["an order"] = _an_order(home)
        found["load_after"] = os.getloadavg()[0]
        return found


def table(result: dict[str, Any]) -> str:
    """Throughput and core-seconds."""
    lines = ["| | denoise 512×512, pictures/s | flip 64×64, pictures/s |", "|---|---|---|"]
    for name, each in result["denoise 512x512"].items():
        lines.append(f"| {name} | {each['per_second']:.2f} | {result['flip 64x64'][name]['per_second']:.0f} |")
    same = "The bytes are the same" if result["same bytes"] else "**The bytes differ**"
    lines += [
        "",
        f"{same} in all three. The overhead is {result['overhead_ms']:.1f} ms a picture; Ray and two workers, weights "
        f"loaded, were ready after {result['start_s']:.0f} s. The load of the machine, which others used, was "
        f"{result['load_before']:.1f} before and {result['load_after']:.1f} after.",
        "",
        "An order costs who gives it out {bytes:,.0f} bytes and {ms:.2f} ms.".format(**result["an order"]),
        "",
        "| a JPEG of | task | core-seconds | bytes read | bytes written |",
        "|---|---|---|---|---|",
    ]
    for size, tasks in result["core_seconds"].items():
        for name, each in tasks.items():
            facts = f"{each['core_seconds']:.2f} | {each['read']:,} | {each['written']:,}"
            lines.append(f"| {size.replace('512x', '512×')} | {name} | {facts} |")
    return "\n".join(lines)


def _noisy(height: int, width: int) -> Images:
    """A photograph laid side by side to this size, with noise."""
    photo = photograph("astronaut").repeat(1, 1, -(-height // 512), -(-width // 512))[..., :height, :width]
    noise = torch.randn(photo.shape, generator=torch.Generator().manual_seed(0)) * SIGMA / 255
    return (photo + noise).clamp(0, 1)


def _places(home: Path) -> tuple[dict[str, Any], float]:
    """One process, one worker and two; and the seconds until the two have filled orders."""
    began = time.perf_counter()
    two = Workers(2)
    _work("denoise", home / "photos", home / "warm-2", two)
    started = time.perf_counter() - began - _work("denoise", home / "photos", home / "warm", two)
    one = Workers(1)
    _work("denoise", home / "photos", home / "warm-1", one)
    return {"one process": None, "one worker": one, "two workers": two}, started


class Workers(Cluster):
    """So many workers of one Ray, which has cores for all that are compared."""

    def __init__(self, count: int) -> None:
        super().__init__(cores=3)
        self._count = count

    @property
    def width(self) -> int:
        self._ray()
        return self._count


def _work(name: str, photos: Path, out: Path, place: Any) -> float:
    began = time.perf_counter()
    result = finish(job_of(operator_named(name), {}, Folders([photos], out_dir=out), place))
    took = time.perf_counter() - began
    if result.of("failed"):
        raise RuntimeError(str(result.of("failed")[0].error))
    return took


def _in_turn(name: str, photos: Path, places: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    times: dict[str, list[float]] = {each: [] for each in places}
    hashes = set()
    for number in range(ROUNDS):
        for each, place in places.items():
            out = photos.with_name(f"{name}-{number}-{each}")
            times[each].append(_work(name, photos, out, place))
            hashes.add(tuple(hash_of(file) for file in sorted(out.iterdir())))
    count = len(list(photos.iterdir()))
    middle = {each: statistics.median(found) for each, found in times.items()}
    rows = {each: {"seconds": took, "per_second": count / took, "all": times[each]} for each, took in middle.items()}
    return rows, len(hashes) == 1


def _an_order(home: Path) -> dict[str, float]:
    """What an order costs who gives them out: bytes of memory and processor time, until it is packed."""
    file = next((home / "small").iterdir())
    many = home / "many"
    many.mkdir()
    for at in range(ORDERS):
        (many / f"{at:06}.png").write_bytes(file.read_bytes())

    def packed() -> list[Any]:
        orders = Folders([many], out_dir=home / "nowhere").orders(operator_named("flip"), {})
        return [orders, [Parcel.of(order) for order in orders]]

    packed()  # what is loaded once is loaded now
    began = time.process_time()
    packed()
    took = time.process_time() - began
    tracemalloc.start()
    kept = packed()
    memory = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return {"bytes": memory / len(kept[0]), "ms": 1000 * took / len(kept[0])}


def _core_seconds(home: Path, height: int, width: int) -> dict[str, Any]:
    """Processor time of one picture, after another one has loaded what is loaded once."""
    file = danqing.write(_noisy(height, width), home / f"{height}.jpg", quality=85)
    works: dict[str, Callable[[Path], Any]] = {
        "resize --scale 0.5": lambda out: finish(
            job_of(operator_named("resize"), {"scale": 0.5}, Folders([file], out=out))
        ),
        "denoise": lambda out: finish(job_of(operator_named("denoise"), {}, Folders([file], out=out))),
    }
    found = {}
    for name, work in works.items():
        out = home / f"{height}-{name.split()[0]}.jpg"
        began = time.process_time()
        work(out)
        took = time.process_time() - began
        found[name] = {"core_seconds": took, "read": file.stat().st_size, "written": out.stat().st_size}
    return found
