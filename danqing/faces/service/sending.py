"""Files that clients send: judged by what is in them, kept on the shelf, and known by their hash from then on."""

from __future__ import annotations

import codecs
import functools
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from danqing.core.artefacts.artefact import Artefact, kinds
from danqing.core.errors import DanqingError, DataError, ModelFileError, PictureError
from danqing.core.fields.kind import Kind
from danqing.core.learned.cache import cached
from danqing.core.learned.card import read_card
from danqing.core.learned.model import Model
from danqing.core.pictures.films import STILLS, frame_count, frames
from danqing.core.pictures.names import READABLE
from danqing.data.label_table import read_table
from danqing.faces.service.problems import Problem, problem_of
from danqing.faces.service.service import Service
from danqing.faces.service.shelf import SUFFIX, picture_facts
from danqing.faces.service.web import Sent

ELSEWHERE = "Files that are no pictures are sent to /v1/files"
TABLES = (".csv", ".tsv")  # of labels: what else is text says of itself what it is
LONGEST = 64 << 20  # bytes of a text, which is read at once
ALIKE = {".jpg": (".jpeg",), ".tif": (".tiff",), ".mp4": (".m4v", ".mov")}  # other suffixes of the same

Keep = Callable[[Service, Sent], str]


def keep_picture(service: Service, sent: Sent) -> str:
    """Keep what was sent if it is a picture, whatever it is called; its id.

    Raises:
        PictureError: if it is none, or cannot be read to its end.
    """
    most = service.settings.limits.pixels
    try:
        suffix = SUFFIX[picture_facts(sent.file, most)["type"]]
    except PictureError as error:
        if _way(sent) is None:
            raise
        raise PictureError(error.what, where=sent.name, remedy=ELSEWHERE) from error
    base = service.display.base(sent.file)  # read to its end: content counts, not names
    id = service.shelf.put(sent.file, _called(sent.name, suffix))
    service.display.keep(id, base)
    return id


def keep_model(service: Service, sent: Sent) -> str:
    """Keep what was sent if it is a model of danqing's; its id.

    Raises:
        ModelFileError: if it is none, or damaged.
    """
    try:
        cached(sent.file, kind=Model)  # looked at whole: a card may be true and the tensors broken
    except DanqingError as error:
        raise type(error)(error.what, where=sent.name, remedy=error.remedy) from error
    return service.models.add(sent.file, _called(sent.name, ".safetensors"), "uploaded")


def keep_set(service: Service, sent: Sent) -> str:
    """Keep what was sent if it is a zip, as a set of pictures; its id.

    Raises:
        DataError: if it is none, or damaged.
    """
    return service.sets.add(sent.file, _called(sent.name, ".zip"))


def keep_file(service: Service, sent: Sent) -> str:
    """Keep what was sent if danqing reads such files, whatever it is called; its id.

    Pictures and films; latents, directions and other finds; weights; JSON, such as boxes, figures or labels; and labels
    in a table, by its name.

    Raises:
        UserError: if it is none of these, or damaged.
    """
    return (_way(sent) or keep_picture)(service, sent)


def keep_for(service: Service, kind: Kind | None, sent: Sent) -> str:
    """Keep what was sent for a field of a kind; the id that stands for it there.

    Raises:
        Problem: naming the field, if it takes no file, or not this one.
    """
    try:
        return _way_for(kind)(service, sent)
    except Exception as error:
        problem = problem_of(error)
        if problem.kind == "internal":
            raise
        problem.parameter = sent.part[:100]
        raise problem from error


def found_in(sent: Sent) -> type[Artefact] | None:
    """What holds such finds in a latent space as were sent; None where there are none."""
    with suppress(ModelFileError):
        return _finds().get(str(read_card(sent.file).get("kind")))
    return None


def takes_file(kind: Kind) -> bool:
    """Whether a file may be sent for a field of a kind: whether a hash may stand there."""
    return kind.is_picture or kind.may_open("0" * 64)


def _way_for(kind: Kind | None) -> Keep:
    """How a file for a field of a kind is kept.

    Raises:
        Problem: if there is no such field, or it takes no file.
    """
    if kind is None or not takes_file(kind):
        raise Problem("parameter", "no such parameter takes a file")
    if kind.is_picture:
        return keep_picture
    return {"model": keep_model, "dataset": keep_set, "folder": keep_set}.get(kind.widget, keep_file)


def _way(sent: Sent) -> Keep | None:
    """How a file is kept that is no picture, told by how it begins; None where it may be one."""
    size = sent.file.stat().st_size
    with open(sent.file, "rb") as stream:
        head = stream.read(1024)
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < size:
        return _keep_tensors
    if head[4:8] == b"ftyp" and head[8:12] not in STILLS:
        return _keep_film
    if head.removeprefix(codecs.BOM_UTF8).lstrip()[:1] in (b"{", b"["):
        return _keep_json
    return _keep_table if Path(sent.name).suffix.lower() in TABLES else None


def _keep_tensors(service: Service, sent: Sent) -> str:
    """What was found in a model's latent space, else a model."""
    made = found_in(sent)
    if made is None or made.holds is None:
        return keep_model(service, sent)
    made.holds.read(sent.file)
    return service.shelf.put(sent.file, _called(sent.name, made.suffixes[0]))


def _keep_film(service: Service, sent: Sent) -> str:
    next(frames(sent.file, service.settings.limits.pixels), None)
    if not frame_count(sent.file):
        raise PictureError("holds no moving pictures", where=sent.name)
    return service.shelf.put(sent.file, _called(sent.name, ".mp4"))


def _keep_json(service: Service, sent: Sent) -> str:
    try:
        json.loads(_text(sent).decode("utf-8-sig", "surrogateescape"))
    except (ValueError, RecursionError) as error:
        raise DataError("is damaged, or no JSON", where=sent.name) from error
    return service.shelf.put(sent.file, _called(sent.name, ".json"))


def _keep_table(service: Service, sent: Sent) -> str:
    read_table(_text(sent), sent.name, lambda name: name.lower().endswith(READABLE))
    return service.shelf.put(sent.file, sent.name)


def _text(sent: Sent) -> bytes:
    if sent.file.stat().st_size > LONGEST:
        raise Problem("too-large", f"more than {LONGEST} bytes were sent", parameter=sent.name[:200])
    return sent.file.read_bytes()


@functools.cache
def _finds() -> dict[str, type[Artefact]]:
    """All kinds of finds in a latent space, by the word for each in a file's card."""
    return {each.holds.kind(): each for each in kinds() if each.holds is not None}


def _called(name: str, suffix: str) -> str:
    """A name that ends as such files do."""
    ending = Path(name).suffix.lower()
    return name if ending in (suffix, *ALIKE.get(suffix, ())) else f"{name}{suffix}"


__all__ = ["ELSEWHERE", "found_in", "keep_file", "keep_for", "keep_model", "keep_picture", "keep_set", "takes_file"]
