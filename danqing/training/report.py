"""A page that tells what was made: one HTML file, its pictures inside, nothing fetched."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from danqing.core.disk import replacing
from danqing.core.phrases.book import in_chinese

if TYPE_CHECKING:
    from jinja2 import Environment

KINDS = {".png": "image/png", ".gif": "image/gif", ".webp": "image/webp", ".jpg": "image/jpeg"}

TEMPLATE = "report.html.j2"  # beside this file


class Shown(NamedTuple):
    """A picture file with its caption; ``pixels`` enlarges small pictures without blurring them.

    What the phrase book knows of captions and rows stands on the page in 中文, too.
    """

    file: Path
    caption: str
    pixels: bool = False


class Section(NamedTuple):
    """A part of the page, its words in English and 中文."""

    title: str
    title_zh: str
    words: str
    words_zh: str
    pictures: Sequence[Shown] = ()
    rows: Sequence[tuple[str, str, str]] = ()  # what, how much, what it means
    commands: Sequence[str] = ()


def write_report(file: Path, title: str, sections: Sequence[Section]) -> Path:
    """Write the page.

    Raises:
        OutputError: if it cannot be written.
    """
    page = _environment().get_template(TEMPLATE).render(title=title, sections=sections)
    with replacing(file) as temporary:
        temporary.write_text(page, "utf-8", "backslashreplace")
    return file


def _environment() -> Environment:
    """Everything that goes into the page is escaped; a name that a template has wrong is an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("danqing.training", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"source": _source, "chinese": in_chinese}
    return environment


def _source(shown: Shown) -> str:
    """A picture file as a data address."""
    return f"data:{KINDS[shown.file.suffix]};base64,{base64.b64encode(shown.file.read_bytes()).decode()}"
