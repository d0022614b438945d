"""One line of another system's queue_log, with nothing in it that the ledger could not hold."""

from __future__ import annotations

from datetime import UTC, datetime

from hotline.queue.facts import Abandoned, Completed, Connected, Joined, Moved, Restarted, Routed
from hotline.queue.queue_log.reader import LogFact, MalformedLine, parse_line

LONGEST_LINE = 1000  # characters; queue_log lines have about a hundred
LONGEST_NAME = 70  # characters of channel and queue together: with the node's name (40) a key of 120
LONGEST_MS = 2**31 - 1  # 24 days: what a column holds
LAST_POSITION = 100_000


def read_line(line: str, latest: datetime) -> LogFact | Restarted | None:
    """The fact of one line; None if it says nothing about a call.

    FreePBX and Issabel write the dialled number as ``…|DID|number`` before the caller waits.

    Args:
        line: with or without its newline.
        latest: no line can be later than this.

    Raises:
        MalformedLine: it is no line of a queue_log, or what it says cannot be.
    """
    if len(line) > LONGEST_LINE or "\0" in line:
        raise MalformedLine("over a thousand characters, or a NUL among them")
    fact = parse_line(line)
    if fact is None:
        fact = _of_the_dialplan(line)
    if fact is None or isinstance(fact, Moved):
        return None
    if isinstance(fact, Restarted):
        return fact
    if fact.at > latest:
        raise MalformedLine("its time is yet to come")
    if not fact.uniqueid or not fact.queue or len(fact.uniqueid) + len(fact.queue) > LONGEST_NAME:
        raise MalformedLine("its channel or queue is missing or too long")
    match fact:
        case Connected(hold_ms=first, ring_ms=second):
            _check(first, second)
        case Completed(talk_ms=first) | Abandoned(hold_ms=first):
            _check(first)
        case Joined(position=position) if not 0 <= position <= LAST_POSITION:
            raise MalformedLine("no position in a queue")
    return fact


def _of_the_dialplan(line: str) -> Routed | None:
    if "|DID|" not in line:
        return None
    epoch, uniqueid, queue, _, event, *data = line.rstrip("\r\n").split("|")
    at = datetime.fromtimestamp(float(epoch), UTC)
    return Routed(uniqueid, at, uniqueid, "", data[0][:120], queue, "") if event == "DID" and data else None


def _check(*durations_ms: int) -> None:
    if not all(0 <= duration <= LONGEST_MS for duration in durations_ms):
        raise MalformedLine("a duration below zero or over 24 days")
