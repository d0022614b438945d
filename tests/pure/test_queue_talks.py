"""Who spoke with the caller, from who was in a bridge with whom."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.core.events import Outcome, Source, TalkEnded, TalkStarted
from hotline.queue.calls.table import CallTable
from hotline.queue.facts import (
    Abandoned,
    Bridged,
    Completed,
    Connected,
    Fact,
    HandedOn,
    Held,
    HungUp,
    Joined,
    Left,
    Moved,
    Restarted,
    Routed,
    Unbridged,
    Unheld,
)
from hotline.queue.from_ami import Withdrawals
from hotline.queue.routing import Routing
from hotline.store.ledger import CallRecord, EntryRecord, TalkRecord
from hotline.telephony.ami import events as ami

START = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
CALLER, ZHANG, LI, ONE, TWO = "n-1.0", "n-1.1", "n-1.4", "n-1.2", "n-1.3"
NAMES = {
    CALLER: "PJSIP/trunk-00000000",
    ZHANG: "PJSIP/8001-00000001",
    LI: "PJSIP/8002-00000002",
    ONE: "Local/8002@hotline-transfer-00000000;1",
    TWO: "Local/8002@hotline-transfer-00000000;2",
}
Q = "12345"


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def enter(channel: str, seconds: float, bridge: str) -> Bridged:
    return Bridged(channel, at(seconds), CALLER, NAMES[channel], "", bridge)


def leave(channel: str, seconds: float, bridge: str) -> Unbridged:
    return Unbridged(channel, at(seconds), bridge)


def table() -> CallTable:
    routing = Routing(lambda queue: queue, lambda token: (), {"zhang": "8001", "li": "8002"})
    return CallTable("n", routing, 5)


class Rows:
    """The rows as the database would hold them, and the events."""

    def __init__(self, target: CallTable, facts: list[Fact], source: Source = Source.LIVE) -> None:
        self.talks: dict[str, TalkRecord] = {}
        self.entries: dict[str, EntryRecord] = {}
        self.events: list[object] = []
        for fact in facts:
            out = target.apply(fact, source)
            self.talks |= out.talks
            self.entries |= out.entries
            self.events += out.events

    def kinds(self) -> list[tuple[str, str]]:
        return [(row.kind, row.party) for row in self.talks.values()]


ANSWERED: list[Fact] = [
    Routed(CALLER, at(0), CALLER, Q, Q, Q, ""),
    Joined(CALLER, at(0), Q, 1, "1380000"),
    Connected(CALLER, at(5), Q, "zhang", ZHANG, 5000, 1000),
    enter(ZHANG, 5, "a"),
    enter(CALLER, 5, "a"),
]
CONSULT: list[Fact] = [
    *ANSWERED,
    Held(ZHANG, at(10)),
    enter(ONE, 12, "b"),
    leave(ZHANG, 12, "a"),
    enter(ZHANG, 12, "b"),
    enter(LI, 15, "c"),
    enter(TWO, 15, "c"),
]
JOINED: list[Fact] = [
    *CONSULT,
    leave(ZHANG, 25, "b"),
    leave(ONE, 25, "b"),
    enter(ONE, 25, "a"),
    HandedOn(ZHANG, at(25)),
    Completed(CALLER, at(25), Q, "zhang", 20_000, "transfer"),
    HungUp(ZHANG, at(25)),
    leave(LI, 25.01, "c"),
    leave(ONE, 25.01, "a"),
    enter(LI, 25.01, "a"),
    HungUp(ONE, at(25.02)),
    HungUp(TWO, at(25.02)),
    leave(LI, 40, "a"),
    leave(CALLER, 40, "a"),
    HungUp(LI, at(40)),
    HungUp(CALLER, at(40)),
]


def test_a_consult_that_becomes_a_transfer() -> None:
    """Zhang's talk ends when Zhang leaves, on hold since the key; Li is first asked, then has the caller."""
    rows = Rows(table(), JOINED)
    assert rows.kinds() == [("queue", "8001"), ("consult", "8002"), ("transfer", "8002")]
    first, asked, last = rows.talks.values()
    assert (first.talk_ms, first.hold_ms, first.ended_by) == (20_000, 15_000, "transfer")
    assert (asked.talk_ms, asked.ended_at) == (10_000, at(25))
    assert (last.agent, last.answered_at, last.ended_at, last.ended_by) == ("li", at(25), at(40), "agent")
    (entry,) = rows.entries.values()
    assert (entry.talk_ms, entry.hold_ms) == (20_000, 15_000)
    begun = [event.talk_id for event in rows.events if isinstance(event, TalkStarted)]
    ended = [event.talk_id for event in rows.events if isinstance(event, TalkEnded)]
    assert sorted(begun) == sorted(ended) == sorted(rows.talks)


@pytest.mark.parametrize(("first", "second", "by"), [(CALLER, ZHANG, "caller"), (ZHANG, CALLER, "agent")])
@pytest.mark.parametrize("gone", [0, 1, 2])
def test_who_left_the_bridge_first_ended_the_talk(first: str, second: str, by: str, gone: int) -> None:
    """Whatever app_queue says, and however many of the two channels are gone before it says it."""
    parted = [leave(first, 30, "a"), leave(second, 30.001, "a")]
    hung_up: list[Fact] = [HungUp(channel, at(30.002)) for channel in (first, second)]
    hung_up.insert(gone, Completed(CALLER, at(30.002), Q, "zhang", 25_000, "caller"))
    (entry,) = Rows(table(), [*ANSWERED, *parted, *hung_up]).entries.values()
    assert (entry.talk_ms, entry.ended_by) == (25_002, by)


@pytest.mark.parametrize(("first", "second", "by"), [(CALLER, LI, "caller"), (LI, CALLER, "agent")])
def test_who_ended_a_talk_through_local_channels(first: str, second: str, by: str) -> None:
    """Zhang leaves the caller to a queue that rings; Li, whom it finds, is in a bridge with a Local one."""
    bridges = {CALLER: "a", LI: "c"}
    history: list[Fact] = [
        *CONSULT[:-2],
        Routed(TWO, at(12), CALLER, Q, Q, "12315", ""),
        Joined(TWO, at(12), "12315", 1, ""),
        leave(ZHANG, 14, "b"),
        leave(ONE, 14, "b"),
        enter(ONE, 14, "a"),
        HandedOn(ZHANG, at(14)),
        Completed(CALLER, at(14), Q, "zhang", 9_000, "transfer"),
        HungUp(ZHANG, at(14)),
        Connected(TWO, at(15), "12315", "li", LI, 3_000, 1_000),
        enter(LI, 15, "c"),
        enter(TWO, 15, "c"),
        leave(first, 30, bridges[first]),
        leave(second, 30.001, bridges[second]),
        Completed(TWO, at(30.002), "12315", "li", 15_000, "caller"),
    ]
    rows = Rows(table(), history)
    assert [row.ended_by for row in rows.entries.values()] == ["transfer", by]
    assert rows.kinds() == [("queue", "8001"), ("transfer", "8002")]
    assert list(rows.talks.values())[1].ended_by == by


def test_a_consult_that_is_given_up() -> None:
    """Back with the caller the hold is over, and the consult's row ends when Li's phone does."""
    back: list[Fact] = [
        leave(ZHANG, 25, "b"), enter(ZHANG, 25, "a"), Unheld(ZHANG, at(25)),
        leave(LI, 25, "c"), HungUp(LI, at(25)),
        Completed(CALLER, at(35), Q, "zhang", 30_000, "agent"),
    ]  # fmt: skip
    rows = Rows(table(), [*CONSULT, *back])
    first, asked = rows.talks.values()
    assert (first.talk_ms, first.hold_ms) == (30_000, 15_000)
    assert (asked.kind, asked.talk_ms) == ("consult", 10_000)


def restarted(facts: list[Fact]) -> CallTable:
    """The table of a server that was killed after ``facts`` and started again."""
    first = table()
    calls: dict[str, CallRecord] = {}
    rows = Rows(first, [])
    for fact in facts:
        out = first.apply(fact)
        calls |= out.calls
        rows.entries |= out.entries
        rows.talks |= out.talks
    second = table()
    second.restore(calls.values(), rows.entries.values(), rows.talks.values())
    return second


def test_a_hold_outlives_a_restart() -> None:
    """Who is on hold when the server dies is so until somebody says otherwise: live, or by the talk's end."""
    held: list[Fact] = [*ANSWERED, Held(ZHANG, at(10))]
    there: list[Fact] = [enter(ZHANG, 20, "a"), enter(CALLER, 20, "a")]
    over = Completed(CALLER, at(40), Q, "zhang", 35_000, "agent")
    (talk,) = Rows(restarted(held), [*there, Unheld(ZHANG, at(30)), over]).talks.values()
    assert (talk.talk_ms, talk.hold_ms, talk.held_since) == (35_000, 20_000, None)
    (talk,) = Rows(restarted(held), [over], Source.QUEUE_LOG).talks.values()
    assert (talk.talk_ms, talk.hold_ms) == (35_000, 30_000)


def test_the_hold_of_a_consult_ends_with_it_also_over_a_restart() -> None:
    """Zhang is back with the caller when the server has started: nobody says that the hold is over."""
    there: list[Fact] = [enter(ZHANG, 30, "a"), enter(CALLER, 30, "a")]
    over = Completed(CALLER, at(40), Q, "zhang", 35_000, "agent")
    talk = Rows(restarted(CONSULT), [*there, over]).talks[f"{ZHANG}:1"]
    assert (talk.talk_ms, talk.hold_ms) == (35_000, 20_000)


def test_a_three_way_ends_the_hold_and_outlives_the_first_agent() -> None:
    """With Zhang in the bridge again Li's talk is a three-way, whoever entered first."""
    rows = Rows(
        table(),
        [
            *CONSULT,
            leave(ONE, 25, "b"), enter(ONE, 25, "a"), leave(ZHANG, 25, "b"), enter(ZHANG, 25, "a"),
            HandedOn(ZHANG, at(25)),
            leave(ZHANG, 30, "a"), Completed(CALLER, at(30), Q, "zhang", 25_000, "agent"),
            HungUp(ZHANG, at(30)),
            leave(CALLER, 33, "a"), leave(LI, 33.01, "c"), HungUp(LI, at(33.1)), HungUp(CALLER, at(33.1)),
        ],
    )  # fmt: skip
    assert rows.kinds() == [("queue", "8001"), ("consult", "8002"), ("three_way", "8002")]
    first, _, third = rows.talks.values()
    assert (first.hold_ms, first.talk_ms, first.ended_by) == (15_000, 25_000, "agent")
    assert (third.talk_ms, third.ended_by) == (8_010, "caller")


def test_hold_by_the_exchange_counts_as_hold_by_the_phone_does() -> None:
    """The caller hears music because the agent pressed the key, not the phone's button."""
    held: list[Fact] = [
        *ANSWERED,
        Held(CALLER, at(10), by_exchange=True), Unheld(CALLER, at(14), by_exchange=True),
        Held(ZHANG, at(20)), Unheld(ZHANG, at(21)),
        Held(CALLER, at(22)), Unheld(CALLER, at(29)),  # the citizen's own button: nobody keeps them waiting
        Completed(CALLER, at(30), Q, "zhang", 25_000, "caller"),
    ]  # fmt: skip
    (entry,) = Rows(table(), held).entries.values()
    assert entry.hold_ms == 5_000


@pytest.mark.parametrize("late", [False, True], ids=["transfer first", "end first"])
def test_a_transfer_that_the_queue_takes_for_a_hang_up(late: bool) -> None:
    """app_queue says that the agent hung up; the transfer is told just before, or just after."""
    handed, ended = HandedOn(ZHANG, at(25)), Completed(CALLER, at(25), Q, "zhang", 20_000, "agent")
    rows = Rows(table(), [*CONSULT, *((ended, handed) if late else (handed, ended))])
    (entry,) = rows.entries.values()
    assert entry.ended_by == "transfer" and next(iter(rows.talks.values())).ended_by == "transfer"


def test_a_caller_who_is_back_at_once_is_a_second_visit() -> None:
    """Handed on to nobody: the same queue within a second, by both sources, and the end of the talk last."""
    facts: list[Fact] = [
        Joined(CALLER, at(0), Q, 1, ""),
        Connected(CALLER, at(0.4), Q, "zhang", ZHANG, 0, 0),
        Joined(CALLER, at(0.9), Q, 1, ""),
        Completed(CALLER, at(0.91), Q, "zhang", 0, "transfer"),
    ]
    calls = table()
    live = Rows(calls, facts)
    assert [(row.visit, row.outcome, row.ended_by) for row in live.entries.values()] == [
        (1, "answered", "transfer"), (2, None, None),
    ]  # fmt: skip
    log: list[Fact] = [
        Joined(CALLER, at(0), Q, 1, ""),
        Connected(CALLER, at(0), Q, "zhang", ZHANG, 0, 0),
        Completed(CALLER, at(1), Q, "zhang", 0, "transfer"),
        Joined(CALLER, at(1), Q, 1, ""),
    ]
    assert Rows(calls, log, Source.QUEUE_LOG).entries == {} and not calls.illegal
    told = Rows(table(), log, Source.QUEUE_LOG).entries
    assert [(row.visit, row.outcome) for row in told.values()] == [(1, "answered"), (2, None)]


def test_a_second_visit_begins_though_the_first_is_known_from_queue_log_only() -> None:
    """The server was started during the talk; the transfer's end is told after the caller waits again."""
    calls = table()
    answered: list[Fact] = [
        Joined(CALLER, at(0), Q, 1, ""),
        Connected(CALLER, at(1), Q, "zhang", ZHANG, 1, 1),
    ]
    Rows(calls, answered, Source.QUEUE_LOG)
    live: list[Fact] = [
        Joined(CALLER, at(4.2), Q, 1, ""),
        Completed(CALLER, at(4.5), Q, "zhang", 3000, "transfer"),
        Connected(CALLER, at(6), Q, "li", LI, 2000, 1000),
        enter(LI, 6, "b"),
        enter(CALLER, 6, "b"),
    ]
    rows = Rows(calls, live)
    assert {(row.visit, row.agent) for row in rows.entries.values()} == {(1, "zhang"), (2, "li")}
    assert [(row.kind, row.agent) for row in rows.talks.values()] == [("queue", "zhang"), ("queue", "li")]


def test_a_wait_found_in_the_exchanges_list_and_told_by_its_event_is_one() -> None:
    """After a reconnection the list says in whole seconds when it began; the event may come after it."""
    calls = table()
    asked = Rows(calls, [Joined(CALLER, at(0.3), Q, 1, ""), Joined(CALLER, at(1.1), Q, 1, "")])
    assert [row.visit for row in asked.entries.values()] == [1]
    later = Rows(calls, [Joined(CALLER, at(9), Q, 1, "")])
    assert [row.visit for row in later.entries.values()] == [1, 2], (
        "its end was missed, and this is another wait"
    )


def on_caller(seconds: float) -> dict[str, object]:
    return {
        "at": at(seconds), "channel": NAMES[CALLER], "uniqueid": CALLER, "linkedid": CALLER,
        "caller_number": "", "caller_name": "", "context": "", "exten": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "fields", "outcome"),
    [
        ("HotlineExit", {"Queue": Q, "Status": "TIMEOUT"}, Outcome.TIMEOUT),
        ("HotlineExit", {"Queue": Q, "Status": "WITHDRAW"}, Outcome.TRANSFERRED),
        ("HotlineMoved", {}, Outcome.TRANSFERRED),
        ("HotlineQueue", {"Queue": "12333", "Line": Q}, Outcome.TRANSFERRED),
        ("", {}, Outcome.ABANDONED),
    ],
)
def test_what_follows_says_why_a_wait_ended(name: str, fields: dict[str, str], outcome: Outcome) -> None:
    """app_queue calls each of these abandoned; only who hangs up has given up."""
    calls, withdrawals = table(), Withdrawals()
    rows = Rows(calls, [Joined(CALLER, at(0), Q, 1, "")])
    gone = ami.QueueCallerAbandon(**on_caller(9), queue=Q, position=1, original_position=1, hold_seconds=9)  # type: ignore[arg-type]
    next_word: ami.AmiEvent = (
        ami.UserEvent(**on_caller(9.01), name=name, fields=fields)  # type: ignore[arg-type]
        if name
        else ami.Hangup(**on_caller(9.01), cause=16, cause_text="")  # type: ignore[arg-type]
    )
    for event in (gone, next_word):
        for fact in withdrawals.facts(event):
            rows.entries |= calls.apply(fact).entries
    (row,) = rows.entries.values()
    assert row.outcome == outcome


def test_queue_log_alone_knows_who_was_moved() -> None:
    """ABANDON and then a sign of life is no abandon; without one it is."""
    gone: list[Fact] = [Joined(CALLER, at(0), Q, 1, ""), Abandoned(CALLER, at(9), Q, 9000)]
    (row,) = Rows(table(), gone, Source.QUEUE_LOG).entries.values()
    assert row.outcome == Outcome.ABANDONED
    (row,) = Rows(table(), [*gone, Moved(CALLER, at(9))], Source.QUEUE_LOG).entries.values()
    assert row.outcome == Outcome.TRANSFERRED


def test_a_queue_that_refuses_again_and_again_offers_each_time() -> None:
    """Full twice, two seconds apart as queue_log counts them, is two rows."""
    full: list[Fact] = [Left(CALLER, at(seconds), Q, Outcome.FULL) for seconds in (0, 2)]
    assert [row.visit for row in Rows(table(), full, Source.QUEUE_LOG).entries.values()] == [1, 2]
    assert [row.visit for row in Rows(table(), full).entries.values()] == [1, 2]


def test_calls_end_when_the_exchange_fell_silent() -> None:
    """Not when it was back, and only those of before."""
    calls = table()
    Rows(calls, ANSWERED)
    calls.link_lost(at(20))
    rows = Rows(calls, [Restarted(at(50))], Source.QUEUE_LOG)
    (entry,), (talk,) = rows.entries.values(), rows.talks.values()
    assert (entry.closed_at, entry.outcome, entry.ended_by) == (at(20), "answered", "unknown")
    assert talk.ended_at == at(20) and calls.live_calls() == ()


@given(st.lists(st.sampled_from([*JOINED, *CONSULT, Restarted(at(50)), Moved(CALLER, at(3))]), max_size=60))
def test_no_order_of_bridges_breaks_the_talks(history: list[Fact]) -> None:
    """Doubled, lost and disordered facts never raise; a talk holds no longer than it lasts."""
    rows = Rows(table(), history)
    for row in rows.talks.values():
        if row.ended_at is not None:
            assert row.ended_at >= row.answered_at and 0 <= row.hold_ms <= row.talk_ms
