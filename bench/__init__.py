"""Benchmarks: `python -m bench` runs them all and writes docs/benchmarks.md; `python -m bench NAME …` some of them.

A benchmark is a file with ``run() -> dict`` (JSON values: what was measured) and ``table(result) -> str`` (Markdown).
"""
