"""What the load test calls a difference: it must see each kind, or its silence says nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bench.callers import CallerRecord, read_log
from bench.kills import ANSWERING_SECONDS, Talk, differences
from hotline.store.models import QueueEntry

NUMBER = "13800000001"
TALK = Talk("3001", NUMBER, 4.0)
CALLER = CallerRecord(answered_ms=1000, ended_ms=1000 + round((2.0 + 4.0 + ANSWERING_SECONDS) * 1000))


def row(**changes: Any) -> QueueEntry:
    """The row of an answered call: 2 s of waiting, 4 s of talk."""
    told: dict[str, Any] = {"outcome": "answered", "agent": "3001", "wait_ms": 2000, "talk_ms": 4000}
    told |= {"source": "live", "joined_at": datetime(2026, 11, 2, tzinfo=UTC)}
    return QueueEntry(**(told | changes))


def test_a_row_that_agrees_is_no_difference() -> None:
    """The same times to a second, or a little more where only queue_log knew."""
    assert differences(NUMBER, [row(wait_ms=2300)], CALLER, [TALK]) == []
    assert differences(NUMBER, [row(wait_ms=3000, talk_ms=3000, source="queue_log")], CALLER, [TALK]) == []


@pytest.mark.parametrize(
    ("rows", "talks"),
    [
        ([], [TALK]),
        ([row(), row()], [TALK]),
        ([row()], []),
        ([row(outcome="abandoned", agent=None, talk_ms=0)], [TALK]),
        ([row(agent="3002")], [TALK]),
        ([row(wait_ms=3100)], [TALK]),
        ([row(talk_ms=6000, source="queue_log")], [TALK]),
        ([row(outcome=None)], [TALK]),
    ],
)
def test_every_kind_of_difference_is_seen(rows: list[QueueEntry], talks: list[Talk]) -> None:
    """A row too few or too many, another class, agent, wait or talk, a row left open."""
    assert differences(NUMBER, rows, CALLER, talks)


def test_a_caller_whose_call_never_ended_has_no_length() -> None:
    """Who was taken and then forgotten shows as lost, not as a short call."""
    records = {NUMBER: CallerRecord(), "2": CallerRecord()}
    read_log(f"answered {NUMBER} 5\nanswered 2 7\nleft 2 1007\n", records)
    assert records[NUMBER].seconds is None
    assert (records["2"].seconds, records["2"].left) == (1.0, True)
