"""L-systems: a word grows by rules, and a turtle draws it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.random import Generator

from danqing.core.errors import ParameterError

Lines = np.ndarray[Any, np.dtype[Any]]
LONGEST = 2_000_000  # symbols
PRESETS: dict[str, tuple[str, str, float, int]] = {
    "plant": ("X", "X=F+[[X]-X]-F[-FX]+X,F=FF", 25.0, 6),
    "bush": ("F", "F=FF+[+F-F-F]-[-F+F+F]", 22.5, 4),
    "tree": ("X", "X=F[+X][-X]FX,F=FF", 24.0, 7),
    "dragon": ("FX", "X=X+YF+,Y=-FX-Y", 90.0, 12),
    "koch": ("F--F--F", "F=F+F--F+F", 60.0, 4),
    "hilbert": ("A", "A=+BF-AFA-FB+,B=-AF+BFB+FA-", 90.0, 6),
    "sierpinski": ("F-G-G", "F=F-G+F+G-F,G=GG", 120.0, 6),
}  # axiom, rules, angle in degrees, generations


def rules_of(text: str) -> dict[str, str]:
    """Read rules such as ``X=F+X,F=FF``.

    Raises:
        ParameterError: if one is not of that form, or two are for one symbol.
    """
    rules: dict[str, str] = {}
    for rule in filter(None, (each.strip() for each in text.split(","))):
        symbol, equals, word = rule.partition("=")
        if len(symbol) != 1 or not equals or "=" in word:
            raise ParameterError(f"{rule!r} is not a rule", where="rules", remedy="Say rules such as X=F+X,F=FF")
        if symbol in rules:
            what = f"has two rules for {symbol}: {symbol}={rules[symbol]} and {rule}"
            raise ParameterError(what, where="rules", remedy="Give every symbol one rule")
        rules[symbol] = word
    return rules


def grown(axiom: str, rules: dict[str, str], generations: int) -> str:
    """Replace every symbol by its rule, again and again.

    Raises:
        ParameterError: if the word grows too long.

    Source: Prusinkiewicz & Lindenmayer 1990, "The algorithmic beauty of plants", section 1.2.
    """
    word = axiom
    for generation in range(generations):
        length = sum(len(rules.get(symbol, symbol)) for symbol in word)
        if length > LONGEST:
            what = f"would have {length:,} symbols after {generation + 1} generations"
            raise ParameterError(what, where="generations", remedy=f"Take {generation} or fewer")
        word = "".join(rules.get(symbol, symbol) for symbol in word)
    return word


def drawn(word: str, angle: float, wobble: float, rng: Generator) -> tuple[Lines, Lines]:
    """Draw a word: F and G go forward, f goes without a line, + and - turn, [ and ] go out and come back.

    Args:
        word: to draw.
        angle: of a turn, in degrees.
        wobble: standard deviation of each turn, as a share of the angle.
        rng: source of chance.

    Returns:
        lines (N, 4) as x, y, x', y' in steps, y upwards; how many branches deep each is (N,).

    Raises:
        ParameterError: if a branch comes back that did not go out, or goes out and does not come back.
    """
    _check_nested(word)
    x, y, heading, depth = 0.0, 0.0, 90.0, 0
    kept: list[tuple[float, float, float]] = []
    lines: list[tuple[float, float, float, float]] = []
    depths: list[int] = []
    for symbol in word:
        if symbol in "FGf":
            ahead = math.radians(heading)
            there = x + math.cos(ahead), y + math.sin(ahead)
            if symbol != "f":
                lines.append((x, y, *there))
                depths.append(depth)
            x, y = there
        elif symbol in "+-":
            turn = angle * (1 + wobble * rng.standard_normal()) if wobble else angle
            heading += turn if symbol == "+" else -turn
        elif symbol == "[":
            kept.append((x, y, heading))
            depth += 1
        elif symbol == "]":
            (x, y, heading), depth = kept.pop(), depth - 1
    return np.array(lines).reshape(-1, 4), np.array(depths, int)


def _check_nested(word: str) -> None:
    """Refuse a word whose brackets do not match."""
    deep = 0
    for symbol in word:
        deep += (symbol == "[") - (symbol == "]")
        if deep < 0:
            break
    if deep:
        what = "has a [ without a ] after it" if deep > 0 else "has a ] without a [ before it"
        raise ParameterError(what, where="rules", remedy="Close every [ with a ] in the axiom and in each rule")
