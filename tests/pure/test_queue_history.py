"""Calls of the past from lines of a queue_log, against what the callers did."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.config.schema import Agent, Line, Queue, Site
from hotline.queue.facts import AGENTS_ONLY, Restarted
from hotline.queue.queue_log.history import History, PastCall
from hotline.queue.queue_log.line import read_line
from hotline.queue.queue_log.reader import MalformedLine
from hotline.queue.routing import HistoryNames
from hotline.store.ledger import EntryRecord
from tests.fixtures.believable_log import BelievableLog

SITE = Site(
    lines=(
        Line(id="12345", name="热线", dids=("12345",)),
        Line(id="12315", name="市场监管", dids=("12315", "02812315")),
    ),
    queues=(Queue(name="12345", title="综合"), Queue(name="12315", title="消费维权")),
    agents=(Agent(id="zhang", name="张敏", extension="1001"), Agent(id="li", name="李强", extension="1002")),
)
LATEST = datetime(2030, 1, 1, tzinfo=UTC)
T = 1_690_000_000


def put_together(
    lines: list[str], *, until: datetime = LATEST, node: str = "old"
) -> tuple[History, list[PastCall]]:
    history = History(node, HistoryNames(SITE), SITE.figures.short_abandon_seconds)
    for number, line in enumerate(lines):
        fact = read_line(line, LATEST)
        if isinstance(fact, Restarted):
            history.restarted(fact.at)
        elif fact is not None and not isinstance(fact, AGENTS_ONLY):
            history.take(fact, (0, number))
    history.end(until)
    return history, history.finished()


def rows(lines: list[str]) -> list[EntryRecord]:
    _, calls = put_together(lines)
    return [entry.record() for past in calls for entry in past.call.entries]


def classes(lines: list[str]) -> list[tuple[str, str | None]]:
    return [(row.queue, row.outcome) for row in rows(lines)]


def test_an_answered_call_in_whole_seconds() -> None:
    """Times, agent and caller as the log says them; the key bears the exchange's name."""
    _, (past,) = put_together(
        [
            f"{T}|{T}.7|12315|NONE|ENTERQUEUE||13800001234|2\n",
            f"{T + 30}|{T}.7|12315|SIP/1002|RINGNOANSWER|20000\n",
            f"{T + 40}|{T}.7|12315|SIP/1001|CONNECT|40|{T}.8|6\n",
            f"{T + 100}|{T}.7|12315|SIP/1001|COMPLETEAGENT|40|60|2\n",
        ]
    )
    (row,) = [entry.record() for entry in past.call.entries]
    assert (row.entry_id, row.node, row.source) == (f"old~{T}.7:12315:1", "old", "import")
    assert (row.outcome, row.agent, row.ended_by, row.position) == ("answered", "zhang", "agent", 2)
    assert (row.wait_ms, row.ring_ms, row.talk_ms, row.unanswered_rings) == (40_000, 6_000, 60_000, 1)
    (talk,) = past.talks
    assert (talk.entry_id, talk.kind, talk.agent, talk.party) == (row.entry_id, "queue", "zhang", "1001")
    assert (talk.talk_ms, talk.ended_at, talk.ended_by) == (60_000, row.closed_at, "agent")
    call = past.call.record("old")
    assert (call.line, call.caller_number, call.call_id) == ("12315", "13800001234", f"old~{T}.7")
    assert call.ended_at == datetime.fromtimestamp(T + 100, UTC)


@given(st.integers(0, 5000), st.booleans())
def test_the_order_of_a_seconds_lines_does_not_matter(seed: int, dids: bool) -> None:
    """A log whose every second was shuffled gives the same rows as the one in order."""
    numbers = ("12345", "9999") if dids else ()
    log = BelievableLog(seed, calls=12, per_second=2.0, dids=numbers)
    in_order = list(log.lines())
    by_second: dict[str, list[str]] = {}
    for line in in_order:
        by_second.setdefault(line[:10], []).append(line)
    pick = random.Random(seed)
    mixed = [line for second in by_second.values() for line in pick.sample(second, len(second))]
    assert sorted(rows(mixed), key=lambda row: row.entry_id) == sorted(
        rows(in_order), key=lambda row: row.entry_id
    )


@given(st.integers(0, 5000))
def test_every_class_is_as_often_as_callers_met_it(seed: int) -> None:
    """For any log: rows by queue and class, and the sums of wait and talk, are the truth's."""
    log = BelievableLog(seed, calls=40)
    found = rows(list(log.lines()))
    counted: dict[tuple[str, str], int] = {}
    for row in found:
        assert row.outcome is not None
        counted[row.queue, row.outcome] = counted.get((row.queue, row.outcome), 0) + 1
    assert counted == log.truth.rows
    answered = [row for row in found if row.outcome == "answered"]
    assert sum(row.talk_ms for row in answered) == log.truth.talk_seconds * 1000
    assert sum(row.wait_ms for row in answered) == log.truth.wait_seconds * 1000


def test_leaving_and_coming_back_within_a_second_are_two_waits() -> None:
    """No line of one log is an echo of another, however near they stand."""
    lines = [
        f"{T}|1.1|12345|NONE|ENTERQUEUE||1|1",
        f"{T + 1}|1.1|12345|NONE|EXITWITHKEY|0|1|1|1",
        f"{T + 1}|1.1|12345|NONE|ENTERQUEUE||1|1",
        f"{T + 2}|1.1|12345|1001|CONNECT|1|1.2|1",
        f"{T + 2}|1.1|12345|1001|COMPLETECALLER|1|0|1",
    ]
    assert classes(lines) == [("12345", "key_exit"), ("12345", "answered")]


def test_our_own_log_says_line_path_and_who_was_not_let_in() -> None:
    """HOTLINE and HOTLINEEXIT lines: a full queue is a row, a time-out is told twice and counted once."""
    lines = [
        f"{T}|old-1.1|12315|NONE|HOTLINE|12345|12345|old-1.0|",
        f"{T}|old-1.1|12315|NONE|HOTLINEEXIT|FULL",
        f"{T}|old-1.1|12345|NONE|HOTLINE|12345|12345|old-1.0|",
        f"{T}|old-1.1|12345|NONE|ENTERQUEUE||1|1",
        f"{T + 9}|old-1.1|12345|NONE|EXITWITHTIMEOUT|1|1|9",
        f"{T + 9}|old-1.1|12345|NONE|HOTLINEEXIT|TIMEOUT",
    ]
    found = rows(lines)
    assert {(row.entry_id, row.line, row.outcome) for row in found} == {
        ("old-1.1:12315:1", "12345", "full"),
        ("old-1.1:12345:1", "12345", "timeout"),
    }
    assert {(row.call_id, row.language) for row in found} == {("old-1.0", "")}


def test_a_log_of_ours_tells_the_language_and_an_older_one_of_ours_does_not() -> None:
    """The last field of HOTLINE is as long as a language may be, whatever somebody else wrote there."""
    for said, expected in (("|en", "en"), ("|", ""), ("", ""), ("|" + "x" * 99, "x" * 35)):
        lines = [
            f"{T}|1.1|12345|NONE|HOTLINE|12345|12345|1.1|main.8{said}",
            f"{T}|1.1|12345|NONE|ENTERQUEUE||1|1",
            f"{T + 9}|1.1|12345|NONE|ABANDON|1|1|9",
        ]
        assert [row.language for row in rows(lines)] == [expected]


def test_the_dialled_number_decides_the_line_where_the_site_knows_it() -> None:
    """FreePBX's DID line; another number leaves the line to the queue."""
    lines = [
        f"{T}|1.1|12345|NONE|DID|02812315",
        f"{T}|1.1|12345|NONE|ENTERQUEUE||1|1",
        f"{T}|1.1|12345|NONE|ABANDON|1|1|0",
        f"{T}|1.2|12345|NONE|DID|5550000",
        f"{T}|1.2|12345|NONE|ENTERQUEUE||1|1",
        f"{T}|1.2|12345|NONE|ABANDON|1|1|0",
    ]
    assert [row.line for row in rows(lines)] == ["12315", "12345"]


@pytest.mark.parametrize(
    ("member", "agent"),
    [
        ("SIP/1001", "zhang"),
        ("Local/1002@from-queue/n", "li"),
        ("张敏", "zhang"),
        ("li", "li"),
        ("SIP/99", "SIP/99"),
    ],
)
def test_agents_are_known_by_extension_name_or_id(member: str, agent: str) -> None:
    """Who is nobody of the site keeps the name the log has."""
    lines = [
        f"{T}|1.1|12345|NONE|ENTERQUEUE||1|1",
        f"{T}|1.1|12345|{member}|CONNECT|0|1.2|0",
        f"{T + 5}|1.1|12345|{member}|COMPLETEAGENT|0|5|1",
    ]
    assert rows(lines)[0].agent == agent


def test_a_restart_of_the_exchange_ends_what_was_alive() -> None:
    """Who talked was answered until the last sign of life; who waited is lost; nobody is open for ever."""
    lines = [
        f"{T}|1.1|12345|NONE|ENTERQUEUE||1|1",
        f"{T + 1}|1.1|12345|1001|CONNECT|1|1.2|1",
        f"{T + 2}|1.3|12345|NONE|ENTERQUEUE||1|1",
        f"{T + 62}|1.4|12345|NONE|ENTERQUEUE||1|1",
        f"{T + 9000}|NONE|NONE|NONE|QUEUESTART|",
        f"{T + 9000}|1.5|12345|NONE|ENTERQUEUE||1|1",
        f"{T + 9007}|1.5|12345|NONE|ABANDON|1|1|7",
    ]
    found = {row.uniqueid: row for row in rows(lines)}
    assert found["old~1.1"].outcome == "answered" and found["old~1.1"].talk_ms == 61_000
    assert found["old~1.1"].ended_by == "unknown"
    assert (found["old~1.3"].outcome, found["old~1.3"].wait_ms) == ("abandoned", 60_000)
    assert (found["old~1.5"].outcome, found["old~1.5"].wait_ms) == ("abandoned", 7_000)


def test_one_line_with_a_wrong_time_ends_nobodys_call() -> None:
    """A clock that jumped for one line does not make the calls around it look lost."""
    lines = [
        f"{T}|1.1|12345|NONE|ENTERQUEUE||1|1",
        f"{T + 40_000_000}|1.9|12345|NONE|ENTERQUEUE||1|1",
        f"{T + 30}|1.1|12345|1001|CONNECT|30|1.2|1",
        f"{T + 90}|1.1|12345|1001|COMPLETECALLER|30|60|1",
    ]
    found = {row.uniqueid: row for row in rows(lines)}
    assert (found["old~1.1"].outcome, found["old~1.1"].talk_ms) == ("answered", 60_000)


def test_calls_that_go_on_at_the_end_are_left_for_the_next_time() -> None:
    """They are said to be open, and where reading must begin again; long lost ones are closed."""
    lines = [
        f"{T}|1.1|12345|NONE|ENTERQUEUE||1|1",
        f"{T}|1.2|12345|NONE|ENTERQUEUE||1|1",
        f"{T + 30}|1.1|12345|1001|CONNECT|30|1.3|1",
        f"{T + 31}|1.2|12345|NONE|ABANDON|1|1|31",
    ]
    history = History("old", HistoryNames(SITE), 5)
    for number, line in enumerate(lines):
        fact = read_line(line, LATEST)
        assert fact is not None and not isinstance(fact, (Restarted, *AGENTS_ONLY))
        history.take(fact, (0, number))
    assert history.end(datetime.fromtimestamp(T + 60, UTC)) == (0, 0)
    assert [past.channel for past in history.finished()] == ["1.2"] and history.open_calls == 1
    later, calls = put_together(lines, until=datetime.fromtimestamp(T, UTC) + timedelta(days=2))
    lost = next(past.call.entries[0] for past in calls if past.channel == "1.1")
    assert (lost.outcome, lost.ended_by, later.open_calls) == ("answered", "unknown", 0)


@pytest.mark.parametrize(
    "line",
    [
        "this is no line",
        "x|1.1|12345|NONE|ENTERQUEUE||1|1",
        f"{T}|1.1|12345|NONE|ENTERQUEUE||1|one",
        f"{T}|1.1|12345|1001|CONNECT|",
        f"{T}|1.1|12345|1001|CONNECT|-5|1.2|1",
        f"{T}|1.1|12345|1001|COMPLETECALLER|1|99999999999|1",
        f"{T}|1.1||NONE|ENTERQUEUE||1|1",
        f"{T}|{'1' * 80}|12345|NONE|ENTERQUEUE||1|1",
        f"{T}|1.1|12345|NONE|ENTERQUEUE||{'1' * 2000}|1",
        f"{T}|1.1|123\x0045|NONE|ENTERQUEUE||1|1",
        "9999999999|1.1|12345|NONE|ENTERQUEUE||1|1",
        "99999999999999999999|1.1|12345|NONE|ENTERQUEUE||1|1",
        "nan|1.1|12345|NONE|ENTERQUEUE||1|1",
    ],
)
def test_what_cannot_be_a_line_is_malformed(line: str) -> None:
    """Nothing gets by that the database would refuse or the figures choke on."""
    with pytest.raises(MalformedLine):
        read_line(line, LATEST)


@given(st.text(alphabet=st.sampled_from("0123456789|.NODEQUTARS-\0\x85\u2028é"), max_size=80))
def test_no_line_breaks_the_reader(line: str) -> None:
    """Any text is a fact, nothing, or malformed."""
    try:
        read_line(line, LATEST)
    except MalformedLine:
        pass
