"""Whose business an event is, live and in a replay."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from hotline.agent_console.ownership import MAX_CALLS, Ownership, Topic, Viewer, visible, visible_live
from hotline.agent_console.pictures import Pictures
from hotline.agent_console.wire import to_json
from hotline.core.alerts import Alert, AlertKind, Severity
from hotline.core.events import (
    AgentAutoPaused,
    AgentNoAnswer,
    AgentRinging,
    AgentState,
    AgentStateChanged,
    AlertCleared,
    AlertRaised,
    CallAnswered,
    CallEnded,
    CallerQueued,
    CallFlagged,
    CallSurveyed,
    EntryClosed,
    Envelope,
    Event,
    LinkChanged,
    NuisanceKind,
    Outcome,
    PartyJoined,
    PartyLeft,
    PartyRinging,
    Side,
    SurveyBegan,
    SurveyOutcome,
    TranscriptSegment,
)
from hotline.core.views import AgentView, CallView, LiveView, WaitingCaller

AT = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
ZHANG = Viewer("zhang", False, "a1", frozenset({Topic.AGENT}))
LI = Viewer("li", False, "a2", frozenset({Topic.AGENT}))
CHIEF = Viewer("chief", True, None, frozenset({Topic.CALLS}))
BOARD = Viewer("wall", True, None, frozenset({Topic.BOARD}))


def queued(call: str = "c1") -> Event:
    return CallerQueued(call, AT, "e1", "12345", "12345", 1, "13812341234", ())


def rings(agent: str, call: str = "c1") -> Event:
    return AgentRinging(call, AT, "e1", agent)


def answered(agent: str, call: str = "c1") -> Event:
    return CallAnswered(call, AT, "e1", "12345", "12345", agent, 3.0, "u1", "u2")


def says(call: str = "c1", final: bool = True) -> Event:
    return TranscriptSegment(call, AT, Side.CALLER, 1, 1, "你好", final, 0.0, 1.0, None, AT)


def closed(outcome: Outcome, agent: str | None = None, call: str = "c1") -> Event:
    return EntryClosed(call, AT, "e1", "12345", "12345", outcome, agent, 3.0, 9.0)


def seen_by(viewer: Viewer, *events: Event) -> list[int]:
    """The numbers (from 1) of the events that the viewer is shown live."""
    ownership = Ownership()
    numbers = []
    for seq, event in enumerate(events, 1):
        envelope = Envelope(seq, event)
        ownership.observe(envelope)
        if visible(envelope, viewer, ownership):
            numbers.append(seq)
    return numbers


def test_a_transfer_or_an_enquiry_is_the_other_agents_business_from_its_ringing_on() -> None:
    """Both see a talk of three; who leaves it to others sees it no more, nor does who rang in vain."""
    rang, joined = PartyRinging("c1", AT, "a2", "8002", "u3"), PartyJoined("c1", AT, "a2", "8002", "u3", "c1")
    left = PartyLeft("c1", AT, "a1", "8001", "u2")
    assert seen_by(LI, answered("a1"), says(), rang, says(), joined, says()) == [3, 4, 5, 6]
    assert seen_by(ZHANG, answered("a1"), rang, joined, says(), left, says()) == [1, 2, 3, 4, 5]
    assert seen_by(ZHANG, answered("a1"), left, says(), rang, joined, says()) == [1, 2, 3, 4, 5]
    gone = PartyLeft("c1", AT, "a2", "8002", "u3")
    assert seen_by(LI, answered("a1"), rang, gone, says()) == [2, 3]
    outside = PartyJoined("c1", AT, None, "110", "u4", "c1")
    assert seen_by(ZHANG, answered("a1"), outside, says(), left, says()) == [1, 2, 3, 4]
    assert seen_by(ZHANG, answered("a1"), left, outside, says()) == [1, 2, 3]
    police_gone = PartyLeft("c1", AT, None, "110", "u4")
    assert seen_by(ZHANG, answered("a1"), outside, police_gone, left, says()) == [1, 2, 3, 4, 5]


def test_the_live_picture_holds_the_calls_that_one_is_asked_about() -> None:
    """``parties`` are shown the call, and nobody else."""
    call = CallView("c1", "12345", "12345", "138", "", (), AT, AT, AT, "a1", 3.0, parties=("a2",))
    live = LiveView(AT, True, (call,), (), ())
    other = Viewer("wang", False, "a3")
    assert [len(visible_live(live, viewer).calls) for viewer in (ZHANG, LI, other)] == [1, 1, 0]
    assert "c1" in Pictures(live).lasting(LI) and "c1" not in Pictures(live).lasting(other)


def test_an_agent_sees_a_call_from_its_ringing_on() -> None:
    """Waiting is nobody's business; ringing, answer, text, end and late text are the agent's."""
    story = (queued(), rings("a1"), answered("a1"), says(), closed(Outcome.ANSWERED, "a1"),
             CallEnded("c1", AT), says())  # fmt: skip
    assert seen_by(ZHANG, *story) == [2, 3, 4, 5, 6, 7]
    assert seen_by(LI, *story) == []


def test_of_two_phones_that_ring_the_slower_one_loses_sight() -> None:
    """With both ringing, the answer is told to both and the text to the one who answered."""
    story = (rings("a1"), rings("a2"), answered("a2"), says())
    assert seen_by(ZHANG, *story) == [1, 3]
    assert seen_by(LI, *story) == [2, 3, 4]


def test_ringing_in_vain_ends_the_view() -> None:
    """After no answer the next agent's ringing and talk stay hidden."""
    story = (rings("a1"), AgentNoAnswer("c1", AT, "e1", "a1", 20.0), rings("a2"), answered("a2"), says())
    assert seen_by(ZHANG, *story) == [1, 2]


def test_a_caller_who_hangs_up_while_ringing_takes_the_call_along() -> None:
    """The agent is told that the caller gave up, and no more of a call that goes elsewhere."""
    story = (rings("a1"), closed(Outcome.TIMEOUT), queued(), rings("a2"), answered("a2"), says())
    assert seen_by(ZHANG, *story) == [1, 2]


def test_a_transferred_call_belongs_to_who_answers_it_next() -> None:
    """The first agent sees the talk's end and the waiting after it, not the second agent's talk."""
    story = (rings("a1"), answered("a1"), says(), closed(Outcome.ANSWERED, "a1"), queued(),
             rings("a2"), answered("a2"), says())  # fmt: skip
    assert seen_by(ZHANG, *story) == [1, 2, 3, 4, 5, 7]
    assert seen_by(LI, *story) == [6, 7, 8]


def test_in_a_three_way_call_both_agents_see_the_text() -> None:
    """Who answered first stays on until the other side has taken it."""
    story = (
        answered("a1"),
        answered("a2"),
        says(),
        closed(Outcome.ANSWERED, "a1"),
        says(),
    )
    assert seen_by(ZHANG, *story) == [1, 2, 3, 4]
    assert seen_by(LI, *story) == [2, 3, 4, 5]


def test_what_a_caller_said_of_an_agent_is_for_supervisors() -> None:
    """That the caller is asked everybody sees who had the call; the answer no agent's page at work."""
    said = CallSurveyed("c1", AT, "12345", "12345", "a1", SurveyOutcome.ANSWERED, 1)
    events = (answered("a1"), closed(Outcome.ANSWERED, "a1"), SurveyBegan("c1", AT), said)
    assert seen_by(ZHANG, *events) == [1, 2, 3]
    assert seen_by(CHIEF, *events) == [1, 2, 3, 4]


def test_states_are_for_the_seat_and_for_supervisors() -> None:
    """A colleague's pause is not an agent's business; a wallboard of a supervisor shows it."""
    story = (
        AgentStateChanged("a1", AT, AgentState.PAUSED, "小休", None),
        AgentStateChanged("a2", AT, AgentState.READY, "", None),
        LinkChanged(AT, False, "closed"),
    )
    assert seen_by(ZHANG, *story) == [1, 3]
    assert seen_by(BOARD, *story) == [1, 2, 3]


def test_topics_choose_among_what_is_allowed() -> None:
    """Calls for a supervisor who asked for them; a wallboard gets no call's text."""
    assert seen_by(CHIEF, queued(), says()) == [1, 2]
    assert seen_by(BOARD, queued(), rings("a1"), says()) == []
    assert seen_by(Viewer("x", False, "a1", frozenset({Topic.BOARD})), rings("a1")) == []


def test_calls_as_a_topic_gives_an_agent_nothing() -> None:
    """Were the topic let through by mistake, the role still decides."""
    assert seen_by(Viewer("x", False, "a1", frozenset({Topic.CALLS})), rings("a2"), says()) == []


def test_a_talking_state_alone_makes_the_call_visible() -> None:
    """After a restart of ours only states tell who talks to whom."""
    talking = AgentStateChanged("a1", AT, AgentState.TALKING, "", "c1")
    assert seen_by(ZHANG, talking, says()) == [1, 2]


def test_a_picture_makes_running_calls_visible_from_the_next_event() -> None:
    """Calls under way when the server started belong to who talks on them."""
    ownership = Ownership()
    ownership.adopt(picture(call_agent="a1"), 5)
    assert not visible(Envelope(5, says()), ZHANG, ownership)
    assert visible(Envelope(6, says()), ZHANG, ownership)
    assert not visible(Envelope(6, says()), LI, ownership)


def test_a_phone_that_falls_silent_ends_its_view() -> None:
    """A seat that is free again after ringing has no more to do with the call, whoever answers it."""
    free = AgentStateChanged("a1", AT, AgentState.READY, "", None)
    assert seen_by(ZHANG, rings("a1"), free, answered("a2"), says()) == [1, 2]


def test_a_picture_that_lags_behind_opens_no_talk_of_others() -> None:
    """A phone that still rings in the picture while a colleague talks already is no owner."""
    late = picture("a2")
    late = replace(late, agents=(*late.agents, AgentView(
        "a1", "a1", "8001", AgentState.RINGING, "", AT, ("12345",), "c1")))  # fmt: skip
    ownership = Ownership()
    ownership.adopt(late, 5)
    assert visible(Envelope(6, says()), LI, ownership)
    assert not visible(Envelope(6, says()), ZHANG, ownership)


def test_memory_is_bounded() -> None:
    """Calls whose end was never heard of do not pile up for ever."""
    ownership = Ownership()
    for number in range(MAX_CALLS + 10):
        ownership.observe(Envelope(number + 1, answered("a1", f"c{number}")))
    assert len(ownership._calls) == MAX_CALLS
    assert ownership.has(f"c{MAX_CALLS + 9}", "a1")


EVENTS = st.one_of(
    st.builds(queued, st.sampled_from(["c1", "c2"])),
    st.builds(rings, st.sampled_from(["a1", "a2"]), st.sampled_from(["c1", "c2"])),
    st.builds(answered, st.sampled_from(["a1", "a2"]), st.sampled_from(["c1", "c2"])),
    st.builds(says, st.sampled_from(["c1", "c2"])),
    st.builds(closed, st.sampled_from(list(Outcome)), st.sampled_from(["a1", "a2", None]), st.just("c1")),
    st.builds(
        AgentStateChanged, st.sampled_from(["a1", "a2"]), st.just(AT), st.sampled_from(list(AgentState)),
        st.just(""), st.sampled_from(["c1", None]),
    ),
    st.builds(CallEnded, st.sampled_from(["c1", "c2"]), st.just(AT)),
)  # fmt: skip


@given(st.lists(EVENTS, max_size=40))
def test_a_replay_shows_exactly_what_was_shown_live(events: list[Event]) -> None:
    """Asked afterwards, the same events are visible that were visible when they happened."""
    for viewer in (ZHANG, LI, CHIEF):
        ownership = Ownership()
        live = []
        envelopes = [Envelope(seq, event) for seq, event in enumerate(events, 1)]
        for envelope in envelopes:
            ownership.observe(envelope)
            if visible(envelope, viewer, ownership):
                live.append(envelope.seq)
        assert [one.seq for one in envelopes if visible(one, viewer, ownership)] == live


ALERT = Alert(
    "n1:waiting:12345:1", AlertKind.WAITING, "12345", Severity.WARNING, AT, 12.0, 10.0, "排队", "waiting"
)  # fmt: skip


def test_alerts_go_to_whoever_runs_the_shift() -> None:
    """Supervisors with the board or the calls open hear of alerts; agents and other pages do not."""
    story = (AlertRaised(AT, ALERT), AlertCleared(AT, ALERT.alert_id, ALERT.kind, ALERT.subject))
    assert seen_by(CHIEF, *story) == [1, 2]
    assert seen_by(BOARD, *story) == [1, 2]
    assert seen_by(ZHANG, *story) == []
    assert seen_by(Viewer("lin", False, "a1", frozenset({Topic.BOARD})), *story) == []
    assert seen_by(Viewer("wang", True, None, frozenset({Topic.AGENT})), *story) == []


def test_an_auto_pause_is_told_to_the_agent_and_to_supervisors() -> None:
    """Whoever let the phone ring learns why no more calls come; colleagues do not hear of it."""
    event = AgentAutoPaused("a1", AT, 3)
    assert [bool(seen_by(viewer, event)) for viewer in (ZHANG, LI, CHIEF, BOARD)] == [True, False, True, True]


def test_a_flag_is_shown_to_the_agent_who_set_it() -> None:
    """The mark on a call is that call's event: its agent and supervisors see it."""
    story = (rings("a1"), answered("a1"), CallFlagged("c1", AT, "a1", "辱骂", NuisanceKind.ABUSE))
    assert [seen_by(viewer, *story)[-1:] for viewer in (ZHANG, LI, CHIEF)] == [[3], [], [3]]


def picture(call_agent: str) -> LiveView:
    calls = tuple(
        CallView(f"c{n}", "12345", "12345", "13812341234", "", (), AT, AT, AT, agent, 3.0)
        for n, agent in ((1, call_agent), (2, "a3"))
    )
    agents = tuple(
        AgentView(agent, agent, "8001", AgentState.TALKING, "", AT, ("12345",), call)
        for agent, call in ((call_agent, "c1"), ("a3", "c2"))
    )
    waiting = (WaitingCaller("c9", "e9", "12345", "12345", AT, 1),)
    return LiveView(AT, True, calls, waiting, agents)


def test_an_agents_picture_holds_the_waiting_and_the_own_only() -> None:
    """Everybody sees who waits; calls and seats of others are left out for agents."""
    mine = visible_live(picture("a1"), ZHANG)
    assert [call.call_id for call in mine.calls] == ["c1"]
    assert [agent.agent for agent in mine.agents] == ["a1"]
    assert len(mine.waiting) == 1
    assert visible_live(picture("a1"), CHIEF) == picture("a1")
    nobody = visible_live(picture("a1"), Viewer("x", False, None))
    assert (nobody.calls, nobody.agents) == ((), ())


CALLS = st.builds(
    CallView, st.sampled_from(["c1", "c2", "c3"]), st.just("12345"), st.just("12345"), st.just("13812341234"),
    st.just(""), st.just(("甲",)), st.just(AT), st.just(None), st.sampled_from([None, AT]),
    st.sampled_from(["a1", "a2", None]), st.just(None),
)  # fmt: skip
STATES = st.sampled_from(list(AgentState))
SEATS = st.builds(
    AgentView, st.sampled_from(["a1", "a2"]), st.just("张"), st.just("8001"), STATES, st.just(""),
    st.just(AT), st.just(("12345",)), st.sampled_from(["c1", "c2", None]),
)  # fmt: skip
WAITING = st.builds(
    WaitingCaller, st.just("c3"), st.just("e"), st.just("q"), st.just("q"), st.just(AT), st.just(1)
)
LIVE = st.builds(
    LiveView, st.just(AT), st.booleans(),
    st.lists(CALLS, max_size=3, unique_by=lambda call: call.call_id).map(tuple),
    st.lists(WAITING, max_size=2).map(tuple),
    st.lists(SEATS, max_size=2, unique_by=lambda seat: seat.agent).map(tuple),
)  # fmt: skip


@given(LIVE)
def test_the_quick_pictures_say_what_the_rule_says(live: LiveView) -> None:
    """The frames made for many pages at once hold exactly what each viewer may see."""
    pictures = Pictures(live)
    for viewer in (ZHANG, LI, CHIEF, Viewer("x", False, None)):
        frame = json.loads(pictures.frame(pictures.lasting(viewer)))
        expected = to_json(visible_live(live, viewer))
        for part in (frame["data"], expected):
            part["calls"].sort(key=lambda call: call["call_id"])
        assert frame == {"type": "live", "data": expected}
