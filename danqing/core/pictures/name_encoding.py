"""Names whose encoding nobody wrote down: which of the usual ones makes words of them."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import NamedTuple

PLAIN = math.log(1 / 64)  # an ASCII character, whatever the encoding
LETTERS, CAPITALS, ODD = 0.8 / 30, 0.15 / 30, 0.01 / 100  # in an encoding of one byte a character
WORD = re.compile(r"[^\W\d_]+")
MIXED = math.log(0.03)  # a word half of ASCII letters, half of another script
ALONE = math.log(0.001)  # a word of nothing but accented Latin letters, or of two alphabets
ALPHABETS = {"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "HEBREW", "ARABIC"}
RAISED = math.log(0.01)  # a capital after a small letter
SYLLABLES = frozenset(
    "가고이다는을의에한사지로기하자리도나시아대서어인정수그만보일들장제전부과주해상면공여라적원동음성소우오선문개생경심구간"
    "관국신무유세비조물용마안현행력치회방산연중미식계양발내분실등강차호노드스트진화영교학역결단재업모운석습새꽃집손눈곰말소개"
)  # common ones of Korean


class Encoding(NamedTuple):
    """A way to write names as bytes: what it is called, and how likely a character that is not ASCII is in it."""

    codec: str
    words: str
    prior: float
    chance: Callable[[str, bytes], float]


def decode_names(names: Iterable[bytes]) -> tuple[list[str], str]:
    """Decode names that belong together (those of one archive), all in the encoding under which they are likeliest.

    Each encoding has its own letters, common ideographs and odd signs; words are seldom of two scripts. UTF-8 is not
    called a guess: only a name of a character or two looks like it by chance.

    Returns:
        The names, and the words for an encoding that was guessed; empty where nothing was.

    Source: danqing; after S. Li and K. Momoi, "A composite approach to language/encoding detection", 2001.
    """
    raw = list(names)
    odd = {name for name in raw if not name.isascii()}
    if not odd:
        return [name.decode() for name in raw], ""
    best = max(ENCODINGS, key=lambda each: each.prior + _likelihood(odd, each))
    return [name.decode(best.codec) for name in raw], best.words


def as_bytes(name: str) -> bytes:
    """The bytes of a name as the system gives it, those that are not UTF-8 among them."""
    return name.encode("utf-8", "surrogateescape")


def _likelihood(names: Iterable[bytes], encoding: Encoding) -> float:
    total = 0.0
    for name in names:
        try:
            text = name.decode(encoding.codec)
        except UnicodeDecodeError:
            return -math.inf
        total += sum(map(_oddity, WORD.findall(text)))
        for sign in text:
            total += PLAIN if sign.isascii() else math.log(encoding.chance(sign, sign.encode(encoding.codec)))
    return total


def _oddity(word: str) -> float:
    """How unlikely a word is as a whole, whatever its letters."""
    if word.isascii():
        return 0.0
    odd = [sign for sign in word if not sign.isascii()]
    scripts = {unicodedata.name(sign, "").partition(" ")[0] for sign in odd}
    latin, plain = scripts == {"LATIN"}, len(odd) < len(word)
    raised = any(one.islower() and other.isupper() for one, other in pairwise(word))
    strange = 2 * (len(scripts & ALPHABETS) > 1) + (latin and not plain)
    return RAISED * raised + ALONE * strange + MIXED * (plain and not latin)


def _unicode(sign: str, code: bytes) -> float:
    return 0.9 / 200 if len(code) == 2 else 0.9 / 20_000


def _chinese(sign: str, code: bytes) -> float:
    """GB 2312 has 3,755 common characters, 3,008 rare ones and 682 signs; the rest of GB 18030 is rarer still."""
    if len(code) != 2 or min(code) < 0xA1 or code[0] > 0xF7:
        return 0.02 / 14_000 if len(code) == 2 else 1e-9
    return 0.9 / 3755 if 0xB0 <= code[0] <= 0xD7 else 0.05 / 3008 if code[0] > 0xD7 else 0.03 / 682


def _taiwanese(sign: str, code: bytes) -> float:
    """Big5 has 5,401 common characters, 7,652 rare ones and 408 signs."""
    common = 0xA4 <= code[0] <= 0xC6
    return 0.93 / 5401 if common else 0.03 / 7652 if code[0] > 0xC8 else 0.03 / 408


def _japanese(sign: str, code: bytes) -> float:
    """JIS X 0208 has 83 hiragana, 86 katakana, 2,965 common kanji, 3,390 rare ones; half-width kana are old."""
    if len(code) == 1:
        return 0.01 / 63
    if "\u3041" <= sign <= "\u3093":
        return 0.25 / 83
    if "\u30a1" <= sign <= "\u30fc":
        return 0.25 / 87
    return 0.45 / 2965 if 0x88 <= code[0] <= 0x97 else 0.03 / 3390 if code[0] > 0x97 else 0.01 / 500


def _korean(sign: str, code: bytes) -> float:
    """KS X 1001 has 2,350 syllables, 4,888 Chinese characters and 986 signs; 8,822 more syllables are rare."""
    if min(code) < 0xA1:
        return 0.01 / 8822
    if "\uac00" <= sign <= "\ud7a3":
        return 0.7 / len(SYLLABLES) if sign in SYLLABLES else 0.25 / 2350
    return 0.01 / 4888 if code[0] >= 0xCA else 0.02 / 986


def _alphabet(script: str) -> Callable[[str, bytes], float]:
    def chance(sign: str, code: bytes) -> float:
        name = unicodedata.name(sign, "")
        return LETTERS if name.startswith(f"{script} SMALL") else CAPITALS if name.startswith(script) else ODD

    return chance


ENCODINGS = (
    Encoding("utf-8", "", 2.0, _unicode),
    Encoding("gb18030", "GB 18030 (Chinese)", 0.0, _chinese),
    Encoding("cp932", "Shift JIS (Japanese)", 0.0, _japanese),
    Encoding("cp437", "code page 437 (western, of DOS)", 0.0, _alphabet("LATIN")),
    Encoding("cp949", "EUC-KR (Korean)", -2.0, _korean),
    Encoding("cp950", "Big5 (Chinese of Taiwan)", -2.0, _taiwanese),
    Encoding("cp850", "code page 850 (western, of DOS)", -1.0, _alphabet("LATIN")),
    Encoding("cp1252", "Windows-1252 (western)", -1.0, _alphabet("LATIN")),
    Encoding("cp866", "code page 866 (Cyrillic, of DOS)", -1.0, _alphabet("CYRILLIC")),
    Encoding("cp1251", "Windows-1251 (Cyrillic)", -1.0, _alphabet("CYRILLIC")),
)  # the two code pages of DOS decode whatever there is

__all__ = ["as_bytes", "decode_names"]
