"""Clocks: aware UTC for what is written down, monotonic for how long a thing took."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where the product reads time from, so that tests may own it."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary origin; never goes back."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds from an arbitrary origin; never goes back."""
        return time.monotonic()


@dataclass(slots=True)
class ManualClock:
    """A clock that a test moves by hand. ``advance`` moves both readings together."""

    wall: datetime = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
    seconds: float = 0.0

    def now(self) -> datetime:
        """The moment it was last set to."""
        return self.wall

    def monotonic(self) -> float:
        """Seconds advanced so far."""
        return self.seconds

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        self.wall += timedelta(seconds=seconds)
        self.seconds += seconds
