"""What one agent is doing, as a table.

    SIGNED_OUT   serves no queue            RESERVED  the phone is called, it does not ring yet
    READY        waits for a call           RINGING   the phone rings
    PAUSED       on a break, for a reason   TALKING   with a caller or a colleague
    UNREACHABLE  the phone is gone          HELD      likewise, and one of the two is on hold
    WRAP_UP      writes down what was said

The left column is where an agent rests: which of these holds is said by the switches of ``Seat`` (signed in,
wrapping up, reachable, paused), and ``REST`` in the table means "whichever they say". ``TRANSITIONS`` is the
whole truth: a cue that is not in the row of the present state changes nothing and is counted.

A break or a sign-out asked for while busy does not touch the call: the switch is set, the state follows when
the agent rests again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from hotline.core.events import AgentState, Source
from hotline.queue.agents.wrap_up import WrapUp, read_reason


class Cue(StrEnum):
    """What may change a state."""

    SWITCHED = "switched"  # signed in or out, paused or resumed, reachable or not, wrap-up begun or over
    CHOSEN = "chosen"
    RANG = "rang"
    RING_ENDED = "ring_ended"
    CONNECTED = "connected"
    HELD = "held"
    UNHELD = "unheld"
    COMPLETED = "completed"


REST: Final = None

_AT_REST: Final[dict[Cue, AgentState | None]] = {
    Cue.SWITCHED: REST,
    Cue.CHOSEN: AgentState.RESERVED,
    Cue.RANG: AgentState.RINGING,
    Cue.RING_ENDED: REST,  # the channel's end told it already
    Cue.CONNECTED: AgentState.TALKING,
}

TRANSITIONS: Final[dict[AgentState, dict[Cue, AgentState | None]]] = {
    AgentState.SIGNED_OUT: _AT_REST,
    AgentState.READY: _AT_REST,
    AgentState.PAUSED: _AT_REST,
    AgentState.UNREACHABLE: _AT_REST,
    AgentState.WRAP_UP: _AT_REST,
    AgentState.RESERVED: {
        Cue.SWITCHED: AgentState.RESERVED,
        Cue.CHOSEN: AgentState.RESERVED,
        Cue.RANG: AgentState.RINGING,
        Cue.RING_ENDED: REST,
        Cue.CONNECTED: AgentState.TALKING,
    },
    AgentState.RINGING: {
        Cue.SWITCHED: AgentState.RINGING,
        Cue.CHOSEN: AgentState.RESERVED,
        Cue.RANG: AgentState.RINGING,
        Cue.RING_ENDED: REST,
        Cue.CONNECTED: AgentState.TALKING,
    },
    AgentState.TALKING: {
        Cue.SWITCHED: AgentState.TALKING,
        Cue.HELD: AgentState.HELD,
        Cue.COMPLETED: REST,
    },
    AgentState.HELD: {
        Cue.SWITCHED: AgentState.HELD,
        Cue.HELD: AgentState.HELD,
        Cue.UNHELD: AgentState.TALKING,
        Cue.COMPLETED: REST,
    },
}

RINGS: Final = frozenset({AgentState.RESERVED, AgentState.RINGING})
SOME_QUEUE: Final = ""
"""Stands for the queues of an agent of whom an earlier run only left the state, until one is named."""

TALKS: Final = frozenset({AgentState.TALKING, AgentState.HELD})


@dataclass(slots=True)
class Seat:
    """One agent's present.

    Attributes:
        agent: the id.
        source: where it is known from since when the present state holds.
        queues: queue -> why the agent is paused there; None when not.
        leg: the channel to the agent's phone that rings or talks, by its unique id; empty when not known.
        queue: the queue that brought the call; empty for a transfer or a colleague's call.
        holds: the channels that put the other side on hold.
        leg_gone_at: when the talking leg ended, until the queue says so too.
        unanswered: calls left ringing in a row.
        pause_asked_at: when the exchange was last asked to pause the agent for them; None: it need not.
    """

    agent: str
    since: datetime
    state: AgentState = AgentState.SIGNED_OUT
    source: Source = Source.LIVE
    queues: dict[str, str | None] = field(default_factory=dict)
    reachable: bool = True
    wrap_up: WrapUp | None = None
    call_id: str | None = None
    leg: str = ""
    queue: str = ""
    entry_id: str | None = None
    holds: set[str] = field(default_factory=set)
    leg_gone_at: datetime | None = None
    unanswered: int = 0
    pause_asked_at: datetime | None = None

    @property
    def break_reason(self) -> str | None:
        """Why the agent is paused, if not for a wrap-up."""
        return next((why for why in self.queues.values() if why is not None and not read_reason(why)), None)

    @property
    def held_wrap_up(self) -> WrapUp | None:
        """The wrap-up for which the exchange keeps the agent paused."""
        return next((found for why in self.queues.values() if why and (found := read_reason(why))), None)

    def serve(self, queue: str, paused_reason: str | None) -> None:
        """Serve this queue, paused for a reason or not (None)."""
        self.queues.pop(SOME_QUEUE, None)
        self.queues[queue] = paused_reason

    def leave(self, queue: str) -> None:
        """Serve it no longer."""
        self.queues.pop(SOME_QUEUE, None)
        self.queues.pop(queue, None)

    @property
    def paused(self) -> bool:
        """Whether the exchange gives the agent no calls in some queue."""
        return any(why is not None for why in self.queues.values())

    def rest(self) -> AgentState:
        """Where the agent rests, as the switches say."""
        if not self.queues:
            return AgentState.SIGNED_OUT
        if self.wrap_up is not None:
            return AgentState.WRAP_UP
        if not self.reachable:
            return AgentState.UNREACHABLE
        return AgentState.PAUSED if self.paused else AgentState.READY

    def step(self, cue: Cue) -> bool:
        """Let ``cue`` happen; False (and nothing changed) when the present state does not allow it."""
        row = TRANSITIONS[self.state]
        if cue not in row:
            return False
        self.state = row[cue] or self.rest()
        if self.state not in RINGS | TALKS:
            self.leg, self.queue, self.entry_id, self.leg_gone_at = "", "", None, None
            self.holds.clear()
            if self.state is not AgentState.WRAP_UP:
                self.call_id = None
        return True

    @property
    def reason(self) -> str:
        """The reason of the present state: of a break."""
        return (self.break_reason or "") if self.state is AgentState.PAUSED else ""

    @property
    def pending_reason(self) -> str | None:
        """The break that begins when what the agent is busy with is over."""
        return None if self.state is AgentState.PAUSED else self.break_reason

    @property
    def wrap_up_until(self) -> datetime | None:
        """When the wrap-up that goes on ends by itself."""
        return self.wrap_up.until if self.wrap_up and self.state is AgentState.WRAP_UP else None
