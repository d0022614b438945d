"""The call table against what callers and agents did."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotline.core.events import CallAnswered, EntryClosed, Outcome, Source
from hotline.queue.calls.outbox import Outbox
from hotline.queue.calls.table import CallTable
from hotline.queue.facts import (
    Abandoned,
    Announced,
    Completed,
    Connected,
    Fact,
    HungUp,
    Joined,
    Left,
    Moved,
    Rang,
    RingEnded,
    Routed,
)
from hotline.queue.routing import Routing
from hotline.store.ledger import CallRecord, EntryRecord, RowMoment, TalkRecord

START = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
UID = "node1-100.1"
Q = "12315"


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def table() -> CallTable:
    return CallTable("node1", Routing(lambda queue: queue, lambda token: tuple(token.split("."))), 5)


class Rows:
    """The rows as the database would hold them."""

    def __init__(self) -> None:
        self.entries: dict[str, EntryRecord] = {}
        self.calls: dict[str, CallRecord] = {}
        self.talks: dict[str, TalkRecord] = {}
        self.events: list[object] = []
        self.moments: list[tuple[RowMoment, str]] = []

    def take(self, out: Outbox) -> None:
        self.entries.update(out.entries)
        self.calls.update(out.calls)
        self.talks.update(out.talks)
        self.events.extend(out.events)
        self.moments.extend(out.moments)


def play(target: CallTable, facts: list[Fact], source: Source = Source.LIVE) -> Rows:
    rows = Rows()
    for fact in facts:
        rows.take(target.apply(fact, source))
    return rows


def arrival(uid: str = UID) -> list[Fact]:
    return [
        Announced(uid, at(0), uid, "12315", "12315", "13800001234", "李", "zh-CN"),
        Routed(uid, at(4), uid, "12315", "12315", Q, "main.1", "en"),
        Joined(uid, at(4.25), Q, 1, "13800001234"),
    ]


ANSWERED: list[Fact] = [
    *arrival(),
    Rang(UID, at(5), Q, "1001", at(5)),
    RingEnded(UID, at(25), Q, "1001", 20_000, at(5)),
    Rang(UID, at(26), Q, "1002", at(26)),
    Connected(UID, at(29.5), Q, "1002", "node1-100.2", 25_000, 3_000),
    Completed(UID, at(89.75), Q, "1002", 60_000, "caller"),
    HungUp(UID, at(89.8)),
]
"""A call that rang in vain at one agent and was answered by the next."""

SAME_IN_QUEUE_LOG: list[Fact] = [
    Routed(UID, at(4), UID, "12315", "12315", Q, "main.1", "en"),
    Joined(UID, at(4), Q, 1, "13800001234"),
    RingEnded(UID, at(25), Q, "1001", 20_000, at(5)),
    Connected(UID, at(29), Q, "1002", "node1-100.2", 25_000, 3_000),
    Completed(UID, at(89), Q, "1002", 60_000, "caller"),
]


def test_an_answered_call_has_one_row_with_its_times_in_milliseconds() -> None:
    """Menu, wait, ring and talk are what the clocks said, and the row is closed once."""
    rows = play(table(), ANSWERED)
    (row,) = rows.entries.values()
    assert row.outcome == Outcome.ANSWERED and row.agent == "1002"
    assert (row.wait_ms, row.ring_ms, row.talk_ms) == (25_250, 3_500, 60_250)
    assert row.unanswered_rings == 1 and row.ended_by == "caller"
    assert [type(event) for event in rows.events].count(EntryClosed) == 1
    assert rows.calls[UID].menu_path == "main > 1" and rows.calls[UID].ended_at == at(89.8)


def test_the_end_of_an_earlier_talk_with_the_same_agent_read_again_ends_no_other() -> None:
    """Handed to a queue, back to the same agent, a kill: queue_log says again how the first talk ended."""
    before = play(
        table(),
        [
            *arrival(),
            Connected(UID, at(29.5), Q, "1002", "node1-100.2", 25_000, 3_000),
            Completed(UID, at(34.5), Q, "1002", 5_000, "transfer"),
            Joined(UID, at(34.6), Q, 1, ""),
            Connected(UID, at(36.2), Q, "1002", "node1-100.3", 2_000, 1_000),
        ],
    )
    calls = table()
    calls.restore(before.calls.values(), before.entries.values())
    first, second = before.entries
    after = play(calls, [Completed(UID, at(34), Q, "1002", 5_000, "transfer")], Source.QUEUE_LOG)
    assert after.entries == {}
    after = play(calls, [Completed(UID, at(40), Q, "1002", 4_000, "caller")], Source.QUEUE_LOG)
    row = after.entries[second]
    assert first not in after.entries
    assert (row.closed_at, row.talk_ms, row.ended_by) == (at(40), 4_000, "caller")


def handed_to_the_own_queue() -> tuple[list[Fact], list[Fact]]:
    """Two visits to one queue, live up to a moment of the second talk, and what queue_log wrote meanwhile.

    app_queue writes of a transfer to a queue only when the caller waits there already.
    """
    live: list[Fact] = [
        *arrival(),
        Connected(UID, at(5.5), Q, "1001", "node1-100.2", 1_000, 1_000),
        Moved(UID, at(9.25)),
        Routed(UID, at(9.26), UID, "12315", "12315", Q, "", "en"),
        Joined(UID, at(9.28), Q, 1, "13800001234"),
        Completed(UID, at(9.29), Q, "1001", 4_000, "transfer"),
        Connected(UID, at(10.04), Q, "1002", "node1-100.3", 1_000, 1_000),
    ]
    return live, [replace(fact, at=fact.at.replace(microsecond=0)) for fact in live[1:]]


@pytest.mark.parametrize("read", range(9))
@pytest.mark.parametrize("heard", [4, 5, 6, 7, 8, 9])
def test_a_talk_of_a_second_visit_lives_through_a_restart_wherever_reading_stood(
    heard: int, read: int
) -> None:
    """queue_log is read on behind the second wait, or before it: the first talk's end is not the second's."""
    live, logged = handed_to_the_own_queue()
    earlier, rows = table(), Rows()
    for fact in live[:heard]:
        rows.take(earlier.apply(fact))
    for fact in logged[:read]:
        rows.take(earlier.apply(fact, Source.QUEUE_LOG))
    calls = table()
    calls.restore(rows.calls.values(), rows.entries.values(), rows.talks.values())
    for fact in [*logged[read:], Completed(UID, at(14), Q, "1002", 4_000, "agent")]:
        rows.take(calls.apply(fact, Source.QUEUE_LOG))
    first, second = rows.entries.values()
    assert (first.agent, first.ended_by) == ("1001", "transfer") and first.closed_at is not None
    assert abs(first.closed_at - at(9.28)) <= timedelta(seconds=1)
    assert (second.agent, second.ended_by, second.closed_at) == ("1002", "agent", at(14))
    assert second.talk_ms == 4_000 and abs(second.joined_at - at(9.28)) <= timedelta(seconds=1)
    assert [talk.ended_at for talk in rows.talks.values()] == [first.closed_at, second.closed_at]
    assert not calls.illegal


def test_a_talk_that_was_told_late_ends_though_one_of_the_same_agent_is_nearer() -> None:
    """The first is long over: the end told now cannot be its own, wherever the second seems to begin."""
    calls = table()
    first: list[Fact] = [
        Joined(UID, at(4), Q, 1, ""),
        Connected(UID, at(5), Q, "1002", "node1-100.2", 1_000, 0),
        Completed(UID, at(6), Q, "1002", 1_000, "transfer"),
    ]
    rows = play(calls, first, Source.QUEUE_LOG)
    second: list[Fact] = [
        Joined(UID, at(12.9), Q, 1, ""),  # it was at 6
        Connected(UID, at(13), Q, "1002", "node1-100.3", 0, 0),
        Completed(UID, at(440), Q, "1002", 433_000, "caller"),
    ]
    for fact in second:
        rows.take(calls.apply(fact))
    assert [row.closed_at for row in rows.entries.values()] == [at(6), at(440)] and not calls.illegal


def test_a_wait_that_queue_log_shows_to_be_over_says_so() -> None:
    """Told live to the answer; then only queue_log tells, and of the next wait first: whole seconds."""
    live, logged = handed_to_the_own_queue()
    calls = table()
    rows = play(calls, live[:4])
    for fact in logged[3:]:
        rows.take(calls.apply(fact, Source.QUEUE_LOG))
    first = next(iter(rows.entries.values()))
    assert (first.closed_at, first.ended_by, first.source) == (at(9), "transfer", Source.QUEUE_LOG)


def test_who_was_answered_while_the_exchange_was_asked_is_no_new_wait() -> None:
    """The list of those who wait is a moment old: queue_log has told since that an agent answered."""
    before = play(table(), arrival())
    calls = table()
    calls.restore(before.calls.values(), before.entries.values())
    play(calls, SAME_IN_QUEUE_LOG[:4], Source.QUEUE_LOG)
    assert calls.knows_wait(UID, Q, at(4.9)), "the list has whole seconds"
    assert not calls.knows_wait(UID, Q, at(120)), "the same caller, back in the queue"
    play(calls, SAME_IN_QUEUE_LOG[4:], Source.QUEUE_LOG)
    assert not calls.knows_wait(UID, Q, at(90.5))


def test_the_language_goes_along_with_the_call_and_each_of_its_waits() -> None:
    """Chosen in the menu, it replaces the line's; a later wait, a restart and queue_log alone know it too."""
    calls = table()
    rows = play(calls, [*arrival()])
    assert calls.live_calls()[0].language == "en"
    second = table()
    second.restore(rows.calls.values(), rows.entries.values())
    later = play(second, [Left(UID, at(64), Q, Outcome.TIMEOUT), Joined(UID, at(64.5), "12345", 1, "")])
    assert {entry.language for entry in later.entries.values()} == {"en"}
    told = play(table(), SAME_IN_QUEUE_LOG, Source.QUEUE_LOG)
    assert {told.calls[UID].language, *(entry.language for entry in told.entries.values())} == {"en"}
    gone = play(table(), [arrival()[0], HungUp(UID, at(3))])
    assert gone.calls[UID].language == "zh-CN", "who hung up before a menu speaks what the line's callers do"


@pytest.mark.parametrize(
    ("leaves_after", "outcome"), [(3.0, Outcome.SHORT_ABANDON), (12.0, Outcome.ABANDONED)]
)
def test_a_caller_who_gives_up_is_abandoned_or_short(leaves_after: float, outcome: Outcome) -> None:
    """Leaving before the site's limit is counted apart."""
    gone = at(4.25 + leaves_after)
    rows = play(table(), [*arrival(), Abandoned(UID, gone, Q, int(leaves_after) * 1000), HungUp(UID, gone)])
    (row,) = rows.entries.values()
    assert row.outcome == outcome and row.wait_ms == leaves_after * 1000


def test_abandoning_while_a_phone_rings_closes_the_row() -> None:
    """A phone that rings does not keep a caller who is gone."""
    rows = play(table(), [*arrival(), Rang(UID, at(6), Q, "1001", at(6)), Abandoned(UID, at(20), Q, 16_000)])
    assert [row.outcome for row in rows.entries.values()] == [Outcome.ABANDONED]


def test_a_queue_that_lets_nobody_in_still_counts_an_offered_call() -> None:
    """Full is a class of offered calls, not a hole."""
    calls = table()
    facts: list[Fact] = [*arrival()[:2], Left(UID, at(4.2), Q, Outcome.FULL)]
    rows = play(calls, facts)
    (row,) = rows.entries.values()
    assert row.outcome == Outcome.FULL and row.closed_at is not None


def test_waiting_in_a_second_queue_after_a_time_out_makes_a_second_row() -> None:
    """Overflow offers the caller twice, once to each queue, and both rows are closed."""
    facts: list[Fact] = [
        *arrival(),
        Left(UID, at(64), Q, Outcome.TIMEOUT),
        Joined(UID, at(64.5), "12345", 1, ""),
        Connected(UID, at(70), "12345", "1001", "node1-100.9", 5_000, 2_000),
        Completed(UID, at(80), "12345", "1001", 10_000, "agent"),
    ]
    rows = play(table(), facts)
    assert [row.outcome for row in rows.entries.values()] == [Outcome.TIMEOUT, Outcome.ANSWERED]


def test_queue_log_alone_rebuilds_the_row_in_whole_seconds() -> None:
    """An outage costs fractions of a second, nothing else; the row says where it comes from."""
    (live,) = play(table(), ANSWERED).entries.values()
    (recovered,) = play(table(), SAME_IN_QUEUE_LOG, Source.QUEUE_LOG).entries.values()
    assert recovered.entry_id == live.entry_id and recovered.outcome == live.outcome
    assert (recovered.line, recovered.agent, recovered.unanswered_rings) == ("12315", "1002", 1)
    assert (recovered.wait_ms, recovered.talk_ms) == (25_000, 60_000)
    assert recovered.source == "queue_log"


def test_reading_queue_log_after_live_events_changes_nothing() -> None:
    """Every line that repeats an event is known again."""
    calls = table()
    live = play(calls, ANSWERED)
    again = play(calls, SAME_IN_QUEUE_LOG, Source.QUEUE_LOG)
    assert again.events == [] and not calls.illegal
    assert all(row == live.entries[key] for key, row in again.entries.items())


@given(cut=st.integers(1, len(ANSWERED) - 1))
@settings(deadline=None)
def test_wherever_the_server_dies_the_row_ends_the_same(cut: int) -> None:
    """Live up to the kill, restored from the rows, the rest from queue_log: same class, agent and rings."""
    before = play(table(), ANSWERED[:cut])
    second = table()
    second.restore(before.calls.values(), before.entries.values())
    after = play(second, SAME_IN_QUEUE_LOG, Source.QUEUE_LOG)
    rows = {**before.entries, **after.entries}
    (row,) = rows.values()
    assert row.outcome == Outcome.ANSWERED and row.agent == "1002" and row.closed_at is not None
    assert abs(row.wait_ms - 25_250) <= 1000 and abs(row.talk_ms - 60_250) <= 1000
    assert row.unanswered_rings == 1


def test_phones_that_rang_unheard_are_each_counted() -> None:
    """The server came back while two phones rang: both ends count, told live or read in queue_log."""
    ends: list[Fact] = [RingEnded(UID, at(25), Q, agent, 20_000, at(5)) for agent in ("1001", "1002")]
    for source in Source:
        rows = play(table(), [*arrival(), *ends], source)
        assert [row.unanswered_rings for row in rows.entries.values()] == [2]


def test_whose_ring_was_counted_is_known_after_a_restart() -> None:
    """The server was killed between two ends of a second: queue_log's first is known, the second is not."""
    first, second = (RingEnded(UID, at(25), Q, agent, 20_000, at(5)) for agent in ("1001", "1002"))
    before = play(table(), [*arrival(), first])
    calls = table()
    calls.restore(before.calls.values(), before.entries.values())
    (row,) = play(calls, [first, second], Source.QUEUE_LOG).entries.values()
    assert row.unanswered_rings == 2


def test_a_ring_read_late_does_not_end_the_next_one() -> None:
    """queue_log tells of the first ring while the same phone rings again: counted once, and it rings on."""
    target = table()
    first = RingEnded(UID, at(25), Q, "1001", 20_000, at(5))
    play(
        target, [*arrival(), Rang(UID, at(5), Q, "1001", at(5)), first, Rang(UID, at(30), Q, "1001", at(30))]
    )
    assert target.apply(first, Source.QUEUE_LOG).entries == {}
    rows = play(target, [RingEnded(UID, at(50), Q, "1001", 20_000, at(30))])
    assert [row.unanswered_rings for row in rows.entries.values()] == [2]


def test_back_in_the_same_queue_within_a_second_of_a_restart() -> None:
    """queue_log had told of the first wait before the kill: what it tells now is of the second."""
    lines: list[Fact] = [
        Joined(UID, at(4), Q, 1, "13800001234"),
        Connected(UID, at(4), Q, "1001", "node1-104.2", 0, 0),
        Completed(UID, at(5), Q, "1001", 1_000, "transfer"),
        Joined(UID, at(5), Q, 1, "13800001234"),
        Connected(UID, at(7), Q, "1002", "node1-106.3", 2_000, 1_000),
        Completed(UID, at(60), Q, "1002", 53_000, "caller"),
    ]
    calls = table()
    before = play(calls, arrival())
    play(calls, lines[:1], Source.QUEUE_LOG)
    after = table()
    after.restore(before.calls.values(), before.entries.values(), (), at(4))
    first, second = play(after, lines[1:], Source.QUEUE_LOG).entries.values()
    assert (first.agent, first.ended_by, second.agent, second.wait_ms) == ("1001", "transfer", "1002", 2_000)


@pytest.mark.parametrize("late", [0.0, 4.0])
def test_a_ring_read_in_queue_log_before_its_events_come_is_counted_once(late: float) -> None:
    """The server came back as a busy phone was called; when it is called again, that counts."""
    target = table()
    busy = RingEnded(UID, at(25), Q, "1001", 0, at(25))
    play(target, [*arrival(), busy], Source.QUEUE_LOG)
    echoes: list[Fact] = [
        Rang(UID, at(25.4 + late), Q, "1001", at(25)),
        RingEnded(UID, at(25.4 + late), Q, "1001", 0, at(25)),
    ]
    assert play(target, echoes).entries == {}
    again: list[Fact] = [
        Rang(UID, at(26.4 + late), Q, "1001", at(26)),
        RingEnded(UID, at(26.4 + late), Q, "1001", 0, at(26)),
    ]
    (row,) = play(target, again).entries.values()
    assert row.unanswered_rings == 2
    read_later: list[Fact] = [busy, RingEnded(UID, at(26), Q, "1001", 0, at(26))]
    assert play(target, read_later, Source.QUEUE_LOG).entries == {}


def test_a_call_that_lives_through_a_restart_is_announced_anew_for_hearing() -> None:
    """After the link is back the taps can begin again, with the agent's channel found among the living."""
    before = play(table(), ANSWERED[:-2])
    second = table()
    second.restore(before.calls.values(), before.entries.values())
    out = second.reconcile(at(40), {UID: UID, "node1-100.2": UID})
    (event,) = out.events
    assert isinstance(event, CallAnswered) and event.agent_uniqueid == "node1-100.2"


def test_a_call_that_vanished_unseen_is_closed_at_the_reconciliation() -> None:
    """No row stays open for ever when the exchange itself was restarted."""
    calls = table()
    play(calls, arrival())
    out = calls.reconcile(at(60), {})
    (row,) = out.entries.values()
    assert row.outcome == Outcome.ABANDONED and row.closed_at == at(60)
    assert calls.live_calls() == ()


def test_a_call_whose_end_only_queue_log_told_ends_with_its_rows() -> None:
    """Its hang-up was not heard: neither the moment of the break nor that of the comparison is its end."""
    calls = table()
    play(calls, ANSWERED[:-2])
    calls.link_lost(at(40))
    play(calls, SAME_IN_QUEUE_LOG, Source.QUEUE_LOG)
    out = calls.reconcile(at(600), {})
    assert out.calls[UID].ended_at == at(89)


def test_a_call_wholly_within_a_break_does_not_end_before_it_began() -> None:
    """The link was lost before the call came."""
    calls = table()
    calls.link_lost(at(-100))
    play(calls, SAME_IN_QUEUE_LOG, Source.QUEUE_LOG)
    (call,) = calls.reconcile(at(600), {}).calls.values()
    assert (call.started_at, call.ended_at) == (at(4), at(89))


def test_who_was_there_when_the_link_was_lost_did_not_end_before() -> None:
    """The talk was over, the caller stayed on the line (the survey); then nothing more is known."""
    calls = table()
    play(calls, ANSWERED[:-1])
    calls.link_lost(at(100))
    (call,) = calls.reconcile(at(600), {}).calls.values()
    assert call.ended_at == at(100)


def test_calls_heard_of_after_the_list_was_asked_for_are_left_alone() -> None:
    """They may be younger than the list; the others that are not in it are over."""
    calls = table()
    play(calls, arrival())
    known = calls.heard_of()
    play(calls, arrival("node1-200.1"))
    assert set(calls.reconcile(at(60), {}, known).calls) == {UID}
    assert [call.call_id for call in calls.live_calls()] == ["node1-200.1"]


def test_a_clock_set_back_during_a_wait_loses_no_answer() -> None:
    """NTP takes the exchange's clock back by a minute: the answer is the waiting caller's all the same."""
    connected = Connected(UID, at(-50), Q, "1002", "node1-100.2", 5_000, 3_000)
    over: list[Fact] = [Completed(UID, at(-20), Q, "1002", 30_000, "caller"), HungUp(UID, at(-19))]
    (row,) = play(table(), [*arrival(), connected, *over]).entries.values()
    assert (row.outcome, row.agent, row.talk_ms) == (Outcome.ANSWERED, "1002", 30_000)


def test_calls_of_a_long_past_leave_memory_while_it_is_read() -> None:
    """A thousand calls of last week: those over for hours end with their rows before the file is read out."""
    calls = table()
    for number in range(1000):
        uid = f"node1-{number}.1"
        told: list[Fact] = [
            Routed(uid, at(number * 60), uid, "12315", "12315", Q, ""),
            Joined(uid, at(number * 60), Q, 1, ""),
            Abandoned(uid, at(number * 60 + 20), Q, 20_000),
        ]
        play(calls, told, Source.QUEUE_LOG)
        ended = calls.end_past(at(number * 60), frozenset()).calls.values()
        assert all(call.ended_at == call.started_at + timedelta(seconds=20) for call in ended)
        calls.tick(at(10_000_000))
        assert len(calls.live_calls()) <= 122  # of two hours


def test_a_hang_up_without_a_last_word_closes_the_row_after_a_grace() -> None:
    """The queue's own word is waited for, then the hang-up is believed."""
    calls = table()
    play(calls, [*ANSWERED[:-2], HungUp(UID, at(80))])
    assert calls.tick(at(82)).entries == {}
    (row,) = calls.tick(at(86)).entries.values()
    assert row.outcome == Outcome.ANSWERED and row.talk_ms == 50_500


def test_the_end_of_a_talk_without_channels_closes_the_agents_row() -> None:
    """Asterisk may have forgotten both channels when a talk ends; the agent says which talk it was."""
    calls = table()
    rows = play(calls, ANSWERED[:-2])
    rows.take(calls.apply(Completed("", at(89.75), Q, "1002", 60_000, "caller")))
    (row,) = rows.entries.values()
    assert row.closed_at == at(89.75) and row.talk_ms == 60_250 and not calls.illegal


FACTS = st.sampled_from(
    [*ANSWERED, *SAME_IN_QUEUE_LOG, Abandoned(UID, at(20), Q, 16_000), Left(UID, at(30), Q, Outcome.TIMEOUT)]
)


@given(st.lists(st.tuples(FACTS, st.sampled_from(list(Source))), max_size=40))
@settings(deadline=None)
def test_no_order_of_facts_breaks_the_ledger(history: list[tuple[Fact, Source]]) -> None:
    """Doubled, lost and disordered facts never raise, and a closed row never changes its class."""
    calls = table()
    classes: dict[str, str] = {}
    for fact, source in history:
        for entry_id, row in calls.apply(fact, source).entries.items():
            if row.closed_at is not None:
                assert classes.setdefault(entry_id, row.outcome or "") == row.outcome
            assert row.wait_ms >= 0 and row.talk_ms >= 0
    closed = [e for e in calls.tick(at(10_000)).events if isinstance(e, EntryClosed)]
    assert all(event.entry_id not in classes for event in closed)


def test_a_key_that_asks_for_a_callback_is_told_twice_by_queue_log() -> None:
    """app_queue says a key, the dialplan that it was for a callback; live there is the second only."""
    begin = [*arrival()[:2], Joined(UID, at(4.2), Q, 1, "138")]
    live = play(table(), [*begin, Left(UID, at(9.3), Q, Outcome.CALLBACK), HungUp(UID, at(14))])
    logged: list[Fact] = [Left(UID, at(9), Q, Outcome.KEY_EXIT), Left(UID, at(9), Q, Outcome.CALLBACK)]
    told = play(table(), [*begin[1:2], Joined(UID, at(4), Q, 1, "138"), *logged], Source.QUEUE_LOG)
    for rows in (live, told):
        assert [row.outcome for row in rows.entries.values()] == ["callback"]
    both = table()
    play(both, [*begin, Left(UID, at(9.3), Q, Outcome.CALLBACK)])
    assert play(both, logged, Source.QUEUE_LOG).entries == {}


ASKING = "node1-100.9"
ASKS: list[Fact] = [
    *ANSWERED[:7],
    Routed(ASKING, at(40), UID, "12315", "12315", "12333", ""),
    Joined(ASKING, at(40.2), "12333", 1, ""),
]
"""Agent 1002 talks with the caller, and waits in another queue to ask it."""


@pytest.mark.parametrize(
    ("then", "enquiry"),
    [
        ([Abandoned(ASKING, at(50), "12333", 10_000)], True),  # back to the caller
        (
            [Completed(UID, at(50), Q, "1002", 20_000, "caller"), Abandoned(ASKING, at(51), "12333", 11_000)],
            True,
        ),
        (
            [Completed(UID, at(50), Q, "1002", 20_000, "agent"), Abandoned(ASKING, at(60), "12333", 20_000)],
            False,
        ),
        (
            [Completed(UID, at(50), Q, "1002", 20_000, "transfer")],
            False,
        ),  # left to that queue, which may answer
    ],
)
def test_an_agents_question_to_a_queue_is_no_callers_wait(then: list[Fact], enquiry: bool) -> None:
    """Unless the agent leaves: then it is the caller who waits there. The same after a restart in between."""
    through = table()
    begun = play(through, ASKS)
    again = table()
    again.restore(begun.calls.values(), begun.entries.values())
    for target in (through, again):
        rows = play(target, then)
        told = [one for one in begun.moments + rows.moments if one[1] == f"{ASKING}:12333:1"]
        closed = not enquiry and len(then) == 2
        assert told == [
            (moment, f"{ASKING}:12333:1")
            for moment in (
                []
                if enquiry
                else [RowMoment.OFFERED, RowMoment.DECIDED, RowMoment.CLOSED]
                if closed
                else [RowMoment.OFFERED]
            )
        ]
        asked = {**begun.entries, **rows.entries}[f"{ASKING}:12333:1"]
        assert (asked.call_id, asked.enquiry) == (UID, enquiry)
        assert not {**begun.entries, **rows.entries}[f"{UID}:{Q}:1"].enquiry


def test_a_question_that_the_exchanges_death_ended_stays_one() -> None:
    """Nobody told that the agent left the caller to the queue."""
    target = table()
    play(target, ASKS)
    ended = target.reconcile(at(90), {}).entries
    assert ended[f"{ASKING}:12333:1"].enquiry and ended[f"{ASKING}:12333:1"].outcome == "abandoned"


def test_a_caller_who_is_a_local_channel_asks_nobody() -> None:
    """Its id is not the call's, also after a restart: what it waits for next counts."""
    local = "node1-100.2"
    waits: list[Fact] = [
        Routed(local, at(4), UID, "12315", "12315", Q, ""),
        Joined(local, at(4.2), Q, 1, "138"),
        Left(local, at(64), Q, Outcome.TIMEOUT),
    ]
    then: list[Fact] = [
        Routed(local, at(65), UID, "12315", "12315", "12333", ""),
        Joined(local, at(65.1), "12333", 1, "138"),
    ]
    through = table()
    begun = play(through, waits)
    again = table()
    again.restore(begun.calls.values(), begun.entries.values())
    for target in (through, again):
        (entry,) = play(target, then).entries.values()
        assert (entry.queue, entry.enquiry) == ("12333", False)
