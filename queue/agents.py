"""The agent table: what every agent is doing, from what the exchange reports.

Two things make the state that others see: what the agent's phone is busy with (``Activity``, a state table),
and three switches beside it: signed in, paused, reachable. An agent who asks for a break while talking is
TALKING until the talk and its wrap-up end, then PAUSED.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from hotline.config.schema import Agent
from hotline.core.events import AgentState, AgentStateChanged
from hotline.core.views import AgentView
from hotline.store.ledger import IntervalRecord


class Activity(StrEnum):
    """What the agent's phone is busy with."""

    IDLE = "idle"
    RINGING = "ringing"
    TALKING = "talking"
    WRAP_UP = "wrap_up"


class Cue(StrEnum):
    """What may change an activity."""

    RANG = "rang"
    RING_ENDED = "ring_ended"
    CONNECTED = "connected"
    COMPLETED = "completed"
    WRAP_UP_OVER = "wrap_up_over"


ACTIVITIES: dict[Activity, dict[Cue, Activity]] = {
    Activity.IDLE: {Cue.RANG: Activity.RINGING, Cue.CONNECTED: Activity.TALKING},
    Activity.RINGING: {
        Cue.RANG: Activity.RINGING,
        Cue.RING_ENDED: Activity.IDLE,
        Cue.CONNECTED: Activity.TALKING,
    },
    Activity.TALKING: {Cue.COMPLETED: Activity.WRAP_UP},
    Activity.WRAP_UP: {
        Cue.WRAP_UP_OVER: Activity.IDLE,
        Cue.RANG: Activity.RINGING,
        Cue.CONNECTED: Activity.TALKING,
    },
}


@dataclass(slots=True)
class Seat:
    """One agent's present."""

    agent: Agent
    since: datetime
    activity: Activity = Activity.IDLE
    queues: set[str] = field(default_factory=set)
    paused: bool = False
    pause_reason: str = ""
    reachable: bool = True
    call_id: str | None = None
    wrap_up_until: datetime | None = None
    shown: AgentState = AgentState.SIGNED_OUT
    shown_reason: str = ""
    shown_call: str | None = None

    def state(self) -> AgentState:
        """The one state others see."""
        if not self.queues and self.activity is not Activity.TALKING:
            return AgentState.SIGNED_OUT
        match self.activity:
            case Activity.TALKING:
                return AgentState.TALKING
            case Activity.RINGING:
                return AgentState.RINGING
            case Activity.WRAP_UP:
                return AgentState.WRAP_UP
        if not self.reachable:
            return AgentState.UNREACHABLE
        return AgentState.PAUSED if self.paused else AgentState.READY


@dataclass(slots=True)
class AgentOutbox:
    """What came of a change."""

    events: list[AgentStateChanged] = field(default_factory=list)
    intervals: list[IntervalRecord] = field(default_factory=list)


class AgentTable:
    """All agents of the site file. Pure: every method says when it happened and returns what came of it."""

    def __init__(self, agents: tuple[Agent, ...], now: datetime) -> None:
        self.illegal = 0
        self._seats = {agent.id: Seat(agent, now) for agent in agents}
        self._by_extension = {agent.extension: agent.id for agent in agents}

    def knows(self, agent: str) -> bool:
        """Whether the site file has this agent."""
        return agent in self._seats

    def seat(self, agent: str) -> Seat:
        """The agent's present; KeyError if unknown."""
        return self._seats[agent]

    def agent_of_interface(self, interface: str) -> str | None:
        """The agent whose phone this is: ``PJSIP/1001`` or a channel name ``PJSIP/1001-0000002a``."""
        extension = interface.partition("/")[2].rpartition("-")[0] or interface.partition("/")[2]
        return self._by_extension.get(extension)

    def member(
        self, agent: str, queue: str, at: datetime, *, paused: bool, reason: str, reachable: bool
    ) -> AgentOutbox:
        """The exchange says that the agent serves ``queue``, in this condition."""
        seat = self._seats.get(agent)
        if seat is None:
            return AgentOutbox()
        seat.queues.add(queue)
        seat.paused, seat.pause_reason, seat.reachable = paused, reason if paused else "", reachable
        return self._show(seat, at)

    def removed(self, agent: str, queue: str, at: datetime) -> AgentOutbox:
        """The agent serves ``queue`` no longer."""
        seat = self._seats.get(agent)
        if seat is None:
            return AgentOutbox()
        seat.queues.discard(queue)
        if not seat.queues:
            seat.paused, seat.pause_reason = False, ""
            if seat.activity is Activity.WRAP_UP:
                seat.activity, seat.call_id = Activity.IDLE, None
        return self._show(seat, at)

    def cue(
        self, agent: str, cue: Cue, at: datetime, *, call_id: str | None = None, wrap_up_seconds: float = 0
    ) -> AgentOutbox:
        """The agent's phone did something; an impossible cue is counted and changes nothing."""
        seat = self._seats.get(agent)
        if seat is None:
            return AgentOutbox()
        target = ACTIVITIES[seat.activity].get(cue)
        if target is None:
            self.illegal += 1
            return AgentOutbox()
        if target is Activity.WRAP_UP and wrap_up_seconds <= 0:
            target = Activity.IDLE
        seat.activity = target
        seat.call_id = None if target is Activity.IDLE else (call_id or seat.call_id)
        seat.wrap_up_until = at + timedelta(seconds=wrap_up_seconds) if target is Activity.WRAP_UP else None
        return self._show(seat, at)

    def call_taken(self, call_id: str, at: datetime, *, by: str | None = None) -> AgentOutbox:
        """A call was answered ``by`` an agent or is over: whoever else rings for it stops ringing."""
        merged = AgentOutbox()
        for seat in self._seats.values():
            if seat.agent.id != by and seat.call_id == call_id and seat.activity is Activity.RINGING:
                seat.activity, seat.call_id = Activity.IDLE, None
                _merge(merged, self._show(seat, at))
        return merged

    def tick(self, now: datetime) -> AgentOutbox:
        """End the wrap-ups that are over."""
        merged = AgentOutbox()
        for seat in self._seats.values():
            if seat.wrap_up_until is not None and now >= seat.wrap_up_until:
                _merge(merged, self.cue(seat.agent.id, Cue.WRAP_UP_OVER, now))
        return merged

    def resync(
        self, members: dict[str, dict[str, tuple[bool, str, bool]]], talking: dict[str, str], at: datetime
    ) -> AgentOutbox:
        """Believe the exchange after a break.

        Args:
            members: agent -> queue -> (paused, reason, reachable).
            talking: agent -> call id, of the calls answered and still alive.
            at: when the exchange was asked.
        """
        merged = AgentOutbox()
        for seat in self._seats.values():
            serves = members.get(seat.agent.id, {})
            seat.queues = set(serves)
            seat.paused = any(paused for paused, _, _ in serves.values())
            seat.pause_reason = next((reason for paused, reason, _ in serves.values() if paused), "")
            seat.reachable = all(reachable for _, _, reachable in serves.values())
            if seat.agent.id in talking:
                seat.activity, seat.call_id, seat.wrap_up_until = (
                    Activity.TALKING,
                    talking[seat.agent.id],
                    None,
                )
            elif seat.activity in (Activity.RINGING, Activity.TALKING):
                seat.activity, seat.call_id = Activity.IDLE, None
            _merge(merged, self._show(seat, at))
        return merged

    def restore(self, intervals: list[IntervalRecord]) -> None:
        """Go on with the intervals an earlier run left open: a state kept through a restart is one."""
        for row in intervals:
            seat = self._seats.get(row.agent)
            if seat is not None:
                seat.shown, seat.shown_reason, seat.since = AgentState(row.state), row.reason, row.since

    def view(self, agent: str) -> AgentView:
        """The agent as others see them; KeyError if unknown."""
        seat = self._seats[agent]
        return AgentView(
            agent=seat.agent.id,
            name=seat.agent.name,
            extension=seat.agent.extension,
            state=seat.shown,
            reason=seat.shown_reason,
            since=seat.since,
            queues=tuple(sorted(seat.queues)),
            call_id=seat.call_id,
        )

    def views(self) -> tuple[AgentView, ...]:
        """Every agent, in the site file's order."""
        return tuple(self.view(agent) for agent in self._seats)

    def _show(self, seat: Seat, at: datetime) -> AgentOutbox:
        """Report the state if others would see a change."""
        state = seat.state()
        reason = seat.pause_reason if state is AgentState.PAUSED else ""
        if (state, reason, seat.call_id) == (seat.shown, seat.shown_reason, seat.shown_call):
            return AgentOutbox()
        out = AgentOutbox(events=[AgentStateChanged(seat.agent.id, at, state, reason, seat.call_id)])
        seat.shown_call = seat.call_id
        if (state, reason) != (seat.shown, seat.shown_reason):
            at = max(at, seat.since)
            if at > seat.since:
                out.intervals.append(
                    IntervalRecord(seat.agent.id, seat.shown.value, seat.shown_reason, seat.since, at)
                )
            seat.shown, seat.shown_reason, seat.since = state, reason, at
            out.intervals.append(IntervalRecord(seat.agent.id, state.value, reason, at))
        return out


def _merge(into: AgentOutbox, other: AgentOutbox) -> None:
    into.events.extend(other.events)
    into.intervals.extend(other.intervals)
