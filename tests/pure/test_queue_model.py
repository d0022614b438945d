"""The call table against a simple model, in orders nobody would think of: waits, answers and their ends.

Hypothesis makes callers come, wait, be answered and leave; tells it live, twice, or only through queue_log;
kills the server with rows unsaved, starts it again, cuts the link, kills the exchange. After every step the
rows must be what happened (``tests/fixtures/ledger_world.py``). Many more examples, by chance:

    python -m pytest --timeout=0 --hypothesis-profile=long tests/pure -k "TheLedger or TheTalks"
"""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from hotline.core.events import Outcome, SurveyOutcome
from hotline.queue.calls.table import CallTable
from hotline.queue.facts import Abandoned, Completed, Connected, Fact, Left, RingEnded
from tests.fixtures.ledger_world import AGENTS as EXTENSIONS
from tests.fixtures.ledger_world import (
    APART,
    QUEUES,
    SHORT_ABANDON_SECONDS,
    START,
    LedgerWorld,
    examples,
    gaps,
)
from tests.fixtures.model_exchange import ModelExchange

AGENTS = ["zhang", "li", "wang"]


class WaitsMachine(LedgerWorld):
    """Callers who wait, and agents who talk with them until one hangs up or hands the caller on."""

    def __init__(self) -> None:
        super().__init__(ModelExchange(SHORT_ABANDON_SECONDS, EXTENSIONS))
        self.rang_at = START - APART

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

    @precondition(
        lambda self: not self.link and self.exchange.waiting() and self.exchange.free_agents(AGENTS)
    )
    @rule(gap=gaps, data=st.data())
    def busy_phone_is_called_as_the_link_comes_back(self, gap: int, data: st.DataObject) -> None:
        """Its ring is over at once: in queue_log, which is read first, and told live after that."""
        self.exchange_tells_late(0.0)
        self.pass_time(gap)
        self.listen()
        self.phones_ring(20, data)
        self.nobody_answers(20, data)
        self.ask_the_exchange()

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

    @precondition(lambda self: self.exchange.talking())
    @rule(gap=gaps, data=st.data())
    def agent_hangs_up_and_the_caller_is_asked(self, gap: int, data: st.DataObject) -> None:
        self.pass_time(gap)
        self.tell(self.exchange.ask(data.draw(st.sampled_from(self.exchange.talking())), self.now))

    @precondition(lambda self: self.exchange.asked())
    @rule(gap=gaps, data=st.data(), outcome=st.sampled_from(SurveyOutcome))
    def survey_is_over(self, gap: int, data: st.DataObject, outcome: SurveyOutcome) -> None:
        self.pass_time(gap)
        caller = data.draw(st.sampled_from(self.exchange.asked()))
        self.tell(self.exchange.end_survey(caller, outcome, self.now))

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

    @precondition(lambda self: self.heard)
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
            RingEnded("node1-0.0", now, queue, AGENTS[0], 1, now),
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


WaitsMachine.TestCase.settings = examples(in_ci=80, steps=30)
TestTheLedger = WaitsMachine.TestCase
