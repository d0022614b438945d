"""The table of a call's states, as seen from a telephone."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.telephony.phone.states import TABLE, CallStateError, State, Step, after

STARTS = (State.DIALLING, State.OFFERED)


def test_every_state_can_be_reached_and_left_except_the_end() -> None:
    """From a call's beginning every state is reached; from every state the end is; the end is final."""
    reached = set(STARTS)
    for _ in State:
        reached |= {following for state in reached for following in TABLE[state].values()}
    assert reached == set(State) == set(TABLE)
    for state in State:
        onward = {state}
        for _ in State:
            onward |= {following for one in onward for following in TABLE[one].values()}
        assert State.ENDED in onward
    assert TABLE[State.ENDED] == {}


@pytest.mark.parametrize(("state", "step"), list(itertools.product(State, Step)))
def test_steps_outside_the_table_are_refused_by_name(state: State, step: Step) -> None:
    """What the table does not hold raises, naming the state and the step."""
    if step in TABLE[state]:
        assert after(state, step) is TABLE[state][step]
        return
    with pytest.raises(CallStateError) as refusal:
        after(state, step)
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
