"""The table of agent states, every cell of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hotline.core.events import AgentState
from hotline.queue.agents.seat import TRANSITIONS, Cue, Seat
from hotline.queue.agents.wrap_up import WrapUp

START = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
RESTING = (
    AgentState.SIGNED_OUT, AgentState.READY, AgentState.PAUSED, AgentState.UNREACHABLE, AgentState.WRAP_UP,
)  # fmt: skip


def seat_in(state: AgentState) -> Seat:
    """A seat that rests where ``state`` says, if that is a resting state, or is in it."""
    seat = Seat("zhang", START, state)
    if state is not AgentState.SIGNED_OUT:
        seat.queues["12345"] = "小休" if state is AgentState.PAUSED else None
    seat.reachable = state is not AgentState.UNREACHABLE
    seat.wrap_up = WrapUp(START, START + timedelta(seconds=10), None) if state is AgentState.WRAP_UP else None
    return seat


BUSY = {
    (AgentState.RESERVED, Cue.SWITCHED): AgentState.RESERVED,
    (AgentState.RESERVED, Cue.CHOSEN): AgentState.RESERVED,
    (AgentState.RESERVED, Cue.RANG): AgentState.RINGING,
    (AgentState.RESERVED, Cue.RING_ENDED): AgentState.READY,
    (AgentState.RESERVED, Cue.CONNECTED): AgentState.TALKING,
    (AgentState.RINGING, Cue.SWITCHED): AgentState.RINGING,
    (AgentState.RINGING, Cue.CHOSEN): AgentState.RESERVED,
    (AgentState.RINGING, Cue.RANG): AgentState.RINGING,
    (AgentState.RINGING, Cue.RING_ENDED): AgentState.READY,
    (AgentState.RINGING, Cue.CONNECTED): AgentState.TALKING,
    (AgentState.TALKING, Cue.SWITCHED): AgentState.TALKING,
    (AgentState.TALKING, Cue.HELD): AgentState.HELD,
    (AgentState.TALKING, Cue.COMPLETED): AgentState.READY,
    (AgentState.HELD, Cue.SWITCHED): AgentState.HELD,
    (AgentState.HELD, Cue.HELD): AgentState.HELD,
    (AgentState.HELD, Cue.UNHELD): AgentState.TALKING,
    (AgentState.HELD, Cue.COMPLETED): AgentState.READY,
}
LEGAL = BUSY | {
    (rest, cue): target
    for rest in RESTING
    for cue, target in (
        (Cue.SWITCHED, rest),
        (Cue.RING_ENDED, rest),
        (Cue.CHOSEN, AgentState.RESERVED),
        (Cue.RANG, AgentState.RINGING),
        (Cue.CONNECTED, AgentState.TALKING),
    )
}


@pytest.mark.parametrize("state", AgentState)
@pytest.mark.parametrize("cue", Cue)
def test_every_state_answers_every_cue(state: AgentState, cue: Cue) -> None:
    """What is in the list happens; anything else is refused and changes nothing."""
    seat = seat_in(state)
    happened = seat.step(cue)
    assert happened == ((state, cue) in LEGAL)
    assert seat.state is LEGAL.get((state, cue), state)


def test_the_table_has_a_row_for_every_state() -> None:
    """No state is a trap: each leads on."""
    assert set(TRANSITIONS) == set(AgentState)
