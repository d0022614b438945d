"""The books of a citizen called back: live, from queue_log alone, and after a restart in the middle."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hotline.core.events import CallbackOutcome, CallEnded, CallStarted, Source, TalkEnded, TalkStarted
from hotline.queue.calls.outbox import Outbox
from hotline.queue.calls.table import CallTable
from hotline.queue.facts import (
    Bridged,
    CallbackFact,
    CallbackOver,
    CalledBack,
    Fact,
    Held,
    HungUp,
    Reached,
    Unbridged,
    Unheld,
)
from hotline.queue.queue_log.reader import parse_line
from hotline.queue.routing import Routing
from hotline.store.ledger import CallRecord, TalkRecord

START = datetime.fromtimestamp(1_795_000_000, UTC)
BACK, CITIZEN, FIRST = "n-callback-8001-1795000000000.1", "n-1.7", "n-1.0"
PHONE = {BACK: "PJSIP/8001-00000001", CITIZEN: "PJSIP/trunk-00000002"}


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def bridged(channel: str, seconds: float) -> Bridged:
    return Bridged(channel, at(seconds), BACK, PHONE[channel], "", "b")


CALLING: list[Fact] = [CalledBack(BACK, at(0), FIRST, "zhang", "12333", "13800001234")]
TALKING: list[Fact] = [
    *CALLING,
    Reached(CITIZEN, at(5), BACK),
    bridged(BACK, 5),
    bridged(CITIZEN, 5),
    Held(CITIZEN, at(10), by_exchange=True),
    Unheld(CITIZEN, at(14), by_exchange=True),
]


class Books:
    """A table, and the rows as the database would hold them."""

    def __init__(self) -> None:
        routing = Routing(lambda queue: queue, lambda token: (), {"zhang": "8001"}, {"12333": "rs"})
        self.table = CallTable("n", routing, 5)
        self.calls: dict[str, CallRecord] = {}
        self.talks: dict[str, TalkRecord] = {}
        self.offered = 0
        self.events: list[object] = []

    def take(self, *facts: Fact, source: Source = Source.LIVE) -> Books:
        for fact in facts:
            self.keep(self.table.apply(fact, source))
        return self

    def keep(self, out: Outbox) -> None:
        self.calls |= out.calls
        self.talks |= out.talks
        self.offered += len(out.entries)
        self.events += out.events

    def restarted(self) -> Books:
        """The next server, which has read the rows."""
        new = Books()
        new.table.restore(self.calls.values(), [], self.talks.values())
        new.calls, new.talks = dict(self.calls), dict(self.talks)
        return new

    @property
    def call(self) -> CallRecord:
        return self.calls[BACK]

    @property
    def talk(self) -> TalkRecord:
        (row,) = self.talks.values()
        return row


def test_a_citizen_who_answers_is_a_talk_of_the_agent_who_called() -> None:
    """One talk with its hold, ended by who left first; nobody was offered; the line's wrap-up follows."""
    books = Books().take(*TALKING)
    (view,) = books.table.live_calls()
    assert (view.call_id, view.callback_of, view.agent, view.line) == (BACK, FIRST, "zhang", "12333")
    assert books.table.queue_of(BACK) == "rs"
    books.take(Unbridged(CITIZEN, at(20), "b"), HungUp(CITIZEN, at(20)))
    books.take(CallbackOver(BACK, at(20), CallbackOutcome.ANSWERED, "caller"))
    books.take(HungUp(BACK, at(20.1)))
    talk = books.talk
    assert (talk.kind, talk.agent, talk.party, talk.call_id) == ("callback", "zhang", "8001", BACK)
    assert (talk.answered_at, talk.ended_at, talk.ended_by) == (at(5), at(20), "caller")
    assert (talk.talk_ms, talk.hold_ms, books.offered) == (15_000, 4_000, 0)
    call = books.call
    assert (call.callback_of, call.callback_agent, call.callback_outcome) == (FIRST, "zhang", "answered")
    assert (call.caller_number, call.ended_at) == ("13800001234", at(20))
    assert [type(one) for one in books.events] == [CallStarted, TalkStarted, TalkEnded, CallEnded]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("BUSY", "busy"), ("NOANSWER", "no_answer"), ("CANCEL", "cancelled"), ("CHANUNAVAIL", "failed")],
)
def test_a_citizen_who_is_not_reached_is_a_row_without_a_talk(status: str, outcome: str) -> None:
    """The attempt is on record with what came of it; no wrap-up follows."""
    over = parse_line(f"1795000009|{BACK}|NONE|NONE|HOTLINECALLBACKOVER|{status}|agent")
    assert isinstance(over, CallbackOver)
    books = Books().take(*CALLING, over)
    assert books.table.queue_of(BACK) == ""
    books.take(HungUp(BACK, at(9)))
    assert (books.call.callback_outcome, books.call.ended_at, books.talks) == (outcome, at(9), {})
    assert not books.table.live_calls()


def test_queue_log_alone_tells_the_whole_callback() -> None:
    """As if nobody had listened: begun, reached and over, in whole seconds."""
    lines = (
        f"1795000000|{BACK}|NONE|zhang|HOTLINECALLBACK|{FIRST}|12333|13800001234",
        f"1795000005|{CITIZEN}|NONE|NONE|HOTLINEREACHED|{BACK}",
        f"1795000020|{BACK}|NONE|NONE|HOTLINECALLBACKOVER|ANSWER|agent",
    )
    facts = [fact for line in lines if isinstance(fact := parse_line(line), CallbackFact)]
    books = Books().take(*facts, source=Source.QUEUE_LOG)
    books.keep(books.table.reconcile(at(60), {}))
    talk = books.talk
    assert (talk.answered_at, talk.ended_at, talk.ended_by) == (at(5), at(20), "agent")
    assert (talk.source, books.call.callback_outcome) == ("queue_log", "answered")
    live = Books().take(*TALKING, HungUp(BACK, at(20)), HungUp(CITIZEN, at(20)))
    before = (dict(live.calls), dict(live.talks))
    live.take(*facts, source=Source.QUEUE_LOG)
    assert (live.calls, live.talks) == before, "what is told twice changes the rows"


def test_a_restart_in_the_talk_changes_nothing_of_its_row() -> None:
    """The new server finds the citizen's channel again and ends the talk when it goes."""
    books = Books().take(*TALKING).restarted()
    books.keep(books.table.reconcile(at(30), {BACK: BACK, CITIZEN: BACK}))
    books.take(bridged(BACK, 30), bridged(CITIZEN, 30), HungUp(CITIZEN, at(40)))
    talk = books.talk
    assert (talk.kind, talk.answered_at, talk.ended_at) == ("callback", at(5), at(40))
    assert (talk.hold_ms, books.call.ended_at) == (4_000, at(40))


def test_a_callback_that_ended_while_nobody_listened_ends_when_queue_log_says() -> None:
    """And one whose agent has gone, but whose citizen talks on with somebody else, is alive."""
    books = Books().take(*TALKING).restarted()
    over = CallbackOver(BACK, at(25), CallbackOutcome.ANSWERED, "caller")
    books.take(over, source=Source.QUEUE_LOG)
    handed_on = books.restarted()
    books.keep(books.table.reconcile(at(60), {}))
    assert (books.talk.ended_at, books.talk.ended_by) == (at(25), "caller")
    handed_on.keep(handed_on.table.reconcile(at(60), {CITIZEN: BACK}))
    assert [call.call_id for call in handed_on.table.live_calls()] == [BACK]
