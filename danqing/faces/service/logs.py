"""Structured logs: one JSON line for each request and each event, with the id of the request."""

from __future__ import annotations

import sys
from typing import Any

import structlog


def logger() -> Any:
    """What a service logs with: JSON on standard error, or lines for people at a terminal."""
    renderer: Any = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    return structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
    )


__all__ = ["logger"]
