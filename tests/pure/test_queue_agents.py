"""The agent table against what agents and the exchange did, and the intervals that come of it."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.config.schema import Agent, Queue
from hotline.core.errors import IllegalState
from hotline.core.events import AgentAutoPaused, AgentState, AgentStateChanged, WrapUpEnded
from hotline.queue.agents.changes import AgentOutbox, Leg, Membership, PauseOrder
from hotline.queue.agents.table import NO_ANSWER_REASON, AgentTable
from hotline.queue.agents.wrap_up import MAX_REASON_BYTES, WrapUp, read_reason
from hotline.store.ledger import IntervalRecord

START = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
Q, Q2 = "12345", "12315"
ENTRY = f"node1-100.1:{Q}:1"
ZHANG = Agent(id="zhang", name="张敏", extension="8001", skills={Q: 1, Q2: 1})
QUEUES = (
    Queue(name=Q, title="综合", wrap_up_seconds=10, wrap_up_max_seconds=30, no_answer_pause_after=2),
    Queue(name=Q2, title="市场", wrap_up_seconds=0),
)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


class Desk:
    """One agent's table, and everything that came of it."""

    def __init__(self) -> None:
        self.table = AgentTable((ZHANG,), QUEUES, START)
        self.out = AgentOutbox()
        self.take(self.table.restore([], START))

    def take(self, out: AgentOutbox) -> AgentOutbox:
        self.out.add(out)
        return out

    def signed_in(self, seconds: float = 0) -> Desk:
        self.pause(None, seconds)
        return self

    def pause(self, reason: str | None, seconds: float) -> AgentOutbox:
        """The exchange's answer to QueuePause, one event a queue."""
        merged = AgentOutbox()
        for queue in (Q, Q2):
            merged.add(self.table.member("zhang", at(seconds), Membership(queue, reason, True)))
        return self.take(merged)

    def obey(self, out: AgentOutbox, seconds: float) -> AgentOutbox:
        """Do as the table orders."""
        (order,) = out.orders
        return self.pause(order.reason, seconds)

    def talk(self, since: float, until: float, queue: str = Q) -> AgentOutbox:
        """Chosen, rung, answered and hung up."""
        call = {"call_id": "node1-100.1", "leg": "leg1", "queue": queue}
        self.take(self.table.chosen("zhang", at(since), **call))
        self.take(self.table.leg_rings("zhang", at(since + 0.1), "leg1", "node1-100.1"))
        self.take(self.table.answered("zhang", at(since + 1), entry_id=ENTRY, **call))
        return self.take(self.table.completed("zhang", at(until), queue, ENTRY))

    def state(self) -> AgentState:
        return self.table.view("zhang").state

    def states(self) -> list[AgentState]:
        return [event.state for event in self.out.events if isinstance(event, AgentStateChanged)]

    def wrap_ups(self) -> list[tuple[str | None, float]]:
        return [(one.entry_id, one.seconds) for one in self.out.events if isinstance(one, WrapUpEnded)]


def test_a_call_from_the_choice_to_the_end_of_the_wrap_up() -> None:
    """Reserved before it rings, then ringing, talking, wrap-up, ready; the wrap-up is told with its row."""
    desk = Desk().signed_in()
    ended = desk.talk(1, 30)
    assert desk.table.view("zhang").wrap_up_until == at(40)
    desk.obey(ended, 30.1)
    assert not desk.take(desk.table.tick(at(39.9))).orders
    over = desk.take(desk.table.tick(at(40.2)))
    assert over.orders == [PauseOrder("zhang", None)] and desk.state() is AgentState.WRAP_UP
    desk.obey(over, 40.3)
    assert desk.states() == [
        AgentState.READY, AgentState.RESERVED, AgentState.RINGING, AgentState.TALKING, AgentState.WRAP_UP,
        AgentState.READY,
    ]  # fmt: skip
    assert desk.wrap_ups() == [(ENTRY, 10.3)] and desk.table.view("zhang").call_id is None


def test_a_queue_without_wrap_up_frees_the_agent_at_once() -> None:
    """No pause is asked for."""
    desk = Desk().signed_in()
    assert not desk.talk(1, 30, Q2).orders
    assert desk.state() is AgentState.READY and desk.wrap_ups() == []


def test_a_break_asked_for_while_talking_begins_after_the_wrap_up() -> None:
    """The talk and its wrap-up go on, with the break announced; the exchange's pause stays the break's."""
    desk = Desk().signed_in()
    desk.take(desk.table.answered("zhang", at(1), call_id="c", leg="l", queue=Q, entry_id=ENTRY))
    desk.pause("小休", 5)
    view = desk.table.view("zhang")
    assert (view.state, view.reason, view.pending_reason) == (AgentState.TALKING, "", "小休")
    assert not desk.take(desk.table.completed("zhang", at(9), Q, ENTRY)).orders
    assert desk.table.view("zhang").pending_reason == "小休" and desk.state() is AgentState.WRAP_UP
    assert not desk.take(desk.table.tick(at(19.5))).orders
    view = desk.table.view("zhang")
    assert (view.state, view.reason, view.pending_reason) == (AgentState.PAUSED, "小休", None)


def test_one_queues_late_news_does_not_end_a_wrap_up() -> None:
    """While the pause goes from queue to queue, one that is not there yet says so: nothing ends."""
    desk = Desk().signed_in()
    ended = desk.talk(1, 30)
    reason = ended.orders[0].reason
    for queue, why in ((Q, reason), (Q2, None), (Q2, reason), (Q, reason)):
        desk.take(desk.table.member("zhang", at(30.1), Membership(queue, why, True)))
        assert desk.state() is AgentState.WRAP_UP
    assert desk.wrap_ups() == []


def test_signing_out_while_talking_ends_with_the_talk() -> None:
    """The talk is not touched; afterwards there is no wrap-up and nobody is paused."""
    desk = Desk().signed_in()
    desk.take(desk.table.answered("zhang", at(1), call_id="c", leg="l", queue=Q, entry_id=ENTRY))
    for queue in (Q, Q2):
        desk.take(desk.table.removed("zhang", queue, at(5)))
    assert desk.state() is AgentState.TALKING
    assert not desk.take(desk.table.completed("zhang", at(9), Q, ENTRY)).orders
    assert desk.state() is AgentState.SIGNED_OUT


def test_a_transferred_call_is_wrapped_up_but_a_colleagues_is_not() -> None:
    """No queue brought it: the phone's own channel tells ring, talk and end."""
    desk = Desk().signed_in()
    desk.take(desk.table.leg_rings("zhang", at(1), "leg7", "call7"))
    desk.take(desk.table.leg_up("zhang", at(3), "leg7", "call7", Q))
    assert desk.table.view("zhang").call_id == "call7"
    ended = desk.take(desk.table.leg_gone("zhang", at(9), "leg7"))
    assert desk.state() is AgentState.WRAP_UP
    desk.obey(ended, 9.1)
    desk.pause(None, 12)
    assert desk.wrap_ups() == [(None, 3.0)]
    desk.take(desk.table.leg_up("zhang", at(13), "leg8", "call8"))
    assert desk.state() is AgentState.TALKING
    desk.take(desk.table.leg_gone("zhang", at(15), "leg8"))
    assert desk.state() is AgentState.READY


def test_a_talk_whose_end_the_queue_never_tells_ends_with_the_phones_channel() -> None:
    """Two seconds after the channel is gone, counted from when it went."""
    desk = Desk().signed_in()
    desk.take(desk.table.answered("zhang", at(1), call_id="c", leg="l", queue=Q, entry_id=ENTRY))
    desk.take(desk.table.leg_gone("zhang", at(9), "l"))
    desk.take(desk.table.tick(at(10)))
    assert desk.state() is AgentState.TALKING
    desk.take(desk.table.tick(at(11.5)))
    assert desk.state() is AgentState.WRAP_UP and desk.table.view("zhang").wrap_up_until == at(19)


def test_hold_by_either_side_is_held_until_nobody_holds() -> None:
    """The caller's channel gave the call its id; the agent's is the leg."""
    desk = Desk().signed_in()
    desk.take(desk.table.answered("zhang", at(1), call_id="c", leg="l", queue=Q, entry_id=ENTRY))
    for change, channel, expected in (
        (desk.table.hold, "l", AgentState.HELD),
        (desk.table.hold, "c", AgentState.HELD),
        (desk.table.unhold, "l", AgentState.HELD),
        (desk.table.unhold, "c", AgentState.TALKING),
        (desk.table.hold, "somebody else's", AgentState.TALKING),
    ):
        desk.take(change(channel, at(2)))
        assert desk.state() is expected


def test_a_wrap_up_is_extended_up_to_its_cap_and_no_further() -> None:
    """10 s, then 25 s, then the queue's 30 s; asking for more is refused with a reason."""
    desk = Desk().signed_in()
    desk.obey(desk.talk(1, 30), 30)
    longer = desk.take(desk.table.extend_wrap_up("zhang", 15, at(33)))
    assert desk.table.view("zhang").wrap_up_until == at(55)
    told = read_reason(longer.orders[0].reason or "")
    assert told is not None and told.until == at(55)
    desk.take(desk.table.extend_wrap_up("zhang", 600, at(34)))
    assert desk.table.view("zhang").wrap_up_until == at(60)
    with pytest.raises(IllegalState, match="as long as it may be"):
        desk.table.extend_wrap_up("zhang", 1, at(35))


def test_a_wrap_up_that_the_exchange_has_not_confirmed_is_asked_for_again() -> None:
    """A lost order, to pause or to resume, is repeated after five seconds, not at every tick."""
    desk = Desk().signed_in()
    ended = desk.talk(1, 30)
    assert not desk.table.tick(at(34)).orders
    again = desk.table.tick(at(35.5)).orders
    assert again == ended.orders
    desk.pause(again[0].reason, 35.6)
    assert [len(desk.table.tick(at(seconds)).orders) for seconds in (41, 42, 45.9, 46.5)] == [1, 0, 0, 1]


def test_a_server_killed_in_a_wrap_up_reads_on_in_it() -> None:
    """The exchange's pause reason tells since when, for how long and after which call."""
    before = Desk().signed_in()
    reason = before.talk(1, 30).orders[0].reason
    open_row = before.out.intervals[-1]
    assert reason is not None
    after = AgentTable((ZHANG,), QUEUES, at(33))
    after.restore([open_row], at(33))
    members = {"zhang": [Membership(Q, reason, True), Membership(Q2, reason, True)]}
    after.resync(members, {}, {}, at(33))
    view = after.view("zhang")
    assert (view.state, view.since, view.wrap_up_until) == (AgentState.WRAP_UP, at(30), at(40))
    unsaved = AgentTable((ZHANG,), QUEUES, at(33))
    unsaved.restore([IntervalRecord("zhang", "talking", "", at(2))], at(33))
    out = unsaved.resync(members, {}, {}, at(33))
    assert out.intervals == [
        IntervalRecord("zhang", "talking", "", at(2), at(30)),
        IntervalRecord("zhang", "wrap_up", "", at(30), wrap_up=reason),
    ], "also where the row of it was not saved"  # fmt: skip
    late = AgentTable((ZHANG,), QUEUES, at(7200))
    late.restore([open_row], at(7200))
    late.resync(members, {}, {}, at(7200))
    assert late.tick(at(7200)).orders == [PauseOrder("zhang", None)], "two hours later it is over"


def test_a_server_killed_in_a_talk_gives_the_wrap_up_after_it() -> None:
    """The talk is taken over; the phone's end alone does not end it, the queue's word does."""
    desk = Desk()
    desk.table = AgentTable((ZHANG,), QUEUES, at(20))
    desk.take(desk.table.restore([IntervalRecord("zhang", "talking", "", at(2))], at(20)))
    member = {"zhang": [Membership(Q, None, True)]}
    desk.take(desk.table.resync(member, {"zhang": "c1"}, {"zhang": Leg("l1", "c1", True)}, at(20)))
    view = desk.table.view("zhang")
    assert (view.state, view.since, view.call_id) == (AgentState.TALKING, at(2), "c1")
    desk.take(desk.table.leg_gone("zhang", at(30), "l1"))
    assert desk.state() is AgentState.TALKING
    ended = desk.take(desk.table.completed("zhang", at(30.1), Q, ENTRY))
    assert desk.state() is AgentState.WRAP_UP and len(ended.orders) == 1


def test_after_a_break_of_the_link_the_exchange_is_believed() -> None:
    """Who talks, talks; who talked and does not, rests; a colleague's call counts by the phone's channel."""
    desk = Desk().signed_in()
    member = {"zhang": [Membership(Q, None, True)]}
    desk.take(desk.table.resync(member, {"zhang": "c1"}, {"zhang": Leg("l1", "c1", True)}, at(5)))
    assert desk.state() is AgentState.TALKING
    desk.take(desk.table.hold("l1", at(6)))
    desk.take(desk.table.resync(member, {"zhang": "c1"}, {"zhang": Leg("l1", "c1", True)}, at(7)))
    assert desk.state() is AgentState.HELD
    desk.take(desk.table.resync(member, {}, {}, at(9)))
    assert desk.state() is AgentState.READY
    desk.take(desk.table.resync(member, {}, {"zhang": Leg("l2", "c2", True)}, at(10)))
    assert (desk.state(), desk.table.view("zhang").call_id) == (AgentState.TALKING, "c2")
    desk.take(desk.table.resync({}, {}, {}, at(11)))
    assert desk.state() is AgentState.SIGNED_OUT


def test_calls_left_ringing_pause_the_agent_and_an_answer_begins_the_count_anew() -> None:
    """The queue's limit is 2 in a row; the supervisors' event says how many there were."""
    desk = Desk().signed_in()
    assert not desk.take(desk.table.unanswered("zhang", at(1), Q)).orders
    desk.pause(None, 2)
    desk.obey(desk.talk(3, 5), 5)
    desk.pause(None, 15)
    assert not desk.take(desk.table.unanswered("zhang", at(20), Q)).orders
    second = desk.take(desk.table.unanswered("zhang", at(30), Q))
    assert second.orders == [PauseOrder("zhang", NO_ANSWER_REASON)]
    assert AgentAutoPaused("zhang", at(30), 2) in second.events
    desk.obey(second, 30.1)
    assert (desk.state(), desk.table.view("zhang").reason) == (AgentState.PAUSED, NO_ANSWER_REASON)


def test_a_pause_for_not_answering_that_fails_is_asked_for_again() -> None:
    """Every few seconds until the exchange says that it is done; not if the agent answers after all."""
    desk = Desk().signed_in()
    for seconds in (1, 2):
        desk.take(desk.table.unanswered("zhang", at(seconds), Q))
    assert not desk.take(desk.table.tick(at(3))).orders
    again = desk.take(desk.table.tick(at(8)))
    assert again.orders == [PauseOrder("zhang", NO_ANSWER_REASON)] and again.events == []
    assert not desk.take(desk.table.tick(at(9))).orders
    desk.obey(again, 10)
    assert not desk.take(desk.table.tick(at(30))).orders
    desk.pause(None, 40)
    for seconds in (50, 60):
        desk.take(desk.table.unanswered("zhang", at(seconds), Q))
    desk.talk(62, 90)
    assert PauseOrder("zhang", NO_ANSWER_REASON) not in desk.take(desk.table.tick(at(95))).orders


def test_a_reason_reads_back_as_the_wrap_up_and_others_do_not() -> None:
    """To the millisecond; a row's name that would not fit is left out, never cut."""
    wrap = WrapUp(at(0.123), at(20.123), ENTRY)
    assert read_reason(wrap.reason) == wrap
    long = WrapUp(at(0), at(20), "x" * 60)
    assert len(long.reason) <= MAX_REASON_BYTES
    assert read_reason(long.reason) == WrapUp(at(0), at(20), None)
    for other in ("小休", "", "wrap-up", "wrap-up soon"):
        assert read_reason(other) is None


HAPPENINGS = (
    "in", "out", "pause", "resume", "gone", "back", "chosen", "rings", "answered", "completed", "unanswered",
    "hold", "unhold", "tick", "end", "kill", "leg up", "leg gone", "resync",
)  # fmt: skip


@given(st.lists(st.tuples(st.floats(0, 20), st.sampled_from(HAPPENINGS)), max_size=40))
def test_intervals_are_gapless_whatever_happens_in_whatever_order(steps: list[tuple[float, str]]) -> None:
    """Every agent is in exactly one state at any moment, also over kills of the server."""
    rows: dict[datetime, IntervalRecord] = {}
    table, now = AgentTable((ZHANG,), QUEUES, START), START

    def take(out: AgentOutbox) -> None:
        rows.update({row.since: row for row in out.intervals})

    take(table.restore([], now))
    reason: str | None = None
    for seconds, what in steps:
        now += timedelta(seconds=seconds)
        call = {"call_id": "c", "leg": "l", "queue": Q}
        match what:
            case "in" | "resume":
                take(table.member("zhang", now, Membership(Q, None, True)))
            case "pause":
                take(table.member("zhang", now, Membership(Q, reason or "小休", True)))
            case "gone" | "back":
                take(table.member("zhang", now, Membership(Q, None, what == "back")))
            case "out":
                take(table.removed("zhang", Q, now))
            case "chosen":
                take(table.chosen("zhang", now, **call))
            case "rings":
                take(table.leg_rings("zhang", now, "l", "c"))
            case "answered":
                take(table.answered("zhang", now, entry_id=ENTRY, **call))
            case "completed":
                out = table.completed("zhang", now, Q, ENTRY)
                reason = next((order.reason for order in out.orders), None)
                take(out)
            case "unanswered":
                take(table.unanswered("zhang", now, Q))
            case "hold":
                take(table.hold("l", now))
            case "unhold":
                take(table.unhold("l", now))
            case "tick":
                take(table.tick(now))
            case "end":
                take(table.end_wrap_up("zhang", now))
            case "leg up":
                take(table.leg_up("zhang", now, "l", "c"))
            case "leg gone":
                take(table.leg_gone("zhang", now, "l"))
            case "resync":
                take(table.resync({"zhang": [Membership(Q, reason, True)]}, {}, {}, now))
            case "kill":
                table = AgentTable((ZHANG,), QUEUES, now)
                take(table.restore([row for row in rows.values() if row.until is None], now))
    ordered = [rows[since] for since in sorted(rows)]
    assert ordered[0].since == START
    for earlier, later in itertools.pairwise(ordered):
        assert earlier.until == later.since
    assert ordered[-1].until is None


def restarted_in_talk(state: AgentState) -> AgentTable:
    """A server that comes back while the agent talks: the open interval and the exchange tell of it."""
    table = AgentTable((ZHANG,), QUEUES, at(60))
    table.restore([IntervalRecord("zhang", state.value, "", at(10))], at(60))
    members = {"zhang": [Membership(queue, None, True) for queue in (Q, Q2)]}
    legs = {"zhang": Leg("leg1", "node1-100.1", True)}
    table.resync(members, {"zhang": "node1-100.1"}, legs, at(60))
    return table


def test_wrap_up_follows_a_talk_that_lived_through_a_restart() -> None:
    """The channel's end comes before the queue's word: the talk is the queue's all the same."""
    table = restarted_in_talk(AgentState.TALKING)
    table.leg_gone("zhang", at(90), "leg1")
    table.completed("zhang", at(90), Q, ENTRY)
    assert table.view("zhang").state is AgentState.WRAP_UP
    assert table.illegal == 0


def test_hold_that_lived_through_a_restart_ends() -> None:
    """Who pressed hold is forgotten; taking the caller back is seen."""
    table = restarted_in_talk(AgentState.HELD)
    table.unhold("leg1", at(70))
    assert table.view("zhang").state is AgentState.TALKING
