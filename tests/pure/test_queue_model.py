"""The call table against a simple model, in orders nobody would think of.

Hypothesis makes callers come, wait, be answered and leave; tells it live, twice, or only through queue_log;
kills the server with rows unsaved, starts it again, cuts the link, kills the exchange. After every step the
rows must be what happened.
"""

from __future__ import annotations

import os
from collections import Counter
from datetime import timedelta

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hotline.core.events import EntryClosed, Outcome, Source
from hotline.queue.calls.outbox import Outbox
from hotline.queue.calls.table import CallTable
from hotline.queue.facts import Abandoned, Completed, Connected, Fact, Joined, Left, RingEnded
from hotline.store.ledger import CallRecord, EntryRecord
from tests.fixtures.model_exchange import ModelExchange, Told, Wait
from tests.pure.test_queue_calls import START, table

SHORT_ABANDON_SECONDS = 5.0
QUEUES = ("12345", "12315")
AGENTS = ["1001", "1002", "1003"]
SETTLE = timedelta(seconds=5)  # queue_log lines younger than this are left to the live events
READ_EVERY = timedelta(seconds=30)
APART = timedelta(seconds=4)
"""Between two visits to one queue lie a prompt and Wait(2); two rounds of ringing are ``retry`` apart."""

gaps = st.integers(min_value=1, max_value=9_000) | st.integers(min_value=9_000, max_value=1_000_000)
"""Milliseconds until the next thing happens."""


class Rows:
    """Rows and the position in queue_log that belongs to them, as the writer keeps them."""

    def __init__(self) -> None:
        self.calls: dict[str, CallRecord] = {}
        self.entries: dict[str, EntryRecord] = {}
        self.closings: Counter[str] = Counter()
        self.tail = 0

    def take(self, out: Outbox) -> None:
        self.calls.update(out.calls)
        self.entries.update(out.entries)
        self.closings.update(event.entry_id for event in out.events if isinstance(event, EntryClosed))

    def copy(self) -> Rows:
        copied = Rows()
        copied.calls, copied.entries = dict(self.calls), dict(self.entries)
        copied.closings, copied.tail = Counter(self.closings), self.tail
        return copied

    def recent(self) -> tuple[list[CallRecord], list[EntryRecord]]:
        """What a starting server reads back: see ``Ledger.recent``."""
        floor = max((row.closed_at or row.joined_at for row in self.entries.values()), default=START)
        newest = max((row.started_at for row in self.calls.values()), default=START)
        entries = [
            row for row in self.entries.values()
            if row.closed_at is None or row.closed_at >= floor - CallTable.KEEP
        ]  # fmt: skip
        wanted = {row.call_id for row in entries}
        calls = [
            row for row in self.calls.values()
            if row.ended_at is None or row.started_at >= newest - CallTable.KEEP or row.call_id in wanted
        ]  # fmt: skip
        return calls, entries


class LedgerMachine(RuleBasedStateMachine):
    """One exchange, one server that comes and goes, one database."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.exchange = ModelExchange(SHORT_ABANDON_SECONDS)
        self.table = table()
        self.rows, self.disk = Rows(), Rows()
        self.log: list[Fact] = []
        self.read_at = START
        self.alive = self.link = True
        self.nonsense = 0
        self.last: Fact | None = None
        self.rang_at = START - APART

    # -- the world -------------------------------------------------------------------------------------

    def pass_time(self, milliseconds: int) -> None:
        """The clock goes on; a server that runs looks at it and reads queue_log."""
        self.now += timedelta(milliseconds=milliseconds)
        if self.alive:
            if self.now - self.read_at >= READ_EVERY:
                self.read_log(everything=False)
            self.rows.take(self.table.tick(self.now))

    def tell(self, happenings: list[Told]) -> None:
        for told in happenings:
            if told.log is not None:
                self.log.append(told.log)
            if self.link:
                self.last = told.live
                self.rows.take(self.table.apply(told.live))

    def read_log(self, *, everything: bool) -> None:
        self.read_at = self.now
        for fact in self.log[self.rows.tail :]:
            if not everything and fact.at > self.now - SETTLE:
                break
            self.rows.take(self.table.apply(fact, Source.QUEUE_LOG))
            self.rows.tail += 1

    # -- what people do --------------------------------------------------------------------------------

    @rule(gap=gaps, queue=st.sampled_from(QUEUES))
    def caller_comes(self, gap: int, queue: str) -> None:
        self.pass_time(gap)
        self.tell(self.exchange.arrive(queue, self.now))

    @rule(gap=gaps, queue=st.sampled_from(QUEUES), why=st.sampled_from([Outcome.FULL, Outcome.EMPTY]))
    def caller_is_not_let_in(self, gap: int, queue: str, why: Outcome) -> None:
        self.pass_time(gap)
        self.tell(self.exchange.arrive(queue, self.now, refused=why))

    @precondition(lambda self: self.exchange.waiting() and self.exchange.free_agents(AGENTS))
    @rule(gap=gaps, data=st.data())
    def phones_ring(self, gap: int, data: st.DataObject) -> None:
        self.pass_time(gap)
        self.now = max(self.now, self.rang_at + APART)
        wait = data.draw(st.sampled_from(self.exchange.waiting()))
        free = self.exchange.free_agents(AGENTS)
        for agent in data.draw(st.lists(st.sampled_from(free), min_size=1, unique=True)):
            self.tell(self.exchange.ring(wait, agent, self.now))

    @precondition(lambda self: self.exchange.ringing())
    @rule(gap=gaps, data=st.data())
    def nobody_answers(self, gap: int, data: st.DataObject) -> None:
        self.pass_time(gap)
        self.rang_at = self.now
        self.tell(self.exchange.nobody_answers(data.draw(st.sampled_from(self.exchange.ringing())), self.now))

    @precondition(lambda self: self.exchange.ringing())
    @rule(gap=gaps, data=st.data())
    def agent_answers(self, gap: int, data: st.DataObject) -> None:
        self.pass_time(gap)
        wait = data.draw(st.sampled_from(self.exchange.ringing()))
        self.tell(self.exchange.answer(wait, data.draw(st.sampled_from(sorted(wait.ringing))), self.now))

    @precondition(lambda self: self.exchange.talking())
    @rule(gap=gaps, data=st.data(), by=st.sampled_from(["caller", "agent", "transfer"]))
    def talk_ends(self, gap: int, data: st.DataObject, by: str) -> None:
        self.pass_time(gap)
        self.tell(self.exchange.end_talk(data.draw(st.sampled_from(self.exchange.talking())), by, self.now))

    @precondition(lambda self: self.exchange.free_agents(AGENTS))
    @rule(gap=gaps, queue=st.sampled_from(QUEUES), by=st.sampled_from(["caller", "agent", None]))
    def caller_is_served(self, gap: int, queue: str, by: str | None) -> None:
        """The usual course in one step, to the answer or to the end: chance alone seldom takes it."""
        self.caller_comes(gap, queue)
        wait = self.exchange.waiting()[-1]
        agent = self.exchange.free_agents(AGENTS)[0]
        self.pass_time(gap)
        self.tell(self.exchange.ring(wait, agent, self.now))
        self.pass_time(gap)
        self.tell(self.exchange.answer(wait, agent, self.now))
        if by is not None:
            self.pass_time(gap)
            self.tell(self.exchange.end_talk(wait, by, self.now))

    @precondition(lambda self: self.exchange.waiting())
    @rule(gap=gaps, data=st.data())
    def caller_gives_up(self, gap: int, data: st.DataObject) -> None:
        self.pass_time(gap)
        self.tell(self.exchange.give_up(data.draw(st.sampled_from(self.exchange.waiting())), self.now))

    @precondition(lambda self: self.exchange.waiting())
    @rule(
        gap=gaps, data=st.data(), why=st.sampled_from([Outcome.TIMEOUT, Outcome.EMPTY, Outcome.TRANSFERRED])
    )
    def queue_lets_go(self, gap: int, data: st.DataObject, why: Outcome) -> None:
        self.pass_time(gap)
        self.tell(self.exchange.taken_out(data.draw(st.sampled_from(self.exchange.waiting())), why, self.now))

    @precondition(lambda self: self.exchange.idle_callers())
    @rule(gap=gaps, data=st.data(), queue=st.sampled_from([*QUEUES, None]))
    def idle_caller_goes_on(self, gap: int, data: st.DataObject, queue: str | None) -> None:
        """Who was let go or handed on joins a queue (also the same again), or hangs up."""
        self.pass_time(gap)
        caller = data.draw(st.sampled_from(self.exchange.idle_callers()))
        if queue is None:
            self.tell(self.exchange.hang_up(caller, self.now))
            return
        before = [wait.closed_at for wait in caller.waits if wait.queue == queue and wait.closed_at]
        self.now = max([self.now, *(closed + APART for closed in before)])
        self.tell(self.exchange.join(caller, queue, self.now))

    # -- what the sources do ---------------------------------------------------------------------------

    @precondition(lambda self: self.link and self.last)
    @rule()
    def last_is_told_again(self) -> None:
        assert self.last is not None
        out = self.table.apply(self.last)
        assert not any(isinstance(event, EntryClosed) for event in out.events)
        self.rows.take(out)

    @precondition(lambda self: self.alive)
    @rule(everything=st.booleans())
    def log_is_read(self, everything: bool) -> None:
        self.read_log(everything=everything and self.link)

    @precondition(lambda self: self.link)
    @rule(back=st.integers(min_value=1, max_value=40))
    def log_is_read_once_more(self, back: int) -> None:
        """A replay of what is known changes no row."""
        self.read_log(everything=True)
        for fact in self.log[-back:]:
            if fact.at > self.now - CallTable.KEEP / 2:
                out = self.table.apply(fact, Source.QUEUE_LOG)
                assert out.entries == {}, f"{fact} told again changed {list(out.entries)}"
                self.rows.take(out)

    @precondition(lambda self: self.alive)
    @rule()
    def rows_are_saved(self) -> None:
        self.disk = self.rows.copy()

    @precondition(lambda self: self.link)
    @rule(data=st.data())
    def nonsense_is_told(self, data: st.DataObject) -> None:
        """What cannot be is counted and changes nothing."""
        fact = data.draw(st.sampled_from(self.impossible()))
        out = self.table.apply(fact)
        self.nonsense += 1
        assert (out.entries, out.calls, out.events) == ({}, {}, [])

    def impossible(self) -> list[Fact]:
        """Facts that no exchange could tell now."""
        now, queue = self.now, QUEUES[0]
        found: list[Fact] = [
            Connected("node1-0.0", now, queue, AGENTS[0], "x", 0, 0),
            RingEnded("node1-0.0", now, queue, AGENTS[0], 1),
            Completed("", now, "no such queue", AGENTS[0], 0, "caller"),
            Abandoned("node1-0.0", now, queue, 0),
        ]
        for wait in self.exchange.waiting():
            found.append(Completed(wait.uid, now, wait.queue, AGENTS[0], 1000, "agent"))
        for wait in self.exchange.talking():
            found.append(Abandoned(wait.uid, now, wait.queue, 1000))
            found.append(Left(wait.uid, now, wait.queue, Outcome.TIMEOUT))
        for caller in self.exchange.callers:
            last = caller.waits[-1]
            if last.closed_at and APART < now - last.closed_at < CallTable.KEEP / 2:
                found.append(Connected(last.uid, now, last.queue, AGENTS[0], "x", 0, 0))
                found.append(Completed(last.uid, now, last.queue, AGENTS[0], 0, "caller"))
        return found

    # -- what goes wrong -------------------------------------------------------------------------------

    @precondition(lambda self: self.link)
    @rule()
    def link_is_lost(self) -> None:
        self.link = False

    @precondition(lambda self: self.alive)
    @rule()
    def server_is_killed(self) -> None:
        """What was not saved is gone, and with it the position in queue_log."""
        self.alive = self.link = False
        self.rows = self.disk.copy()

    @precondition(lambda self: not self.link)
    @rule()
    def exchange_is_killed(self) -> None:
        self.exchange.crash()

    @precondition(lambda self: not self.link)
    @rule(gap=gaps)
    def link_is_back(self, gap: int) -> None:
        """A server that was killed reads its rows back; either asks the exchange what is."""
        self.pass_time(gap)
        if not self.alive:
            self.table, self.nonsense = table(), 0
            self.table.restore(*self.rows.recent())
        self.alive = self.link = True
        self.last = None
        self.read_log(everything=True)
        for wait in self.exchange.waiting():
            if not self.table.is_waiting(wait.uid, wait.queue):
                self.rows.take(self.table.apply(Joined(wait.uid, wait.joined_at, wait.queue, 1, "")))
        self.rows.take(self.table.reconcile(self.now, self.exchange.alive()))

    # -- what must hold --------------------------------------------------------------------------------

    @invariant()
    def keys_are_unique_and_classes_add_up(self) -> None:
        rows = self.rows.entries.values()
        assert len({(row.uniqueid, row.queue, row.visit) for row in rows}) == len(rows)
        assert all(row.entry_id == f"{row.uniqueid}:{row.queue}:{row.visit}" for row in rows)
        classes = Counter(row.outcome for row in rows if row.closed_at)
        assert None not in classes
        assert sum(classes.values()) + sum(row.closed_at is None for row in rows) == len(rows)

    @invariant()
    def nothing_closed_opens_or_closes_again(self) -> None:
        assert all(count == 1 for count in self.rows.closings.values()), self.rows.closings
        for entry_id in self.rows.closings:
            assert self.rows.entries[entry_id].closed_at is not None

    @invariant()
    def only_nonsense_is_counted_as_illegal(self) -> None:
        if self.alive:
            assert sum(self.table.illegal.values()) == self.nonsense, self.table.illegal

    @invariant()
    def rows_are_what_happened(self) -> None:
        if not self.link:
            return
        waits = {wait.key: wait for wait in self.exchange.waits()}
        assert self.rows.entries.keys() == waits.keys()
        for key, wait in waits.items():
            self.check(self.rows.entries[key], wait)

    def check(self, row: EntryRecord, wait: Wait) -> None:
        assert (row.closed_at is not None) == (wait.closed_at is not None or wait.unseen), row
        if wait.unseen:
            ends = {Outcome.ABANDONED, Outcome.SHORT_ABANDON} if wait.agent is None else {Outcome.ANSWERED}
            assert row.outcome in ends and row.agent == wait.agent
            return
        assert row.agent == wait.agent
        assert row.unanswered_rings == wait.unanswered_rings
        slack_ms = 0 if row.source == Source.LIVE else 1000
        if wait.wait_seconds is not None:
            assert abs(row.wait_ms - wait.wait_seconds * 1000) <= slack_ms + 0.5
        if wait.closed_at is None:
            return
        assert abs(row.talk_ms - wait.talk_seconds * 1000) <= slack_ms + 0.5
        at_the_limit = abs((wait.wait_seconds or 0) - SHORT_ABANDON_SECONDS) <= slack_ms / 1000
        if not (at_the_limit and row.outcome in (Outcome.ABANDONED, Outcome.SHORT_ABANDON)):
            assert row.outcome == wait.outcome

    @invariant()
    def the_picture_is_what_is(self) -> None:
        if not self.link:
            return
        waiting = {(wait.call_id, wait.queue) for wait in self.table.waiting()}
        assert waiting == {(wait.uid, wait.queue) for wait in self.exchange.waiting()}
        assert self.table.talking() == {wait.agent: wait.uid for wait in self.exchange.talking()}
        live = {view.call_id for view in self.table.live_calls()}
        assert live == {caller.uid for caller in self.exchange.callers if not caller.gone}

    @invariant()
    def a_restart_would_show_the_same(self) -> None:
        if not self.alive:
            return
        restarted = table()
        restarted.restore(*self.rows.recent())
        assert restarted.waiting() == self.table.waiting()
        assert restarted.talking() == self.table.talking()
        assert {one.call_id for one in restarted.live_calls()} == {
            one.call_id for one in self.table.live_calls()
        }


LedgerMachine.TestCase.settings = settings(
    max_examples=int(os.environ.get("MODEL_EXAMPLES", "100")),
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],  # of a busy machine
    derandomize="MODEL_EXAMPLES" not in os.environ,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
)
TestTheLedger = LedgerMachine.TestCase
