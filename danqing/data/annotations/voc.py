"""Pascal VOC: an XML file for each picture; pixels are counted from 1, and the last one is in the box."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from danqing.core.disk import replacing
from danqing.core.notes import note
from danqing.core.pictures.found import Found, Thing
from danqing.core.pictures.names import several
from danqing.data.annotations.class_list import check_names
from danqing.data.annotations.label_set import (
    Folder,
    LabelSet,
    class_names,
    disagreeing,
    label_files,
    places_for,
    thing,
)
from danqing.data.annotations.packed import Packed
from danqing.data.report import Unusable

SIDES = ("xmin", "ymin", "xmax", "ymax")


def read(place: Path, pictures: Folder) -> LabelSet:
    """Read a folder of XML files."""
    found, hard = Packed(), 0
    faults: list[Unusable] = []
    for beside, file in label_files(place, ".xml"):
        told = file.relative_to(place).as_posix()
        try:
            root = ElementTree.fromstring(file.read_bytes())
        except (ElementTree.ParseError, OSError, ValueError, LookupError) as error:
            faults.append(Unusable(told, f"is damaged, or no XML ({error})"))
            continue
        written = root.findtext("filename") or file.stem
        name = pictures.name(written, place) or pictures.name(beside, place)
        if name is None:
            faults.append(Unusable(told, pictures.lack(written)))
            continue
        size = pictures.size(name)
        wrong = (
            size
            if isinstance(size, str)
            else disagreeing((root.findtext("size/width"), root.findtext("size/height")), size)
        )
        if isinstance(size, str) or wrong:
            faults.append(Unusable(told, str(wrong)))
            continue
        made = [_thing(each, size) for each in root.iter("object")]
        hard += sum((each.findtext("difficult") or "0").strip() == "1" for each in root.iter("object"))
        faults += [
            Unusable(told, f"object {at} has {each}") for at, each in enumerate(made, 1) if isinstance(each, str)
        ]
        found.add(name, Found(*size, tuple(each for each in made if isinstance(each, Thing))))
    if hard:
        note(f"{several(hard, 'thing')} marked as difficult count like all others")
    return LabelSet(found, class_names(found), faults)


def write(labels: LabelSet, place: Path) -> list[Path]:
    """Write an XML file for each picture; masks and points are left out.

    Raises:
        DataError: if a class has a name that does not fit on a line.
    """
    check_names(labels.classes, place)
    if any(each.mask is not None or each.thing.points for each in labels.found.kept()):
        note("Pascal VOC's files hold boxes alone: masks and points are left out")
    written = []
    places = places_for(labels.found, place, ".xml")
    for name, found in labels.found.items():
        file = places[name]
        tree = ElementTree.ElementTree(_element(name, found))
        ElementTree.indent(tree)
        with replacing(file, force=False) as temporary:
            tree.write(temporary, "utf-8", xml_declaration=True)
        written.append(file)
    return written


def _thing(element: ElementTree.Element, size: tuple[int, int]) -> Thing | str:
    label = (element.findtext("name") or "").strip()
    if not label:
        return "no name"
    try:
        left, top, right, bottom = (float(element.findtext(f"bndbox/{side}") or "") for side in SIDES)
        score = float(element.findtext("confidence") or 1)
    except ValueError:
        return "a box that is not four numbers"
    return thing(label, (left - 1, top - 1, right, bottom), size, score=score)


def _element(name: str, found: Found) -> ElementTree.Element:
    root = ElementTree.Element("annotation")
    ElementTree.SubElement(root, "filename").text = "".join(each if each.isprintable() else "\ufffd" for each in name)
    size = ElementTree.SubElement(root, "size")
    for side, length in (("width", found.width), ("height", found.height), ("depth", 3)):
        ElementTree.SubElement(size, side).text = str(length)
    for each in found.things:
        item = ElementTree.SubElement(root, "object")
        ElementTree.SubElement(item, "name").text = each.label
        if each.score != 1:
            ElementTree.SubElement(item, "confidence").text = repr(each.score)
        box = ElementTree.SubElement(item, "bndbox")
        left, top, right, bottom = each.box
        for side, value in zip(SIDES, (left + 1, top + 1, right, bottom), strict=True):
            ElementTree.SubElement(box, side).text = repr(value)
    return root
