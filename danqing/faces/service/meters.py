"""Figures of a running service, as Prometheus reads them."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Meters:
    """The figures of one service."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "danqing_requests", "Requests answered", ("method", "route", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "danqing_request_seconds", "Time to answer", ("route",), buckets=SECONDS, registry=self.registry
        )
        self.refused = Counter("danqing_refused", "Requests refused by the guard", ("why",), registry=self.registry)
        self.live = Counter("danqing_live_wishes", "Wishes over live connections", ("became",), registry=self.registry)
        self.jobs = Counter("danqing_jobs_ended", "Jobs by how they ended", ("state",), registry=self.registry)

    def gauge(self, name: str, words: str, value: Callable[[], float]) -> None:
        """A figure that is asked for when it is read."""
        Gauge(f"danqing_{name}", words, registry=self.registry).set_function(value)

    def text(self) -> bytes:
        """All figures."""
        return generate_latest(self.registry)


__all__ = ["Meters"]
