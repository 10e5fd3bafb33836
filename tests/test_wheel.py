"""What a wheel carries: all that the package reads, and the page."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "danqing"
SOURCES = {".py", ".pyc"}
OF_THE_CHECKOUT = (
    "zoo/README.md",
    "zoo/recipes/learning/*",
    "zoo/recipes/unbundled/*",
)  # read by who trains bundled weights anew


def test_every_file_that_the_package_reads_is_in_its_wheel() -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["package-data"]
    packed = {file for pattern in told["danqing"] for file in PACKAGE.glob(pattern)}
    there = {file for file in PACKAGE.rglob("*") if file.is_file() and file.suffix not in SOURCES}
    left = {file.relative_to(PACKAGE) for file in there - packed}
    assert not {file for file in left if not any(file.match(each) for each in OF_THE_CHECKOUT)}


def test_every_pattern_of_the_wheel_finds_something() -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["package-data"]
    assert not [pattern for pattern in told["danqing"] if not any(PACKAGE.glob(pattern))]
