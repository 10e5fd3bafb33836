"""LabelMe: a JSON file for each picture, with rectangles, polygons, masks and points."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from danqing.core.disk import replacing
from danqing.core.json_text import json_text
from danqing.core.pictures.found import Found, Spot, Thing
from danqing.data.annotations.label_set import (
    Folder,
    LabelSet,
    around,
    box_of,
    class_names,
    disagreeing,
    filled,
    label_files,
    numbers,
    places_for,
    score_in,
    text_of,
    thing,
)
from danqing.data.annotations.masks import DAMAGED
from danqing.data.annotations.packed import Packed
from danqing.data.report import Unusable

CORNERS = 64  # of the polygon that stands for a circle


def read(place: Path, pictures: Folder) -> LabelSet:
    """Read a folder of JSON files; shapes of one group are one thing."""
    found = Packed()
    faults: list[Unusable] = []
    for beside, file in label_files(place, ".json"):
        told = file.relative_to(place).as_posix()
        try:
            content = json.loads(text_of(file))
            shapes, written = content["shapes"], str(content.get("imagePath") or file.stem)
            groups = _grouped(shapes)
        except (ValueError, RecursionError, KeyError, TypeError, AttributeError, OSError):
            faults.append(Unusable(told, "is damaged, or no file of LabelMe"))
            continue
        name = pictures.name(written, place) or pictures.name(beside, place)
        if name is None:
            faults.append(Unusable(told, pictures.lack(written)))
            continue
        size = pictures.size(name)
        stated = content.get("imageWidth"), content.get("imageHeight")
        wrong = size if isinstance(size, str) else disagreeing(stated, size)
        if isinstance(size, str) or wrong:
            faults.append(Unusable(told, str(wrong)))
            continue
        made = [_thing(group, size) for group in groups]
        faults += [Unusable(told, f"shape {at} has {each}") for at, each in enumerate(made, 1) if isinstance(each, str)]
        found.add(name, Found(*size, tuple(each for each in made if isinstance(each, Thing))))
    return LabelSet(found, class_names(found), faults)


def write(labels: LabelSet, place: Path) -> list[Path]:
    """Write a JSON file for each picture; masks stand in it as LabelMe's own, points share their thing's group."""
    written = []
    places = places_for(labels.found, place, ".json")
    for name, found in labels.found.items():
        file = places[name]
        shapes = [shape for at, each in enumerate(found.things, 1) for shape in _shapes(each, at)]
        content: dict[str, Any] = {"version": "5.0.0", "flags": {}, "shapes": shapes, "imagePath": name,
                   "imageData": None, "imageHeight": found.height, "imageWidth": found.width}  # fmt: skip
        with replacing(file, force=False) as temporary:
            temporary.write_text(json_text(content, indent=2) + "\n", "utf-8")
        written.append(file)
    return written


def _grouped(shapes: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Shapes of one group together; what has no group is alone."""
    groups: dict[Any, list[dict[str, Any]]] = {}
    for at, shape in enumerate(shapes):
        key = shape.get("group_id")
        groups.setdefault(("alone", at) if key is None else key, []).append(shape)
    return list(groups.values())


def _thing(group: list[dict[str, Any]], size: tuple[int, int]) -> Thing | str:
    """The thing that the shapes of a group tell."""
    mask: Tensor | None = None
    box, label, score = None, "", 1.0
    spots = []
    for shape in group:
        points, told = shape.get("points"), score_in(shape)
        if told is None:
            return "a score that is no number"
        flat = [numbers(point) for point in points] if isinstance(points, list) else []
        if not flat or any(each is None or len(each) != 2 for each in flat):
            return "points that are not numbers"
        outline = [value for each in flat for value in each or ()]
        kind = shape.get("shape_type", "polygon")
        if kind == "point":
            spots.append(Spot(str(shape.get("label")), outline[0], outline[1], told))
            continue
        named = str(shape.get("label") or "").strip()
        if not named or (label and label != named):
            return f"two classes in one group: {label} and {named}" if named else "no label"
        label, score = named, told
        if kind == "circle" and len(flat) == 2:
            kind, outline = "polygon", _circle(outline)
        if kind == "rectangle":
            if len(flat) < 2:
                return "a rectangle of 1 point"
            box = around(outline)
        elif kind in ("polygon", "mask"):
            drawn = filled([outline], size) if kind == "polygon" else _unpacked(shape.get("mask"), outline, size)
            if isinstance(drawn, str):
                return drawn
            mask = drawn if mask is None else mask | drawn
            box = box or (around(outline) if kind == "polygon" else box_of(drawn))
        else:
            return f"the form {kind!r}, which danqing does not know"
    if box is None:
        return "points alone, without a rectangle or polygon of their group"
    return thing(label, box, size, spots, mask, score)


def _circle(outline: list[float]) -> list[float]:
    """The polygon of a circle that is told by its middle and a point on it."""
    x, y, other_x, other_y = outline
    turns, radius = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False), np.hypot(other_x - x, other_y - y)
    places: list[float] = np.stack([x + radius * np.cos(turns), y + radius * np.sin(turns)], 1).reshape(-1).tolist()
    return places


def _shapes(each: Thing, group: int) -> list[dict[str, Any]]:
    left, top, right, bottom = each.box
    about = {"group_id": group, "flags": {}, "score": None if each.score == 1 else each.score}
    shapes = [{"label": each.label, "points": [[left, top], [right, bottom]], "shape_type": "rectangle", **about}]
    corners = None if each.mask is None else box_of(each.mask)
    if each.mask is not None and corners is not None:
        x, y, end, low = map(int, corners)
        packed = _packed(each.mask[y:low, x:end])
        place = [[x, y], [end - 1, low - 1]]
        shapes.append({"label": each.label, "points": place, "shape_type": "mask", "mask": packed, **about})
    for spot in each.points:
        own = {**about, "score": None if spot.score == 1 else spot.score}
        shapes.append({"label": spot.name, "points": [[spot.x, spot.y]], "shape_type": "point", **own})
    return shapes


def _packed(mask: Tensor) -> str:
    stream = io.BytesIO()
    Image.fromarray(mask.numpy().astype(np.uint8) * 255).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


def _unpacked(text: Any, outline: list[float], size: tuple[int, int]) -> Tensor | str:
    try:
        with Image.open(io.BytesIO(base64.b64decode(text))) as image:
            part = torch.from_numpy(np.asarray(image.convert("L")) > 0)
    except (*DAMAGED, TypeError):
        return "a mask that is no PNG"
    mask = torch.zeros(size[1], size[0], dtype=torch.bool)
    left, top = round(outline[0]), round(outline[1])
    place = mask[max(top, 0) : top + part.shape[0], max(left, 0) : left + part.shape[1]]
    if place.shape != part.shape:
        return "a mask that leaves the picture"
    place.copy_(part)
    return mask
