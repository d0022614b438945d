"""The agent table against a simple model: shifts nobody would plan, with nonsense and restarts in between.

After every step each agent's state is what the agent truly does, and the intervals are one line of time
without a gap or an overlap, also across a restart.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hotline.config.schema import Agent
from hotline.core.events import AgentState
from hotline.queue.agents.changes import AgentOutbox, Leg, Membership
from hotline.queue.agents.table import AgentTable
from hotline.store.ledger import IntervalRecord
from tests.pure.test_queue_agents import QUEUES, START, Q

PEOPLE = tuple(
    Agent(id=name, name=name, extension=extension, skills={queue.name: 1 for queue in QUEUES})
    for name, extension in (("zhang", "8001"), ("li", "8002"))
)
NAMES = [agent.id for agent in PEOPLE]
WRAP_UP = timedelta(seconds=QUEUES[0].wrap_up_seconds)
gaps = st.integers(min_value=0, max_value=40_000)
"""Milliseconds until the next thing happens; several things may happen in one."""


@dataclass
class Truth:
    """What one agent truly does."""

    extension: str
    queues: dict[str, str | None] = field(default_factory=dict)  # queue -> why paused there
    reachable: bool = True
    busy: AgentState | None = None
    queue: str = ""
    wrap_up_until: datetime | None = None
    calls: int = 0

    @property
    def call_id(self) -> str:
        return f"node1-{self.calls}.{self.extension}"

    @property
    def leg(self) -> str:
        return f"leg-{self.calls}.{self.extension}"

    @property
    def state(self) -> AgentState:
        if self.busy is not None:
            return self.busy
        if not self.queues:
            return AgentState.SIGNED_OUT
        if self.wrap_up_until is not None:
            return AgentState.WRAP_UP
        if not self.reachable:
            return AgentState.UNREACHABLE
        return AgentState.PAUSED if any(self.queues.values()) else AgentState.READY


class AgentMachine(RuleBasedStateMachine):
    """Two agents, one exchange that does as it is asked, one server that is killed now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.truth = {agent.id: Truth(agent.extension) for agent in PEOPLE}
        self.rows: dict[tuple[str, datetime], IntervalRecord] = {}
        self.nonsense = 0
        self.table = AgentTable(PEOPLE, QUEUES, START)

    @initialize()
    def begin(self) -> None:
        self.take(self.table.restore([], START))

    def take(self, out: AgentOutbox) -> None:
        """Keep the rows; do as the table orders, and tell it so."""
        self.rows |= {(row.agent, row.since): row for row in out.intervals}
        for order in out.orders:
            truth = self.truth[order.agent]
            for queue in truth.queues:
                truth.queues[queue] = order.reason
            if order.reason is None:
                truth.wrap_up_until = None
            for queue in list(truth.queues):
                self.take(self.tell_member(order.agent, queue))

    def tell_member(self, agent: str, queue: str) -> AgentOutbox:
        truth = self.truth[agent]
        return self.table.member(agent, self.now, Membership(queue, truth.queues[queue], truth.reachable))

    def pass_time(self, milliseconds: int) -> None:
        self.now += timedelta(milliseconds=milliseconds)
        self.take(self.table.tick(self.now))

    def those(self, *busy: AgentState | None) -> list[str]:
        return [name for name in NAMES if self.truth[name].busy in busy]

    # -- switches --------------------------------------------------------------------------------------

    @rule(gap=gaps, agent=st.sampled_from(NAMES), queue=st.sampled_from([queue.name for queue in QUEUES]))
    def signs_in(self, gap: int, agent: str, queue: str) -> None:
        self.pass_time(gap)
        truth = self.truth[agent]
        reason = next(iter(truth.queues.values()), None)  # a pause holds in every queue
        truth.queues.setdefault(queue, reason)
        self.take(self.tell_member(agent, queue))

    @rule(gap=gaps, agent=st.sampled_from(NAMES))
    def signs_out(self, gap: int, agent: str) -> None:
        self.pass_time(gap)
        truth = self.truth[agent]
        for queue in list(truth.queues):
            del truth.queues[queue]
            truth.wrap_up_until = truth.wrap_up_until if truth.queues else None
            self.take(self.table.removed(agent, queue, self.now))

    @rule(gap=gaps, agent=st.sampled_from(NAMES), reason=st.sampled_from(["小休", "用餐", None]))
    def pauses_or_resumes(self, gap: int, agent: str, reason: str | None) -> None:
        self.pass_time(gap)
        truth = self.truth[agent]
        if truth.wrap_up_until is not None:
            return  # the wrap-up's own pause: other tests look at a break asked for meanwhile
        for queue in truth.queues:
            truth.queues[queue] = reason
        for queue in truth.queues:
            self.take(self.tell_member(agent, queue))

    @rule(gap=gaps, agent=st.sampled_from(NAMES), reachable=st.booleans())
    def phone_comes_or_goes(self, gap: int, agent: str, reachable: bool) -> None:
        self.pass_time(gap)
        truth = self.truth[agent]
        if truth.queues:
            truth.reachable = reachable
        for queue in truth.queues:
            self.take(self.tell_member(agent, queue))

    # -- calls -----------------------------------------------------------------------------------------

    @precondition(lambda self: self.those(None))
    @rule(gap=gaps, data=st.data(), queue=st.sampled_from([queue.name for queue in QUEUES]))
    def is_chosen(self, gap: int, data: st.DataObject, queue: str) -> None:
        self.pass_time(gap)
        agent = data.draw(st.sampled_from(self.those(None)))
        truth = self.truth[agent]
        truth.calls, truth.queue, truth.busy = truth.calls + 1, queue, AgentState.RESERVED
        call = {"call_id": truth.call_id, "queue": queue, "leg": truth.leg}
        self.take(self.table.chosen(agent, self.now, **call))

    @precondition(lambda self: self.those(AgentState.RESERVED))
    @rule(gap=gaps, data=st.data())
    def phone_rings(self, gap: int, data: st.DataObject) -> None:
        self.pass_time(gap)
        agent = data.draw(st.sampled_from(self.those(AgentState.RESERVED)))
        truth = self.truth[agent]
        truth.busy = AgentState.RINGING
        self.take(self.table.leg_rings(agent, self.now, truth.leg, truth.call_id))

    @precondition(lambda self: self.those(AgentState.RINGING))
    @rule(gap=gaps, data=st.data(), how=st.sampled_from(["leg", "other"]))
    def ring_ends(self, gap: int, data: st.DataObject, how: str) -> None:
        """The caller gave up, or somebody else answered."""
        self.pass_time(gap)
        agent = data.draw(st.sampled_from(self.those(AgentState.RINGING)))
        truth = self.truth[agent]
        truth.busy = None
        if how == "leg":
            self.take(self.table.leg_gone(agent, self.now, truth.leg))
        self.take(self.table.call_taken(truth.call_id, self.now))

    @precondition(lambda self: self.those(AgentState.RESERVED, AgentState.RINGING))
    @rule(gap=gaps, data=st.data())
    def answers(self, gap: int, data: st.DataObject) -> None:
        self.pass_time(gap)
        agent = data.draw(st.sampled_from(self.those(AgentState.RESERVED, AgentState.RINGING)))
        truth = self.truth[agent]
        truth.busy = AgentState.TALKING
        if truth.wrap_up_until is not None:
            truth.wrap_up_until = min(truth.wrap_up_until, self.now)
        entry_id = f"{truth.call_id}:{truth.queue}:1"
        call = {"call_id": truth.call_id, "queue": truth.queue, "leg": truth.leg}
        self.take(self.table.answered(agent, self.now, entry_id=entry_id, **call))

    @precondition(lambda self: self.those(AgentState.TALKING, AgentState.HELD))
    @rule(gap=gaps, data=st.data(), held=st.booleans())
    def holds_or_resumes(self, gap: int, data: st.DataObject, held: bool) -> None:
        self.pass_time(gap)
        agent = data.draw(st.sampled_from(self.those(AgentState.TALKING, AgentState.HELD)))
        truth = self.truth[agent]
        truth.busy = AgentState.HELD if held else AgentState.TALKING
        change = self.table.hold if held else self.table.unhold
        self.take(change(truth.leg, self.now))

    @precondition(lambda self: self.those(AgentState.TALKING, AgentState.HELD))
    @rule(gap=gaps, data=st.data(), leg_first=st.booleans())
    def hangs_up(self, gap: int, data: st.DataObject, leg_first: bool) -> None:
        self.pass_time(gap)
        agent = data.draw(st.sampled_from(self.those(AgentState.TALKING, AgentState.HELD)))
        truth = self.truth[agent]
        truth.busy = None
        if truth.queue == Q and truth.queues:
            truth.wrap_up_until = self.now + WRAP_UP
        entry_id = f"{truth.call_id}:{truth.queue}:1"
        if leg_first:
            self.take(self.table.leg_gone(agent, self.now, truth.leg))
        self.take(self.table.completed(agent, self.now, truth.queue, entry_id))

    # -- what goes wrong -------------------------------------------------------------------------------

    @rule(agent=st.sampled_from(NAMES))
    def nonsense_is_told(self, agent: str) -> None:
        """What the state does not allow is counted and changes nothing."""
        truth = self.truth[agent]
        before = self.table.view(agent)
        if truth.busy in (AgentState.TALKING, AgentState.HELD):
            out = self.table.chosen(agent, self.now, call_id="node1-0.1", queue=Q, leg="no such leg")
        elif truth.busy is None:
            out = self.table.completed(agent, self.now, Q, None)
        else:
            out = self.table.completed(agent, self.now, QUEUES[1].name, None)
        self.nonsense += 1
        assert (out.intervals, out.events, self.table.view(agent)) == ([], [], before)

    @rule(agent=st.sampled_from([*NAMES, "nobody"]))
    def strangers_change_nothing(self, agent: str) -> None:
        for out in (
            self.table.leg_gone(agent, self.now, "no such leg"),
            self.table.call_taken("node1-0.1", self.now),
            self.table.hold("no such leg", self.now),
            self.table.completed("nobody", self.now, Q, None),
        ):
            assert (out.intervals, out.events, out.orders) == ([], [], [])

    @rule(gap=gaps, killed=st.booleans())
    def link_is_back(self, gap: int, killed: bool) -> None:
        """The server (killed, or only cut off) asks the exchange what is; what was chosen did not ring."""
        self.now += timedelta(milliseconds=gap)
        if killed:
            self.table, self.nonsense = AgentTable(PEOPLE, QUEUES, self.now), 0
            still_open = [row for row in self.rows.values() if row.until is None]
            self.take(self.table.restore(still_open, self.now))
        for truth in self.truth.values():
            if truth.busy in (AgentState.RESERVED, AgentState.RINGING):
                truth.busy = None
        members = {
            name: [Membership(queue, why, truth.reachable) for queue, why in truth.queues.items()]
            for name, truth in self.truth.items()
        }
        busy = {name: truth for name, truth in self.truth.items() if truth.busy}
        legs = {name: Leg(truth.leg, truth.call_id, True) for name, truth in busy.items()}
        talking = {name: truth.call_id for name, truth in busy.items()}
        self.take(self.table.resync(members, talking, legs, self.now))
        self.take(self.table.tick(self.now))

    # -- what must hold --------------------------------------------------------------------------------

    @invariant()
    def states_are_what_people_do(self) -> None:
        for name, truth in self.truth.items():
            view = self.table.view(name)
            assert view.state is truth.state, (name, truth)
            assert view.queues == tuple(sorted(truth.queues))

    @invariant()
    def intervals_have_no_gap_and_no_overlap(self) -> None:
        for name in NAMES:
            line = sorted((row for row in self.rows.values() if row.agent == name), key=lambda row: row.since)
            assert not line or line[0].since == START
            for row, following in itertools.pairwise(line):
                assert row.until == following.since
            if line:
                assert line[-1].until is None and line[-1].state == self.table.view(name).state

    @invariant()
    def only_nonsense_is_counted_as_illegal(self) -> None:
        assert self.table.illegal == self.nonsense


AgentMachine.TestCase.settings = settings(
    max_examples=120,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],  # of a busy machine
    derandomize=True,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
)
TestTheAgents = AgentMachine.TestCase
