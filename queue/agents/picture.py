"""All agents as others see them: a change of a seat is shown, told, and kept as an interval."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hotline.config.schema import Agent
from hotline.core.events import AgentState, AgentStateChanged, Source
from hotline.core.views import AgentView
from hotline.queue.agents.changes import AgentOutbox
from hotline.queue.agents.seat import SOME_QUEUE, Seat
from hotline.queue.agents.wrap_up import read_reason
from hotline.store.ledger import IntervalRecord


@dataclass(frozen=True, slots=True)
class _Shown:
    """What others were last told of an agent."""

    state: AgentState
    reason: str
    call_id: str | None = None
    pending_reason: str | None = None
    wrap_up_until: datetime | None = None


class Picture:
    """The seats of all agents of the site file, and what was last told of them."""

    def __init__(self, agents: tuple[Agent, ...], now: datetime) -> None:
        self._agents = {agent.id: agent for agent in agents}
        self._seats = {agent.id: Seat(agent.id, now) for agent in agents}
        self._shown = {agent.id: _Shown(AgentState.SIGNED_OUT, "") for agent in agents}
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

    def restore(self, intervals: list[IntervalRecord], now: datetime) -> AgentOutbox:
        """Go on with the intervals an earlier run left open: a state kept through a restart is one.

        Every agent has an open interval from here on; those of agents the site no longer has end now.
        """
        out = AgentOutbox()
        for row in intervals:
            seat = self._seats.get(row.agent)
            if seat is None:
                out.intervals.append(
                    IntervalRecord(row.agent, row.state, row.reason, row.since, max(now, row.since))
                )
                continue
            seat.state, seat.since, seat.source = AgentState(row.state), row.since, Source(row.source)
            seat.wrap_up = read_reason(row.wrap_up)
            seat.reachable = seat.state is not AgentState.UNREACHABLE
            if seat.state is not AgentState.SIGNED_OUT:
                seat.queues = {SOME_QUEUE: row.reason if seat.state is AgentState.PAUSED else None}
            self._shown[row.agent] = _Shown(seat.state, row.reason)
        known = {row.agent for row in intervals}
        for agent, seat in self._seats.items():
            if agent not in known:
                out.intervals.append(IntervalRecord(agent, seat.state.value, "", seat.since))
        return out

    def view(self, agent: str) -> AgentView:
        """The agent as others see them; KeyError if unknown."""
        seat, shown, known = self._seats[agent], self._shown[agent], self._agents[agent]
        return AgentView(
            agent=agent,
            name=known.name,
            extension=known.extension,
            state=shown.state,
            reason=shown.reason,
            since=seat.since,
            queues=tuple(sorted(queue for queue in seat.queues if queue is not SOME_QUEUE)),
            call_id=seat.call_id,
            wrap_up_until=seat.wrap_up_until,
            pending_reason=seat.pending_reason,
        )

    def views(self) -> tuple[AgentView, ...]:
        """Every agent, in the site file's order."""
        return tuple(self.view(agent) for agent in self._seats)

    def _show(self, seat: Seat, at: datetime, source: Source = Source.LIVE) -> AgentOutbox:
        """Report what others would see change; a new interval when the state or its reason did."""
        agent = seat.agent
        before = self._shown[agent]
        now = _Shown(seat.state, seat.reason, seat.call_id, seat.pending_reason, seat.wrap_up_until)
        if now == before:
            return AgentOutbox()
        self._shown[agent] = now
        event = AgentStateChanged(
            agent, at, now.state, now.reason, now.call_id, now.pending_reason, now.wrap_up_until
        )
        out = AgentOutbox(events=[event])
        if (now.state, now.reason) != (before.state, before.reason):
            at = max(at, seat.since)
            if at > seat.since:
                told_by = seat.source if source is Source.LIVE else source
                row = IntervalRecord(agent, before.state.value, before.reason, seat.since, at, told_by.value)
                out.intervals.append(row)
            seat.since, seat.source = at, source
        elif now.wrap_up_until == before.wrap_up_until:
            return out
        wrap_up = seat.wrap_up.reason if seat.wrap_up and now.wrap_up_until else ""
        row = IntervalRecord(agent, now.state.value, now.reason, seat.since, None, seat.source.value, wrap_up)
        out.intervals.append(row)
        return out
