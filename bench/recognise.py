"""Recognition

Photographs whose content is known by their names (animals, people, a cup …: of those that `python -m
danqing.zoo.photographs` collects, and of scikit-image), looked at by `detect` as it is but for a threshold of 0.3:
whether the right name is found, and whether it is the first. The same net with the same weights is built as an ONNX
graph and run by ONNX Runtime in an environment of its own, on one thread, in turn with danqing's; times are thread
seconds of the net alone on what `detect` gives it, medians over pictures of medians of five. Whole calls, from a
picture in memory to the boxes and the picture with all drawn in, are told beside.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import Any

import numpy as np
import torch
from skimage import data

import danqing
from danqing.nets.detection import sized
from danqing.nets.nanodet import MEAN, SIDE, STD, NanoDet
from danqing.nets.ready_made import FOLDER, ready_made

HERE = Path(__file__).parent
ENVIRONMENT = HERE / ".envs" / "onnx"
PINNED = ("onnx==1.23.2", "onnxruntime==1.32.0")
PHOTOGRAPHS = Path("runs/photographs")
REPEATS, PAIRS, TIMED = 5, 3, 8
THRESHOLD = 0.3
KNOWN = {  # the end of a file's name, without its size → what it shows, as was looked up in the picture
    "animals-cat": "cat", "animals-chicken": "bird", "animals-cow": "cow", "animals-dog": "dog",
    "animals-giraffe": "giraffe", "animals-horse": "horse", "animals-owl": "bird", "animals-panda": "bear",
    "animals-polar_bear": "bear", "animals-scarlet_macaw": "bird", "animals-sheep": "sheep",
    "faces-book": "book", "faces-hummingbird": "bird", "faces-plane": "airplane", "faces-surfer": "person",
    "music-ireland": "person", "music-italy": "person", "music-japan": "person", "music-mexico": "person",
    "music-orchestra": "person", "music-australia": "person",
    "templates-sheep": "sheep", "others-baseball": "sports ball", "others-volleyball": "sports ball",
    "citrus-fruits": "orange",
}  # fmt: skip
BUILT_IN = {"astronaut": "person", "camera": "person", "chelsea": "cat", "coffee": "cup"}


def photographs() -> dict[str, tuple[torch.Tensor, str]]:
    """Pictures (1, C, H, W) by name, with what they show; of two sizes the smaller."""
    found: dict[str, tuple[torch.Tensor, str]] = {}
    for file in sorted(PHOTOGRAPHS.rglob("*.png"), key=lambda file: file.stat().st_size, reverse=True):
        name = file.stem.rpartition("-")[0]
        shows = next((what for end, what in KNOWN.items() if name.endswith(end)), None)
        if shows is not None:
            found[name] = (danqing.read(file).pixels, shows)
    for name, shows in BUILT_IN.items():
        pixels = np.atleast_3d(getattr(data, name)()).astype(np.float32) / 255
        found[name] = (torch.from_numpy(pixels).permute(2, 0, 1)[None], shows)
    return found


def run() -> dict[str, Any]:
    """Look at all photographs, then time both programs in turn."""
    torch.set_num_threads(1)
    pictures = photographs()
    rows, calls = [], []
    for name, (picture, shows) in pictures.items():
        start = time.thread_time()
        found = danqing.detect(picture, threshold=THRESHOLD).found[0]
        calls.append(time.thread_time() - start)
        labels = [thing.label for thing in found.things]
        rows.append({"picture": name, "shows": shows, "found": shows in labels, "first": labels[:1] == [shows]})
    inputs = {name: sized(picture, SIDE)[0] for name, (picture, _) in list(pictures.items())[-TIMED:]}
    pairs, far = _in_turn(inputs)
    ours, theirs = (statistics.median(pair[at] for pair in pairs) for at in (0, 1))
    return {
        "pictures": len(rows),
        "found": sum(row["found"] for row in rows),
        "first": sum(row["first"] for row in rows),
        "missed": [f"{row['picture']} ({row['shows']})" for row in rows if not row["found"]],
        "milliseconds": {"danqing": 1000 * ours, "onnxruntime": 1000 * theirs, "call": 1000 * statistics.median(calls)},
        "ratio": statistics.median(one / other for one, other in pairs),
        "farthest": far,
        "versions": PINNED,
    }


def _in_turn(inputs: dict[str, torch.Tensor]) -> tuple[list[tuple[float, float]], float]:
    """Seconds a picture of danqing and of ONNX Runtime, in turn; and how far apart their numbers lie at most."""
    net, python = ready_made("nanodet", NanoDet), _environment()
    mean, std = (torch.tensor(each).view(1, 3, 1, 1) for each in (MEAN, STD))
    pairs, far = [], 0.0
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in ("pictures.npz", "result.npz")]
        np.savez(files[0], **{name: ((x.flip(1) * 255 - mean) / std).numpy() for name, x in inputs.items()})
        for _ in range(PAIRS):
            ours = statistics.median(_timed(net, x) for x in inputs.values())
            words = [python, HERE / "nanodet_onnx.py", FOLDER / "nanodet.safetensors", *files, REPEATS]
            done = subprocess.run([*map(str, words)], check=True, capture_output=True, text=True)
            pairs.append((ours, statistics.median(json.loads(done.stdout)["seconds"])))
        theirs = np.load(files[1])
        with torch.no_grad():
            for name, x in inputs.items():
                for at, level in enumerate(net(x)):
                    gap = torch.cat([level.logits, level.bins], 1) - torch.from_numpy(theirs[f"{name} {at}"])
                    far = max(far, float(gap.abs().max()))
    return pairs, far


@torch.no_grad()
def _timed(net: NanoDet, x: torch.Tensor) -> float:
    taken = []
    for _ in range(REPEATS + 1):
        start = time.thread_time()
        net(x)
        taken.append(time.thread_time() - start)
    return statistics.median(taken[1:])


def _environment() -> Path:
    python = ENVIRONMENT / "bin" / "python"
    if not python.exists():
        venv.create(ENVIRONMENT, with_pip=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *PINNED], check=True)
    return python


def table(result: dict[str, Any]) -> str:
    """What was found, and how fast."""
    times = result["milliseconds"]
    lines = [
        "| | right name found | as first | net alone, ms | whole call, ms |",
        "|---|---|---|---|---|",
        f"| `detect` | {result['found']} of {result['pictures']} | {result['first']} | {times['danqing']:.0f} "
        f"| {times['call']:.0f} |",
        f"| the same weights, ONNX Runtime | | | {times['onnxruntime']:.0f} | |",
        "",
        f"danqing takes {result['ratio']:.2f}× the time of ONNX Runtime; their logits differ by at most "
        f"{result['farthest']:.1e}. Missed: {', '.join(result['missed']) or 'none'}.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(json.dumps(run(), indent=1), file=sys.stdout)
