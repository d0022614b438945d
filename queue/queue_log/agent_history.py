"""What agents did in the past, from the lines of another system's queue_log. Pure: facts in, intervals out.

The same rules as over an outage of our own (``agents/logged.py``). What the log does not say is left out: an
agent whom no line puts into a queue or takes out (a static member of queues.conf) has rows of rings, talks
and breaks only; so has one of whom nothing was heard for a day.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hotline.core.events import AgentState, Source
from hotline.queue.agents.logged import follow
from hotline.queue.agents.seat import RINGS, TALKS, Cue, Seat
from hotline.queue.facts import AgentFact, Duty
from hotline.queue.routing import HistoryNames
from hotline.store.ledger import IntervalRecord, StandingRecord

LASTING = timedelta(hours=24)
"""Who is said to be here, and then is not heard of for so long, was not here all that time."""
LONGEST_REASON = 120  # characters: what a column holds
NOBODY = ("", "NONE")
BEGINNING = datetime.min.replace(tzinfo=UTC)
Shown = tuple[AgentState, str]
"""A state and its reason."""


@dataclass(slots=True)
class PastAgent:
    """An agent at some moment of the past.

    Attributes:
        shown: what is known of the agent since ``seat.since``; None: nothing.
        known: the log has said that the agent left a queue: in none means signed out.
        heard_at: the newest line.
        taken_to: lines before it were taken by an earlier import.
    """

    seat: Seat
    shown: Shown | None = None
    known: bool = False
    heard_at: datetime = BEGINNING
    taken_to: datetime = BEGINNING


class AgentHistory:
    """Facts of one exchange's log, in its order, to intervals.

    Args:
        node: the exchange's name.
        names: what the site calls agents.
        live_since: from when on an agent's intervals are known from live events: those are not touched.
        standings: how agents stood where an earlier import ended.

    Attributes:
        unknown_agents: members who are nobody of the site, in order of appearance.
    """

    def __init__(
        self,
        node: str,
        names: HistoryNames,
        live_since: Mapping[str, datetime],
        standings: Iterable[StandingRecord] = (),
    ) -> None:
        self.unknown_agents: dict[str, None] = {}
        self._node, self._names, self._live_since = node, names, live_since
        self._agents = {row.agent: _restored(row) for row in standings}
        self._by_member: dict[str, str] = {}
        self._changed: set[str] = set()
        self._rows: list[IntervalRecord] = []
        self._heard_at = BEGINNING

    def take(self, fact: AgentFact) -> None:
        """Let one line happen."""
        if fact.agent in NOBODY:
            return
        agent = self._by_member.get(fact.agent) or self._met(fact.agent)
        past = self._agents.get(agent)
        if past is None:
            past = self._agents[agent] = PastAgent(Seat(agent, BEGINNING))
        if fact.at < past.taken_to:
            return
        here = past.shown is not None and past.shown[0] is not AgentState.SIGNED_OUT
        if here and fact.at - past.heard_at > LASTING:
            past.shown = None
        for at in follow(past.seat, fact):
            past.known |= isinstance(fact, Duty) and not fact.serves
            self._show(past, at)
        past.heard_at = self._heard_at = fact.at
        self._changed.add(agent)

    def restarted(self) -> None:
        """The exchange was started anew: what was alive in it had ended when the log last told of anybody."""
        for agent, past in self._agents.items():
            if past.seat.state in RINGS | TALKS:
                past.seat.step(Cue.COMPLETED if past.seat.state in TALKS else Cue.RING_ENDED)
                self._show(past, self._heard_at)
                self._changed.add(agent)

    def finished(self) -> list[IntervalRecord]:
        """The intervals that ended since this was asked last. One that goes on is not told."""
        rows, self._rows = self._rows, []
        return rows

    def standings(self) -> list[StandingRecord]:
        """How those agents stand now who have changed since this was asked last."""
        changed, self._changed = self._changed, set()
        return [_standing(self._node, self._agents[agent]) for agent in sorted(changed)]

    def _met(self, member: str) -> str:
        agent = self._by_member[member] = self._names.agent_of(member)
        if not self._names.knows(agent):
            self.unknown_agents[agent] = None
        return agent

    def _show(self, past: PastAgent, at: datetime) -> None:
        seat = past.seat
        away = seat.state is AgentState.SIGNED_OUT and not past.known
        now = None if away else (seat.state, seat.reason[:LONGEST_REASON])
        if now == past.shown:
            return
        at = max(at, seat.since)
        if past.shown is not None and at > seat.since:
            state, reason = past.shown
            until = min(at, self._live_since.get(seat.agent, at))
            if until > seat.since:
                source = Source.IMPORT.value
                self._rows.append(IntervalRecord(seat.agent, state.value, reason, seat.since, until, source))
        past.shown, seat.since = now, at


def _standing(node: str, past: PastAgent) -> StandingRecord:
    seat = past.seat
    return StandingRecord(
        node=node,
        agent=seat.agent,
        state=seat.state.value,
        since=seat.since,
        heard_at=past.heard_at,
        shown=past.shown is not None,
        known=past.known,
        queues=json.dumps(seat.queues, ensure_ascii=False),
    )


def _restored(row: StandingRecord) -> PastAgent:
    seat = Seat(row.agent, row.since, AgentState(row.state), queues=json.loads(row.queues))
    seat.wrap_up = seat.held_wrap_up
    shown = (seat.state, seat.reason[:LONGEST_REASON]) if row.shown else None
    return PastAgent(seat, shown, row.known, row.heard_at, row.heard_at)
