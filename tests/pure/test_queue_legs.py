"""Who is on a call, from channels and bridges in the order in which the real Asterisk told them."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.core.events import ConsultState
from hotline.queue.control.legs import LegBook, Talk
from hotline.telephony.ami import events as ami
from tests.fixtures.channels import (
    ASK,
    ASKED,
    CALL,
    LOCAL_1,
    LOCAL_2,
    TALK,
    dial,
    enter,
    gone,
    hold,
    new,
    says,
    shown,
)

AGENTS = {"PJSIP/8001-1": "a1", "PJSIP/8002-2": "a2"}
JOINED = (enter(LOCAL_1, "l.1", "b1"), enter("PJSIP/8001-1", "a.1", "b1"))


def book_of(events: Iterable[ami.AmiEvent] = ()) -> LegBook:
    book = LegBook(AGENTS.get, lambda dialled: "110" if "110" in dialled else "")
    for event in events:
        book.apply(event)
    return book


def after(*parts: Iterable[ami.AmiEvent]) -> Talk:
    return book_of(event for part in parts for event in part).talk(CALL)


def talking(talk: Talk) -> list[str | None]:
    return [leg.agent or leg.party for leg in talk.talkers]


def asked(talk: Talk) -> tuple[str, ConsultState] | None:
    return (talk.consult.target, talk.consult.state) if talk.consult else None


def test_a_phone_rings_then_talks() -> None:
    """Before the answer nobody talks; afterwards the queue's agent does."""
    ringing = after(TALK[:3])
    assert talking(ringing) == [] and [leg.queued for leg in ringing.phones] == [True]
    talk = after(TALK)
    assert talking(talk) == ["a1"] and talk.serving is talk.leg_of("a1") and asked(talk) is None


def test_an_enquiry_leaves_the_caller_alone_until_it_ends() -> None:
    """While asking nobody talks with the caller, and the asking agent has the call."""
    ringing, answered = after(TALK, ASK), after(TALK, ASK, ASKED)
    assert talking(ringing) == talking(answered) == []
    assert asked(ringing) == ("8002", ConsultState.RINGING)
    assert asked(answered) == ("8002", ConsultState.TALKING)
    assert answered.serving is not None and answered.serving.agent == "a1"


def test_three_talk_while_the_local_channels_are_still_there_and_when_they_are_gone() -> None:
    """The pair of Local channels joins bridges; its optimisation away changes nothing for anybody."""
    optimised = (enter("PJSIP/8002-2", "a.2", "b1"), gone(LOCAL_2, "l.2"), gone(LOCAL_1, "l.1"))
    for talk in (after(TALK, ASK, ASKED, JOINED), after(TALK, ASK, ASKED, JOINED, optimised)):
        assert talking(talk) == ["a1", "a2"] and asked(talk) == ("8002", ConsultState.THREE_WAY)
    left = after(TALK, ASK, ASKED, JOINED, optimised, [gone("PJSIP/8001-1", "a.1")])
    assert talking(left) == ["a2"] and asked(left) is None


def test_going_back_ends_the_enquiry_at_once() -> None:
    """The one who was asked and is not gone yet is not taken for somebody who asks."""
    back = after(TALK, ASK, ASKED, [enter("PJSIP/8001-1", "a.1", "b1")])
    assert talking(back) == ["a1"] and asked(back) is None


def test_a_number_outside_is_known_by_what_was_dialled() -> None:
    """The trunk's channel does not say whom it reaches; the dial string does."""
    outside = (new("PJSIP/trunk-9", "o.1"), dial("o.1", "trunk/sip:110@10.0.0.1"))
    talk = after(TALK, outside, [enter("PJSIP/trunk-9", "o.1", "b1")])
    assert talking(talk) == ["a1", "110"]


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        (hold("PJSIP/8001-1", "a.1"), enter("PJSIP/8001-1", "a.1", "b1")),
        (says("HotlineHold", "PJSIP/trunk-1", CALL), says("HotlineUnhold", "PJSIP/trunk-1", CALL)),
    ],
)
def test_a_hold_by_the_phone_or_by_the_exchange(begin: ami.AmiEvent, end: ami.AmiEvent) -> None:
    """Either is a hold; joining anew ends the phone's, which Asterisk does not tell after a three-way."""
    assert not after(TALK).held and after(TALK, [begin]).held and not after(TALK, [begin, end]).held


def test_of_a_callback_the_citizen_is_the_caller() -> None:
    """The call is named after the agent's channel; who rings first outside is the citizen, to the end."""
    back = "node1-callback-8001-1795000000000.1"
    agent, citizen = new("PJSIP/8001-1", back, back), new("PJSIP/trunk-2", "c.1", back)
    assert book_of([agent]).talk(back) == Talk(None)
    book = book_of([agent, citizen])
    assert [leg.agent for leg in book.talk(back).phones] == ["a1"] and talking(book.talk(back)) == []
    book.apply(enter("PJSIP/8001-1", back, "b1", back))
    book.apply(enter("PJSIP/trunk-2", "c.1", "b1", back))
    talk = book.talk(back)
    assert talk.caller is not None and talk.caller.uniqueid == "c.1" and talking(talk) == ["a1"]
    book.apply(new("PJSIP/trunk-9", "o.1", back))
    book.apply(gone("PJSIP/trunk-2", "c.1", back))
    assert book.talk(back) == Talk(None), "somebody asked is taken for the citizen"
    listed = book_of()
    listed.adopt(
        [
            shown("PJSIP/trunk-2", "c.1", bridge="b1", application="AppDial", seconds=5, call=back),
            shown("PJSIP/8001-1", back, bridge="b1", application="Dial", seconds=9, call=back),
        ]
    )
    assert talking(listed.talk(back)) == ["a1"]


def test_a_caller_who_holds_is_not_on_hold() -> None:
    """The caller's own music is heard by the agent: that is not the agent's hold."""
    assert not after(TALK, [hold("PJSIP/trunk-1", CALL)]).held


def test_after_a_break_the_exchanges_list_tells_the_same() -> None:
    """Talk, hold, queue's own phone and the number outside are all in CoreShowChannels."""
    book = book_of()
    touched = book.adopt(
        [
            shown("PJSIP/trunk-9", "o.1", bridge="b1", application="AppDial", seconds=1),
            shown(
                LOCAL_2, "l.2", bridge="b1", application="Dial", data="PJSIP/trunk/sip:110@x,60", seconds=2
            ),
            shown("PJSIP/8001-1", "a.1", bridge="b1", application="AppQueue", seconds=5),
            shown("PJSIP/trunk-1", CALL, bridge="b1", application="WaitForCondition", seconds=9),
        ]
    )
    talk = book.talk(CALL)
    assert touched == {CALL} and talking(talk) == ["a1", "110"] and talk.held
    assert [leg.queued for leg in talk.phones] == [True, False]
    assert book.adopt([]) == {CALL} and book.talk(CALL).caller is None


@given(st.permutations((*TALK, *ASK, *ASKED, *JOINED)), st.integers(0, 13))
def test_no_order_of_events_breaks_the_book(events: list[ami.AmiEvent], cut: int) -> None:
    """Late, doubled and missing events give some picture, and every hang-up together an empty book."""
    book = book_of((*events, *events[:cut]))
    for leg in list(book.talk(CALL).phones):
        book.apply(gone(leg.channel, leg.uniqueid))
    for channel, uniqueid in ((LOCAL_1, "l.1"), (LOCAL_2, "l.2"), ("PJSIP/trunk-1", CALL)):
        book.apply(gone(channel, uniqueid))
    assert book.talk(CALL) == Talk(None) and book.calls() == set()
