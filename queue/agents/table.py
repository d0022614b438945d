"""The agent table: what every agent is doing, from what the exchange reports.

Pure: every method says when it happened and returns what came of it: events to publish, intervals to save,
and what to ask of the exchange. The states themselves are ``seat.py``'s table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from hotline.config.schema import Agent, Queue
from hotline.core.errors import IllegalState
from hotline.core.events import AgentAutoPaused, AgentState, Source, WrapUpEnded
from hotline.queue.agents.changes import AgentOutbox, Leg, Membership, PauseOrder
from hotline.queue.agents.logged import follow
from hotline.queue.agents.picture import Picture
from hotline.queue.agents.seat import RINGS, SOME_QUEUE, TALKS, Cue, Seat
from hotline.queue.agents.wrap_up import ASK_AGAIN, WrapUp
from hotline.queue.facts import AgentFact

NO_ANSWER_REASON: Final = "无应答"
"""Why an agent who left too many calls ringing is paused."""

LEG_GRACE: Final = timedelta(seconds=2)
"""How long after the end of an agent's channel the queue's own last word on the talk may come."""

LOG_SECOND: Final = timedelta(seconds=1)
"""What queue_log says of a second may have happened up to its end."""


class AgentTable(Picture):
    """All agents of the site file."""

    def __init__(self, agents: tuple[Agent, ...], queues: tuple[Queue, ...], now: datetime) -> None:
        super().__init__(agents, now)
        self.illegal = 0
        self._queues = {queue.name: queue for queue in queues}

    # switches

    def member(self, agent: str, at: datetime, told: Membership) -> AgentOutbox:
        """The exchange says that the agent serves a queue, in this condition."""
        seat = self._seats.get(agent)
        if seat is None:
            return AgentOutbox()
        held = seat.held_wrap_up
        seat.serve(told.queue, told.paused_reason)
        seat.reachable = told.reachable
        out = self._follow_wrap_up(seat, held, at)
        return self._cued(seat, Cue.SWITCHED, at, out)

    def removed(self, agent: str, queue: str, at: datetime) -> AgentOutbox:
        """The agent serves ``queue`` no longer."""
        seat = self._seats.get(agent)
        if seat is None:
            return AgentOutbox()
        seat.leave(queue)
        out = AgentOutbox()
        if not seat.queues:
            seat.unanswered = 0
            out.add(_finished(seat, at))
        return self._cued(seat, Cue.SWITCHED, at, out)

    # calls

    def chosen(self, agent: str, at: datetime, *, call_id: str | None, queue: str, leg: str) -> AgentOutbox:
        """The queue has the agent's phone called on channel ``leg``."""
        seat = self._seats.get(agent)
        if seat is None:
            return AgentOutbox()
        if seat.state not in TALKS:
            seat.call_id, seat.queue, seat.leg, seat.entry_id = call_id, queue, leg, None
        return self._cued(seat, Cue.CHOSEN, at)

    def leg_called(self, agent: str, at: datetime, leg: str, call_id: str) -> AgentOutbox:
        """The agent's phone is called by a transfer or a colleague: it may never say that it rings."""
        seat = self._seats.get(agent)
        if seat is None or seat.state in RINGS | TALKS:
            return AgentOutbox()  # the queue's own call was told before; a second call is no change
        seat.leg, seat.call_id = leg, call_id
        return self._cued(seat, Cue.CHOSEN, at)

    def leg_rings(self, agent: str, at: datetime, leg: str, call_id: str) -> AgentOutbox:
        """A channel to the agent's phone rings: the queue's, a colleague's or a transferred call's."""
        seat = self._seats.get(agent)
        if seat is None or seat.state in TALKS or (seat.state in RINGS and seat.leg not in ("", leg)):
            return AgentOutbox()  # a second call at a busy phone is no change
        seat.leg, seat.call_id = leg, seat.call_id if seat.state in RINGS else call_id
        return self._cued(seat, Cue.RANG, at)

    def leg_up(self, agent: str, at: datetime, leg: str, call_id: str, queue: str = "") -> AgentOutbox:
        """The agent's phone talks on a call that no queue brought; ``queue``: where its caller waited before.

        A queue's own call is answered when the queue says so (``answered``).
        """
        seat = self._seats.get(agent)
        if seat is None or seat.state in TALKS or (seat.state in RINGS and seat.queue):
            return AgentOutbox()
        seat.leg, seat.call_id, seat.entry_id, seat.queue = leg, call_id, None, queue
        return self._cued(seat, Cue.CONNECTED, at)

    def leg_gone(self, agent: str, at: datetime, leg: str, queue: str = "") -> AgentOutbox:
        """A channel of the agent's phone ended; ``queue``: whose rules hold if nothing said so before."""
        seat = self._seats.get(agent)
        if seat is None or seat.leg != leg:
            return AgentOutbox()
        if seat.state in RINGS:
            return self._cued(seat, Cue.RING_ENDED, at)
        if seat.entry_id is not None:
            seat.leg_gone_at = seat.leg_gone_at or at
            return AgentOutbox()
        return self.completed(agent, at, seat.queue or queue, None)

    def answered(
        self, agent: str, at: datetime, *, call_id: str | None, leg: str, queue: str, entry_id: str | None
    ) -> AgentOutbox:
        """The agent answered a caller of ``queue``."""
        seat = self._seats.get(agent)
        if seat is None:
            return AgentOutbox()
        out, seat.unanswered, seat.pause_asked_at = AgentOutbox(), 0, None
        if seat.state not in TALKS:
            seat.call_id, seat.leg, seat.queue = call_id or seat.call_id, leg or seat.leg, queue
            seat.entry_id = entry_id or ""
            if seat.wrap_up is not None:  # a call all the same: what is left of it is dropped
                seat.wrap_up.until = min(seat.wrap_up.until, at)
        return self._cued(seat, Cue.CONNECTED, at, out)

    def unanswered(self, agent: str, at: datetime, queue: str) -> AgentOutbox:
        """The phone rang in vain for a caller of ``queue``; too often in a row, and the agent is paused."""
        seat = self._seats.get(agent)
        if seat is None:
            return AgentOutbox()
        out = self._cued(seat, Cue.RING_ENDED, at)
        out.add(self.missed(agent, at, queue))
        return out

    def missed(self, agent: str, at: datetime, queue: str) -> AgentOutbox:
        """Likewise, but the ring has been over for long: queue_log told of it."""
        out, seat = AgentOutbox(), self._seats.get(agent)
        if seat is None:
            return out
        seat.unanswered += 1
        rules = self._queues.get(queue)
        limit = rules.no_answer_pause_after if rules else 0
        if limit and seat.unanswered >= limit and not seat.break_reason:
            out.orders.append(PauseOrder(agent, NO_ANSWER_REASON))
            seat.pause_asked_at = at
            out.events.append(AgentAutoPaused(agent, at, seat.unanswered))
            seat.unanswered = 0
        return out

    def answers(self, agent: str) -> None:
        """The agent answered a call meanwhile, queue_log says: the count begins anew."""
        seat = self._seats.get(agent)
        if seat is not None:
            seat.unanswered, seat.pause_asked_at = 0, None

    def completed(self, agent: str, at: datetime, queue: str, entry_id: str | None) -> AgentOutbox:
        """The agent's talk is over: the wrap-up of ``queue`` begins, if it has one."""
        seat = self._seats.get(agent)
        if seat is None:
            return AgentOutbox()
        out = AgentOutbox()
        rules = self._queues.get(queue)
        if seat.state in TALKS and seat.queues and rules and rules.wrap_up_seconds:
            out.add(_finished(seat, at))
            until = at + timedelta(seconds=rules.wrap_up_seconds)
            seat.wrap_up = WrapUp(at, until, entry_id or seat.entry_id or None)
            out.add(_hold(seat, at))
        return self._cued(seat, Cue.COMPLETED, at, out)

    def call_taken(self, call_id: str, at: datetime, *, by: str | None = None) -> AgentOutbox:
        """A call was answered ``by`` an agent or is over: whoever else rings for it stops ringing."""
        merged = AgentOutbox()
        for seat in self._seats.values():
            if seat.agent != by and seat.call_id == call_id and seat.state in RINGS:
                merged.add(self._cued(seat, Cue.RING_ENDED, at))
        return merged

    def hold(self, channel: str, at: datetime) -> AgentOutbox:
        """A party put the other on hold; ``channel``: the unique id of its channel."""
        merged = AgentOutbox()
        for seat in self._talking_on(channel):
            seat.holds.add(channel)
            merged.add(self._cued(seat, Cue.HELD, at))
        return merged

    def unhold(self, channel: str, at: datetime) -> AgentOutbox:
        """That party took the other off hold."""
        merged = AgentOutbox()
        for seat in self._talking_on(channel):
            seat.holds.discard(channel)
            if seat.state is AgentState.HELD and not seat.holds:  # who held is not known after a restart
                merged.add(self._cued(seat, Cue.UNHELD, at))
        return merged

    def _talking_on(self, channel: str) -> list[Seat]:
        """Who talks on this channel: it is the agent's own, or the caller's (which gave the call its id)."""
        return [
            seat for seat in self._seats.values()
            if seat.state in TALKS and channel in (seat.leg, seat.call_id)
        ]  # fmt: skip

    # time

    def tick(self, now: datetime) -> AgentOutbox:
        """End the wrap-ups that are over, and the talks whose end the queue did not tell."""
        merged = AgentOutbox()
        for seat in self._seats.values():
            if seat.leg_gone_at is not None and now - seat.leg_gone_at > LEG_GRACE:
                agent, queue, entry = seat.agent, seat.queue, seat.entry_id
                merged.add(self.completed(agent, seat.leg_gone_at, queue, entry))
            if seat.wrap_up is not None and SOME_QUEUE not in seat.queues:  # else not compared yet
                merged.add(self._keep_wrap_up(seat, now))
            if seat.pause_asked_at is not None and now - seat.pause_asked_at >= ASK_AGAIN:
                seat.pause_asked_at = now
                merged.orders.append(PauseOrder(seat.agent, NO_ANSWER_REASON))
        return merged

    def end_wrap_up(self, agent: str, now: datetime) -> AgentOutbox:
        """The agent is done before the time. KeyError if unknown; nothing if there is no wrap-up."""
        seat = self._seats[agent]
        if seat.wrap_up is None:
            return AgentOutbox()
        seat.wrap_up.until, seat.wrap_up.asked_at = min(seat.wrap_up.until, now), None
        return self._keep_wrap_up(seat, now)

    def extend_wrap_up(self, agent: str, seconds: int, now: datetime) -> AgentOutbox:
        """Give the agent more time, up to the queue's cap.

        Raises:
            IllegalState: there is no wrap-up, or it is as long as it may be.
        """
        seat = self._seats[agent]
        wrap = seat.wrap_up
        if wrap is None or seat.state is not AgentState.WRAP_UP:
            raise IllegalState(
                f"agent {agent} is in no wrap-up", hint="it begins when a call ends", code="no_wrap_up"
            )
        cap = max(self._cap(wrap), wrap.until)
        until = min(wrap.until + timedelta(seconds=seconds), cap)
        if until <= wrap.until:
            raise IllegalState(
                "the wrap-up is as long as it may be", hint="ask for a break instead", code="wrap_up_longest"
            )
        wrap.until, wrap.asked_at = until, None
        out = _hold(seat, now)
        out.add(self._show(seat, now))
        return out

    def _cap(self, wrap: WrapUp) -> datetime:
        """The latest end of a wrap-up; after a transferred call, as late as in any queue."""
        queue = self._queues.get((wrap.entry_id or "").rpartition(":")[0].rpartition(":")[2])
        rules = [queue] if queue else list(self._queues.values())
        return wrap.since + timedelta(seconds=max((rule.wrap_up_cap_seconds for rule in rules), default=0))

    def _keep_wrap_up(self, seat: Seat, now: datetime) -> AgentOutbox:
        """Ask again for what the exchange has not confirmed; end what is over."""
        wrap = seat.wrap_up
        assert wrap is not None  # noqa: S101 - both callers have looked
        if now < wrap.until:
            return _hold(seat, now) if not seat.paused else AgentOutbox()
        if seat.held_wrap_up is None:
            return self._cued(seat, Cue.SWITCHED, now, _finished(seat, now))
        # the exchange's pause ends first; its event ends the wrap-up
        return AgentOutbox(orders=[PauseOrder(seat.agent, None)] if wrap.may_ask(now) else [])

    def _follow_wrap_up(self, seat: Seat, before: WrapUp | None, at: datetime) -> AgentOutbox:
        """The exchange's pauses changed: one that tells of a wrap-up is one; its end is the wrap-up's end."""
        held = seat.held_wrap_up
        if held is not None and seat.wrap_up is None:
            seat.wrap_up = held
        elif before is not None and not seat.paused:
            return _finished(seat, at)
        return AgentOutbox()

    # after a break

    def logged(self, fact: AgentFact) -> AgentOutbox:
        """What queue_log says happened while nobody listened. What is known already changes nothing."""
        seat = self._seats.get(fact.agent)
        if seat is None or fact.at + LOG_SECOND <= seat.since:
            return AgentOutbox()
        out, wrap = AgentOutbox(), seat.wrap_up
        for at in follow(seat, fact):
            out.add(self._show(seat, at, Source.QUEUE_LOG))
        if wrap is not None and seat.wrap_up is None:
            seat.wrap_up = wrap
            out.add(_finished(seat, fact.at))
        return out

    def exchange_died(self, at: datetime) -> AgentOutbox:
        """The exchange began anew, queue_log says: its calls were over at ``at``, when last heard of."""
        merged = AgentOutbox()
        for seat in self._seats.values():
            if seat.state in RINGS | TALKS:
                seat.step(Cue.COMPLETED if seat.state in TALKS else Cue.RING_ENDED)
                merged.add(self._show(seat, at, Source.QUEUE_LOG))
        return merged

    def expect(self, members: Mapping[str, Iterable[Membership]]) -> None:
        """Which queues they serve of whom an earlier run only left the state: most likely those of now."""
        for agent, seat in self._seats.items():
            if SOME_QUEUE in seat.queues and (queues := [one.queue for one in members.get(agent, ())]):
                seat.queues = dict.fromkeys(queues, seat.queues[SOME_QUEUE])

    def resync(
        self,
        members: Mapping[str, Iterable[Membership]],
        talking: Mapping[str, str],
        legs: Mapping[str, Leg],
        at: datetime,
    ) -> AgentOutbox:
        """Believe the exchange after a break.

        Args:
            members: agent -> what each queue says of him or her.
            talking: agent -> call id, of the queues' calls answered and still alive.
            legs: agent -> the channel of the agent's phone, of those that have one.
            at: when the exchange was asked.
        """
        merged = AgentOutbox()
        for agent, seat in self._seats.items():
            held, told = seat.held_wrap_up, list(members.get(agent, ()))
            seat.queues = {one.queue: one.paused_reason for one in told}
            seat.reachable = all(one.reachable for one in told)
            out = self._follow_wrap_up(seat, held, at) if seat.queues else _finished(seat, at)
            leg = legs.get(agent)
            if agent in talking or (leg is not None and leg.up):
                seat.call_id = talking.get(agent) or (leg.call_id if leg else None)
                seat.leg = leg.uniqueid if leg else ""
                if agent in talking and seat.entry_id is None:
                    seat.entry_id = ""  # a queue's talk: its end is the queue's to tell
                if seat.state not in TALKS:
                    seat.state = AgentState.TALKING
            elif leg is not None:
                seat.state, seat.leg, seat.call_id = AgentState.RINGING, leg.uniqueid, leg.call_id
                seat.queue = leg.queue
            elif seat.state in RINGS | TALKS:
                seat.state = seat.rest()
            # a wrap-up says itself since when it is one, also where the row of it was lost
            since = seat.wrap_up.since if seat.wrap_up and seat.rest() is AgentState.WRAP_UP else at
            merged.add(self._cued(seat, Cue.SWITCHED, min(since, at), out))
        return merged

    def _cued(self, seat: Seat, cue: Cue, at: datetime, out: AgentOutbox | None = None) -> AgentOutbox:
        """Let the table decide; an impossible cue is counted and changes nothing."""
        out = out or AgentOutbox()
        if not seat.step(cue):
            self.illegal += 1
        if seat.break_reason is not None or not seat.queues:
            seat.pause_asked_at = None
        out.add(self._show(seat, at))
        return out


def _hold(seat: Seat, now: datetime) -> AgentOutbox:
    """Have the exchange keep the agent paused for the wrap-up, unless a break does so already."""
    wrap = seat.wrap_up
    if wrap is None or seat.break_reason is not None or not wrap.may_ask(now):
        return AgentOutbox()
    return AgentOutbox(orders=[PauseOrder(seat.agent, wrap.reason)])


def _finished(seat: Seat, at: datetime) -> AgentOutbox:
    """The wrap-up is over, if there is one."""
    wrap, seat.wrap_up = seat.wrap_up, None
    if wrap is None:
        return AgentOutbox()
    seconds = max(0.0, (at - wrap.since).total_seconds())
    return AgentOutbox(events=[WrapUpEnded(seat.agent, at, wrap.entry_id, seconds)])
