"""A page that tells what was made: one HTML file, its pictures inside, nothing fetched."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from danqing.core.disk import replacing

KINDS = {".png": "image/png", ".gif": "image/gif", ".webp": "image/webp", ".jpg": "image/jpeg"}

STYLE = """
:root { --ink: #22303c; --paper: #fbf8f1; --red: #b5382c; --blue: #2b5f8a; --line: #ddd5c3; }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.6 system-ui, "Noto Sans CJK SC", sans-serif }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 4rem }
h1 { font-size: 2rem; margin: 0 0 .25rem } h1 span { color: var(--red) }
h2 { margin: 2.5rem 0 .5rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: 1.25rem }
h2 small { color: var(--blue); font-weight: normal; margin-left: .5rem }
p.zh { color: #5b6770; margin-top: -.5rem }
figure { margin: 1rem 0; overflow-x: auto } figcaption { color: #5b6770; font-size: .9rem }
img { max-width: 100%; border-radius: 4px } img.pixels { image-rendering: pixelated; width: 40rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
td.number { white-space: nowrap; font-variant-numeric: tabular-nums }
pre { background: #22303c; color: #f3efe4; padding: 1rem; border-radius: 6px; overflow-x: auto }
"""


class Shown(NamedTuple):
    """A picture file with its caption; ``pixels`` enlarges small pictures without blurring them."""

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
    body = "\n".join(_section(section) for section in sections)
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><main><h1><span>丹青</span> {html.escape(title)}</h1>{body}</main></body></html>\n"
    )
    with replacing(file) as temporary:
        temporary.write_text(page, "utf-8")
    return file


def _section(section: Section) -> str:
    parts = [
        f"<h2>{html.escape(section.title)}<small>{html.escape(section.title_zh)}</small></h2>",
        f"<p>{html.escape(section.words)}</p>",
        f'<p class="zh" lang="zh">{html.escape(section.words_zh)}</p>',
        *map(_figure, section.pictures),
    ]
    if section.rows:
        rows = "".join(
            f'<tr><td>{html.escape(what)}</td><td class="number">{html.escape(much)}</td>'
            f"<td>{html.escape(meaning)}</td></tr>"
            for what, much, meaning in section.rows
        )
        parts.append(f"<table>{rows}</table>")
    if section.commands:
        parts.append(f"<pre>{html.escape(chr(10).join(section.commands))}</pre>")
    return "\n".join(parts)


def _figure(shown: Shown) -> str:
    data = base64.b64encode(shown.file.read_bytes()).decode()
    caption = html.escape(shown.caption)
    style = ' class="pixels"' if shown.pixels else ""
    return (
        f'<figure><img{style} alt="{caption}" src="data:{KINDS[shown.file.suffix]};base64,{data}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )
