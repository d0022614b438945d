"""What goes into the agent table after a break, and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from hotline.core.events import AgentEvent
from hotline.store.ledger import IntervalRecord


@dataclass(frozen=True, slots=True)
class PauseOrder:
    """To be asked of the exchange: pause the agent in every queue for ``reason``; None: resume."""

    agent: str
    reason: str | None


@dataclass(slots=True)
class AgentOutbox:
    """What came of a change."""

    events: list[AgentEvent] = field(default_factory=list)
    intervals: list[IntervalRecord] = field(default_factory=list)
    orders: list[PauseOrder] = field(default_factory=list)

    def add(self, other: AgentOutbox) -> None:
        """Take over what came of another change."""
        self.events += other.events
        self.intervals += other.intervals
        self.orders += other.orders


@dataclass(frozen=True, slots=True)
class Membership:
    """What the exchange says of an agent in one queue."""

    queue: str
    paused_reason: str | None  # None: not paused
    reachable: bool


@dataclass(frozen=True, slots=True)
class Leg:
    """A channel of an agent's phone, rung or talking. ``queue``: in which the caller waits meanwhile."""

    uniqueid: str
    call_id: str
    up: bool
    queue: str = ""
