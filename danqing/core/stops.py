"""Which signals ask a process to end."""

from __future__ import annotations

import signal


def stops() -> tuple[signal.Signals, ...]:
    """Ctrl-C, SIGTERM, and where a terminal can be closed, that; not where somebody said to outlive it (nohup)."""
    closed = getattr(signal, "SIGHUP", None)
    heard = closed is not None and signal.getsignal(closed) is not signal.SIG_IGN
    return (signal.SIGINT, signal.SIGTERM, *((closed,) if heard else ()))


__all__ = ["stops"]
