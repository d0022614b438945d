"""What queue_log says of agents: over an outage of our own, and of another system's past."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hotline.config.schema import Agent, Line, Queue, Site
from hotline.core.events import WrapUpEnded
from hotline.queue.agents.changes import Leg, Membership
from hotline.queue.agents.table import AgentTable
from hotline.queue.agents.wrap_up import WrapUp
from hotline.queue.facts import AgentFact
from hotline.queue.queue_log.agent_history import AgentHistory
from hotline.queue.queue_log.reader import parse_line
from hotline.queue.routing import HistoryNames
from hotline.store.ledger import IntervalRecord

START = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
Q, Q2 = "12345", "12315"
ZHANG = Agent(id="zhang", name="张敏", extension="8001", skills={Q: 1, Q2: 1})
QUEUES = (Queue(name=Q, title="综合", wrap_up_seconds=10), Queue(name=Q2, title="市场", wrap_up_seconds=0))
SITE = Site(lines=(Line(id=Q, name="综合", number=Q, dids=(Q,)),), queues=QUEUES, agents=(ZHANG,))
Told = tuple[str, str, float, float | None, str]
"""State, reason, since and until in seconds from the start, source."""


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def fact(
    seconds: int, event: str, queue: str = Q, agent: str = "zhang", uniqueid: str = "n-1.1"
) -> AgentFact:
    """The fact of a line of queue_log."""
    found = parse_line(f"{int(START.timestamp()) + seconds}|{uniqueid}|{queue}|{agent}|{event}\n")
    assert isinstance(found, AgentFact)
    return found


def told(rows: list[IntervalRecord]) -> list[Told]:
    """Rows in order of time, the newest version of each."""
    newest = {row.since: row for row in rows}
    return [
        (
            row.state,
            row.reason,
            (row.since - START).total_seconds(),
            (row.until - START).total_seconds() if row.until else None,
            row.source,
        )
        for _, row in sorted(newest.items())
    ]


class Away:
    """A table whose server has just come back, and everything that it saved from then on."""

    def __init__(self, state: str, reason: str, since: float, members: dict[str, str | None]) -> None:
        self.table = AgentTable((ZHANG,), QUEUES, at(1000))
        self.out = self.table.restore([IntervalRecord("zhang", state, reason, at(since))], at(1000))
        self.members = {"zhang": [Membership(queue, why, True) for queue, why in members.items()]}
        self.table.expect(self.members)

    def reads(self, *facts: AgentFact) -> Away:
        for one in facts:
            self.out.add(self.table.logged(one))
        return self

    def links(self, leg: Leg | None = None) -> list[Told]:
        """The link is there and the exchange tells how things are now."""
        talking = {"zhang": leg.call_id} if leg else {}
        self.out.add(self.table.resync(self.members, talking, {"zhang": leg} if leg else {}, at(1000)))
        return told(self.out.intervals)


def test_a_day_at_work_while_the_server_is_dead() -> None:
    """Ring, talk, break, sign-out and sign-in again: each has its times, and where they are known from."""
    away = Away("ready", "", 0.25, {Q: None, Q2: None}).reads(
        fact(100, "RINGNOANSWER|20000"),
        fact(203, "CONNECT|9|n-1.2|3", Q2),
        fact(263, "COMPLETECALLER|9|60|1", Q2),
        fact(300, "PAUSE|小休", Q),
        fact(300, "PAUSE|小休", Q2),
        fact(400, "UNPAUSE|", Q),
        fact(400, "UNPAUSE|", Q2),
        fact(500, "REMOVEMEMBER|", Q),
        fact(500, "REMOVEMEMBER|", Q2),
        fact(600, "ADDMEMBER|", Q),
        fact(600, "ADDMEMBER|", Q2),
    )
    assert away.links() == [
        ("ready", "", 0.25, 80, "queue_log"),
        ("ringing", "", 80, 100, "queue_log"),
        ("ready", "", 100, 200, "queue_log"),
        ("ringing", "", 200, 203, "queue_log"),
        ("talking", "", 203, 263, "queue_log"),
        ("ready", "", 263, 300, "queue_log"),
        ("paused", "小休", 300, 400, "queue_log"),
        ("ready", "", 400, 500, "queue_log"),
        ("signed_out", "", 500, 600, "queue_log"),
        ("ready", "", 600, None, "queue_log"),
    ]


def test_what_was_seen_live_and_is_read_again_changes_nothing() -> None:
    """The log is read from a little before the server died: its lines are of a whole second."""
    away = Away("talking", "", 50.7, {Q: None}).reads(
        fact(10, "PAUSE|小休"), fact(20, "UNPAUSE|"), fact(50, "CONNECT|9|n-1.2|3")
    )
    assert away.out.intervals == [] and away.out.events == []
    assert away.links(Leg("n-1.2", "n-1.1", True)) == []
    away = Away("ready", "", 60.9, {Q: None}).reads(
        fact(50, "CONNECT|9|n-1.2|3"), fact(60, "COMPLETEAGENT|9|10|1")
    )
    assert away.links() == []


def test_what_the_log_does_not_say_is_what_the_exchange_says_when_it_is_asked() -> None:
    """A phone that is gone, and a talk that goes on: from when it was asked, or as the log has it."""
    away = Away("ready", "", 0, {Q: None})
    away.members = {"zhang": [Membership(Q, None, False)]}
    assert away.links() == [("ready", "", 0, 1000, "live"), ("unreachable", "", 1000, None, "live")]
    away = Away("ready", "", 0, {Q: None}).reads(fact(903, "CONNECT|9|n-1.2|3"))
    assert away.links(Leg("n-1.2", "n-1.1", True))[-1] == ("talking", "", 903, None, "queue_log")


def test_the_break_asked_for_in_a_talk_follows_it() -> None:
    """Whoever talked when the server died, was paused in the talk, and hung up."""
    away = Away("talking", "", 50, {Q: "小休"}).reads(
        fact(60, "PAUSE|小休"), fact(90, "COMPLETEAGENT|9|40|1")
    )
    assert away.links() == [
        ("talking", "", 50, 90, "queue_log"),
        ("paused", "小休", 90, None, "queue_log"),
    ]


def test_a_wrap_up_that_somebody_ended_meanwhile() -> None:
    """Its pause says that it is one; its end is told with its length and its row."""
    wrap = WrapUp(at(50), at(60), f"n-1.1:{Q}:1")
    away = Away("talking", "", 20, {Q: None}).reads(
        fact(50, "COMPLETEAGENT|9|30|1"), fact(50, f"PAUSE|{wrap.reason}"), fact(75, "UNPAUSE|")
    )
    assert away.links() == [
        ("talking", "", 20, 50, "queue_log"),
        ("wrap_up", "", 50, 75, "queue_log"),
        ("ready", "", 75, None, "queue_log"),
    ]
    (ended,) = [event for event in away.out.events if isinstance(event, WrapUpEnded)]
    assert (ended.entry_id, ended.seconds) == (f"n-1.1:{Q}:1", 25)


def test_the_exchange_that_died_took_the_talk_along() -> None:
    """Who talked then is ready from when it was last heard of."""
    away = Away("ready", "", 0, {Q: None}).reads(fact(103, "CONNECT|9|n-1.2|3"))
    away.out.add(away.table.exchange_died(at(110)))
    assert away.links()[-2:] == [
        ("talking", "", 103, 110, "queue_log"),
        ("ready", "", 110, None, "queue_log"),
    ]


def test_signing_out_of_some_queues_is_not_signing_out() -> None:
    """Which queues an agent serves is known from now, where an earlier run only left the state."""
    away = Away("ready", "", 0, {Q2: None}).reads(fact(100, "REMOVEMEMBER|", Q))
    assert away.links() == []
    away = Away("ready", "", 0, {}).reads(fact(100, "REMOVEMEMBER|", Q))
    assert away.links() == [("ready", "", 0, 100, "queue_log"), ("signed_out", "", 100, None, "queue_log")]


def test_damaged_lines_harm_nothing() -> None:
    """A ring of thirty thousand years; an agent the site has not."""
    away = Away("ready", "", 0, {Q: None}).reads(
        fact(100, "RINGNOANSWER|999999999999999"), fact(150, "RINGNOANSWER|-5"), fact(160, "PAUSE", agent="x")
    )
    assert [row[0] for row in away.links()] == ["ringing", "ready"]


def past(*facts: AgentFact, live_since: dict[str, datetime] | None = None) -> AgentHistory:
    history = AgentHistory("old", HistoryNames(SITE), live_since or {})
    for one in facts:
        history.take(one)
    return history


def test_another_systems_agent_by_its_interface() -> None:
    """Known by extension or name; the time before the first line and after the last is not made up."""
    history = past(
        fact(0, "ADDMEMBER|", agent="Local/8001@from-queue/n"),
        fact(103, "CONNECT|9|1.2|3", agent="张敏"),
        fact(150, "COMPLETECALLER|9|47|1", agent="张敏"),
        fact(200, "PAUSE|午餐", agent="SIP/8001"),
        fact(260, "UNPAUSE|", agent="SIP/8001"),
        fact(300, "REMOVEMEMBER|", agent="SIP/8001"),
        fact(900, "ADDMEMBER|", agent="SIP/8001"),
    )
    assert told(history.finished()) == [
        ("ready", "", 0, 100, "import"),
        ("ringing", "", 100, 103, "import"),
        ("talking", "", 103, 150, "import"),
        ("ready", "", 150, 200, "import"),
        ("paused", "午餐", 200, 260, "import"),
        ("ready", "", 260, 300, "import"),
        ("signed_out", "", 300, 900, "import"),
    ]
    assert not history.unknown_agents


def test_a_static_member_has_rings_talks_and_breaks_only() -> None:
    """No line says when such an agent came or went."""
    history = past(
        fact(103, "CONNECT|9|1.2|3", agent="SIP/77"),
        fact(150, "COMPLETECALLER|9|47|1", agent="SIP/77"),
        fact(220, "RINGNOANSWER|20000", agent="SIP/77"),
    )
    rows = history.finished()
    assert told(rows) == [
        ("ringing", "", 100, 103, "import"),
        ("talking", "", 103, 150, "import"),
        ("ringing", "", 200, 220, "import"),
    ]
    assert {row.agent for row in rows} == {"SIP/77"} and list(history.unknown_agents) == ["SIP/77"]


def test_who_is_not_heard_of_for_a_day_was_not_here() -> None:
    """A sign-out that the log lost does not make somebody work for a week."""
    week = 7 * 86400
    history = past(
        fact(0, "ADDMEMBER|"), fact(60, "PAUSE|小休"), fact(90, "UNPAUSE|"), fact(week, "ADDMEMBER|")
    )
    assert [row[:4] for row in told(history.finished())] == [("ready", "", 0, 60), ("paused", "小休", 60, 90)]
    history = past(fact(0, "ADDMEMBER|"), fact(60, "REMOVEMEMBER|"), fact(week, "ADDMEMBER|"))
    assert told(history.finished())[-1][:4] == ("signed_out", "", 60, week)


def test_what_was_seen_live_is_not_imported_again() -> None:
    """Our own log, imported for the time before the server was there."""
    history = past(
        fact(0, "ADDMEMBER|"), fact(100, "PAUSE|小休"), fact(200, "UNPAUSE|"),
        live_since={"zhang": at(150)},
    )  # fmt: skip
    assert [row[:4] for row in told(history.finished())] == [
        ("ready", "", 0, 100),
        ("paused", "小休", 100, 150),
    ]


EVENTS = (
    "ADDMEMBER|", "REMOVEMEMBER|", "PAUSE|小休", "PAUSE|用餐", "UNPAUSE|", "CONNECT|9|1.2|3",
    "COMPLETECALLER|9|40|1", "RINGNOANSWER|20000", "RINGCANCELED|4000",
)  # fmt: skip
lines = st.lists(
    st.tuples(
        st.integers(0, 40), st.sampled_from(EVENTS), st.sampled_from([Q, Q2]), st.sampled_from(["a", "b"])
    ),
    max_size=40,
)


@given(steps=lines, cut=st.integers(0, 40), back=st.integers(0, 5))
def test_an_import_that_goes_on_makes_the_rows_of_one_that_was_never_ended(
    steps: list[tuple[int, str, str, str]], cut: int, back: int
) -> None:
    """Ended anywhere, begun again some lines earlier: the same rows, none twice, none overlapping."""
    clock, facts = 0, []
    for gap, event, queue, agent in steps:
        clock += gap
        facts.append(fact(clock, event, queue, agent))
    whole = past(*facts).finished()
    first = past(*facts[:cut])
    names = HistoryNames(SITE)
    second = AgentHistory("old", names, {}, first.standings())
    for one in facts[max(0, cut - back) :]:
        second.take(one)
    assert [*first.finished(), *second.finished()] == whole
    for agent in ("a", "b"):
        rows = [row for row in whole if row.agent == agent]
        for earlier, later in itertools.pairwise(rows):
            assert earlier.until is not None and earlier.since < earlier.until <= later.since
