"""One line of a queue_log, with nothing in it that the ledger could not hold."""

from __future__ import annotations

from datetime import UTC, datetime

from hotline.queue.facts import (
    Abandoned,
    CallbackOver,
    CalledBack,
    Completed,
    Connected,
    Duty,
    Joined,
    Moved,
    Reached,
    Restarted,
    RingCanceled,
    RingEnded,
    Routed,
    Surveyed,
)
from hotline.queue.queue_log.reader import AnyFact, LogFact, MalformedLine, parse_line

LONGEST_LINE = 1000  # characters; queue_log lines have about a hundred
LONGEST_NAME = 70  # characters of channel and queue together: with the node's name (40) a key of 120
LONGEST_OWN_NAME = 110  # where no node's name is added
LONGEST_TEXT = 120  # characters of a field: what a column holds
LONGEST_MS = 2**31 - 1  # 24 days: what a column holds
LAST_POSITION = 100_000
_OF_NO_CALL = (Restarted, Duty)  # tuples: a union would be made anew for every line
_OF_CALLBACKS = (CalledBack, Reached, CallbackOver)
_OF_NO_QUEUE = (Moved, CalledBack, Reached, CallbackOver, Surveyed)


def read_line(line: str, latest: datetime) -> LogFact | Duty | RingCanceled | Restarted | None:
    """The fact of one line of another system; None if it says nothing about a call or an agent.

    FreePBX and Issabel write the dialled number as ``…|DID|number`` before the caller waits.

    Args:
        line: with or without its newline.
        latest: no line can be later than this.

    Raises:
        MalformedLine: it is no line of a queue_log, or what it says cannot be.
    """
    fact = _read(line) or _of_the_dialplan(line)
    if fact is not None:
        _check_fact(fact, latest, LONGEST_NAME)
    return None if isinstance(fact, _OF_NO_QUEUE) else fact


def read_own_line(line: str, latest: datetime) -> AnyFact | None:
    """The fact of one line of our own exchange; see ``read_line``."""
    fact = _read(line)
    if fact is not None:
        if max(map(len, line.split("|"))) > LONGEST_TEXT:
            raise MalformedLine("a field longer than any name")
        _check_fact(fact, latest, LONGEST_OWN_NAME)
    return fact


def _read(line: str) -> AnyFact | None:
    if len(line) > LONGEST_LINE or "\0" in line:
        raise MalformedLine("over a thousand characters, or a NUL among them")
    return parse_line(line)


def _check_fact(fact: AnyFact, latest: datetime, longest_name: int) -> None:
    """Raise for what the ledger could not hold."""
    if fact.at > latest:
        raise MalformedLine("its time is yet to come")
    if isinstance(fact, _OF_NO_CALL):
        return
    name = fact.call_id if isinstance(fact, _OF_CALLBACKS) else fact.uniqueid
    queue = "-" if isinstance(fact, _OF_NO_QUEUE) else fact.queue
    if not name or not queue or len(name) + len(queue) > longest_name:
        raise MalformedLine("its channel or queue is missing or too long")
    match fact:
        case Connected(hold_ms=first, ring_ms=second):
            _check(first, second)
        case Completed(talk_ms=first) | Abandoned(hold_ms=first) | RingEnded(ring_ms=first):
            _check(first)
        case Joined(position=position) if not 0 <= position <= LAST_POSITION:
            raise MalformedLine("no position in a queue")


def _of_the_dialplan(line: str) -> Routed | None:
    if "|DID|" not in line:
        return None
    epoch, uniqueid, queue, _, event, *data = line.rstrip("\r\n").split("|")
    at = datetime.fromtimestamp(float(epoch), UTC)
    return Routed(uniqueid, at, uniqueid, "", data[0][:120], queue, "") if event == "DID" and data else None


def _check(*durations_ms: int) -> None:
    if not all(0 <= duration <= LONGEST_MS for duration in durations_ms):
        raise MalformedLine("a duration below zero or over 24 days")
