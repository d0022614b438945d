"""Where the rooms meet: what each offers, without saying who offers it. ``server/`` plugs them together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from datetime import datetime
from typing import Protocol, Self

from hotline.core.alerts import Alert
from hotline.core.events import AgentState, Envelope, Event
from hotline.core.views import AgentView, CallSummary, DayFigures, LiveView, Segment


class Feed(Protocol):
    """One subscriber's stream of events. Iterating raises SlowConsumer once it has been cut off."""

    @property
    def last_seq(self) -> int: ...
    def __aiter__(self) -> AsyncIterator[Envelope]: ...
    async def __anext__(self) -> Envelope: ...
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...


class Bus(Protocol):
    """Events to everyone who wants them. See ``core.bus.MemoryBus`` for the policy."""

    @property
    def boot_id(self) -> str: ...
    @property
    def last_seq(self) -> int: ...
    def publish(self, event: Event) -> int: ...
    def subscribe(self, name: str, *, limit: int = ...) -> Feed: ...
    def since(self, seq: int) -> list[Envelope] | None: ...


class LivePicture(Protocol):
    """The present of the exchange (given by queue)."""

    def live(self) -> LiveView: ...


class AgentDesk(Protocol):
    """What an agent may do about being available (given by queue).

    Every method returns the agent as it is afterwards, and raises HotlineError with a hint when it cannot be
    done (unknown agent, Asterisk unreachable, illegal in the present state).
    """

    async def sign_in(self, agent: str, queues: Collection[str] | None = None) -> AgentView:
        """Serve these queues (None: all of the agent's skills) and no others."""
        ...

    async def sign_out(self, agent: str) -> AgentView: ...
    async def pause(self, agent: str, reason: str) -> AgentView:
        """A break: at once, or as soon as what the agent is busy with is over."""
        ...

    async def resume(self, agent: str) -> AgentView: ...
    async def end_wrap_up(self, agent: str) -> AgentView: ...
    async def extend_wrap_up(self, agent: str, seconds: int) -> AgentView: ...
    async def force(self, agent: str, state: AgentState, reason: str, *, by: str) -> AgentView:
        """A supervisor's word (``by``: the user): READY, PAUSED for ``reason``, or SIGNED_OUT."""
        ...


class Transcripts(Protocol):
    """Live and stored text (given by asr)."""

    async def of_call(self, call_id: str) -> list[Segment]:
        """Every final segment and the newest partial of each side, by start; empty for an unknown call."""
        ...


class CallHistory(Protocol):
    """Calls of the past (given by store)."""

    async def recent(
        self, *, agent: str | None, limit: int, before: datetime | None
    ) -> list[CallSummary]: ...


class Figures(Protocol):
    """Today's rates (given by metrics)."""

    async def today(self) -> DayFigures: ...


class Alerts(Protocol):
    """What is wrong now (given by metrics)."""

    def active(self) -> tuple[Alert, ...]:
        """Raised and not cleared, oldest first."""
        ...
