"""What people are told, in the language of their request: messages by the phrase book, settings by their help."""

from __future__ import annotations

import functools
import json
from contextvars import ContextVar
from pathlib import Path

from danqing.core.phrases.book import LONGEST, found, in_chinese

HELP = Path(__file__).with_name("help.zh.json")  # of settings: whole texts, nothing filled in
LANGUAGES = ("en", "zh")
UNKNOWN = "other"

LANGUAGE: ContextVar[str] = ContextVar("danqing_language", default="en")


def message_id(text: str) -> str:
    """The id of a message, the same in every language."""
    known = found(text[:LONGEST])
    return UNKNOWN if known is None else known[0].id


def said(text: str, language: str | None = None) -> str:
    """A message in a language; by default in that of the request at hand."""
    return in_chinese(text) if (language or LANGUAGE.get()) == "zh" else text


@functools.cache
def help_book() -> dict[str, str]:
    """What settings do, from English to 中文."""
    return dict(json.loads(HELP.read_text("utf-8")))


def language_of(asked: str) -> str:
    """The language that an ``Accept-Language`` header prefers, among those there are."""
    ranked: list[tuple[float, str]] = []
    for part in asked.split(",")[:32]:
        name, _, quality = part.strip().partition(";q=")
        try:
            ranked.append((-float(quality or 1), name.strip().lower()[:2]))
        except ValueError:
            continue
    return next((name for _, name in sorted(ranked, key=lambda each: each[0]) if name in LANGUAGES), "en")


__all__ = ["HELP", "LANGUAGE", "LANGUAGES", "UNKNOWN", "help_book", "language_of", "message_id", "said"]
