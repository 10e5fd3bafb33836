"""Structured logs: one JSON line for each request and each event, with the id of the request."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog


def logger() -> Any:
    """What a service logs with: JSON on standard error; at a terminal, lines for people, and only what went wrong."""
    for_people = sys.stderr.isatty()
    renderer: Any = structlog.dev.ConsoleRenderer() if for_people else structlog.processors.JSONRenderer()
    return structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING if for_people else logging.INFO),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
    )


__all__ = ["logger"]
