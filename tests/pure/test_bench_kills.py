"""What the load test calls a difference: it must see each kind, or its silence says nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bench.callers import CallerRecord, read_log
from bench.comparing import (
    ANSWERING_SECONDS,
    Deaths,
    Rows,
    Said,
    asterisk_and_phones,
    server_and_asterisk,
    times_of_phones,
)
from bench.staff import Note
from bench.witness import Stay
from hotline.core.events import TalkKind
from hotline.store.ledger import EntryRecord, TalkRecord

NUMBER = "13800000001"
START = datetime(2026, 11, 2, 1, 0, 0, 400_000, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def whole(seconds: float) -> datetime:
    return at(seconds).replace(microsecond=0)


ENTRY = EntryRecord(
    entry_id="n-1.1:12333:1", node="n", uniqueid="n-1.1", queue="12333", visit=1, call_id="n-1.1",
    line="12333", source="live", joined_at=at(0), position=1, answered_at=at(2), closed_at=at(6),
    outcome="answered", agent="3001", wait_ms=2000, talk_ms=4000,
)  # fmt: skip
TALK = TalkRecord(
    talk_id="n-1.2:1", node="n", call_id="n-1.1", entry_id=ENTRY.entry_id, kind="queue", agent="3001",
    party="3001", source="live", answered_at=at(2), ended_at=at(6), talk_ms=4000, ended_by="agent",
)  # fmt: skip
HANDED_ON = replace(TALK, talk_id="n-1.3:1", entry_id=None, kind="transfer", agent="3002", party="3002",
                    answered_at=at(7), ended_at=at(9))  # fmt: skip
LOGGED = replace(ENTRY, source="queue_log", joined_at=whole(0), answered_at=whole(2), closed_at=whole(6))
LOGGED_TALK = replace(TALK, source="queue_log", answered_at=whole(2), ended_at=whole(6))
CALLER = CallerRecord(answered_ms=1000, ended_ms=1000 + round((6.0 + ANSWERING_SECONDS) * 1000))
NOTE = Note("3001", NUMBER, TalkKind.QUEUE, at(2).timestamp(), at(6).timestamp())
ASTERISK = Said(Rows([ENTRY], [TALK, HANDED_ON]), Rows([LOGGED], [LOGGED_TALK]))
DEAD = Deaths([(at(7.5), at(30))])


def rows(**changes: Any) -> Rows:
    """The server's rows; ``changes`` of the wait."""
    return Rows([replace(ENTRY, **changes)], [TALK, HANDED_ON])


def test_rows_that_agree_are_no_difference() -> None:
    """Exact where told live, to the second where only queue_log knew, and late where Asterisk told late."""
    assert not [*server_and_asterisk(rows(), ASTERISK, Deaths())]
    assert not [*server_and_asterisk(Rows([LOGGED], [LOGGED_TALK, HANDED_ON]), ASTERISK, Deaths())]
    late = Said(Rows([replace(ENTRY, answered_at=at(6), wait_ms=6000, talk_ms=0)], []), ASTERISK.log)
    assert late.late() > timedelta(seconds=2)
    assert not [*server_and_asterisk(Rows(late.events.entries), late, Deaths())]
    assert not [*server_and_asterisk(Rows([LOGGED]), Said(late.events, Rows([LOGGED])), Deaths())]


@pytest.mark.parametrize(
    "server",
    [
        Rows(),
        Rows([ENTRY, replace(ENTRY, entry_id="n-1.1:12333:2", visit=2)], [TALK, HANDED_ON]),
        rows(outcome="abandoned"),
        rows(outcome=None),
        rows(agent="3002"),
        rows(line="12345"),
        rows(joined_at=at(1.2)),
        rows(closed_at=None),
        rows(wait_ms=3500),
        rows(talk_ms=2500),
        rows(unanswered_rings=1),
        Rows([ENTRY], [HANDED_ON]),
        Rows([ENTRY], [TALK]),
        Rows([ENTRY], [TALK, HANDED_ON, replace(HANDED_ON, talk_id="n-1.4:1")]),
        Rows([ENTRY], [TALK, replace(HANDED_ON, kind="consult")]),
        Rows([ENTRY], [TALK, replace(HANDED_ON, answered_at=at(7.1))]),
        Rows([ENTRY], [replace(TALK, ended_at=at(4.5)), HANDED_ON]),
    ],
)
def test_every_wrong_row_is_seen(server: Rows) -> None:
    """One too few or too many, another class, agent, line or moment, one left open."""
    assert [*server_and_asterisk(server, ASTERISK, Deaths())]


def test_a_talk_that_nobody_heard_may_be_missing_but_not_its_wait() -> None:
    """What no queue made is not in queue_log; a queue's own talk always is."""
    assert not [*server_and_asterisk(Rows([ENTRY], [TALK]), ASTERISK, DEAD)]
    assert [*server_and_asterisk(Rows([ENTRY], [HANDED_ON]), ASTERISK, DEAD)]


ALONE = Said(Rows([ENTRY], [TALK]), Rows([LOGGED], [LOGGED_TALK]))


def test_phones_that_agree_with_asterisk() -> None:
    """Each talk is on a phone's record, at its time; an answer too late for the caller is no talk."""
    assert not [*asterisk_and_phones(ALONE, CALLER, [NOTE], 0), *times_of_phones(ALONE, CALLER, [NOTE], 0)]
    crossed = replace(
        NOTE, agent="3003", began_at=NOTE.began_at - 1, ended_at=NOTE.began_at - 0.5, dropped=True
    )
    assert not [*asterisk_and_phones(ALONE, CALLER, [crossed, NOTE], 0)]


@pytest.mark.parametrize(
    ("said", "caller", "notes"),
    [
        (ALONE, CALLER, []),
        (ALONE, CALLER, [NOTE, replace(NOTE, agent="3003", ended_at=NOTE.ended_at + 5)]),
        (ALONE, CALLER, [replace(NOTE, agent="3003")]),
        (ALONE, CALLER, [replace(NOTE, kind=TalkKind.TRANSFER)]),
        (Said(Rows([replace(ENTRY, agent=None, outcome="abandoned")])), CALLER, []),
        (Said(Rows([replace(ENTRY, closed_at=None)], [TALK])), CALLER, [NOTE]),
    ],
)  # fmt: skip
def test_every_disagreement_of_phones_and_asterisk_is_seen(
    said: Said, caller: CallerRecord, notes: list[Note]
) -> None:
    """A talk that no phone knows of, or no record; another agent or kind; a wait given up by nobody."""
    assert [*asterisk_and_phones(said, caller, notes, 0)]


@pytest.mark.parametrize(
    ("caller", "note"),
    [
        (CALLER, replace(NOTE, ended_at=NOTE.ended_at - 2)),
        (CALLER, replace(NOTE, began_at=NOTE.began_at - 2)),
        (CallerRecord(0, 12_000), NOTE),
    ],
)
def test_other_times_of_the_phones_are_seen(caller: CallerRecord, note: Note) -> None:
    """An answer, an end, or a wait; as far as phones and events were late it is no matter."""
    assert [*times_of_phones(ALONE, caller, [note], 0)]
    assert not [*times_of_phones(ALONE, caller, [note], 6)]


ASKER_GONE = {"n-1.2": Stay(at(2), at(6)), "n-1.3": Stay(at(6.001), at(9))}
ASKED = Said(
    Rows([replace(ENTRY, ended_by="transfer")], [
        replace(TALK, ended_by="transfer"), replace(HANDED_ON, answered_at=at(6.001))
    ]),
    Rows([LOGGED], [LOGGED_TALK]), ASKER_GONE,
)  # fmt: skip
NOTES = [
    replace(NOTE, blurred=True),
    Note("3002", NUMBER, TalkKind.CONSULT, at(5.4).timestamp(), at(9).timestamp(), "3001", blurred=True),
]


def test_an_answer_that_asterisk_took_up_when_the_asker_had_gone_is_no_consult() -> None:
    """No row is wrong by it, but it is told: the machine was busy."""
    assert not [*asterisk_and_phones(ASKED, CALLER, NOTES, 0)]
    assert len([*times_of_phones(ASKED, CALLER, NOTES, 0)]) == 1


@pytest.mark.parametrize(
    ("said", "asked_by"),
    [
        (replace(ASKED, stays=ASKER_GONE | {"n-1.3": Stay(at(5.999), at(9))}), "3001"),
        (replace(ASKED, stays=ASKER_GONE | {"n-1.2": Stay(at(2))}), "3001"),
        (replace(ASKED, stays={}), "3001"),
        (replace(ASKED, events=Rows([ENTRY], [TALK, ASKED.events.talks[1]])), "3001"),
        (ASKED, "3003"),
    ],
)
def test_a_consult_that_asterisk_told_of_and_the_table_lost_is_seen(said: Said, asked_by: str) -> None:
    """The two were in a bridge before the asker left, or nothing shows that they were not."""
    notes = [NOTES[0], replace(NOTES[1], asked_by=asked_by)]
    assert [*asterisk_and_phones(said, CALLER, notes, 0)]


def test_a_caller_whose_call_never_ended_has_no_length() -> None:
    """Who was taken and then forgotten shows as lost, not as a short call."""
    records = {NUMBER: CallerRecord(), "2": CallerRecord()}
    read_log(f"answered {NUMBER} 5\nanswered 2 7\nleft 2 1007\n", records)
    assert records[NUMBER].seconds is None
    assert (records["2"].seconds, records["2"].left) == (1.0, True)
