"""What danqing itself writes: a JSON file for each picture, as detect, find_faces and pose leave them in a folder."""

from __future__ import annotations

from pathlib import Path

from danqing.core.disk import replacing
from danqing.core.errors import PictureError
from danqing.core.fields.boxes import BoxesKind
from danqing.core.json_text import json_text
from danqing.core.pictures.found import to_json
from danqing.data.annotations.label_set import Folder, LabelSet, class_names, label_files, places_for
from danqing.data.annotations.packed import Packed
from danqing.data.report import Unusable


def read(place: Path, pictures: Folder) -> LabelSet:
    """Read a folder of JSON files."""
    found = Packed()
    faults: list[Unusable] = []
    for written, file in label_files(place, ".json"):
        told, name = file.relative_to(place).as_posix(), pictures.name(written, place)
        if name is None:
            faults.append(Unusable(told, pictures.lack(written)))
            continue
        try:
            (one,) = BoxesKind().load(file, None)
        except (PictureError, ValueError) as error:
            faults.append(Unusable(told, error.what if isinstance(error, PictureError) else "is of several pictures"))
            continue
        size = pictures.size(name)
        if isinstance(size, str):
            faults.append(Unusable(told, size))
        elif one[:2] == size:
            found.add(name, one)
        else:
            faults.append(Unusable(told, f"is of a picture of {one.width}×{one.height} px, not of this one"))
    return LabelSet(found, class_names(found), faults)


def write(labels: LabelSet, place: Path) -> list[Path]:
    """Write a JSON file for each picture."""
    written = []
    places = places_for(labels.found, place, ".json")
    for name, found in labels.found.items():
        file = places[name]
        with replacing(file, force=False) as temporary:
            temporary.write_text(json_text(to_json(found), indent=2) + "\n", "utf-8")
        written.append(file)
    return written
