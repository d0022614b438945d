"""Whose business an event is: which seat had which call, from which event to which.

The bus replays; so a question about the past ("was event 812 for this agent?") must have the same answer
an hour later as it had live. Holds are therefore kept as intervals of sequence numbers, and ``visible`` is a
pure function of the envelope, the viewer and these intervals.

    rings at a seat                 the seat holds the call
    a transfer or enquiry rings     likewise; so when another party joins the talk
    another seat answers            holds that only ring, or whose talk is over, end with that event
    rang in vain                    the hold ends with that event
    taken out of the queue          likewise for all that still ring
    left to others                  the hold ends when somebody else talks with the caller already
    the seat is free again          likewise
    talk or call is over            the hold stays: the last words are recognised a moment later
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Final

from hotline.core.events import (
    AgentEvent,
    AgentNoAnswer,
    AgentRinging,
    AgentState,
    AgentStateChanged,
    AlertEvent,
    CallAnswered,
    CallEnded,
    CallSurveyed,
    EntryClosed,
    Envelope,
    LinkChanged,
    Outcome,
    PartyJoined,
    PartyLeft,
    PartyRinging,
)
from hotline.core.views import LiveView

MAX_CALLS: Final = 20_000
"""Calls remembered; those longest unheard of are forgotten first. As many as the bus keeps events."""

CALLS_OF_A_SEAT: Final = 8  # rings and talks looked at again when a seat's state changes
RINGS: Final = frozenset({AgentState.RESERVED, AgentState.RINGING})
TALKS: Final = frozenset({AgentState.TALKING, AgentState.HELD})
AT_WORK: Final = RINGS | TALKS
OUTSIDE: Final = ""  # the seat of whoever talks with the caller and has none


class Topic(StrEnum):
    """What a page wants to hear of."""

    AGENT = "agent"
    BOARD = "board"
    CALLS = "calls"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks. ``agent`` is the seat of the site file, if the account has one."""

    user: str
    supervisor: bool
    agent: str | None
    topics: frozenset[Topic] = frozenset()


class _Phase(Enum):
    RINGING = 1
    TALKING = 2
    DONE = 3


@dataclass(slots=True)
class _Hold:
    agent: str
    phase: _Phase
    first_seq: int
    last_seq: int | None = None  # None: goes on


@dataclass(slots=True)
class Ownership:
    """Feed it every envelope in order; ask it at any time.

    ``observe`` returns the seats for which the call has just become a business of theirs.
    """

    _calls: OrderedDict[str, list[_Hold]] = field(default_factory=OrderedDict)
    _at_work: dict[str, deque[str]] = field(default_factory=dict)

    def observe(self, envelope: Envelope) -> tuple[str, ...]:
        """Take one event in; the seats that it newly concerns, or concerns as the one who answered."""
        event, seq = envelope.event, envelope.seq
        match event:
            case AgentRinging():
                return self._begin(event.call_id, event.agent, _Phase.RINGING, seq)
            case PartyRinging(agent=str(agent)):
                return self._begin(event.call_id, agent, _Phase.RINGING, seq)
            case CallAnswered(agent=agent) | PartyJoined(agent=agent):
                seat = agent or OUTSIDE
                self._begin(event.call_id, seat, _Phase.TALKING, seq)
                for hold in self._open(event.call_id):
                    if hold.agent != seat and hold.phase is not _Phase.TALKING:
                        hold.last_seq = seq
                return (seat,)
            case PartyLeft():
                seat = event.agent or OUTSIDE
                self._end_ringing(event.call_id, seq, seat)
                self._talk_over(event.call_id, seat, seq)
            case AgentNoAnswer():
                self._end_ringing(event.call_id, seq, event.agent)
            case EntryClosed():
                if event.outcome is not Outcome.ANSWERED:
                    self._end_ringing(event.call_id, seq)
                elif event.agent is not None:
                    self._talk_over(event.call_id, event.agent, seq)
            case AgentStateChanged():
                return self._follow_state(event, seq)
            case CallEnded():
                self._end_ringing(event.call_id, seq)
            case _:
                pass
        return ()

    def adopt(self, live: LiveView, seq: int, only: str | None = None) -> None:
        """Learn from a picture what no event told: talks and rings under way when the server started.

        ``only``: the one seat that is of interest just now.
        """
        talks = {call.call_id for call in live.calls if call.answered_at is not None}
        for call in live.calls:
            if call.agent is not None and call.answered_at is not None and only in (None, call.agent):
                self._adopt_one(call.call_id, call.agent, _Phase.TALKING, seq)
        for seat in live.agents:
            if seat.call_id is None or only not in (None, seat.agent):
                continue
            if seat.state in TALKS:
                self._adopt_one(seat.call_id, seat.agent, _Phase.TALKING, seq)
            elif seat.state in RINGS and seat.call_id not in talks:
                # else the phone is just being told that a colleague was quicker
                self._adopt_one(seat.call_id, seat.agent, _Phase.RINGING, seq)

    def had(self, call_id: str, agent: str, seq: int) -> bool:
        """Whether the call was this seat's business at event ``seq``."""
        return any(
            hold.agent == agent and hold.first_seq <= seq and (hold.last_seq is None or seq <= hold.last_seq)
            for hold in self._calls.get(call_id, ())
        )

    def has(self, call_id: str, agent: str) -> bool:
        """Whether the call is this seat's business now."""
        return any(hold.agent == agent for hold in self._open(call_id))

    def seats(self, call_id: str) -> set[str]:
        """The seats that this call has ever been a business of."""
        return {hold.agent for hold in self._calls.get(call_id, ())}

    def _open(self, call_id: str) -> list[_Hold]:
        return [hold for hold in self._calls.get(call_id, ()) if hold.last_seq is None]

    def _begin(self, call_id: str, agent: str, phase: _Phase, seq: int) -> tuple[str, ...]:
        for hold in self._open(call_id):
            if hold.agent == agent:
                hold.phase = phase
                self._calls.move_to_end(call_id)
                return ()
        self._calls.setdefault(call_id, []).append(_Hold(agent, phase, seq))
        self._at_work.setdefault(agent, deque(maxlen=CALLS_OF_A_SEAT)).append(call_id)
        self._calls.move_to_end(call_id)
        while len(self._calls) > MAX_CALLS:
            self._calls.popitem(last=False)
        return (agent,)

    def _adopt_one(self, call_id: str, agent: str, phase: _Phase, seq: int) -> None:
        if not self.has(call_id, agent):
            self._begin(call_id, agent, phase, seq + 1)

    def _end_ringing(self, call_id: str, seq: int, agent: str | None = None) -> None:
        for hold in self._open(call_id):
            if hold.phase is _Phase.RINGING and agent in (None, hold.agent):
                hold.last_seq = seq

    def _talk_over(self, call_id: str, agent: str, seq: int) -> None:
        holds = self._open(call_id)
        left_to_others = any(one.agent != agent and one.phase is _Phase.TALKING for one in holds)
        for hold in holds:
            if hold.agent == agent:
                hold.phase = _Phase.DONE
                if left_to_others:
                    hold.last_seq = seq

    def _follow_state(self, event: AgentStateChanged, seq: int) -> tuple[str, ...]:
        if event.state not in AT_WORK:
            for call_id in self._at_work.pop(event.agent, ()):
                self._end_ringing(call_id, seq, event.agent)
                self._talk_over(call_id, event.agent, seq)
        elif event.call_id is not None and event.state in TALKS:
            return self._begin(event.call_id, event.agent, _Phase.TALKING, seq)
        elif event.call_id is not None and not self.has(event.call_id, event.agent):
            return self._begin(event.call_id, event.agent, _Phase.RINGING, seq)
        return ()


def visible(envelope: Envelope, viewer: Viewer, ownership: Ownership) -> bool:
    """Whether this event is for this viewer. ``ownership`` must have observed it already."""
    event = envelope.event
    if isinstance(event, LinkChanged):
        return True
    runs_the_shift = viewer.supervisor and (Topic.BOARD in viewer.topics or Topic.CALLS in viewer.topics)
    if isinstance(event, AlertEvent):
        return runs_the_shift
    if isinstance(event, AgentEvent):
        if runs_the_shift:
            return True
        return Topic.AGENT in viewer.topics and event.agent == viewer.agent
    if viewer.supervisor and Topic.CALLS in viewer.topics:
        return True
    if Topic.AGENT not in viewer.topics or viewer.agent is None or isinstance(event, CallSurveyed):
        return False  # nobody reads at work what a caller has just said of them
    if isinstance(event, AgentRinging | AgentNoAnswer) and event.agent != viewer.agent:
        return False  # a colleague's phone is no business of theirs, also when both ring for one caller
    return ownership.had(event.call_id, viewer.agent, envelope.seq)


def visible_live(live: LiveView, viewer: Viewer) -> LiveView:
    """The part of the picture that this viewer may see: supervisors all, agents who waits and their own."""
    if viewer.supervisor:
        return live
    mine = tuple(agent for agent in live.agents if agent.agent == viewer.agent)
    ids = {agent.call_id for agent in mine if agent.state in AT_WORK}
    calls = tuple(
        call for call in live.calls
        if call.call_id in ids
        or (viewer.agent is not None and (call.agent == viewer.agent or viewer.agent in call.parties))
    )  # fmt: skip
    return LiveView(at=live.at, link_up=live.link_up, calls=calls, waiting=live.waiting, agents=mine)
