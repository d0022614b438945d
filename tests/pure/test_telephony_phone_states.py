"""The table of a call's states, as seen from a telephone."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.telephony.phone.states import (
    HOLD_TABLE,
    TABLE,
    TRANSFER_TABLE,
    CallStateError,
    Hold,
    HoldStep,
    State,
    Step,
    Transfer,
    TransferStep,
    after,
    follow,
)

STARTS = (State.DIALLING, State.OFFERED)
Table = Mapping[Enum, Mapping[Enum, Enum]]


def reached(table: Table, starts: Iterable[Enum]) -> set[Enum]:
    """Every state that some order of steps leads to."""
    found = set(starts)
    for _ in table:
        found |= {following for state in found for following in table[state].values()}
    return found


@pytest.mark.parametrize(
    ("table", "starts", "goal"),
    [
        (TABLE, STARTS, State.ENDED),
        (HOLD_TABLE, (Hold.TALKING,), Hold.TALKING),
        (TRANSFER_TABLE, (Transfer.IDLE,), Transfer.DONE),
    ],
)
def test_every_state_can_be_reached_and_leads_to_the_goal(
    table: Table, starts: tuple[Enum, ...], goal: Enum
) -> None:
    """Every state is reached from the beginning, and from every state the end is: no dead ends."""
    assert reached(table, starts) == set(type(goal)) == set(table)
    assert all(goal in reached(table, [state]) for state in table)


def test_what_is_over_is_over() -> None:
    """Nothing leads out of an ended call and a done transfer."""
    assert TABLE[State.ENDED] == {} and TRANSFER_TABLE[Transfer.DONE] == {}


@pytest.mark.parametrize(
    ("table", "state", "step"),
    [
        (table, state, step)
        for table, states, steps in (
            (TABLE, State, Step),
            (HOLD_TABLE, Hold, HoldStep),
            (TRANSFER_TABLE, Transfer, TransferStep),
        )
        for state, step in itertools.product(states, steps)
    ],
)
def test_steps_outside_the_table_are_refused_by_name(table: Table, state: Enum, step: Enum) -> None:
    """What the table does not hold raises, naming the state and the step."""
    if step in table[state]:
        assert follow(table, state, step) is table[state][step]
        return
    with pytest.raises(CallStateError) as refusal:
        follow(table, state, step)
    assert (refusal.value.state, refusal.value.step) == (state, step)
    assert state.value in str(refusal.value)


@given(st.sampled_from(STARTS), st.lists(st.sampled_from(Step), max_size=20))
def test_no_order_of_events_brings_an_ended_call_back(start: State, steps: list[Step]) -> None:
    """Whatever happens in whatever order, a call is answered at most once and ends at most once."""
    state, answered, ended = start, 0, 0
    for step in steps:
        try:
            following = after(state, step)
        except CallStateError:
            continue
        answered += following is State.UP and state is not State.UP
        ended += following is State.ENDED
        state = following
    assert answered <= 1
    assert ended <= 1
