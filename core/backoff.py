"""Waiting times between attempts to reach something that is gone."""

from __future__ import annotations

import random
from collections.abc import Iterator


def backoff(
    *,
    initial_seconds: float = 0.2,
    factor: float = 1.6,
    max_seconds: float = 15.0,
    rng: random.Random | None = None,
) -> Iterator[float]:
    """Yield for ever the seconds to wait before the next attempt.

    Grows by ``factor`` up to ``max_seconds``; each value is spread over its upper half (equal jitter), so
    that many clients of one restarted server do not come back in step. Make a new one after a success.

    Raises:
        ValueError: the bounds make no sense.
    """
    if initial_seconds <= 0 or factor < 1 or max_seconds < initial_seconds:
        raise ValueError("backoff wants 0 < initial_seconds <= max_seconds and factor >= 1")
    source = rng or random.Random()  # noqa: S311 - spreads load, guards nothing
    ceiling = initial_seconds
    while True:
        yield ceiling * (0.5 + 0.5 * source.random())
        ceiling = min(ceiling * factor, max_seconds)
