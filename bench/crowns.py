"""Crowns of trees from the air

The four labelled aerial pictures in the package `deepforest` (MIT; RGB, 10 cm a pixel): a detector learns from one (574
crowns at Yellowstone), cut into overlapping pieces of 200 px, and is tested on pieces of three that it never saw: 279
crowns in another part of Yellowstone, and two other sites, 61 and 37 crowns. The peer is fixed: bright or dark blobs
(Laplacian of Gaussians on the luma, or on the green's share), of which kind, size and threshold were chosen on the
picture that is learned from. Intervals (95 %) are of the pieces. Processor seconds are of the whole training, looks
included.
"""

from __future__ import annotations

import itertools
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_laplace
from skimage.feature import blob_log

from bench.learning import beside, learned, told
from bench.style_nets import fetched
from danqing.core.learned.finder import UNSURE, Finder
from danqing.core.learned.weights import load
from danqing.core.pictures.found import Found, Thing, inside
from danqing.core.pictures.reading import read
from danqing.core.progress import finish
from danqing.data.annotations.places import read_labelled
from danqing.data.annotations.scores import rows_of, scores_for
from danqing.maths.found_scores import Pair, precision

FOLDER = Path("runs/crowns")
PACKAGE = "deepforest==2.1.0"
LEARNED = "2019_YELL_2_528000_4978000_image_crop2"
TESTED = ("2019_YELL_2_541000_4977000_image_crop", "OSBS_029", "SOAP_061")
PIECE, STEP, SIZE = 200, 100, 192  # px: of a piece, from one to the next where it is learned, and as the net sees it
PICTURES = 4800  # seen
LEAST = 0.25  # of a crown that lies in a piece, to be labelled there
SEEN = ("luma", "green")
SPREADS = (0.6, 0.8, 1.0, 1.25)  # a box's half side, in the radii that blobs have


Known = list[tuple[Path, Found]]  # pictures and what is in them


def run() -> dict[str, Any]:
    """Cut the pictures up, train unless it is there, and score on each site beside the peer."""
    torch.set_num_threads(1)
    crowns = {LEARNED: _cut_up([LEARNED], "train", STEP), **dict.fromkeys(TESTED, 0)}
    _cut_up(list(TESTED), "test", PIECE)
    model = learned("detector", FOLDER / "set", FOLDER / "detector", PICTURES, SIZE)
    how = _chosen(_known("train", LEARNED))
    sites, all_pairs = {}, []
    for name in TESTED:
        known = _known("test", name)
        crowns[name] = len(_crowns(name))
        theirs = [Pair(_blobs(file, how), found) for file, found in known]
        ours = [Pair(_found(model, file), found) for file, found in known]
        all_pairs += theirs
        sites[name] = {"pieces": len(known), **{who: _rows(pairs) for who, pairs in (("ours", ours), ("peer", theirs))}}
    result = beside("detector", model, FOLDER / "set", all_pairs, FOLDER / "detector.png", PICTURES)
    return {"crowns": crowns, "how": how, "sites": sites, **result}


def table(result: dict[str, Any]) -> str:
    """A row a site and score."""
    lines = ["| site | crowns | score | learned | blobs |", "|---|---|---|---|---|"]
    rows = [*result["sites"].items(), ("all", result)]
    for name, site in rows:
        count = result["crowns"].get(name) or sum(result["crowns"][each] for each in TESTED)
        for ours, theirs in zip(site["ours"], site["peer"], strict=True):
            lines.append(f"| {name} | {count} | {ours['score']} | {told(ours)} | {told(theirs)} |")
    seen, cost = f"{result['pictures']:,} pieces", f"{result['processor_seconds']:.0f} processor seconds"
    how = result["how"]
    kind = f"{'dark' if how['dark'] else 'bright'} ones in the {how['seen']}"
    blobs = f"{kind}, a box's half side {how['spread']} radii, threshold {how['threshold']}"
    return "\n".join([*lines, "", f"It learned from {seen}, in {cost}; the blobs that were chosen: {blobs}."])


def _crowns(name: str) -> NDArray[np.float64]:
    """Boxes (N, 4) of the crowns in one of the package's pictures."""
    with zipfile.ZipFile(fetched(PACKAGE)) as archive:
        root = ElementTree.fromstring(archive.read(f"deepforest/data/{name}.xml"))
    sides = ("xmin", "ymin", "xmax", "ymax")
    return np.array([[float(each.findtext(f"bndbox/{side}") or 0) for side in sides] for each in root.iter("object")])


def _cut_up(names: list[str], split: str, step: int) -> int:
    """Write the pieces of pictures and their COCO file; how many crowns the pictures have."""
    folder = FOLDER / "set" / split
    folder.mkdir(parents=True, exist_ok=True)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for name in names:
        with zipfile.ZipFile(fetched(PACKAGE)) as archive, archive.open(f"deepforest/data/{name}.png") as stream:
            picture = Image.open(stream).convert("RGB")
        starts = (range(0, length - PIECE + 1, step) for length in picture.size)
        for left, top in itertools.product(*starts):
            file = f"{name}-{left:04}-{top:04}.png"
            if not (folder / file).exists():
                picture.crop((left, top, left + PIECE, top + PIECE)).save(folder / file)
            images.append({"id": len(images) + 1, "file_name": file, "width": PIECE, "height": PIECE})
            for box in _seen(_crowns(name), left, top):
                told_box = [box[0], box[1], box[2] - box[0], box[3] - box[1]]
                annotations.append({"id": len(annotations) + 1, "image_id": len(images), "category_id": 1,
                                    "bbox": told_box, "iscrowd": 0, "area": told_box[2] * told_box[3]})  # fmt: skip
    content = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "crown"}]}
    (folder / "coco.json").write_text(json.dumps(content))
    return sum(len(_crowns(name)) for name in names)


def _seen(boxes: NDArray[np.float64], left: int, top: int) -> Iterator[list[float]]:
    """What a piece shows of boxes, but for those of which it shows little."""
    shift = np.array([left, top, left, top])
    for box in boxes - shift:
        cut = box.clip(0, PIECE)
        if (cut[2] - cut[0]) * (cut[3] - cut[1]) >= LEAST * (box[2] - box[0]) * (box[3] - box[1]):
            yield cut.tolist()


def _known(split: str, name: str) -> Known:
    """The pieces of one picture and the crowns in them."""
    known = read_labelled(FOLDER / "set" / split, None, "boxes")
    return [
        (known.place / each, known.labels.found[each]) for each in sorted(known.labels.found) if each.startswith(name)
    ]


def _found(model: Path, file: Path) -> Found:
    (found,) = load(model, kind=Finder).find(read(file).pixels, UNSURE)
    return found


def _rows(pairs: list[Pair]) -> list[dict[str, Any]]:
    return finish(rows_of(pairs, scores_for("boxes"), 0))


def _chosen(known: Known) -> dict[str, Any]:
    """The blobs that find the most in the picture that is learned from, of some pieces."""
    ways = [
        {"seen": seen, "dark": dark, "spread": spread, "threshold": threshold}
        for seen, dark, spread, threshold in itertools.product(SEEN, (False, True), SPREADS, (0.05,))
    ]
    part = known[::24]
    return max(ways, key=lambda how: precision([Pair(_blobs(file, how), found) for file, found in part], threshold=0.5))


def _blobs(file: Path, how: dict[str, Any]) -> Found:
    """Blobs as boxes, the clearest first."""
    with Image.open(file) as image:
        pixels = np.asarray(image.convert("RGB")).astype(np.float64)
    seen = pixels.mean(2) / 255 if how["seen"] == "luma" else pixels[..., 1] / pixels.sum(2).clip(1)
    seen = (seen - seen.mean()) / max(float(seen.std()), 1e-6) / 4
    seen = -seen if how["dark"] else seen
    things = []
    for row, column, sigma in blob_log(seen, min_sigma=5, max_sigma=28, num_sigma=8, threshold=how["threshold"]):
        half = how["spread"] * sigma * 2**0.5
        box = tuple(float(each) for each in (column - half, row - half, column + half, row + half))
        cut = inside(box, PIECE, PIECE)  # type: ignore[arg-type]
        if cut is not None:
            clear = float(abs(gaussian_laplace(seen, sigma)[int(row), int(column)]) * sigma**2)
            things.append(Thing("crown", cut, min(clear, 1.0)))
    return Found(PIECE, PIECE, tuple(sorted(things, key=lambda each: -each.score)))
