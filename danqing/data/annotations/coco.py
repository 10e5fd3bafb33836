"""COCO: one JSON file for a whole set."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from torch import Tensor

from danqing.core.disk import replacing
from danqing.core.errors import DataError
from danqing.core.json_text import json_text
from danqing.core.notes import note
from danqing.core.pictures.found import Found, Spot, Thing, from_run_lengths, run_lengths
from danqing.core.pictures.names import several
from danqing.data.annotations.label_set import (
    Folder,
    LabelSet,
    box_of,
    disagreeing,
    filled,
    numbers,
    score_in,
    text_of,
    thing,
)
from danqing.data.annotations.packed import Packed
from danqing.data.report import Unusable

HIDDEN = 0.5  # score up to which a point is hidden, and that of one of which no more is known


def read(place: Path, pictures: Folder) -> LabelSet:
    """Read the file.

    Raises:
        DataError: if it is no COCO file at all.
    """
    content = _content(place)
    faults: list[Unusable] = []

    def fault(words: str) -> None:
        faults.append(Unusable(place.name, words))

    for part in ("images", "annotations", "categories"):
        often = Counter(each.get("id") for each in content[part])
        for key, times in often.items():
            if times > 1:
                fault(f"the id {key} stands {times} times in {part}")
    names: dict[Any, tuple[str, list[str]]] = {}
    shared = {part: _shared_ids(content[part], key) for part, key in (("images", "file_name"), ("categories", "name"))}
    for each in content["categories"]:
        points = each.get("keypoints") or []
        if not isinstance(points, list):
            fault(f"category {each.get('id')} has key points that are no list of names")
            points = []
        if not str(each.get("name") or "").strip():
            fault(f"category {each.get('id')} has no name")
            continue
        if each.get("id") not in shared["categories"]:
            names[each.get("id")] = str(each["name"]).strip(), list(map(str, points))
    images: dict[Any, tuple[str, tuple[int, int]]] = {}
    found = Packed()
    for image in content["images"]:
        if image.get("id") in shared["images"]:
            continue
        name = pictures.name(str(image.get("file_name")), place.parent)
        if name is None:
            fault(pictures.lack(str(image.get("file_name"))))
            continue
        size = pictures.size(name)
        wrong = size if isinstance(size, str) else disagreeing((image.get("width"), image.get("height")), size)
        if isinstance(size, str) or wrong:
            fault(str(wrong) if isinstance(size, str) else f"image {name} {wrong}")
            continue
        images[image.get("id")] = (name, size)
        if name not in found:
            found.add(name, Found(*size))
    known = {image.get("id") for image in content["images"]}
    for each in content["annotations"]:
        key = each.get("image_id")
        if key not in images:
            if key not in known:
                fault(f"annotation {each.get('id')} is of the image {key}, which there is not")
            continue
        made = _thing(each, names, images[key][1])
        if isinstance(made, str):
            fault(f"annotation {each.get('id')} of {images[key][0]} has {made}")
        else:
            found.add_thing(images[key][0], made)
    if crowds := sum(bool(each.get("iscrowd")) for each in content["annotations"]):
        note(f"{several(crowds, 'crowd')} (iscrowd) count as a thing each")
    return LabelSet(found, [name for name, _ in names.values()], faults)


def write(labels: LabelSet, place: Path) -> list[Path]:
    """Write the file; masks are run lengths, points are named by their category."""
    points = _point_names(labels)
    keys = {name: at for at, name in enumerate(labels.classes, 1)}
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for at, (name, found) in enumerate(labels.found.items(), 1):
        images.append({"id": at, "file_name": name, "width": found.width, "height": found.height})
        for each in found.things:
            told = _told(each, points[each.label])
            annotations.append({"id": len(annotations) + 1, "image_id": at, "category_id": keys[each.label], **told})
    categories = [
        {"id": keys[name], "name": name, **({"keypoints": points[name]} if points[name] else {})}
        for name in labels.classes
    ]
    content = {"images": images, "annotations": annotations, "categories": categories}
    with replacing(place, force=False) as temporary:
        temporary.write_text(json_text(content) + "\n", "utf-8")
    return [place]


def _content(place: Path) -> dict[str, list[dict[str, Any]]]:
    try:
        content = json.loads(text_of(place))
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})", where=place) from error
    except (ValueError, RecursionError) as error:
        raise DataError("is damaged, or no JSON", where=place) from error
    known = content if isinstance(content, dict) else {}
    parts = {part: known.get(part) for part in ("images", "annotations", "categories")}
    for part, rows in parts.items():
        if not isinstance(rows, list) or not all(isinstance(each, dict) for each in rows):
            raise DataError(f"is no COCO file: it has no list of {part}", where=place)
        if any(isinstance(each.get(key), list | dict) for each in rows for key in ("id", "image_id", "category_id")):
            raise DataError(f"is no COCO file: an id among its {part} is a list", where=place)
    return parts  # type: ignore[return-value]


def _shared_ids(rows: list[dict[str, Any]], key: str) -> set[Any]:
    """The ids under which different things stand, so that nobody knows which is meant."""
    called: dict[Any, Any] = {}
    return {each.get("id") for each in rows if called.setdefault(each.get("id"), each.get(key)) != each.get(key)}


def _thing(each: dict[str, Any], names: dict[Any, tuple[str, list[str]]], size: tuple[int, int]) -> Thing | str:
    if each.get("category_id") not in names:
        return f"the category {each.get('category_id')}, which there is not, or which is not one"
    label, points = names[each["category_id"]]
    mask = _mask(each.get("segmentation"), size)
    if isinstance(mask, str):
        return mask
    box = numbers(each.get("bbox"))
    if box is None or len(box) != 4:
        corners = None if mask is None else box_of(mask)
        if "bbox" in each or corners is None:
            return "a box that is not four numbers"
        box = [corners[0], corners[1], corners[2] - corners[0], corners[3] - corners[1]]
    score, spots = score_in(each), _spots(each, points)
    if score is None:
        return "a score that is no number"
    if isinstance(spots, str):
        return spots
    corners = (box[0], box[1], box[0] + box[2], box[1] + box[3])
    return thing(label, corners, size, spots, mask, score)


def _spots(each: dict[str, Any], names: list[str]) -> list[Spot] | str:
    """The key points that are to be seen, or why there are none.

    COCO's visibility is 0 (not there), 1 (hidden) or 2; danqing's scores stand beside.
    """
    flat, own = numbers(each.get("keypoints") or []), numbers(each.get("keypoint_scores") or [])
    if flat is None or own is None:
        return "key points that are not numbers"
    if flat and len(flat) != 3 * len(names):
        return f"{len(flat)} numbers for key points, of which its category names {len(names)}"
    scores = own or [seen / 2 for seen in flat[2::3]]
    if flat and len(scores) != len(names):
        return f"{len(scores)} scores of {len(names)} key points"
    points = zip(names, flat[0::3], flat[1::3], scores, strict=True) if flat else ()
    return [Spot(*point) for point in points if point[3]]


def _mask(value: Any, size: tuple[int, int]) -> Tensor | str | None:
    if not value:
        return None
    if isinstance(value, list):
        outlines = [numbers(outline) for outline in value]
        return "a polygon whose points are not numbers" if None in outlines else filled(outlines, size)  # type: ignore[arg-type]
    counts = value.get("counts") if isinstance(value, dict) else None
    told = {**value, "counts": _uncompressed(counts)} if isinstance(counts, str) else value
    mask = from_run_lengths(told, size[1], size[0])
    return "run lengths that do not fit the picture" if mask is None else mask


def _uncompressed(text: str) -> list[int]:
    """Run lengths from COCO's own text: groups of five bits, each after the second as a difference."""
    counts: list[int] = []
    at = 0
    while at < len(text):
        value, shift, more = 0, 0, True
        while more and at < len(text):
            bits = ord(text[at]) - 48
            value |= (bits & 31) << shift
            more, at, shift = bool(bits & 32), at + 1, shift + 5
            if not more and bits & 16:
                value |= -1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
    return counts


def _told(each: Thing, points: list[str]) -> dict[str, Any]:
    left, top, right, bottom = each.box
    told: dict[str, Any] = {"bbox": [left, top, right - left, bottom - top], "iscrowd": 0}
    told["area"] = (right - left) * (bottom - top) if each.mask is None else int(each.mask.sum())
    if each.score != 1:
        told["score"] = each.score
    if each.mask is not None:
        told["segmentation"] = run_lengths(each.mask)
    if points:
        own = {spot.name: spot for spot in each.points}
        spots = [own.get(name, Spot(name, 0, 0, 0)) for name in points]
        told["keypoints"] = [value for spot in spots for value in (spot.x, spot.y, _seen(spot))]
        told["num_keypoints"] = sum(spot.score > 0 for spot in spots)
        told["keypoint_scores"] = [spot.score for spot in spots]
    return told


def _seen(spot: Spot) -> int:
    """COCO's visibility of a point: 0 (not there), 1 (hidden) or 2."""
    return (spot.score > 0) + (spot.score > HIDDEN)


def _point_names(labels: LabelSet) -> dict[str, list[str]]:
    """The names of the points of each class, in the order in which they are met."""
    names: dict[str, dict[str, None]] = {name: {} for name in labels.classes}
    for each, _ in labels.found.kept():
        names[each.label].update(dict.fromkeys(spot.name for spot in each.points))
    return {label: list(own) for label, own in names.items()}
