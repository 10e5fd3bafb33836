"""Labels as people see them: two that look alike are one, and none holds what no person would write."""

from __future__ import annotations

import unicodedata

JOINERS = "\u200c\u200d"  # which Persian, the scripts of India and emoji are spelt with
TAGS = range(0xE0020, 0xE0080)  # which flags of regions are spelt with
NEVER = "Cc"  # Unicode's category of control characters
UNSEEN = ("Cf", "Zl", "Zp")  # of marks without a width, and of ends of lines


def plain_label(label: str) -> str:
    """A label without what cannot be seen in it; spaces of every kind are plain ones, and none surrounds it.

    Raises:
        ValueError: if it holds a control character; with the label as it can be printed.
    """
    words = label.strip()
    if any(unicodedata.category(sign) == NEVER for sign in words):
        raise ValueError(repr(words))
    if words.isascii():
        return words
    seen = (" " if unicodedata.category(sign) == "Zs" else sign for sign in words if not _is_unseen(sign))
    return "".join(seen).strip()


def _is_unseen(sign: str) -> bool:
    is_spelling = sign in JOINERS or ord(sign) in TAGS
    return unicodedata.category(sign) in UNSEEN and not is_spelling


__all__ = ["plain_label"]
