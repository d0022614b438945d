"""Talks against a simple model: holds, transfers, consults, three-way, Local channels, and losses.

The world and what must hold of waits is as in ``test_queue_model.py``; here it is the rows of talks that must
be what happened. Where nobody listened to a talk, only what queue_log tells of it must be there: that of a
queue's own talk. Of no talk, heard or not, may there be two rows at once, or one that never ends.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from hotline.core.events import TalkKind
from hotline.queue.facts import Bridged, Fact, HandedOn, Held, Unbridged, Unheld
from hotline.store.ledger import TalkRecord
from tests.fixtures.ledger_world import AGENTS, APART, QUEUES, LedgerWorld, examples, floor, gaps
from tests.fixtures.model_exchange import Meeting, Wait
from tests.fixtures.model_floor import Consult, Conversation, ModelFloor

OUTSIDE = "110"
ONE_HAND = timedelta(milliseconds=20)  # what one hand does at once takes some milliseconds
WHOLE_SECONDS = timedelta(seconds=1)
SHORTEST_TALK = timedelta(seconds=2.1)
T = TypeVar("T")


def some(test: Callable[[TalksMachine], list[T]]) -> Callable[[TalksMachine], bool]:
    """There is one to whom it can happen."""
    return lambda self: bool(test(self))


class TalksMachine(LedgerWorld):
    """Callers who are served at once, and all that can become of them then."""

    def __init__(self) -> None:
        self.people: ModelFloor = floor()
        super().__init__(self.people)

    # -- who could do something ------------------------------------------------------------------------

    def alone(self) -> list[Conversation]:
        """One party, who asks nobody."""
        return [
            talk for talk in self.people.conversations
            if len(talk.parties) == 1 and talk.consult is None
        ]  # fmt: skip

    def unheld(self) -> list[Conversation]:
        return [talk for talk in self.alone() if talk.parties[0].held_since is None]

    def held(self) -> list[Conversation]:
        return [talk for talk in self.alone() if talk.parties[0].held_since is not None]

    def of_agents(self) -> list[Conversation]:
        """Whose agent may hand the caller on, or ask somebody."""
        return [talk for talk in self.unheld() if talk.parties[0].agent and talk.reached_by is None]

    def consults(self) -> list[Conversation]:
        return [talk for talk in self.people.conversations if talk.consult is not None]

    def answered_consults(self) -> list[Conversation]:
        return [talk for talk in self.consults() if talk.consult and talk.consult.asked]

    def three_ways(self) -> list[Conversation]:
        return [talk for talk in self.people.conversations if len(talk.parties) == 2]

    def rung_consults(self) -> list[Consult]:
        """Consults that nobody has answered yet, the asker being there still or not."""
        found = [one.consult or one.reached_by for one in self.people.conversations]
        return [one for one in found if one is not None and one.asked is None]

    def pairs(self) -> list[Conversation]:
        return [one for one in self.people.conversations if one.reached_by and one.reached_by.asked]

    def free(self) -> list[str]:
        return self.people.free_agents(list(AGENTS))

    def target(self, data: st.DataObject) -> tuple[str, str, str | None]:
        """Somebody to hand on to or to ask: what, which number, whose phone."""
        phones: list[tuple[str, str, str | None]] = [("phone", AGENTS[one], one) for one in self.free()]
        queues: list[tuple[str, str, str | None]] = [("queue", queue, None) for queue in QUEUES]
        return data.draw(st.sampled_from([*phones, ("phone", OUTSIDE, None), *queues]))

    # -- what people do --------------------------------------------------------------------------------

    @precondition(some(free))
    @rule(gap=gaps, queue=st.sampled_from(QUEUES), data=st.data())
    def caller_is_answered(self, gap: int, queue: str, data: st.DataObject) -> None:
        self.pass_time(gap)
        self.tell(self.exchange.arrive(queue, self.now))
        self.pass_time(gap)
        self.tell(
            self.exchange.answer(self.own_waits()[-1], data.draw(st.sampled_from(self.free())), self.now)
        )

    @precondition(lambda self: self.own_waits() and self.free())
    @rule(gap=gaps, data=st.data())
    def caller_is_answered_again(self, gap: int, data: st.DataObject) -> None:
        """After a transfer to a queue, or to nobody."""
        self.pass_time(gap)
        wait = data.draw(st.sampled_from(self.own_waits()))
        self.tell(self.exchange.answer(wait, data.draw(st.sampled_from(self.free())), self.now))

    @precondition(lambda self: self.own_waits())
    @rule(gap=gaps, data=st.data())
    def caller_gives_up(self, gap: int, data: st.DataObject) -> None:
        self.pass_time(gap)
        self.tell(self.exchange.give_up(data.draw(st.sampled_from(self.own_waits())), self.now))

    def own_waits(self) -> list[Wait]:
        """Waits of callers, not of those who ask a queue."""
        return [wait for wait in self.exchange.waiting() if wait.uid == wait.call_id]

    @precondition(some(unheld))
    @rule(gap=gaps, data=st.data(), by_exchange=st.booleans())
    def agent_holds(self, gap: int, data: st.DataObject, by_exchange: bool) -> None:
        self.pass_time(gap)
        self.tell(
            self.people.hold(data.draw(st.sampled_from(self.unheld())), self.now, by_exchange=by_exchange)
        )

    @precondition(some(held))
    @rule(gap=gaps, data=st.data())
    def agent_is_back(self, gap: int, data: st.DataObject) -> None:
        self.pass_time(gap)
        talk = data.draw(st.sampled_from(self.held()))
        self.tell(self.people.unhold(talk, self.now))

    @precondition(some(alone))
    @rule(gap=gaps, data=st.data())
    def caller_presses_hold(self, gap: int, data: st.DataObject) -> None:
        """The citizen's own button: nobody keeps them waiting."""
        self.pass_time(gap)
        uid = data.draw(st.sampled_from(self.alone())).caller.uid
        self.tell(self.people.say(Held(uid, self.now), Unheld(uid, self.now)))

    @precondition(lambda self: self.people.conversations)
    @rule(gap=gaps, data=st.data())
    def caller_hangs_up(self, gap: int, data: st.DataObject) -> None:
        self.pass_time(gap)
        self.tell(self.people.end(data.draw(st.sampled_from(self.people.conversations)), "caller", self.now))

    @precondition(some(alone))
    @rule(gap=gaps, data=st.data())
    def party_hangs_up(self, gap: int, data: st.DataObject) -> None:
        self.pass_time(gap)
        self.tell(self.people.end(data.draw(st.sampled_from(self.alone())), "agent", self.now))

    @precondition(some(of_agents))
    @rule(gap=gaps, data=st.data())
    def blind_transfer(self, gap: int, data: st.DataObject) -> None:
        self.pass_time(gap)
        talk = data.draw(st.sampled_from(self.of_agents()))
        to, number, agent = self.target(data)
        self.talk_a_little(talk)
        if to == "queue" and data.draw(st.booleans()):
            self.tell(self.people.hand_to_queue_at_once(talk, self.now, number))
        else:
            self.tell(self.people.hand_on(talk, self.now, to, number, agent))

    @precondition(lambda self: self.of_agents() and self.free())
    @rule(gap=gaps, data=st.data())
    def handed_to_the_own_queue_and_answered(self, gap: int, data: st.DataObject) -> None:
        """The same, to where the caller came from and on to an answer: chance alone seldom takes it."""
        self.pass_time(gap)
        talk = data.draw(st.sampled_from(self.of_agents()))
        self.talk_a_little(talk)
        self.tell(self.people.hand_to_queue_at_once(talk, self.now, talk.caller.waits[-1].queue))
        self.pass_time(gap)
        again = talk.caller.waits[-1]
        self.tell(self.exchange.answer(again, data.draw(st.sampled_from(self.free())), self.now))

    def talk_a_little(self, talk: Conversation) -> None:
        """Before a caller is handed on: what is told of a shorter talk could be of the one before."""
        until = max(one.answered_at + SHORTEST_TALK for one in talk.caller.waits if one.answered_at)
        if until > self.now:
            self.pass_time((until - self.now) // timedelta(milliseconds=1) + 1)

    @precondition(lambda self: self.people.under_way)
    @rule(gap=gaps)
    def arrives_in_a_queue(self, gap: int) -> None:
        self.pass_time(gap)
        self.tell(self.people.arrives(*self.people.under_way[0], self.now))

    @precondition(lambda self: self.people.rung)
    @rule(gap=gaps, data=st.data(), answers=st.sampled_from(["yes", "yes", "no", "caller leaves"]))
    def rung_phone(self, gap: int, data: st.DataObject, answers: str) -> None:
        self.pass_time(gap)
        rung = data.draw(st.sampled_from(self.people.rung))
        if answers == "yes":
            self.tell(self.people.reached(rung, self.now))
        elif answers == "no":
            self.now += APART
            self.tell(self.people.not_reached(rung, self.now))
        else:
            self.tell(self.people.caller_leaves_the_ringing(rung, self.now))

    @precondition(some(of_agents))
    @rule(gap=gaps, data=st.data())
    def agent_asks(self, gap: int, data: st.DataObject) -> None:
        self.pass_time(gap)
        talk = data.draw(st.sampled_from(self.of_agents()))
        self.tell(self.people.consult(talk, self.now, *self.target(data)))

    @precondition(lambda self: self.rung_consults() and self.free())
    @rule(gap=gaps, data=st.data())
    def asked_answers(self, gap: int, data: st.DataObject) -> None:
        self.pass_time(gap)
        consult = data.draw(st.sampled_from(self.rung_consults()))
        found = data.draw(st.sampled_from(self.free())) if consult.wait else None
        self.tell(self.people.asked_answers(consult, found, self.now))

    @precondition(some(consults))
    @rule(gap=gaps, data=st.data(), by_asked=st.booleans())
    def agent_is_back_from_asking(self, gap: int, data: st.DataObject, by_asked: bool) -> None:
        self.pass_time(gap)
        self.tell(
            self.people.come_back(data.draw(st.sampled_from(self.consults())), self.now, by_asked=by_asked)
        )

    @precondition(some(consults))
    @rule(gap=gaps, data=st.data(), late=st.booleans(), said=st.sampled_from(["transfer", "agent"]))
    def asker_leaves_them_together(self, gap: int, data: st.DataObject, late: bool, said: str) -> None:
        self.pass_time(gap)
        talk = data.draw(st.sampled_from(self.consults()))
        self.tell(self.people.join_them(talk, self.now, late=late, said=said))

    @precondition(some(answered_consults))
    @rule(gap=gaps, data=st.data())
    def three_way(self, gap: int, data: st.DataObject) -> None:
        self.pass_time(gap)
        self.tell(self.people.three_way(data.draw(st.sampled_from(self.answered_consults())), self.now))

    @precondition(some(three_ways))
    @rule(gap=gaps, data=st.data(), which=st.sampled_from([0, 1]))
    def one_of_three_leaves(self, gap: int, data: st.DataObject, which: int) -> None:
        self.pass_time(gap)
        talk = data.draw(st.sampled_from(self.three_ways()))
        self.tell(self.people.party_leaves(talk, talk.parties[which], self.now))

    @precondition(some(pairs))
    @rule(gap=gaps, data=st.data())
    def local_channels_are_taken_out(self, gap: int, data: st.DataObject) -> None:
        self.pass_time(gap)
        self.tell(self.people.see_through(data.draw(st.sampled_from(self.pairs())), self.now))

    @precondition(lambda self: self.heard)
    @rule(data=st.data())
    def nonsense_is_told(self, data: st.DataObject) -> None:
        """Words about channels and bridges that are nobody's change no row."""
        known = [one.uid for one in self.exchange.channels.values() if one.bridge] or ["node1-0.0"]
        stranger, there = "node1-0.0", data.draw(st.sampled_from(known))
        facts: list[Fact] = [
            Bridged(stranger, self.now, stranger, "PJSIP/9999-1", "9999", "bridge-of-strangers"),
            Unbridged(stranger, self.now, "bridge-of-strangers"),
            Unbridged(there, self.now, "another bridge"),
            Held(stranger, self.now),
            HandedOn(stranger, self.now),
        ]
        out = self.table.apply(data.draw(st.sampled_from(facts)))
        assert (out.entries, out.talks, out.calls, out.events) == ({}, {}, {}, [])

    # -- what must hold --------------------------------------------------------------------------------

    @invariant()
    def talks_are_what_happened(self) -> None:
        """Each talk that was heard has its row; of a queue's talk there is one in any case."""
        if not self.heard:
            return
        rows = list(self.rows.talks.values())
        for meeting in self.people.meetings:
            of_leg = [row for row in rows if leg_of(row) == meeting.leg and row.kind == meeting.kind]
            if not meeting.unsure:
                near = [row for row in of_leg if abs(row.answered_at - meeting.began_at) <= ONE_HAND]
                assert len(near) == 1, (meeting, of_leg)
                check_talk(near[0], meeting)
            elif meeting.kind is TalkKind.QUEUE:
                assert meeting.wait is not None
                of_wait = [row for row in rows if row.entry_id == meeting.wait.key]
                assert len(of_wait) == 1, (meeting, of_wait)
                check_what_queue_log_knows(of_wait[0], meeting, self.late)

    @invariant()
    def whoever_has_the_caller_has_a_row(self) -> None:
        """Also where nobody listened when it began; and nobody else has one that goes on."""
        if not self.heard:
            return
        going_on = {leg_of(row) for row in self.rows.talks.values() if row.ended_at is None}
        really = {one.leg for one in self.people.meetings if one.ended_at is None}
        assert going_on <= really, "a talk that is over has no end"
        for talk in self.people.conversations:
            for party in talk.parties:
                if talk.consult is None:
                    assert party.leg in going_on, party

    @invariant()
    def no_party_talks_twice_at_once(self) -> None:
        for _, of_leg in itertools.groupby(sorted(self.rows.talks.values(), key=leg_of), leg_of):
            line = sorted(of_leg, key=lambda row: (row.answered_at, row.ended_at is None))
            for row, following in itertools.pairwise(line):
                assert row.ended_at is not None and row.ended_at <= following.answered_at, (row, following)

    @invariant()
    def hold_is_part_of_the_talk(self) -> None:
        for row in self.rows.talks.values():
            if row.ended_at is not None:
                assert 0 <= row.hold_ms <= row.talk_ms
                assert abs(timedelta(milliseconds=row.talk_ms) - (row.ended_at - row.answered_at)) < ONE_HAND
        for entry in self.rows.entries.values():
            assert entry.closed_at is None or entry.hold_ms <= entry.talk_ms + 1000


def leg_of(row: TalkRecord) -> str:
    """The channel of the party."""
    return row.talk_id.rpartition(":")[0]


def check_talk(row: TalkRecord, meeting: Meeting) -> None:
    """A row of a talk that was heard from its beginning to now, or to its end."""
    assert (row.call_id, row.party, row.agent) == (meeting.call_id, meeting.party, meeting.agent)
    assert row.entry_id == (meeting.wait.key if meeting.wait else None)
    assert (row.ended_at is not None) == (meeting.ended_at is not None), (row, meeting)
    if row.ended_at is not None and meeting.ended_at is not None:
        assert abs(row.ended_at - meeting.ended_at) <= ONE_HAND, (row, meeting)
        assert row.ended_by in meeting.enders, (row, meeting)
        assert abs(timedelta(milliseconds=row.hold_ms) - meeting.held) <= ONE_HAND, (row, meeting)


def check_what_queue_log_knows(row: TalkRecord, meeting: Meeting, late: timedelta) -> None:
    """A row of a queue's own talk of which perhaps only queue_log told: to the second."""
    assert (row.call_id, row.party, row.agent) == (meeting.call_id, meeting.party, meeting.agent)
    assert row.kind == meeting.kind
    assert abs(row.answered_at - meeting.began_at) <= WHOLE_SECONDS + late
    assert (row.ended_at is not None) == (meeting.ended_at is not None), (row, meeting)
    seen = meeting.wait is not None and not meeting.wait.unseen
    if seen and row.ended_at is not None and meeting.ended_at is not None:
        assert abs(row.ended_at - meeting.ended_at) <= WHOLE_SECONDS + late, (row, meeting)


TalksMachine.TestCase.settings = examples(in_ci=120, steps=30)
TestTheTalks = TalksMachine.TestCase
